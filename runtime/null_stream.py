"""The standard stream of a guest that is given none."""

from __future__ import annotations

from os import devnull
from pathlib import Path
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream, total

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEVICE = Path(devnull)


class NullStream(Stream):
    """Empty, and takes everything, as `/dev/null`, of which a guest sees no difference: without a descriptor of the host.

    To open and ask one took 6 us for each stream of each guest.
    """

    __slots__ = ()

    # A C library takes every character device without a position for a terminal: only a terminal may look like one.
    filetype = Filetype.UNKNOWN

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Nothing to read."""
        del buffers, offset
        return 0

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Take everything."""
        del offset
        return total(buffers)

    def stat(self) -> Stat:
        """The metadata of the host's `/dev/null`."""
        found = _DEVICE.stat()
        return Stat(
            found.st_dev & 0xFFFF_FFFF_FFFF_FFFF,
            found.st_ino,
            self.filetype,
            found.st_nlink,
            0,
            found.st_atime_ns,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )
