"""Writing containers of version 2 and 3.

The same input gives the same bytes: names are sorted, nothing of the machine or the clock goes in. The layout is that
which `webc_parser.sections` describes: index, manifest, atoms, and the volumes by name.
"""

from __future__ import annotations

import os
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile

from webc_parser.cbor import decode, encode
from webc_parser.entries import U64
from webc_parser.errors import WebcError
from webc_parser.header import HeaderWriter
from webc_parser.manifest import Manifest, parse_manifest
from webc_parser.names import volume_name
from webc_parser.sections import CHECKSUM_SHA256, SIGNATURE_NONE, TAG_ATOMS, TAG_INDEX, TAG_MANIFEST, TAG_VOLUME
from webc_parser.source import PlannedFile, plan
from webc_parser.verify import ATOM_SIGNATURE
from webc_parser.version import HEADER_SIZE, MAGIC, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, BinaryIO

    from webc_parser.source import FileSource, PlannedDirectory, Source, Tree
    from webc_parser.tree import VolumeFile

KIND_WASM = "https://webc.org/kind/wasm"


class _Section:
    """A section to write: a prefix, then the contents of files; its digest is known once it is written."""

    def __init__(self, tag: int, prefix: bytes, version: Version, files: list[PlannedFile], data_size: int) -> None:
        self.tag = tag
        self.prefix = prefix
        self.files = files
        self.value_size = len(prefix) + data_size
        self.v3 = version is Version.V3
        self.size = (41 if self.v3 else 9) + self.value_size
        self.start = 0
        self.digest = bytes(32)

    def pieces(self) -> Iterator[bytes | memoryview]:
        yield self.prefix
        for file in self.files:
            yield from file.pieces()

    def write(self, target: BinaryIO) -> None:
        """Write the section where the target stands, then go back for its digest."""
        start = target.tell()
        length = U64.pack(self.value_size)
        target.write(bytes((self.tag,)) + (bytes(32) + length if self.v3 else length))
        digest = sha256()
        for piece in self.pieces():
            digest.update(piece)
            target.write(piece)
        self.digest = digest.digest()
        if self.v3:
            end = target.tell()
            target.seek(start + 1)
            target.write(self.digest)
            target.seek(end)

    def index_entry(self) -> dict[str, object]:
        return {
            "span": {"start": self.start, "len": self.size},
            "checksum": {"tag": CHECKSUM_SHA256, "value": self.digest},
        }


def _trees(root: PlannedDirectory, name: str | None, version: Version) -> _Section:
    written = HeaderWriter(root, version)
    prefix = b"" if name is None else U64.pack(len(name.encode())) + name.encode()
    prefix += U64.pack(len(written.header)) + written.header + U64.pack(written.data_size)
    tag = TAG_ATOMS if name is None else TAG_VOLUME
    return _Section(tag, prefix, version, written.files, written.data_size)


def _complete_manifest(manifest: Mapping[str, object] | Manifest, atoms: PlannedDirectory) -> bytes:
    """The manifest, encoded, with every atom in it, signed; what it says already must be true."""
    raw: Any = decode(encode(manifest.raw if isinstance(manifest, Manifest) else manifest))
    said = parse_manifest(raw).atoms
    raw_atoms = raw.get("atoms") or {}
    for name in said:
        if name not in atoms.entries:
            raise WebcError(f"the manifest names the atom {name!r}, which is not given")
    for name, node in atoms.entries.items():
        signature = ATOM_SIGNATURE + b64encode(node.digest).decode()
        if name not in said:
            raw_atoms[name] = {"kind": KIND_WASM, "signature": signature}
        elif not said[name].signature:
            raw_atoms[name] = {**raw_atoms[name], "signature": signature}
        elif said[name].signature.startswith(ATOM_SIGNATURE) and said[name].signature != signature:
            raise WebcError(f"the manifest has a signature of the atom {name!r} that does not match its content")
    if raw_atoms:
        raw["atoms"] = raw_atoms
    return encode(raw)


def _index(sections: dict[str, _Section], volumes: dict[str, _Section]) -> bytes:
    """The index section, once every section knows its place."""
    index = encode(
        {
            **{key: section.index_entry() for key, section in sections.items()},
            "volumes": {name: section.index_entry() for name, section in volumes.items()},
            "signature": {"tag": SIGNATURE_NONE, "value": b""},
        }
    )
    return bytes((TAG_INDEX,)) + U64.pack(len(index)) + index


def _write(target: BinaryIO, version: Version, sections: dict[str, _Section], volumes: dict[str, _Section]) -> None:
    """Write everything to a seekable target."""
    ordered = [*sections.values(), *volumes.values()]
    base, index_size = 0, len(_index(sections, volumes))
    while base != HEADER_SIZE + index_size:  # the places of the sections decide how long the index is: it only grows
        base = position = HEADER_SIZE + index_size
        for section in ordered:
            section.start = position
            position += section.size
        index_size = len(_index(sections, volumes))
    target.write(MAGIC + version.value + bytes(index_size))
    for section in ordered:
        section.write(target)
    target.seek(HEADER_SIZE)
    target.write(_index(sections, volumes))
    target.seek(0, os.SEEK_END)


def _write_file(path: Path, version: Version, sections: dict[str, _Section], volumes: dict[str, _Section]) -> None:
    """Write beside the path, sync, and rename: at every moment the path holds all of a container or what it held."""
    temporary = path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        with open(descriptor, "wb") as target:
            _write(target, version, sections, volumes)
            target.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        temporary.unlink()
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_container(
    target: str | os.PathLike[str] | BinaryIO,
    *,
    manifest: Mapping[str, object] | Manifest,
    atoms: Mapping[str, Source | FileSource | VolumeFile],
    volumes: Mapping[str, Tree],
    version: Version = Version.V3,
) -> None:
    """Write a container.

    Args:
        target: a path, which is replaced in one step once everything is on disk, or a binary file to write to: one that is
            empty and can be sought in is written as it is, and is empty again where that fails.
        manifest: as `parse_manifest` reads it; atoms that it does not list are added to it, signatures that it lacks
            too.
        atoms: the executables by name.
        volumes: the trees of files by volume name; contents given as paths are read in pieces, twice.
        version: 2 or 3. Version 3 keeps times, in whole seconds.

    Raises:
        WebcError: the manifest is malformed or does not fit the atoms, a name may not stand in a container, a source
            cannot be read or changes while it is read, or the version cannot be written.
        OSError: the target cannot be written.
    """
    if version is Version.V1:
        raise WebcError("version 1 cannot be written: write version 2 or 3")
    planned = plan(atoms, "the atoms")
    for name, node in planned.entries.items():
        if not isinstance(node, PlannedFile):
            raise WebcError(f"the atom {name!r} is a directory")
    encoded = _complete_manifest(manifest, planned)
    sections = {
        "manifest": _Section(TAG_MANIFEST, encoded, version, [], 0),
        "atoms": _trees(planned, None, version),
    }
    written = {volume_name(name): _trees(plan(volumes[name], name), name, version) for name in sorted(volumes)}
    if isinstance(target, str | os.PathLike):
        _write_file(Path(target), version, sections, written)
        return
    if target.seekable() and target.seek(0, os.SEEK_END) == 0:
        try:
            _write(target, version, sections, written)
        except BaseException:
            target.seek(0)
            target.truncate()
            raise
        return
    with TemporaryFile() as spool:
        _write(spool, version, sections, written)
        spool.seek(0)
        copyfileobj(spool, target, 1 << 20)
