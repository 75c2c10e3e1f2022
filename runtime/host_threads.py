"""The host's threads that guests run on: one that has just become idle, else a new one.

To start a thread takes 30 us until it runs, to wake one that waits 13, and the woken one finds its stack in the processor's
cache: a shell that forks, and needs one for every child, forks half as often again in the same time.
"""

from __future__ import annotations

# What `signal` is made of, which makes enumerations of its numbers first: 2 ms of each run.
import _signal  # type: ignore[import-not-found]
import contextlib
import os
import threading
import time
from _thread import allocate_lock, start_new_thread

from runtime.same_processor import Member, same_processor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_HOST_STACK = 16 << 20
_MOST_IDLE = 4
_SECONDS_IDLE = 0.1

_MAINS = tuple(
    getattr(_signal, f"SIG{name}") for name in ("ALRM", "CHLD", "HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH")
)

_start_lock = threading.Lock()


def leave_signals_to_main() -> None:
    """Have the system give none of the host's signals to the calling thread, nor to threads that it starts.

    The interpreter calls handlers on the main thread alone, and does not wake it: what another thread is given while that
    one waits (for a guest, most often) is heard of when the wait is over. One Ctrl-C in 50 was lost so.
    """
    _signal.pthread_sigmask(_signal.SIG_BLOCK, _MAINS)


class _Worker(Member):
    """One thread of the host, which waits for a while when what it runs has ended."""

    __slots__ = ("_bell", "_job")

    def __init__(self, job: Callable[[], None]) -> None:
        super().__init__()
        self._job: Callable[[], None] | None = job
        self._bell = allocate_lock()
        self._bell.acquire()

    def give(self, job: Callable[[], None]) -> None:
        """Run this next: for whoever has taken the worker from the idle ones."""
        self._job = job
        self._bell.release()

    def run(self) -> None:
        """Run what is given, until nothing is for a while."""
        leave_signals_to_main()
        same_processor.run(self)
        while self._job is not None:
            job, self._job = self._job, None
            job()
            # Nothing of the guest is kept alive by the wait for the next.
            del job
            same_processor.end(self)
            if len(_idle) >= _MOST_IDLE:
                return
            _idle.append(self)
            if not self._bell.acquire(timeout=_SECONDS_IDLE):
                try:
                    _idle.remove(self)
                except ValueError:
                    # Somebody took it at the last moment, and is about to give it something.
                    self._bell.acquire()


_idle: list[_Worker] = []
# A copy of this process that its host makes has none of its threads.
os.register_at_fork(after_in_child=_idle.clear)


def start(job: Callable[[], None], *, near: bool = False) -> None:
    """Run this on a host thread of its own; the job catches what it raises.

    Args:
        job: what to run.
        near: whether to run it near whoever starts it (`runtime.same_processor`).

    Raises:
        RuntimeError: the host gives no more threads.
    """
    with contextlib.suppress(IndexError):
        # The last one that became idle: its stack is still in the processor's cache.
        worker = _idle.pop()
        if near:
            same_processor.start(worker)
        else:
            same_processor.release(worker)
        worker.give(job)
        return
    # The stack size is a setting of the whole interpreter: it is ours only while this thread starts. A bare thread,
    # because `threading.Thread.start` waits until the new thread runs: that alone was a third of a fork.
    worker = _Worker(job)
    if near:
        same_processor.start(worker)
    with _start_lock:
        before = threading.stack_size(_HOST_STACK)
        try:
            start_new_thread(worker.run, ())
        except RuntimeError:
            same_processor.end(worker)
            raise
        finally:
            threading.stack_size(before)


def wait_until_none_is_idle(seconds: float) -> bool:
    """Wait until every thread without work has ended, for so many seconds at the most; whether they have."""
    end = time.monotonic() + seconds
    while _idle and time.monotonic() < end:
        time.sleep(_SECONDS_IDLE / 4)
    return not _idle
