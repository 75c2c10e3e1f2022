"""`inspect_package`: what a WEBC file holds, as plain values for JSON and as a text for people."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pkgmgr.inspecting.signatures import check_signature
from pkgmgr.manifest.names import shown
from webc_parser.container import Container
from webc_parser.tree import VolumeDirectory, VolumeSymlink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from webc_parser.command import Command
    from webc_parser.manifest import AtomInfo
    from webc_parser.tree import Volume

_INFO = ("name", "version", "description", "license", "homepage", "repository")


def inspect_package(path: Path, *, files: bool = False, keys: Sequence[Path] = ()) -> dict[str, Any]:
    """Describe a container: its package, dependencies, commands, atoms, volumes and mounts.

    Args:
        path: The `.webc` file.
        files: Whether each volume lists its files and directories.
        keys: Files with the OpenPGP keys that the signature is checked against.

    Returns:
        Strings, integers, booleans, `None`, lists and dictionaries only; sizes are in bytes, hashes hexadecimal sha256.

    Raises:
        WebcError: The file is no container, or it is damaged where it was looked at.
        WpmError: The keys cannot be read.
        OSError: The file cannot be read.
    """
    with Container.open(path) as container:
        manifest = container.manifest
        signature = check_signature(container, keys)
        info = manifest.package
        package: dict[str, Any] = {key: getattr(info, key) for key in _INFO if getattr(info, key) is not None}
        for key, place in (("readme", info.readme), ("license_file", info.license_file)):
            if place is not None:
                package[key] = {"volume": place.volume, "path": place.path}
        if info.private:
            package["private"] = True
        return {
            "file": str(path),
            "version": str(container.version),
            "size": container.size,
            "sha256": container.sha256(),
            "signature": None if signature is None else {**signature._asdict(), "signer": list(signature.signer)},
            "package": package,
            "entrypoint": manifest.entrypoint,
            "dependencies": {alias: dependency.spec for alias, dependency in manifest.use.items()},
            "commands": {name: _command(name, command) for name, command in manifest.commands.items()},
            "atoms": {name: _atom(content, manifest.atoms.get(name)) for name, content in container.atoms.items()},
            "volumes": {name: _volume(volume, files=files) for name, volume in container.volumes.items()},
            "mounts": [
                {
                    "path": mapping.mount_path,
                    "volume": mapping.volume_name,
                    "subpath": mapping.host_path,
                    "from": mapping.from_dependency,
                }
                for mapping in manifest.filesystem
            ],
            "bindings": [{"name": binding.name, "kind": binding.kind} for binding in manifest.bindings],
        }


def _atom(content: memoryview, said: AtomInfo | None) -> dict[str, Any]:
    kind = None if said is None else said.kind
    return {"size": len(content), "sha256": sha256(content).hexdigest(), "kind": kind}


def _command(name: str, command: Command) -> dict[str, Any]:
    atom = command.atom
    return {
        "runner": command.runner,
        "kind": command.runner_kind,
        "module": name if atom is None else atom.name,
        "dependency": None if atom is None else atom.dependency,
        "main_args": list(command.main_args),
        "env": dict(command.env),
        "exec_name": command.exec_name,
        "cwd": command.cwd,
    }


def _volume(volume: Volume, *, files: bool) -> dict[str, Any]:
    counts = {"files": 0, "directories": 0, "links": 0, "size": 0}
    entries: list[dict[str, Any]] = []
    for path, node in volume.walk():
        if isinstance(node, VolumeDirectory):
            counts["directories"] += 1
            entry: dict[str, Any] = {"path": path, "type": "directory"}
        elif isinstance(node, VolumeSymlink):
            counts["links"] += 1
            entry = {"path": path, "type": "symlink", "target": node.target}
        else:
            counts["files"] += 1
            counts["size"] += node.size
            entry = {"path": path, "type": "file", "size": node.size}
        if files:
            entries.append(entry)
    return counts | ({"entries": entries} if files else {})


def describe(package: Mapping[str, Any], *, bold: bool = False) -> str:
    """The text of `inspect_package`'s values; what comes from the package is on one line and cannot steer a terminal.

    Args:
        package: The values.
        bold: Whether the headings are bold, by an escape sequence that terminals know.
    """
    return "\n".join(_lines(package, ("\x1b[1m", "\x1b[0m") if bold else ("", "")))


def _lines(package: Mapping[str, Any], heading: tuple[str, str]) -> Iterator[str]:
    def title(text: str) -> str:
        return heading[0] + text + heading[1]

    info = package["package"]
    name = info.get("name", "(no name)") + (f" {info['version']}" if "version" in info else "")
    yield title(_safe(name))
    for key in _INFO[2:]:
        if key in info:
            yield f"  {key}: {_safe(info[key])}"
    for key in ("readme", "license_file"):
        if key in info:
            yield f"  {key}: {_safe(info[key]['path'])} in {_safe(info[key]['volume'])}"
    if info.get("private"):
        yield "  private: yes"
    yield f"  format: WEBC {package['version']}, {package['size']:,} bytes"
    yield f"  sha256: {package['sha256']}"
    if package["signature"] is not None:
        yield f"  signature: {_signature(package['signature'])}"
    if package["entrypoint"] is not None:
        yield f"  entrypoint: {_safe(package['entrypoint'])}"
    yield from _section(title("dependencies"), _dependencies(package["dependencies"]))
    yield from _section(title("commands"), (_command_line(*item) for item in package["commands"].items()))
    yield from _section(
        title("atoms"),
        (f"{_safe(key)}: {atom['size']:,} bytes, sha256 {atom['sha256']}" for key, atom in package["atoms"].items()),
    )
    yield from _section(title("volumes"), _volumes(package["volumes"]))
    yield from _section(title("mounts"), map(_mount_line, package["mounts"]))
    yield from _section(title("bindings"), (f"{_safe(b['name'])}: {_safe(b['kind'])}" for b in package["bindings"]))


def _signature(found: Mapping[str, Any]) -> str:
    by = f", said to be of the key {found['key']}" if found["key"] and found["state"] != "good" else ""
    names = f" ({_safe(', '.join(found['signer']))})" if found["signer"] else ""
    state = {"good": "good", "bad": "BAD", "unchecked": "present, not checked"}[found["state"]]
    return f"{_safe(found['algorithm'])}, {state}: {_safe(found['detail'])}{names}{by}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    body = [f"  {line}" for line in lines]
    if body:
        yield from ("", title, *body)


def _dependencies(found: Mapping[str, str]) -> Iterator[str]:
    for alias, spec in found.items():
        yield _safe(spec) if spec.rpartition("@")[0] == alias else f"{_safe(alias)}: {_safe(spec)}"


def _command_line(name: str, command: Mapping[str, Any]) -> str:
    dependency = f"{command['dependency']}:" if command["dependency"] else ""
    line = f"{_safe(name)}: {_safe(dependency + command['module'])}, runner {_safe(command['kind'])}"
    if command["main_args"]:
        line += ", main args " + " ".join(shown(argument) for argument in command["main_args"])
    if command["env"]:
        line += ", env " + " ".join(_safe(f"{key}={value}") for key, value in command["env"].items())
    for key in ("exec_name", "cwd"):
        if command[key] is not None:
            line += f", {key.replace('_', ' ')} {_safe(command[key])}"
    return line


def _volumes(found: Mapping[str, Any]) -> Iterator[str]:
    for name, volume in found.items():
        links = f", {_count(volume['links'], 'link')}" if volume["links"] else ""
        yield f"{_safe(name)}: {_count(volume['files'], 'file')}{links}, {volume['size']:,} bytes"
        for entry in volume.get("entries", ()):
            if entry["type"] == "directory":
                yield f"  {'':>12}  {_safe(entry['path'])}/"
            elif entry["type"] == "symlink":
                yield f"  {'':>12}  {_safe(entry['path'])} -> {_safe(entry['target'])}"
            else:
                yield f"  {entry['size']:>12,}  {_safe(entry['path'])}"


def _mount_line(mount: Mapping[str, Any]) -> str:
    origin = f" of {_safe(mount['from'])}" if mount["from"] is not None else ""
    below = f", directory {_safe(mount['subpath'])}" if mount["subpath"] else ""
    return f"{_safe(mount['path'])}: volume {_safe(mount['volume'])}{origin}{below}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _safe(text: str) -> str:
    """A text of the package without anything that a terminal would obey."""
    return "".join(character if character.isprintable() else f"\\u{{{ord(character):x}}}" for character in text)
