"""A `wasmer.toml` for a container: what builds into a package with the same commands and the same files.

Some of the original is not in a container and cannot come back: comments, ABIs, the paths of the modules. What a
`wasmer.toml` cannot say is left out with a warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkgmgr.building.webc_manifest import KIND_BASE, METADATA_VOLUME
from pkgmgr.manifest.names import shown
from pkgmgr.manifest.paths import guest_path, inside
from pkgmgr.unpacking.layout import MODULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.unpacking.layout import Layout
    from webc_parser.command import Command
    from webc_parser.container import Container
    from webc_parser.manifest import Binding, VolumePath

_WASI_KEYS = {
    "main_args": "main-args",
    "mainArgs": "main-args",
    "exec_name": "exec-name",
    "execName": "exec-name",
    "mount_atom_in_volume": "mount-atom-in-volume",
    "mountAtomInVolume": "mount-atom-in-volume",
}


class ProjectWriter:
    """Makes the `wasmer.toml` of one container, laid out in a folder by `layout`; `warnings` tell what is lost."""

    __slots__ = ("_container", "_layout", "_names", "warnings")

    def __init__(self, container: Container, layout: Layout) -> None:
        self._container = container
        self._layout = layout
        self._names: dict[str, str] = {}
        self.warnings: list[str] = []

    def text(self) -> str:
        """The whole `wasmer.toml`."""
        import tomli_w

        manifest = self._container.manifest
        dependencies = self._dependencies()
        parts = [
            {"package": self._package()} if "wapm" in manifest.package.annotations or manifest.entrypoint else {},
            {"dependencies": dependencies} if dependencies else {},
            {"fs": fs} if (fs := self._filesystem()) else {},
        ]
        blocks = [tomli_w.dumps(part) for part in parts if part]
        bindings = self._bindings()
        blocks += [_block("module", self._module(name, bindings.get(name))) for name in self._container.atoms]
        blocks += [_block("command", self._command(name, command)) for name, command in manifest.commands.items()]
        return "\n".join(blocks)

    def _warn(self, what: str) -> None:
        self.warnings.append(f"wasmer.toml: {what}")

    def _package(self) -> dict[str, Any]:
        manifest = self._container.manifest
        info = manifest.package
        package: dict[str, Any] = {
            key: value
            for key in ("name", "version", "description", "license", "homepage", "repository")
            if (value := getattr(info, key)) is not None
        }
        for key, place in (("license-file", info.license_file), ("readme", info.readme)):
            path = None if place is None else self._metadata_path(place)
            if path is not None:
                package[key] = path
            elif place is not None:
                self._warn(f"the {key} {shown(place.path)} is not in the package, left out")
        if manifest.entrypoint in manifest.commands:
            package["entrypoint"] = manifest.entrypoint
        elif manifest.entrypoint is not None:
            self._warn(f"the entrypoint {shown(manifest.entrypoint)} is not a command, left out")
        return package | ({"private": True} if info.private else {})

    def _metadata_path(self, place: VolumePath) -> str | None:
        """Where a file of the metadata volume was written, `None` when it is not there."""
        relative = inside(place.path.lstrip("/"))
        volume = self._container.volumes.get(place.volume)
        if not relative or volume is None or not hasattr(volume.get(relative), "content"):
            return None
        folder = self._layout.metadata if place.volume == METADATA_VOLUME else self._layout.volumes[place.volume]
        return f"{folder}/{relative}" if folder else relative

    def _dependencies(self) -> dict[str, str]:
        """`[dependencies]`; remembers how each alias of the container is called there."""
        found: dict[str, str] = {}
        for alias, dependency in self._container.manifest.use.items():
            name, at, requirement = dependency.spec.rpartition("@")
            if not at:
                name, requirement = dependency.spec, "*"
            if "://" in dependency.spec or dependency.spec.startswith(("sha256:", ".", "/", "~")) or not name:
                name, requirement = alias, dependency.spec
            self._names[alias] = name
            found[name] = requirement
        return found

    def _filesystem(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for mapping in self._container.manifest.filesystem:
            guest = guest_path(mapping.mount_path)
            subpath = inside((mapping.host_path or "").lstrip("/"))
            folder = self._folder(mapping.volume_name)
            alias = mapping.from_dependency
            if guest is None or subpath is None or guest in found or (alias is None and folder is None):
                self._warn(f"the volume {shown(mapping.volume_name)} at {shown(mapping.mount_path)} cannot be mapped")
            elif alias is None:
                found[guest] = f"./{folder}/{subpath}" if subpath else f"./{folder}"
            else:
                found[guest] = {"from": self._names.get(alias, alias), "volume": mapping.volume_name}
                if subpath:
                    found[guest]["path"] = subpath
        return found

    def _folder(self, volume: str) -> str | None:
        """The folder of a volume; a mapping may write the name with or without the slash at its start."""
        folders = self._layout.volumes
        return next((folders[name] for name in (volume, f"/{volume}", volume.lstrip("/")) if name in folders), None)

    def _module(self, name: str, bindings: dict[str, Any] | None) -> dict[str, Any]:
        module: dict[str, Any] = {"name": name, "source": f"./{MODULES}/{name}"}
        info = self._container.manifest.atoms.get(name)
        if info is not None and info.kind != KIND_BASE + "wasm":
            module["kind"] = info.kind.removeprefix(KIND_BASE)
        if bindings is not None:
            module["bindings"] = bindings
        hints = info.annotations.get("suggested_compiler_optimizations") if info is not None else None
        if isinstance(hints, dict) and isinstance(hints.get("pass_params"), bool):
            module["annotations"] = {"suggested_compiler_optimizations": {"pass_params": hints["pass_params"]}}
        return module

    def _bindings(self) -> dict[str, dict[str, Any]]:
        """The bindings of each module, as `[module.bindings]` says them."""
        found: dict[str, dict[str, Any]] = {}
        for binding in self._container.manifest.bindings:
            made = self._binding(binding)
            if made is None:
                self._warn(f"the bindings {shown(binding.kind)} name files that are not in the package, left out")
            else:
                found[made[0]] = made[1]
        return found

    def _binding(self, binding: Binding) -> tuple[str, dict[str, Any]] | None:
        kind, _, version = binding.kind.partition("@")
        outer = binding.annotations if isinstance(binding.annotations, dict) else {}
        described = outer.get(kind)
        if (
            kind not in {"wit", "wai"}
            or not isinstance(described, dict)
            or not isinstance(described.get("module"), str)
        ):
            return None
        module = described["module"].removeprefix("atoms://")
        exports = self._metadata_uri(described.get("exports"))
        imports = [self._metadata_uri(uri) for uri in described.get("imports") or ()]
        if None in imports or (exports is None and (kind == "wit" or described.get("exports") is not None)):
            return None
        if kind == "wit":
            return module, {"wit-bindgen": version, "wit-exports": exports}
        made: dict[str, Any] = {"wai-version": version, "imports": imports}
        return module, made if exports is None else made | {"exports": exports}

    def _metadata_uri(self, uri: object) -> str | None:
        from webc_parser.manifest import VolumePath

        if not isinstance(uri, str) or not uri.startswith(f"{METADATA_VOLUME}:"):
            return None
        return self._metadata_path(VolumePath(METADATA_VOLUME, uri.partition(":")[2]))

    def _command(self, name: str, command: Command) -> dict[str, Any]:
        atom = command.atom
        module, dependency = (name, None) if atom is None else (atom.name, atom.dependency)
        if dependency is None and module not in self._container.atoms:
            dependency = command.origin_package
        if dependency is not None:
            module = f"{self._names.get(dependency, dependency)}:{module}"
        annotations = {key: _toml(value) for key, value in command.annotations.items() if key != "atom"}
        wasi = annotations.get("wasi")
        if isinstance(wasi, dict):
            kept = {_WASI_KEYS.get(key, key): value for key, value in wasi.items() if key != "atom"}
            annotations["wasi"] = kept or None
        annotations = {key: value for key, value in annotations.items() if value is not None}
        made: dict[str, Any] = {"name": name, "module": module, "runner": command.runner}
        return made | ({"annotations": annotations} if annotations else {})


def _toml(value: object) -> Any:
    """An annotation as TOML can hold it: without nulls, bytes as numbers, integers that are too large as text."""
    match value:
        case dict():
            return {str(key): _toml(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_toml(item) for item in value if item is not None]
        case bytes():
            return list(value)
        case bool() | str() | float() | None:
            return value
        case int() if -(2**63) <= value < 2**63:
            return value
        case _:
            return str(value)


def _block(kind: str, fields: Mapping[str, Any]) -> str:
    """One element of an array of tables; what is a table in it follows under a header of its own."""
    import tomli_w

    plain = {key: value for key, value in fields.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in fields.items() if isinstance(value, dict)}
    text = f"[[{kind}]]\n{tomli_w.dumps(plain)}"
    return text + ("\n" + tomli_w.dumps({kind: tables}) if tables else "")
