"""Writing a tree as a tar into an open file, hashed on the way by another thread."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.rootfs.mapped_pages import MappedPages
from pkgmgr.rootfs.tar_stream import tar_pieces
from pkgmgr.rootfs.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Collection

    from pkgmgr.rootfs.entry import Entry

_WAITING: Final = 16
"""How many pieces wait to be hashed, of 1 MiB at most."""


class TarWritten(NamedTuple):
    """What was written: how many bytes, and their sha256 in hex."""

    size: int
    sha256: str


def write_tar(entries: Collection[Entry], descriptor: int, compression: str = "none") -> TarWritten:
    """Write entries as a tar.

    Args:
        entries: The members, in their order.
        descriptor: Where to: a file or a pipe.
        compression: `none`, `gzip` or `zstd`: the same bytes on every machine.

    Raises:
        WpmError: A name cannot stand in a tar, a file of the host cannot be read, or there is no such compression.
        OSError: It cannot be written.
    """
    pages = MappedPages(entries)
    # Counted before they are compressed, which may leave little of them.
    pieces = pages.counted(tar_pieces(entries))
    if compression != "none":
        from pkgmgr.rootfs.compressing import compressed

        pieces = compressed(pieces, compression)
    hashed = sha256()
    size = 0
    with Worker(hashed.update, _WAITING) as hashing:
        for piece in pieces:
            hashing.give(piece)
            # By this thread: one more, which hands the interpreter back and forth, was slower.
            left = memoryview(piece)
            size += len(left)
            while left:
                left = left[os.write(descriptor, left) :]
    pages.release()
    return TarWritten(size, hashed.hexdigest())
