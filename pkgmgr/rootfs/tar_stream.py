"""Entries as the bytes of a tar: what images in files and layers of OCI images are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.rootfs.entry import HostFile
from pkgmgr.rootfs.members import Members
from pkgmgr.rootfs.packed_table import PackedTable
from pkgmgr.rootfs.tar_header import BLOCK, PADDINGS, headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.rootfs.entry import Entry

_GATHERED: Final = 256 << 10
_SMALL: Final = 64 << 10


def tar_pieces(entries: Iterable[Entry]) -> Iterator[bytes | memoryview]:
    """The bytes of a tar with the given members, in their order, ended by two blocks of zeros.

    Small members are gathered into pieces of about 256 KiB; the bytes of large files come as they are, uncopied where they
    are in memory. An `OPAQUE` entry is its directory and the marker in it, a `WHITEOUT` an empty member of its name.

    Args:
        entries: The members.

    Raises:
        WpmError: A name means a deletion in layers of images, or a file of the host cannot be read.
    """
    gathered: list[bytes | bytearray | memoryview] = []
    size = 0
    for parts, length, large in _parts(entries):
        gathered += parts
        size += length
        if large is not None:
            yield b"".join(gathered)
            yield from large.pieces()
            padding = PADDINGS[large.size % BLOCK]
            gathered = [padding]
            size = len(padding)
        elif size >= _GATHERED:
            yield b"".join(gathered)
            gathered = []
            size = 0
    gathered.append(bytes(2 * BLOCK))
    yield b"".join(gathered)


def _parts(
    entries: Iterable[Entry],
) -> Iterator[tuple[list[bytes | bytearray | memoryview], int, Entry | None]]:
    """What follows one another, how many bytes that is, and a file that is too large to be copied, whose bytes come next."""
    if not isinstance(entries, Members):
        yield from _parts_of_each(entries)
        return
    for table, start, stop in entries.runs:
        if not isinstance(table, PackedTable):
            yield from _parts_of_each(table.entries(start, stop))
            continue
        for first, last, size in table.spans(start, stop, _GATHERED):
            if size <= _GATHERED:
                yield table.tar_parts(first, last), size, None
            else:
                yield from _parts_of_each(table.entries(first, last))


def _parts_of_each(
    entries: Iterable[Entry],
) -> Iterator[tuple[list[bytes | bytearray | memoryview], int, Entry | None]]:
    for entry in entries:
        header = headers(entry)
        size = entry.size
        if not size:
            yield [header], len(header), None
        elif size < _SMALL:
            content = entry.content
            pieces = content.pieces() if isinstance(content, HostFile) else (content,)
            padding = PADDINGS[size % BLOCK]
            yield [header, *pieces, padding], len(header) + size + len(padding), None
        else:
            yield [header], len(header), entry
