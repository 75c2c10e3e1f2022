"""Pipes between guests: the kernel's, so that blocking and back-pressure are the kernel's too.

WASIX pipes go both ways, and old programs use the first end to write and the second to read. Nearly all use one
direction only: the other one is made when it is first used.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

_READ, _WRITE = 0, 1
_WIDE = 1 << 20


class _Channel:
    """One direction: two descriptors of the operating system, made when needed."""

    __slots__ = ("closed", "descriptors", "wide")

    def __init__(self) -> None:
        self.wide = False
        self.descriptors: tuple[int, int] | None = None
        self.closed = [False, False]

    def open(self) -> tuple[int, int]:
        if self.descriptors is None:
            self.descriptors = os.pipe()
            for side, descriptor in enumerate(self.descriptors):
                os.set_blocking(descriptor, False)
                if self.closed[side]:
                    os.close(descriptor)
        return self.descriptors

    def widen(self) -> bool:
        """Let a pipe that has filled up hold more, once, where the system can: its ends take turns less often."""
        if self.wide or self.descriptors is None or not hasattr(fcntl, "F_SETPIPE_SZ"):
            return False
        self.wide = True
        try:
            fcntl.fcntl(self.descriptors[_WRITE], fcntl.F_SETPIPE_SZ, _WIDE)
        except OSError:
            return False
        return True

    def close(self, side: int) -> None:
        self.closed[side] = True
        if self.descriptors is not None:
            os.close(self.descriptors[side])


class PipeEnd(Stream):
    """One end of a pipe."""

    __slots__ = ("_incoming", "_lock", "_outgoing")

    filetype = Filetype.UNKNOWN

    def __init__(self, incoming: _Channel, outgoing: _Channel, lock: threading.Lock) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = lock

    def fileno(self) -> int | None:
        """The descriptor to wait on before a read."""
        with self._lock:
            return self._incoming.open()[_READ]

    def write_fileno(self) -> int | None:
        """The descriptor to wait on before a write."""
        with self._lock:
            return self._outgoing.open()[_WRITE]

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Read what is there; `BlockingIOError` when that is nothing yet."""
        del offset
        descriptors = self._incoming.descriptors
        return os.readv(descriptors[_READ] if descriptors is not None else self.fileno() or 0, buffers)

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Write what fits; `BlockingIOError` when nothing does."""
        del offset
        descriptors = self._outgoing.descriptors
        descriptor = descriptors[_WRITE] if descriptors is not None else self.write_fileno() or 0
        try:
            return os.writev(descriptor, buffers)
        except BlockingIOError:
            if not self._outgoing.widen():
                raise
            return os.writev(descriptor, buffers)

    def stat(self) -> Stat:
        """A pipe's metadata: nothing but its type and the time."""
        now = time.time_ns()
        return Stat(0, 0, self.filetype, 1, 0, now, now, now)

    def close(self) -> None:
        """Close this end, for both directions."""
        with self._lock:
            self._incoming.close(_READ)
            self._outgoing.close(_WRITE)


def guest_pipe() -> tuple[PipeEnd, PipeEnd]:
    """A pipe: what is written to the second end is read from the first, and the other way round.

    Raises:
        OSError: the host has no more descriptors.
    """
    forward, backward, lock = _Channel(), _Channel(), threading.Lock()
    forward.open()
    return PipeEnd(forward, backward, lock), PipeEnd(backward, forward, lock)
