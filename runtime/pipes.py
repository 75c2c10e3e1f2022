"""Pipes between guests.

WASIX pipes go both ways, and old programs use the first end to write and the second to read. Nearly all use one
direction only: the other one costs nothing until it is used.
"""

from __future__ import annotations

import time

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.pipe_channel import READ, WRITE, Channel
from runtime.stdio import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.desk_ring import DeskRing
    from runtime.waiting import Wakeable


class PipeEnd(Stream):
    """One end of a pipe."""

    __slots__ = ("_incoming", "_outgoing")

    filetype = Filetype.UNKNOWN
    desked = True

    def __init__(self, incoming: Channel, outgoing: Channel) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    @property
    def channels(self) -> tuple[Channel, Channel]:
        """Both directions: what is read here, and what is written here."""
        return self._incoming, self._outgoing

    def fileno(self) -> int | None:
        """The descriptor to wait on before a read."""
        return self._incoming.descriptor(READ)

    def write_fileno(self) -> int | None:
        """The descriptor to wait on before a write."""
        return self._outgoing.descriptor(WRITE)

    def patience(self, waker: Wakeable, *, writing: bool) -> int | None:
        """As `OpenFile.patience`."""
        return self._outgoing.patience(WRITE, waker) if writing else self._incoming.patience(READ, waker)

    def on_desk(self) -> tuple[DeskRing | None, DeskRing | None]:
        """As `OpenFile.on_desk`."""
        return self._incoming.on_desk(), self._outgoing.on_desk()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Read what is there; `BlockingIOError` when that is nothing yet."""
        del offset
        return self._incoming.readv(buffers)

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Write what fits; `BlockingIOError` when nothing does."""
        del offset
        return self._outgoing.writev(buffers)

    def stat(self) -> Stat:
        """A pipe's metadata: nothing but its type and the time."""
        now = time.time_ns()
        return Stat(0, 0, self.filetype, 1, 0, now, now, now)

    def close(self) -> None:
        """Close this end, for both directions."""
        self._incoming.close(READ)
        self._outgoing.close(WRITE)


def guest_pipe() -> tuple[PipeEnd, PipeEnd]:
    """A pipe: what is written to the second end is read from the first, and the other way round."""
    forward, backward = Channel(), Channel()
    return PipeEnd(forward, backward), PipeEnd(backward, forward)
