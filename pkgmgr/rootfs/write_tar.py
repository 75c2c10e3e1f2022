"""Writing a tree as a tar into an open file, hashed on the way by another thread."""

from __future__ import annotations

import os
from hashlib import sha256
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.rootfs.mapped_pages import MappedPages
from pkgmgr.rootfs.tar_stream import tar_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.rootfs.entry import Entry

_WAITING: Final = 8
"""How many pieces wait to be hashed, of 1 MiB at most: who hashes is as fast as who writes, by and large."""


class TarWritten(NamedTuple):
    """What was written: how many bytes, and their sha256 in hex."""

    size: int
    sha256: str


def write_tar(entries: Iterable[Entry], descriptor: int, compression: str = "none") -> TarWritten:
    """Write entries as a tar.

    Args:
        entries: The members, in their order.
        descriptor: Where to: a file or a pipe.
        compression: `none`, `gzip` or `zstd`: the same bytes on every machine.

    Raises:
        WpmError: A name cannot stand in a tar, a file of the host cannot be read, or there is no such compression.
        OSError: It cannot be written.
    """
    pieces = tar_pieces(_released(entries))
    if compression != "none":
        from pkgmgr.rootfs.compressing import compressed

        pieces = compressed(pieces, compression)
    hashing = _Hashing()
    size = 0
    try:
        for piece in pieces:
            hashing.update(piece)
            left = memoryview(piece)
            size += len(left)
            while left:
                left = left[os.write(descriptor, left) :]
    finally:
        digest = hashing.finish()
    return TarWritten(size, digest)


def _released(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries; the pages of those that were written are let go."""
    pages = MappedPages()
    for entry in entries:
        yield entry
        if entry.size and isinstance(entry.content, memoryview):
            pages.read(entry.content)
    pages.release()


class _Hashing:
    """A thread that hashes what it is given, while others write it."""

    def __init__(self) -> None:
        self._hash = sha256()
        self._waiting: Queue[bytes | memoryview | None] = Queue(_WAITING)
        self._thread = Thread(target=self._work, name="wpm-hash", daemon=True)
        self._thread.start()

    def update(self, piece: bytes | memoryview) -> None:
        """Hash some bytes after those before; they must not change."""
        self._waiting.put(piece)

    def finish(self) -> str:
        """Wait until all is hashed; the hash, in hex."""
        self._waiting.put(None)
        self._thread.join()
        return self._hash.hexdigest()

    def _work(self) -> None:
        while (piece := self._waiting.get()) is not None:
            self._hash.update(piece)
