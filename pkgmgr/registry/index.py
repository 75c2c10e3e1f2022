"""The index of one package of a directory registry: `packages/NAMESPACE/NAME/index.json`.

It says what is in the files beside it, each with the size and the time of the file that was read. Whoever uses it compares
both with the file that is there now, and reads the file itself where they differ: the index saves time and decides nothing.
An index that is damaged, too large or of another format is as none at all.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from binfactory.node import Mount
from pkgmgr.errors import WpmError
from pkgmgr.files.reading import read_small_file
from pkgmgr.registry.record import PackageRecord
from pkgmgr.source import PathSource, check_sha256, parse_source
from pkgmgr.summary import LONGEST_TEXT, MOST_DEPENDENCIES, PackageSummary

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.source import PackageSource
    from pkgmgr.version import Version

FORMAT: Final = 1
LARGEST: Final = 64 << 20
"""No index of more bytes is read or written: its packages are then read one by one."""

_LARGEST_MANIFEST: Final = 256 << 10
_MOST: Final = 10_000
_FORMATS: Final = frozenset(("v1", "v2", "v3"))
_LONGEST_KEY: Final = 300
_DIGITS: Final = 16
_CHECK: Final = b'{"check":"'
_BODY: Final = len(_CHECK) + _DIGITS
_IDENTITY: Final = re.compile(rb'","size":\d+,"mtime_ns":\d+,"sha256":"([0-9a-f]{64})","webc":"(v[123])"')
_TAIL: Final = b"\n}}\n"
_NONE: Final[Mapping[str, bytes]] = {}


class PackageIndex:
    """What an index says. A version's line is read when the version is asked for, and nothing of it is believed unchecked.

    Args:
        path: The file.
        name: The package that it must be about.
    """

    __slots__ = ("_lines", "name")

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._lines: Mapping[str, bytes] = _lines(path, name)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, version: str) -> bool:
        return version in self._lines

    def mentions(self, sha256: str) -> bool:
        """Whether a file with this hash may be among those that it speaks of."""
        wanted = sha256.encode()
        return any(wanted in line for line in self._lines.values())

    def speaks_of(self, version: Version, size: int, mtime_ns: int) -> bool:
        """Whether it is about a version's file of this size and time, and undamaged there; cheaper than `record`."""
        line = self._lines.get(str(version), b"")
        body = line[_BODY:]
        if not body.startswith(f'","size":{size},"mtime_ns":{mtime_ns},'.encode()):
            return False
        return line.startswith(_CHECK) and line[len(_CHECK) : _BODY] == _check(self.name, str(version), body)

    def identity(self, version: Version, size: int, mtime_ns: int) -> tuple[str, str] | None:
        """The hash and the container format of a version's file of this size and time; None where it does not say."""
        if not self.speaks_of(version, size, mtime_ns):
            return None
        found = _IDENTITY.match(self._lines[str(version)], _BODY)
        return None if found is None else (found[1].decode(), found[2].decode())

    def record(self, version: Version, location: Path, source: str) -> PackageRecord | None:
        """What it says of a version; None where that is nothing, or nonsense."""
        line = self._lines.get(str(version))
        if line is None:
            return None
        if not line.startswith(_CHECK) or line[len(_CHECK) : _BODY] != _check(self.name, str(version), line[_BODY:]):
            return None
        try:
            return _record(json.loads(line), self.name, version, location, source)
        except (WpmError, KeyError, TypeError, ValueError, RecursionError):
            return None


def format_index(name: str, records: Mapping[Version, PackageRecord]) -> bytes:
    """An index as bytes, always the same for the same records; what is too large for one is left out.

    It is JSON, with each version on a line of its own: who wants one of them decodes one line. Each line has a checksum of
    itself, which tells damage.
    """
    lines = []
    for version in sorted(records, reverse=True):
        if len(records[version].manifest) <= _LARGEST_MANIFEST:
            body = b'",' + json.dumps(_entry(records[version]), separators=(",", ":"))[1:].encode()
            key = json.dumps(str(version)).encode()
            lines.append(key + b":" + _CHECK + _check(name, str(version), body) + body)
    return _head(name) + b",\n".join(lines) + _TAIL


def _check(name: str, version: str, body: bytes) -> bytes:
    """The checksum of a line: a line of another package or version is damage too."""
    from hashlib import sha256

    return sha256(f"{name}@{version}".encode() + body).hexdigest()[:_DIGITS].encode()


def _head(name: str) -> bytes:
    return f'{{"format":{FORMAT},"name":{json.dumps(name)},"versions":{{\n'.encode()


def _lines(path: Path, name: str) -> Mapping[str, bytes]:
    """The value of each version as it is written; nothing of a file that is not as `format_index` writes it."""
    try:
        data = read_small_file(path, LARGEST)
    except OSError:
        return _NONE
    head = _head(name)
    if len(data) > LARGEST or not data.startswith(head) or not data.endswith(_TAIL):
        return _NONE
    found: dict[str, bytes] = {}
    for line in data[len(head) : -len(_TAIL)].split(b",\n"):
        key, colon, value = line.partition(b":")
        # Versions have nothing in them that JSON would escape.
        if colon and len(key) <= _LONGEST_KEY and key.isascii():
            found[key[1:-1].decode()] = value
    return found


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
