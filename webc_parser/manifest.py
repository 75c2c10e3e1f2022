"""The manifest of a container, typed: what the package is, what it needs and what it can do.

The keys are those of the `webc` crate's `metadata::Manifest` and of its `annotations` module. Unknown keys are kept in
`raw`; a known key with a value of the wrong type is an error.
"""

from __future__ import annotations

from webc_parser.command import Command, parse_command
from webc_parser.errors import WebcError
from webc_parser.field import Fields
from webc_parser.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class VolumePath(Record):
    """A file inside a volume of the container (a readme, a license)."""

    volume: str
    path: str


class PackageInfo(Record):
    """Who the package is; `annotations` are all its annotations, `wapm` (which fills the rest) and `fs` included."""

    name: str | None
    version: str | None
    description: str | None
    license: str | None
    homepage: str | None
    repository: str | None
    readme: VolumePath | None
    license_file: VolumePath | None
    private: bool
    annotations: Mapping[str, object]


class Dependency(Record):
    """A package that this one uses; `spec` is `namespace/name@version` or a URL, `raw` is what the file holds."""

    alias: str
    spec: str
    raw: object


class AtomInfo(Record):
    """What the manifest says of an atom: the URI of its kind, its signature (`sha256:BASE64`), annotations."""

    kind: str
    signature: str
    annotations: Mapping[str, object]


class Binding(Record):
    """A description of an interface: its name, kind (`wit@0.1.0`, `wai@0.2.0`) and annotations."""

    name: str
    kind: str
    annotations: object


class FilesystemMapping(Record):
    """A volume (or `host_path`, a directory of it) that stands at `mount_path` when a command of the package runs.

    `from_dependency` is the alias of the dependency that has the volume, `None` for the package itself.
    """

    from_dependency: str | None
    volume_name: str
    host_path: str | None
    mount_path: str


class Manifest(Record):
    """What a container says of itself; `filesystem` is what of it is mounted where."""

    package: PackageInfo
    use: Mapping[str, Dependency]
    atoms: Mapping[str, AtomInfo]
    commands: Mapping[str, Command]
    bindings: Sequence[Binding]
    entrypoint: str | None
    filesystem: Sequence[FilesystemMapping]
    raw: Mapping[str, object]


LEGACY_MAPPING = FilesystemMapping(None, "atom", None, "/")


def _volume_path(fields: Fields | None) -> VolumePath | None:
    return VolumePath(fields.text("volume"), fields.text("path")) if fields else None


def _package(package: Fields) -> PackageInfo:
    wapm = package.fields("wapm") or Fields({}, package.where, package.offset)
    return PackageInfo(
        name=wapm.optional_text("name"),
        version=wapm.optional_text("version"),
        description=wapm.optional_text("description"),
        license=wapm.optional_text("license"),
        homepage=wapm.optional_text("homepage"),
        repository=wapm.optional_text("repository"),
        readme=_volume_path(wapm.fields("readme")),
        license_file=_volume_path(wapm.fields("license-file", "license_file")),
        private=wapm.flag("private"),
        annotations=package.raw,
    )


def _dependency(alias: str, raw: object, fields: Fields) -> Dependency:
    if isinstance(raw, str):
        return Dependency(alias, raw, raw)
    if isinstance(raw, dict):
        nested = Fields(raw, f"{fields.where}.{alias}", fields.offset)
        wapm = (nested.fields("package") or nested).fields("wapm") or nested
        name, version = wapm.optional_text("name") or alias, wapm.optional_text("version")
        return Dependency(alias, f"{name}@{version}" if version else name, raw)
    raise fields.wrong(alias, "a package source")


def _mapping(fields: Fields) -> FilesystemMapping:
    return FilesystemMapping(
        from_dependency=fields.optional_text("from"),
        volume_name=fields.text("volume_name", "volume-name"),
        host_path=fields.optional_text("host_path", "original_path"),
        mount_path=fields.text("mount_path", "mount-path"),
    )


def parse_manifest(raw: object, offset: int | None = None, *, has_atom_volume: bool = False) -> Manifest:
    """Give a decoded manifest its types.

    Args:
        raw: the value that the manifest's CBOR holds.
        offset: where in the file the manifest begins, for the errors.
        has_atom_volume: whether the container has a volume named `atom`. It is mounted at `/` when the manifest has no
            `fs` annotation: packages made before the annotation existed keep their files there.

    Raises:
        WebcError: it is no map, or a known key holds a value of the wrong type.
    """
    if not isinstance(raw, dict):
        raise WebcError("the manifest is not a map", offset)
    top = Fields(raw, "manifest", offset)
    package = top.fields("package") or Fields({}, "manifest.package", offset)
    use = top.fields("use") or Fields({}, "manifest.use", offset)
    mounts = package.list_of_fields("fs")
    if mounts is None:
        filesystem: tuple[FilesystemMapping, ...] = (LEGACY_MAPPING,) if has_atom_volume else ()
    else:
        filesystem = tuple([_mapping(mount) for mount in mounts])
    return Manifest(
        package=_package(package),
        use={alias: _dependency(alias, value, use) for alias, value in use.raw.items()},
        atoms={
            name: AtomInfo(atom.text("kind"), atom.optional_text("signature") or "", atom.map("annotations"))
            for name, atom in top.map_of_fields("atoms")
        },
        commands={name: parse_command(command) for name, command in top.map_of_fields("commands")},
        bindings=tuple(
            [
                Binding(binding.text("name"), binding.text("kind"), binding.raw.get("annotations"))
                for binding in top.list_of_fields("bindings") or ()
            ]
        ),
        entrypoint=top.optional_text("entrypoint"),
        filesystem=filesystem,
        raw=top.raw,
    )
