"""Futexes: guest threads that wait for a word of their shared memory to change."""

from __future__ import annotations

import threading
from collections import deque

from runtime.abi.errno import Errno, GuestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.thread import GuestThread


class Futexes:
    """The waiting threads of one process, by the address that they wait on."""

    def __init__(self) -> None:
        self._queues: dict[int, deque[GuestThread]] = {}
        self._lock = threading.Lock()

    def wait(self, thread: GuestThread, address: int, unchanged: Callable[[], bool], deadline: int | None) -> bool:
        """Sleep until the address is woken.

        Args:
            thread: who waits.
            address: where in guest memory.
            unchanged: whether the word still has the value that the thread expects; asked once, with the queue locked.
            deadline: nanoseconds of `time.monotonic_ns`, or `None`.

        Returns:
            Whether it was woken (or had no need to sleep), rather than timed out.
        """
        with self._lock:
            if not unchanged():
                return True
            self._queues.setdefault(address, deque()).append(thread)
        while True:
            try:
                ready = thread.waker.wait((), deadline)
                if ready is None and thread.deliver():
                    raise GuestError(Errno.INTR)
            except GuestError:
                if self._leave(thread, address):
                    raise
                # It was woken before it was interrupted: a wake-up must not get lost.
                return True
            except BaseException:
                self._leave(thread, address)
                raise
            with self._lock:
                queue = self._queues.get(address)
                if queue is None or thread not in queue:
                    return True
            if ready is not None:
                return not self._leave(thread, address)

    def wake(self, address: int, count: int) -> None:
        """Wake at most `count` threads that wait on the address, the longest waiting first."""
        woken: list[GuestThread] = []
        with self._lock:
            queue = self._queues.get(address)
            while queue and len(woken) < count:
                woken.append(queue.popleft())
            if queue is not None and not queue:
                del self._queues[address]
        for thread in woken:
            thread.waker.wake()

    def _leave(self, thread: GuestThread, address: int) -> bool:
        """Stop waiting; whether the thread was still in the queue."""
        with self._lock:
            queue = self._queues.get(address)
            if queue is None or thread not in queue:
                return False
            queue.remove(thread)
            if not queue:
                del self._queues[address]
            return True
