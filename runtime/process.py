"""A guest process: its module, its memory, its threads and how it ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runtime.abi.flags import Signal
from runtime.engine import Linker, Module, SharedMemory
from runtime.futex import Futexes
from runtime.hostcalls import resolve
from runtime.limits import EXIT_TIMEOUT, EXIT_TRAP
from runtime.syscalls import families
from runtime.thread import GuestThread

if TYPE_CHECKING:
    from runtime.env import WasiEnv
    from runtime.errors import Trap

SIGNAL_EXIT = 128
"""What is added to a signal's number to give the exit code of a process that it ended."""

_HARMLESS = frozenset({Signal.NONE, Signal.CHLD, Signal.URG, Signal.WINCH, Signal.CONT})
"""What is ignored where the guest does not handle it (`signal(7)`); nobody could wake what a stop signal stopped."""


def linker_of(module: Module) -> Linker:
    """The host functions of a module, defined when first asked for and kept with it."""
    linker: Linker | None = module.__dict__.get("linker")
    if linker is None:
        families.load()
        linker = module.__dict__["linker"] = Linker(module, resolve)
    return linker


class WasiProcess:
    """A running or ended process.

    Attributes:
        exit_code: how it ended, `None` while it runs.
        trap: the trap that ended it, if one did.
        fault: the failure of ours that ended it, if one did; `wait` raises it.
        ended: set when the last of its threads has left the guest's code.
    """

    def __init__(self, env: WasiEnv, module: Module, name: str) -> None:
        """A process of `module` in `env`; `start` runs it.

        Raises:
            RuntimeFault: the module cannot be given what it imports.
        """
        self.env = env
        self.module = module
        self.name = name
        self.pid = env.control.adopt(self)
        self.linker = linker_of(module)
        needed = self.linker.memory
        self.shared_memory: SharedMemory | None = None
        if needed is not None and needed.memory is not None:
            self.shared_memory = SharedMemory(needed.memory, env.limits.memory)
        self.ending: int | None = None
        self.exit_code: int | None = None
        self.trap: Trap | None = None
        self.fault: BaseException | None = None
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self.timed_out = False
        self.signal_callback: str | None = None
        self.futexes = Futexes()
        self.main = GuestThread(self, 1)
        self.threads = {1: self.main}

    def start(self) -> WasiProcess:
        """Run the process on its own thread."""
        if self.env.limits.seconds is not None:
            self._timer = threading.Timer(self.env.limits.seconds, self._time_is_up)
            self._timer.daemon = True
            self._timer.start()
        self.main.start()
        return self

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended.

        Args:
            timeout: seconds to wait at the most.

        Returns:
            The exit code: the guest's own, 134 for a trap (`trap` has it), 124 when its time was up.

        Raises:
            TimeoutError: it still runs.
            RuntimeFault: the guest could not be run, or called what this runtime does not have.
        """
        if not self.ended.wait(timeout):
            raise TimeoutError(f"{self.name} still runs after {timeout} s")
        if self.fault is not None:
            raise self.fault
        assert self.exit_code is not None
        return self.exit_code

    def terminate(self, code: int = SIGNAL_EXIT + 15) -> None:
        """End the process with this code, wherever its threads are: in guest code, in a host call or blocked."""
        with self._lock:
            if self.ending is not None or self.exit_code is not None:
                return
            self.ending = code
        for thread in list(self.threads.values()):
            thread.interrupt()
        self.module.engine.interrupt()

    def raise_signal(self, signal: Signal) -> None:
        """Take a signal: what is not ignored by default ends the process with 128 and its number."""
        if signal not in _HARMLESS:
            self.terminate(SIGNAL_EXIT + signal)

    def finish(self, code: int | None, trap: Trap | None = None, fault: BaseException | None = None) -> None:
        """Record how the process ended and close what it had open; the first to say so is right."""
        with self._lock:
            if self.exit_code is not None:
                return
            self.exit_code = EXIT_TRAP if code is None else code & 0xFFFF_FFFF
            self.trap, self.fault = trap, fault
        if self._timer is not None:
            self._timer.cancel()
        self.env.descriptors.close_all()
        self.env.control.forget(self)

    def _time_is_up(self) -> None:
        self.timed_out = True
        self.terminate(EXIT_TIMEOUT)
