"""The signals that were sent to a process and that no thread of it has taken yet."""

from __future__ import annotations

import threading

from runtime.signals import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.thread import GuestThread


class PendingSignals:
    """What waits for one process.

    It is kept here and not by the threads: the first thread may be lent to a child of vfork, or be another one after an
    exec, just when a signal comes.
    """

    __slots__ = ("_entries", "_lock")

    def __init__(self) -> None:
        self._entries: list[tuple[Signal, GuestThread | None]] = []
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def add(self, signal: Signal, target: GuestThread | None) -> None:
        """Keep a signal for a thread, or for the first one; one that waits already is not sent twice, as POSIX has it."""
        with self._lock:
            if (signal, target) not in self._entries:
                self._entries.append((signal, target))

    def of(self, thread: GuestThread, threads: Mapping[int, GuestThread]) -> list[Signal]:
        """The signals that a thread is to take, in the order in which they came.

        Args:
            thread: whose.
            threads: those that the process has now, the first one first.
        """
        if not self._entries:
            return []
        with self._lock:
            return [signal for signal, target in self._entries if _is_for(target, thread, threads)]

    def take(self, thread: GuestThread, threads: Mapping[int, GuestThread], *, blocked: bool) -> Signal | None:
        """The signal that has waited longest for a thread; `KILL` alone while the process has signals wait (`blocked`)."""
        with self._lock:
            for entry in self._entries:
                signal, target = entry
                if _is_for(target, thread, threads) and (not blocked or signal is Signal.KILL):
                    self._entries.remove(entry)
                    return signal
        return None

    def forget(self, thread: GuestThread) -> None:
        """A thread has ended: what was for it alone is for nobody."""
        if self._entries:
            with self._lock:
                self._entries = [entry for entry in self._entries if entry[1] is not thread]


def _is_for(target: GuestThread | None, thread: GuestThread, threads: Mapping[int, GuestThread]) -> bool:
    if target is thread:
        return True
    # What was sent to a thread that exec has replaced is for the first one.
    return (target is None or target.tid not in threads) and [thread] == list(threads.values())[:1]
