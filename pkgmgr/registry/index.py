"""The index of one package of a directory registry: `packages/NAMESPACE/NAME/index.json`.

It says what is in the files beside it, each with the size and the time of the file that was read. Whoever uses it compares
both with the file that is there now, and reads the file itself where they differ: the index saves time and decides nothing.
An index that is damaged, too large or of another format is as none at all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from binfactory.node import Mount
from pkgmgr.errors import WpmError
from pkgmgr.registry.record import PackageRecord
from pkgmgr.source import PathSource, check_sha256, parse_source
from pkgmgr.summary import LONGEST_TEXT, MOST_DEPENDENCIES, PackageSummary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.source import PackageSource
    from pkgmgr.version import Version

INDEX_NAME: Final = "index.json"
FORMAT: Final = 1
LARGEST: Final = 64 << 20
"""No index of more bytes is read or written: its packages are then read one by one."""

_LARGEST_MANIFEST: Final = 256 << 10
_MOST: Final = 10_000
_FORMATS: Final = frozenset(("v1", "v2", "v3"))
_NONE: Final[Mapping[str, Any]] = {}


class PackageIndex:
    """What an index says, nothing of it checked until it is asked for.

    Args:
        path: The file.
        name: The package that it must be about.
    """

    __slots__ = ("_entries", "name")

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._entries: Mapping[str, Any] = _entries(path, name)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, version: str) -> bool:
        return version in self._entries

    def record(self, version: Version, location: Path, source: str) -> PackageRecord | None:
        """What it says of a version; None where that is nothing, or nonsense."""
        try:
            return _record(self._entries[str(version)], self.name, version, location, source)
        except (WpmError, KeyError, TypeError, ValueError):
            return None


def format_index(name: str, records: Mapping[Version, PackageRecord]) -> bytes:
    """An index as bytes, always the same for the same records; what is too large for one is left out."""
    entries = {
        str(version): _entry(records[version])
        for version in sorted(records, reverse=True)
        if len(records[version].manifest) <= _LARGEST_MANIFEST
    }
    lines = [json.dumps(key) + ":" + json.dumps(entry, separators=(",", ":")) for key, entry in entries.items()]
    head = f'{{"format":{FORMAT},"name":{json.dumps(name)},"versions":{{'
    return (head + "\n" + ",\n".join(lines) + "\n}}\n").encode()


def _entries(path: Path, name: str) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            return _NONE
        index = json.loads(data)
        if index["format"] != FORMAT or index["name"] != name:
            return _NONE
        entries = index["versions"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return _NONE
    return entries if isinstance(entries, dict) else _NONE


def _entry(record: PackageRecord) -> dict[str, object]:
    summary = record.summary
    entry: dict[str, object] = {
        "size": summary.size,
        "mtime_ns": record.mtime_ns,
        "sha256": summary.sha256,
        "webc": record.webc,
    }
    if summary.dependencies:
        entry["dependencies"] = {alias: str(source) for alias, source in summary.dependencies.items()}
    if summary.commands:
        entry["commands"] = summary.commands
    if summary.entrypoint is not None:
        entry["entrypoint"] = summary.entrypoint
    if summary.mounts:
        entry["mounts"] = [list(mount) for mount in summary.mounts]
    entry["manifest"] = record.manifest
    return entry


def _record(entry: Any, name: str, version: Version, location: Path, source: str) -> PackageRecord:
    size, mtime_ns, webc, manifest = entry["size"], entry["mtime_ns"], entry["webc"], entry["manifest"]
    if type(size) is not int or type(mtime_ns) is not int or webc not in _FORMATS or not isinstance(manifest, str):
        raise ValueError
    entrypoint = entry.get("entrypoint")
    summary = PackageSummary(
        name,
        version,
        source,
        location,
        check_sha256(entry["sha256"]),
        size,
        _dependencies(entry.get("dependencies", {})),
        tuple([_text(command) for command in _few(entry.get("commands", []))]),
        None if entrypoint is None else _text(entrypoint),
        tuple([_mount(mount) for mount in _few(entry.get("mounts", []))]),
    )
    return PackageRecord(mtime_ns, webc, manifest, summary)


def _dependencies(entry: dict[str, str]) -> dict[str, PackageSource]:
    if len(entry) > MOST_DEPENDENCIES:
        raise ValueError
    found = {_text(alias): parse_source(text) for alias, text in entry.items()}
    if any(isinstance(source, PathSource) for source in found.values()):
        raise ValueError
    return found


def _mount(entry: list[str | None]) -> Mount:
    guest, volume, path, dependency = entry
    mount = Mount(_text(guest), _text(volume), _text(path), None if dependency is None else _text(dependency))
    if not mount.guest_path.startswith("/") or ".." in (*mount.guest_path.split("/"), *mount.source_path.split("/")):
        raise ValueError
    return mount


def _few(value: object) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError
    return value
