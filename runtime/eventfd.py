"""Event descriptors: a counter that can be waited for (`eventfd(2)`)."""

from __future__ import annotations

import os
import threading
from struct import Struct

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_COUNT = Struct("<Q")
_MAX = (1 << 64) - 2


class EventFile(Stream):
    """A 64-bit counter: a write adds to it, a read takes it (or 1 of it) and waits while it is 0.

    A pipe of the operating system stands for it wherever readiness is waited for: it holds a byte while there is
    something to read. A counter that is full is still taken for writable: nobody counts so far.
    """

    __slots__ = ("_count", "_lock", "_pipe", "_semaphore")

    filetype = Filetype.UNKNOWN

    def __init__(self, count: int, *, semaphore: bool) -> None:
        """Start at `count`; a `semaphore` gives 1 at each read."""
        self._count = 0
        self._semaphore = semaphore
        self._lock = threading.Lock()
        self._pipe = os.pipe()
        for descriptor in self._pipe:
            os.set_blocking(descriptor, False)
        self._set(count)

    def fileno(self) -> int | None:
        """The descriptor to wait on."""
        return self._pipe[0]

    def write_fileno(self) -> int | None:
        """The descriptor to wait on before a write."""
        return self._pipe[1]

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Take the count, 8 bytes."""
        del offset
        if total(buffers) < _COUNT.size:
            raise OSError(22, "an event is 8 bytes")
        with self._lock:
            if self._count == 0:
                raise BlockingIOError
            taken = 1 if self._semaphore else self._count
            self._set(self._count - taken)
        data = memoryview(_COUNT.pack(taken))
        for buffer in buffers:
            part = data[: len(buffer)]
            buffer[: len(part)] = part
            data = data[len(part) :]
        return _COUNT.size

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Add to the count, 8 bytes."""
        del offset
        data = b"".join(buffers)
        if len(data) < _COUNT.size:
            raise OSError(22, "an event is 8 bytes")
        (more,) = _COUNT.unpack_from(data)
        if more > _MAX:
            raise OSError(22, "the count is too large")
        with self._lock:
            if self._count + more > _MAX:
                raise BlockingIOError
            self._set(self._count + more)
        return _COUNT.size

    def _set(self, count: int) -> None:
        if count and not self._count:
            os.write(self._pipe[1], b"\0")
        elif self._count and not count:
            os.read(self._pipe[0], 1)
        self._count = count

    def stat(self) -> Stat:
        """Nothing but the type."""
        return Stat(0, 0, self.filetype, 1, 0, 0, 0, 0)

    def close(self) -> None:
        """Close the pipe."""
        for descriptor in self._pipe:
            os.close(descriptor)
