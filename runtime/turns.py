"""Where many guest threads compute at once, they take turns, so that the host's own threads get the processor, too.

A thread that wants the processor among a thousand which never give it up waits for a second each time, and for the
interpreter's lock it waits again and again: whoever has the lock is as late himself. To end such a guest took minutes. So
only a few of its threads compute at a time: the engine is interrupted regularly, and a thread that is asked lets another
one go on in its stead. What waits in a host call is nobody's burden and takes no part.
"""

from __future__ import annotations

import contextlib
import os
import time
from _thread import allocate_lock, start_new_thread
from threading import Lock

from runtime.engine import engine
from runtime.host_threads import leave_signals_to_main
from runtime.same_processor import same_processor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from typing import Protocol

    class Computing(Protocol):
        """Who takes turns.

        Attributes:
            pending: whether something is to be delivered to it, for which it must not wait.
        """

        pending: bool


_PERIOD = 0.01
"""Seconds of a turn."""
_IDLE_PERIOD = 0.1
"""Seconds between interrupts when nobody has answered the last ones: all threads are in host calls."""
_PATIENCE = 5
"""So many interrupts without an answer, and a thread does not compute any more: it is in a host call, or gone."""
_LONGEST_WAIT = 10.0
"""Seconds after which a thread goes on in any case."""


class Turns:
    """Who computes now, and who is next."""

    def __init__(self, at_once: int, crowd: int) -> None:
        """Nobody yet.

        Args:
            at_once: how many compute at the same time, where they take turns.
            crowd: how many guest threads there may be, computing or not, without anybody having to wait.
        """
        self._at_once = at_once
        self._crowd = crowd
        self._threads = 0
        self._ticking = False
        self._tick = 0
        self._answered = 0
        self._computing: dict[Computing, int] = {}
        self._queue: dict[Computing, LockType] = {}
        self._lock = Lock()

    def thread_started(self) -> None:
        """One more guest thread is about to run."""
        with self._lock:
            self._threads += 1
            if self._threads > self._crowd and not self._ticking:
                # Without a thread for it (the host gives no more) they all compute at once.
                with contextlib.suppress(RuntimeError):
                    start_new_thread(self._run, ())
                    self._ticking = True

    def thread_ended(self, thread: Computing | None) -> None:
        """A guest thread has ended, or could not be made."""
        with self._lock:
            self._threads -= 1
        if thread is not None:
            self.give_up(thread)

    def give_up(self, thread: Computing) -> None:
        """Do not compute for now: the thread is about to wait in a host call, or has ended."""
        if thread in self._computing:
            with self._lock:
                self._computing.pop(thread, None)
                self._admit()

    def take(self, thread: Computing) -> None:
        """Wait for the thread's turn to compute, where there are too many.

        Called by the thread itself when it is about to run the guest's code, and from amid that code at each interrupt.
        """
        if not self._ticking:
            return
        with self._lock:
            self._answered = self._tick
            if not self._ticking or thread.pending:
                return
            if not self._queue and (thread in self._computing or len(self._computing) < self._at_once):
                self._computing[thread] = self._tick
                return
            # Others wait: the one that has waited longest goes on in this one's stead.
            self._computing.pop(thread, None)
            turn = allocate_lock()
            turn.acquire()
            self._queue[thread] = turn
            self._admit()
        if thread.pending:
            # It was interrupted before it was in the queue.
            self.end_wait(thread)
        if not turn.acquire(timeout=_LONGEST_WAIT):
            self.end_wait(thread)

    def end_wait(self, thread: Computing) -> None:
        """Let a thread go on out of its turn, if it waits for one: there is something to be delivered to it."""
        if thread in self._queue:
            with self._lock:
                turn = self._queue.pop(thread, None)
                if turn is not None:
                    turn.release()

    def _admit(self) -> None:
        """Let go on who may, those that have waited longest first; called with the lock."""
        while self._queue and (not self._ticking or len(self._computing) < self._at_once):
            thread = next(iter(self._queue))
            self._computing[thread] = self._tick
            self._queue.pop(thread).release()

    def _run(self) -> None:
        """Interrupt those that compute, until there are few threads again."""
        leave_signals_to_main()
        same_processor.leave()
        ticking = True
        while ticking:
            time.sleep(_PERIOD if self._tick - self._answered <= _PATIENCE else _IDLE_PERIOD)
            with self._lock:
                self._tick += 1
                for thread, tick in list(self._computing.items()):
                    if self._tick - tick > _PATIENCE:
                        del self._computing[thread]
                if self._threads <= self._crowd:
                    ticking = self._ticking = False
                self._admit()
                if not ticking:
                    self._computing.clear()
            engine().interrupt()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


turns = Turns(_processors(), max(32, 8 * _processors()))
"""The turns of all guests of this process: they share its interpreter and its processors."""
