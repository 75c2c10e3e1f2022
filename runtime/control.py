"""The control plane: every process of one environment, by pid; parents, children, orphans and zombies."""

from __future__ import annotations

import itertools
import threading

from runtime.abi.errno import Errno, GuestError
from runtime.turns import turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.process import WasiProcess
    from runtime.thread import GuestThread

_PATIENCE = 0.25
"""Seconds that a process which is ended together with all others lets the first one go before it."""


class Census:
    """What is counted of processes and threads: of one environment, or of several that share their limits.

    Attributes:
        pids: the numbers of the processes that are still to come.
        processes: how many there are, ended ones that nobody has joined included.
        threads: how many threads they have.
        lock: held while any of it, or a plane that counts here, changes.
    """

    __slots__ = ("lock", "pids", "processes", "threads")

    def __init__(self) -> None:
        self.pids = itertools.count(1)
        self.processes = 0
        self.threads = 0
        self.lock = threading.Lock()


class ControlPlane:
    """Gives out pids, from 1, and knows who runs and who has ended unnoticed.

    Attributes:
        terminal_changed: whether one of them has changed the terminal's mode.
    """

    def __init__(self, limit: int = 1024, census: Census | None = None) -> None:
        """A control plane without processes.

        Args:
            limit: how many processes there may be, ended ones that nobody has joined included.
            census: where its processes and threads are counted, together with those of others; its own if none is given.
        """
        self.terminal_changed = False
        self._census = census or Census()
        self._limit = limit
        self._processes: dict[int, WasiProcess] = {}
        # One fork at a time: a thousand at once would keep everybody else, who is to end them too, from the interpreter.
        self.forking = threading.Lock()
        self._first_is_gone = False
        self._first_ended: threading.Event | None = None
        """Made when all are to end."""
        self._lock = self._census.lock

    def adopt(self, process: WasiProcess) -> int:
        """Take a new process in; its pid.

        Raises:
            GuestError: `AGAIN`: there are as many as there may be, or the parent is being ended: what it starts now
                would escape that end.
        """
        parent = process.parent
        with self._lock:
            if self._census.processes >= self._limit or (parent is not None and parent.ending is not None):
                raise GuestError(Errno.AGAIN)
            pid = next(self._census.pids)
            self._census.processes += 1
            self._processes[pid] = process
            if parent is not None:
                parent.children[pid] = process
            return pid

    def thread_started(self, limit: int) -> None:
        """One more thread, of any process, is about to run.

        Raises:
            GuestError: `AGAIN`: there are `limit` already.
        """
        with self._lock:
            if self._census.threads >= limit:
                raise GuestError(Errno.AGAIN)
            self._census.threads += 1
        turns.thread_started()

    def thread_ended(self, thread: GuestThread | None) -> None:
        """A thread has ended; none, where the one that was counted could not be made."""
        with self._lock:
            self._census.threads -= 1
        turns.thread_ended(thread)

    def get(self, pid: int) -> WasiProcess | None:
        """The process with that number, running or ended and not joined yet."""
        return self._processes.get(pid)

    def ended(self, process: WasiProcess) -> WasiProcess | None:
        """A process has ended: its children are orphans. The parent that is to be told, if there still is one."""
        with self._lock:
            for child in process.children.values():
                child.parent = None
                if child.exit_code is not None:
                    self._forget(child.pid)
            process.children.clear()
            parent = process.parent
            if parent is None:
                self._forget(process.pid)
        return parent

    def reap(self, child: WasiProcess) -> bool:
        """Forget a child that has ended and is joined; whether nobody else did so before."""
        with self._lock:
            if child.parent is not None:
                child.parent.children.pop(child.pid, None)
            return self._forget(child.pid)

    def _forget(self, pid: int) -> bool:
        if self._processes.pop(pid, None) is None:
            return False
        self._census.processes -= 1
        return True

    def condemn(self, code: int) -> list[WasiProcess]:
        """Mark every process as ending with this code, in one step: none can start another meanwhile.

        Returns:
            The processes that were not ending yet; their threads have to be told.
        """
        with self._lock:
            condemned = [process for process in self._processes.values() if process.condemn(code)]
            if condemned and self._first_ended is None:
                self._first_ended = threading.Event()
                if self._first_is_gone:
                    self._first_ended.set()
            return condemned

    def first_ended(self) -> None:
        """The process that somebody outside waits for has ended."""
        with self._lock:
            self._first_is_gone = True
            if self._first_ended is not None:
                self._first_ended.set()

    def let_first_end(self) -> None:
        """Where all are being ended, let the first one go before the many: somebody waits for it."""
        if self._first_ended is not None:
            self._first_ended.wait(_PATIENCE)

    def running(self) -> list[WasiProcess]:
        """The processes that have not ended."""
        with self._lock:
            return [process for process in self._processes.values() if process.exit_code is None]
