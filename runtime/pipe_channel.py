"""One direction of a pipe: in memory as long as it is only read and written, the kernel's as soon as somebody polls it.

What `poll`, `epoll` and their like tell of a pipe is the kernel's to say, and exact. Most pipes are never polled: their
bytes go through a ring in memory, which takes two copies of theirs and no system call (100 MB through a pipe of the kernel
take 55 ms of system time, through a ring 4), and need no descriptor of the operating system.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import threading
from weakref import ref

from runtime.pipe_ring import CAPACITY, Ring
from runtime.stdio import total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.desk_ring import DeskRing
    from runtime.waiting import Wakeable

READ, WRITE = 0, 1
"""The ends of a channel."""

_WIDE = 1 << 20
_LITTLE = 1 << 16
"""A writer that found no room is told when no more than this is left: a pipe of the kernel's holds as much, and blocks."""
_BURST = 1 << 15
_STREAK = 8
_MUCH = CAPACITY - (CAPACITY >> 3)
_HALF = CAPACITY // 2
"""As both of these for a ring on the desk, whose ends work at the same time: one fills it while the other empties it."""
_MOMENT = 2_000_000
"""A reader that has taken a burst before each of so many waits waits for much at once, but so many nanoseconds at the most.

Two threads that wake each other for every 64 KiB spend more on that, and on the interpreter's lock, than on the bytes: 100 MB
through two pipes took twice as long. A reader that found less than half of a ring after such a wait is woken at once again.
"""


class _Guard:
    """Keeps guests from a channel's ring, where it lies on the desk, while the host works on it; within the channel's lock."""

    __slots__ = ("ring",)

    def __init__(self) -> None:
        self.ring: DeskRing | None = None

    def __enter__(self) -> None:
        if self.ring is not None:
            self.ring.lock()

    def __exit__(self, *_: object) -> None:
        ring = self.ring
        if ring is not None:
            if ring.given_up:
                self.ring = None
            ring.unlock()


class Channel:
    """One direction of a pipe."""

    __slots__ = (
        "__weakref__",
        "_closed",
        "_descriptors",
        "_gatherer",
        "_guard",
        "_lock",
        "_residue",
        "_ring",
        "_streak",
        "_taken",
        "_vain",
        "_waiting",
        "_wide",
    )

    def __init__(self) -> None:
        """An empty channel, with both ends open."""
        self._lock = threading.Lock()
        self._guard = _Guard()
        self._closed = [False, False]
        self._ring: Ring | None = None
        self._waiting: tuple[list[Wakeable], list[Wakeable]] = ([], [])
        self._taken = self._streak = self._vain = 0
        self._gatherer: Wakeable | None = None
        self._descriptors: tuple[int, int] | None = None
        self._residue = memoryview(b"")
        self._wide = False

    def descriptor(self, side: int) -> int:
        """The descriptor of an end, to wait on: the channel is the kernel's from now on.

        Raises:
            OSError: the host has no more descriptors.
        """
        with self._lock, self._guard:
            return self._kernel()[side]

    def on_desk(self) -> DeskRing | None:
        """Its ring on the desk, from now on if it was not there before; None when it cannot be.

        Guests that have a desk beside them read and write it without the host.
        """
        ring = self._guard.ring
        if ring is not None:
            return ring
        with self._lock, self._guard:
            if self._ring is None or self._descriptors is not None or self._closed[READ]:
                return None
            if self._guard.ring is not None:
                return self._guard.ring
            from runtime.desk_ring import DeskRing

            me = ref(self)
            ring = DeskRing.of(self._ring, lambda side: _told(me, side))
            if ring is not None:
                self._ring = self._guard.ring = ring
                self._tell()
            return ring

    def told(self, side: int) -> None:
        """Wake those who wait to read or to write: a guest has done what they wait for."""
        with self._lock, self._guard:
            self._wake(side)

    def _tell(self) -> None:
        """Say on the desk when who waits is to be told."""
        ring = self._guard.ring
        if ring is not None:
            readers, writers = self._waiting
            reader = (_HALF if readers == [self._gatherer] else 1) if readers else None
            ring.tell(reader, _HALF if writers else None)

    def readv(self, buffers: Sequence[memoryview]) -> int:
        """Read what is there; 0 at the end.

        Raises:
            BlockingIOError: nothing is there yet.
        """
        if self._descriptors is None:
            with self._lock, self._guard:
                if self._descriptors is None:
                    return self._take(buffers)
        return self._readv_kernel(buffers)

    def _take(self, buffers: Sequence[memoryview]) -> int:
        ring = self._ring
        if ring is not None and ring.filled:
            count = ring.take(buffers)
            self._taken += count
            if self._waiting[WRITE] and ring.filled <= _LITTLE:
                self._wake(WRITE)
            return count
        if self._closed[WRITE] or not total(buffers):
            return 0
        if self._guard.ring is not None:
            self._taken += self._guard.ring.taken()
        # A wait may begin with a second try: only one that follows a wait in vain tells that the stream has ended.
        self._vain = 0 if self._taken else self._vain + 1
        burst = _BURST if self._streak < _STREAK else CAPACITY // 2
        if self._taken >= burst:
            self._streak += 1
        elif self._taken or self._vain > 2:
            self._streak = 0
        self._taken = 0
        raise BlockingIOError

    def writev(self, buffers: Sequence[memoryview]) -> int:
        """Write what fits; what is at most `PIPE_BUF` bytes, all or nothing.

        Raises:
            BlockingIOError: there is no room yet.
            BrokenPipeError: nobody can read it.
        """
        if self._descriptors is None:
            with self._lock, self._guard:
                if self._ring is None and self._descriptors is None:
                    self._ring = Ring.make()
                    if self._ring is None:
                        self._kernel()
                if self._ring is not None:
                    return self._give(self._ring, buffers)
        return self._writev_kernel(buffers)

    def _give(self, ring: Ring, buffers: Sequence[memoryview]) -> int:
        size = total(buffers)
        if self._closed[READ] and size:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        room = CAPACITY - ring.filled
        if size > room and (not room or size <= select.PIPE_BUF):
            self._wake(READ)
            raise BlockingIOError
        count = ring.put(buffers)
        if (waiting := self._waiting[READ]) and (ring.filled >= _MUCH or waiting != [self._gatherer]):
            self._wake(READ)
        return count

    def patience(self, side: int, waker: Wakeable) -> int | None:
        """How long to wait before the next try to read or write, in nanoseconds: 0 not at all, -1 until the waker is woken.

        `None`: the kernel knows.
        """
        with self._lock, self._guard:
            if self._descriptors is not None:
                return None
            if any(self._closed):
                return 0
            filled = self._ring.filled if self._ring is not None else 0
            gathers = side == READ and self._streak >= _STREAK
            little, much = (_LITTLE, _MUCH) if self._guard.ring is None else (_HALF, _HALF)
            if filled <= little if side == WRITE else filled >= (much if gathers else 1):
                return 0
            if waker not in self._waiting[side]:
                self._waiting[side].append(waker)
            if gathers:
                self._gatherer = waker
            elif self._gatherer is waker:
                self._gatherer = None
            self._tell()
            return _MOMENT if gathers else -1

    def close(self, side: int) -> None:
        """Close an end."""
        with self._lock, self._guard:
            pending = bool(self._residue)
            self._closed[side] = True
            self._wake(READ)
            self._wake(WRITE)
            if side == READ:
                self._leave_desk()
                self._ring, self._residue = None, memoryview(b"")
            if self._descriptors is None:
                return
            # What the kernel has not taken yet is still to come: its writing end stays open for that.
            if side == READ or not pending:
                os.close(self._descriptors[side])
            if side == READ and pending and self._closed[WRITE]:
                os.close(self._descriptors[WRITE])

    def _wake(self, side: int) -> None:
        waiting = self._waiting[side]
        for waker in waiting:
            waker.wake()
        waiting.clear()
        self._tell()

    def _leave_desk(self) -> None:
        """Have guests come to the host from now on."""
        if self._guard.ring is not None:
            self._guard.ring.give_up()

    # As a pipe of the kernel's

    def _kernel(self) -> tuple[int, int]:
        """Be a pipe of the kernel's from now on, with what the ring held."""
        if self._descriptors is None:
            descriptors = os.pipe()
            for descriptor in descriptors:
                os.set_blocking(descriptor, False)
            self._leave_desk()
            ring, self._ring = self._ring, None
            # Before anybody sees the descriptors: what is written from now on comes after it.
            self._residue = ring.drain() if ring is not None else memoryview(b"")
            self._descriptors = descriptors
            if self._closed[READ]:
                os.close(descriptors[READ])
            if self._residue:
                self._settle()
            elif self._closed[WRITE]:
                os.close(descriptors[WRITE])
            self._wake(READ)
            self._wake(WRITE)
        return self._descriptors

    def _settle(self) -> None:
        """Give the kernel what it takes of the bytes that were in the ring; until it has all, nobody writes others."""
        assert self._descriptors is not None
        with contextlib.suppress(BlockingIOError):
            while self._residue:
                self._residue = self._residue[self._put(self._descriptors[WRITE], [self._residue]) :]
        if self._closed[WRITE] and not self._residue:
            os.close(self._descriptors[WRITE])

    def _readv_kernel(self, buffers: Sequence[memoryview]) -> int:
        assert self._descriptors is not None
        count = os.readv(self._descriptors[READ], buffers)
        if self._residue:
            with self._lock, self._guard:
                if self._residue:
                    self._settle()
        return count

    def _writev_kernel(self, buffers: Sequence[memoryview]) -> int:
        assert self._descriptors is not None
        if self._residue:
            with self._lock, self._guard:
                if self._residue:
                    self._settle()
                if self._residue:
                    raise BlockingIOError
        return self._put(self._descriptors[WRITE], buffers)

    def _put(self, descriptor: int, buffers: Sequence[memoryview]) -> int:
        try:
            return os.writev(descriptor, buffers)
        except BlockingIOError:
            if not self._widen(descriptor):
                raise
            return os.writev(descriptor, buffers)

    def _widen(self, descriptor: int) -> bool:
        """Let a pipe that has filled up hold more, once, where the system can: its ends take turns less often."""
        if self._wide or not hasattr(fcntl, "F_SETPIPE_SZ"):
            return False
        self._wide = True
        try:
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _WIDE)
        except OSError:
            return False
        return True


def _told(channel: ref[Channel], side: int) -> None:
    found = channel()
    if found is not None:
        found.told(side)
