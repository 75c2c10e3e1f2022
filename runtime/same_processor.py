"""Threads that hand the interpreter to one another stay on one processor, until one of them computes for long.

A guest that is started, runs for a moment and is waited for needs the interpreter's lock most of the time, as whoever
waits for it does. The system spreads such threads over the processors: each handing over then wakes a processor that
sleeps, and its caches know nothing of the objects that it is about to read. Measured on four processors: a spawn took
0.39 ms in place of 0.52, four at a time 0.44 in place of 0.90, a fork 0.46 in place of 0.78, and bytes through two pipes
half the time.

So the threads of guests that were started of late are gathered on the processor of the first who started one, and so is
who waits for their end, while he waits. A watch looks every few milliseconds: who has not waited for anything since it
looked last, or waits for long, is let go to all processors, until it starts a guest itself. Where the system does not
know such things (macOS), or there is one processor only, nothing of this happens.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from _thread import get_native_id, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PERIOD = 0.005
"""Seconds between the looks of the watch: a guest that computes shares a processor for twice as long at the most."""
_PATIENCE = 20
"""So many looks without anybody to look at, and the watch ends."""


class Member:
    """A thread of the host that can be kept on a processor: what it does is told here.

    Attributes:
        waits: how often it has waited for something.
    """

    __slots__ = ("processor", "tid", "waits")

    def __init__(self) -> None:
        self.waits = 0
        self.tid = 0
        """The system's number for it, once it runs."""
        self.processor: int | None = None
        """The one it is kept on; `None` for all."""


class _Here(threading.local):
    member: Member | None = None


_here = _Here()


class SameProcessor:
    """Who is gathered, and where."""

    def __init__(self, processor: Callable[[], int]) -> None:
        """Nobody yet.

        Args:
            processor: tells on which processor the calling thread runs.
        """
        self._processor = processor
        self._all: set[int] = set()
        self._home = 0
        self._members: dict[Member, int] = {}
        self._started = 0
        self._watched = False
        self._lock = threading.Lock()

    def start(self, member: Member) -> None:
        """Gather a thread that is about to run a guest, and the caller where it runs one."""
        self._started += 1
        if self._started == 1:
            # Most processes run one guest: nobody is there to be near to.
            return
        if self._started == 2:
            self._all = os.sched_getaffinity(0)
        if len(self._all) < 2:
            return
        if not self._members:
            self._home = self._processor()
        if self._home not in self._all:
            return
        if (caller := _here.member) is not None:
            self._gather(caller)
        self._gather(member)
        if not self._watched:
            self._watch()

    def run(self, member: Member) -> None:
        """Say that the calling thread is this one, from now on."""
        _here.member = member
        member.tid = get_native_id()
        if member in self._members:
            member.processor = None
            self._keep(member, self._home)
        elif self._all:
            # It has been handed down where its maker is kept.
            self._keep(member, None)

    def end(self, member: Member) -> None:
        """The guest of a thread has ended."""
        self._members.pop(member, None)

    def release(self, member: Member) -> None:
        """Let a thread that has no guest run one on any processor."""
        if member.processor is not None:
            self._keep(member, None)

    def leave(self) -> None:
        """Let the calling thread, and those that it makes, run on any processor: who makes a thread hands down his own."""
        if (member := _here.member) is not None:
            self._members.pop(member, None)
            self.release(member)
        elif self._all:
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, self._all)

    def wait(self, event: threading.Event, timeout: float | None) -> bool:
        """Wait for the end of a guest, where the guests are; whether it has come."""
        if not self._members or _here.member is not None or event.is_set():
            return event.wait(timeout)
        before = os.sched_getaffinity(0)
        if self._home not in before:
            return event.wait(timeout)
        try:
            os.sched_setaffinity(0, (self._home,))
            return event.wait(timeout)
        finally:
            os.sched_setaffinity(0, before)

    def _gather(self, member: Member) -> None:
        self._members[member] = -1
        if member.processor != self._home and member.tid:
            self._keep(member, self._home)

    def _keep(self, member: Member, processor: int | None) -> None:
        member.processor = processor
        # A thread may have ended, and a processor may be taken away from this process: that is no reason to fail.
        with contextlib.suppress(OSError):
            os.sched_setaffinity(member.tid, self._all if processor is None else (processor,))

    def _watch(self) -> None:
        with self._lock:
            if not self._watched:
                self._watched = True
                try:
                    start_new_thread(self._run, ())
                except RuntimeError:
                    # The host gives no more threads: nobody is kept anywhere.
                    self._watched = False
                    self._let_go(lambda _member, _waits: True)

    def _run(self) -> None:
        from runtime.host_threads import leave_signals_to_main

        leave_signals_to_main()
        self.leave()
        idle, started = 0, -1
        while True:
            time.sleep(_PERIOD)
            self._let_go(lambda member, waits: member.waits == waits)
            idle = 0 if self._members or self._started != started else idle + 1
            started = self._started
            if idle > _PATIENCE:
                with self._lock:
                    self._watched = False
                    if self._started == started:
                        return
                    # Somebody was gathered just now, and saw a watch.
                    self._watched = True

    def _let_go(self, is_to_go: Callable[[Member, int], bool]) -> None:
        for member, waits in list(self._members.items()):
            if not is_to_go(member, waits):
                self._members[member] = member.waits
            elif self._members.pop(member, None) is not None:
                self._keep(member, None)


def rests() -> None:
    """Say that the calling thread is about to wait for something."""
    if (member := _here.member) is not None:
        member.waits += 1


def _processor() -> int:
    """On which processor the calling thread runs; -1 where the system does not tell."""
    global _ask
    if _ask is None:
        # Not before: most processes run one guest, and never ask.
        import ctypes

        _ask = getattr(ctypes.PyDLL(None), "sched_getcpu", lambda: -1)
    return _ask()


_ask: Callable[[], int] | None = None


class _Nowhere(SameProcessor):
    """For systems that do not tell or take processors."""

    def start(self, member: Member) -> None:
        """Do nothing."""

    def run(self, member: Member) -> None:
        """Do nothing."""


same_processor = SameProcessor(_processor) if hasattr(os, "sched_setaffinity") else _Nowhere(_processor)
"""The guests of this process."""
