"""How a guest thread blocks: on the descriptors of the operating system, and always on its own wake descriptor too.

Whoever wants something of a blocked thread (a signal, the end of its process) calls `Waker.wake`; the wait ends at once.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time

from runtime.typed import Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

READABLE = select.POLLIN
WRITABLE = select.POLLOUT
FAILED = select.POLLERR | select.POLLHUP | select.POLLNVAL

_LONGEST = 1 << 30
"""The most milliseconds that one `poll` waits: it takes a C int. A longer wait is several."""


class Wakeable(Protocol):
    """Whoever waits for something in memory: a guest's thread by its `Waker`, or the host."""

    def wake(self) -> None:
        """End the wait that is under way, or the next one; called by any thread, and must not block."""


class Waker:
    """Interrupts the waits of one thread. Its pipe is made by the first wait: most guests never block."""

    __slots__ = ("_lock", "_pipe", "_woken")

    def __init__(self) -> None:
        self._pipe: tuple[int, int] | None = None
        self._woken = False
        self._lock = threading.Lock()

    def wake(self) -> None:
        """End the wait that is under way, or the next one."""
        with self._lock:
            if self._woken:
                # Whoever woke it before has written, if there was a pipe.
                return
            self._woken = True
            if self._pipe is not None:
                # A full pipe holds wake-ups enough.
                with contextlib.suppress(BlockingIOError):
                    os.write(self._pipe[1], b"\0")

    def wait(self, interests: Sequence[tuple[int, int]], deadline: int | None) -> list[tuple[int, int]] | None:
        """Block until a descriptor is ready, the deadline has passed or somebody wakes the thread.

        Args:
            interests: descriptors of the operating system, each with `READABLE`, `WRITABLE` or both.
            deadline: nanoseconds of `time.monotonic_ns`, or `None` to wait without end.

        Returns:
            The descriptors that are ready, with what they are ready for; empty when the deadline has passed; `None` when
            the thread was woken.
        """
        wake = self._descriptor()
        poll = select.poll()
        for descriptor, events in interests:
            poll.register(descriptor, events)
        poll.register(wake, READABLE)
        while True:
            if self._take():
                return None
            if deadline is None:
                ready = poll.poll()
            else:
                left = deadline - time.monotonic_ns()
                # poll counts milliseconds: what is shorter is slept out exactly below.
                ready = poll.poll(min(max(0, left // 1_000_000), _LONGEST))
                if not ready:
                    left = deadline - time.monotonic_ns()
                    if left <= 0:
                        return []
                    if left < 1_000_000:
                        time.sleep(left / 1e9)
            if any(descriptor == wake for descriptor, _ in ready):
                continue
            if ready:
                return ready

    def close(self) -> None:
        """Give the pipe back; the thread has ended."""
        with self._lock:
            if self._pipe is not None:
                for descriptor in self._pipe:
                    os.close(descriptor)
                self._pipe = None

    def _descriptor(self) -> int:
        if self._pipe is None:
            with self._lock:
                self._pipe = os.pipe()
                for descriptor in self._pipe:
                    os.set_blocking(descriptor, False)
        return self._pipe[0]

    def _take(self) -> bool:
        """Whether the thread was woken since it last asked."""
        if not self._woken:
            return False
        with self._lock:
            self._woken = False
            if self._pipe is not None:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._pipe[0], 4096)
        return True
