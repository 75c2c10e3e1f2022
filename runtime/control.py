"""The control plane: every process of one environment, by pid; parents, children, orphans and zombies."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.signals import Signal

if TYPE_CHECKING:
    from runtime.process import WasiProcess


class ControlPlane:
    """Gives out pids, from 1, and knows who runs and who has ended unnoticed.

    Attributes:
        terminal_changed: whether one of them has changed the terminal's mode.
    """

    def __init__(self, limit: int = 1024) -> None:
        """A control plane for at most `limit` processes, ended ones that nobody has joined included."""
        self.terminal_changed = False
        self._pids = itertools.count(1)
        self._limit = limit
        self._processes: dict[int, WasiProcess] = {}
        self._lock = threading.Lock()

    def adopt(self, process: WasiProcess) -> int:
        """Take a new process in; its pid.

        Raises:
            GuestError: `AGAIN`: there are as many as there may be.
        """
        with self._lock:
            if len(self._processes) >= self._limit:
                raise GuestError(Errno.AGAIN)
            pid = next(self._pids)
            self._processes[pid] = process
            return pid

    def get(self, pid: int) -> WasiProcess | None:
        """The process with that number, running or ended and not joined yet."""
        return self._processes.get(pid)

    def ended(self, process: WasiProcess) -> None:
        """A process has ended: its children are orphans, and its parent is told."""
        with self._lock:
            for child in process.children.values():
                child.parent = None
                if child.exit_code is not None:
                    self._processes.pop(child.pid, None)
            process.children.clear()
            parent = process.parent
            if parent is None:
                self._processes.pop(process.pid, None)
        if parent is not None:
            parent.raise_signal(Signal.CHLD)
            for thread in list(parent.threads.values()):
                thread.waker.wake()

    def reap(self, parent: WasiProcess, child: WasiProcess) -> None:
        """The parent has joined an ended child, which is forgotten."""
        with self._lock:
            parent.children.pop(child.pid, None)
            self._processes.pop(child.pid, None)

    def running(self) -> list[WasiProcess]:
        """The processes that have not ended."""
        with self._lock:
            return [process for process in self._processes.values() if process.exit_code is None]
