"""What runs in a sandbox, known to all of its parts without any of them holding the sandbox."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from pkgmgr.library.process import Process
    from runtime.process import WasiProcess


class Running:
    """The guests of a sandbox, until it is closed."""

    def __init__(self) -> None:
        self._processes: set[Process] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether none is taken in any more."""
        return self._closed

    def check_open(self) -> None:
        """Go on only while the sandbox is open.

        Raises:
            WpmError: It is closed.
        """
        if self._closed:
            raise WpmError("the sandbox is closed")

    def add(self, process: Process) -> None:
        """Take a guest in that was started.

        Raises:
            WpmError: The sandbox was closed meanwhile; the guest is ended.
        """
        with self._lock:
            closed = self._closed
            self._processes.add(process)
        process._process.on_end(partial(self._ended, process))
        if closed:
            process.close()
            self.check_open()

    def first_processes(self) -> list[WasiProcess]:
        """The processes that were started from outside and run."""
        with self._lock:
            return [process._process for process in self._processes]

    def close(self) -> None:
        """End every guest, and wait until they have; none is taken in any more."""
        with self._lock:
            self._closed = True
            processes = list(self._processes)
        for process in processes:
            process.kill()
        for process in processes:
            process.close()

    def _ended(self, process: Process) -> None:
        with self._lock:
            self._processes.discard(process)
