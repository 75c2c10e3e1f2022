"""What guests write, kept in memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream, total

if TYPE_CHECKING:
    from collections.abc import Sequence


class Capture(Stream):
    """Keeps the beginning of what is written, and lets the rest go: the guest is told that all of it was taken.

    Args:
        limit: How many bytes to keep; None keeps all.

    Attributes:
        truncated: Whether something was let go.
    """

    __slots__ = ("_data", "_limit", "_lock", "truncated")

    filetype = Filetype.UNKNOWN

    def __init__(self, limit: int | None) -> None:
        self._data = bytearray()
        self._limit = limit
        self._lock = threading.Lock()
        self.truncated: bool = False

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: this is an output."""
        del buffers, offset
        raise OSError(9, "standard output cannot be read")

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Keep what is still to be kept."""
        del offset
        count = total(buffers)
        with self._lock:
            if self._limit is None or len(self._data) + count <= self._limit:
                for buffer in buffers:
                    self._data += buffer
                return count
            if count:
                self.truncated = True
            for buffer in buffers:
                if (room := self._limit - len(self._data)) <= 0:
                    break
                self._data += buffer[:room]
        return count

    def getvalue(self) -> bytes:
        """What was kept so far."""
        with self._lock:
            return bytes(self._data)

    def stat(self) -> Stat:
        """A pipe's metadata: nothing but its type and the time."""
        now = time.time_ns()
        return Stat(0, 0, self.filetype, 1, 0, now, now, now)
