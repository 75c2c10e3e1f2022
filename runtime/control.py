"""The control plane: every process of one environment, by pid."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runtime.process import WasiProcess


class ControlPlane:
    """Gives out pids, from 1, and knows who runs."""

    def __init__(self) -> None:
        self._pids = itertools.count(1)
        self._processes: dict[int, WasiProcess] = {}
        self._lock = threading.Lock()

    def adopt(self, process: WasiProcess) -> int:
        """Take a new process in; its pid."""
        with self._lock:
            pid = next(self._pids)
            self._processes[pid] = process
            return pid

    def forget(self, process: WasiProcess) -> None:
        """Let a process go that has ended."""
        with self._lock:
            self._processes.pop(process.pid, None)

    def running(self) -> list[WasiProcess]:
        """The processes that have not ended."""
        with self._lock:
            return list(self._processes.values())
