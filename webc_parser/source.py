"""What a container is written from: contents in memory or in files, arranged in trees."""

from __future__ import annotations

import os
from hashlib import sha256

from webc_parser.errors import WebcError
from webc_parser.names import entry_name, link_target
from webc_parser.record import Record
from webc_parser.tree import MAX_DEPTH, Volume, VolumeDirectory, VolumeFile, VolumeSymlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Protocol, TypeAlias

    class Pieces(Protocol):
        """Content that is neither in memory nor to be read by a path: given in pieces, as often as it is asked for."""

        def pieces(self) -> Iterator[bytes | memoryview]:
            """All of it."""

    Source: TypeAlias = bytes | bytearray | memoryview | os.PathLike[str]
    Directory: TypeAlias = "Mapping[str, Entry] | DirectorySource | VolumeDirectory"
    Entry: TypeAlias = "Source | FileSource | VolumeFile | SymlinkSource | VolumeSymlink | Directory"
    Tree: TypeAlias = "Directory | Volume"
    PlannedEntry: TypeAlias = "PlannedFile | PlannedDirectory | PlannedSymlink"

CHUNK = 1 << 20
_IN_MEMORY = (bytes, bytearray, memoryview)


class FileSource(Record):
    """A file to write: its content, and when it was modified, in nanoseconds since the epoch (v3: whole seconds)."""

    content: Source | Pieces
    modified_ns: int | None


class SymlinkSource(Record):
    """A symbolic link to write (version 3): its target, and when it was modified, in nanoseconds since the epoch."""

    target: str
    modified_ns: int | None


class DirectorySource(Record):
    """A directory to write: its entries by name, and when it was modified, in nanoseconds since the epoch."""

    entries: Mapping[str, Entry]
    modified_ns: int | None


class PlannedFile:
    """A file whose size (in bytes) and sha256 are known and whose content can be read, in pieces."""

    __slots__ = ("content", "digest", "modified_ns", "size", "where")

    def __init__(self, content: Source | Pieces, modified_ns: int | None, where: str) -> None:
        self.content: Source | Pieces = content
        self.modified_ns: int | None = modified_ns
        self.where: str = where
        self.size: int = 0
        digest = sha256()
        for piece in self._read():
            self.size += len(piece)
            digest.update(piece)
        self.digest: bytes = digest.digest()

    def _read(self) -> Iterator[bytes | memoryview]:
        if isinstance(self.content, os.PathLike):
            try:
                with open(self.content, "rb", buffering=0) as file:
                    while piece := file.read(CHUNK):
                        yield piece
            except OSError as error:
                reason = error.strerror or error
                raise WebcError(f"cannot read {os.fspath(self.content)} for {self.where}: {reason}") from None
        elif isinstance(self.content, _IN_MEMORY):
            yield memoryview(self.content).cast("B")
        else:
            yield from self.content.pieces()

    def pieces(self) -> Iterator[bytes | memoryview]:
        """The content again.

        Raises:
            WebcError: it is in a file that cannot be read, or that has changed since it was planned.
        """
        if isinstance(self.content, _IN_MEMORY):
            yield from self._read()
            return
        left, digest = self.size, sha256()
        for piece in self._read():
            left -= len(piece)
            if left < 0:
                break
            digest.update(piece)
            yield piece
        if left or digest.digest() != self.digest:
            name = os.fspath(self.content) if isinstance(self.content, os.PathLike) else self.where
            raise WebcError(f"{name} changed while it was being packed: pack again")


class PlannedSymlink:
    """A symbolic link with the sha256 of its target."""

    __slots__ = ("digest", "modified_ns", "target", "where")

    def __init__(self, target: str, modified_ns: int | None, where: str) -> None:
        try:
            self.target: bytes = target.encode()
            link_target(self.target)
        except UnicodeEncodeError:
            raise WebcError(f"the target of the symbolic link {where} is not Unicode text") from None
        self.modified_ns: int | None = modified_ns
        self.where: str = where
        self.digest: bytes = sha256(self.target).digest()


class PlannedDirectory:
    """A directory whose entries are planned, sorted by name.

    Attributes:
        digest: the sha256 of the digests of the entries, in the order of their names.
    """

    __slots__ = ("digest", "entries", "modified_ns")

    def __init__(self, entries: dict[str, PlannedEntry], modified_ns: int | None) -> None:
        self.entries: dict[str, PlannedEntry] = entries
        self.modified_ns: int | None = modified_ns
        self.digest: bytes = sha256(b"".join([node.digest for node in entries.values()])).digest()


def plan(tree: Tree, where: str, depth: int = 0) -> PlannedDirectory:
    """Plan a tree: check its names, sort them, and hash the contents.

    Raises:
        WebcError: a name may not stand in a container, it nests too deep, or a file cannot be read.
    """
    if depth > MAX_DEPTH:
        raise WebcError(f"{where} is nested deeper than {MAX_DEPTH} directories")
    if isinstance(tree, Volume):
        tree = tree.root
    modified_ns = None
    if isinstance(tree, DirectorySource | VolumeDirectory):
        modified_ns, tree = tree.modified_ns, tree.entries
    entries: dict[str, PlannedEntry] = {}
    for name in sorted(tree):
        try:
            entry_name(name.encode())
        except (WebcError, UnicodeEncodeError):
            raise WebcError(f"the name {name[:80]!r} in {where} may not stand in a container") from None
        below, node = f"{where}/{name}", tree[name]
        match node:
            case FileSource() | VolumeFile():
                entries[name] = PlannedFile(node.content, node.modified_ns, below)
            case SymlinkSource() | VolumeSymlink():
                entries[name] = PlannedSymlink(node.target, node.modified_ns, below)
            case bytes() | bytearray() | memoryview() | os.PathLike():
                entries[name] = PlannedFile(node, None, below)
            case _:
                entries[name] = plan(node, below, depth + 1)
    return PlannedDirectory(entries, modified_ns)
