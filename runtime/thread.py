"""A guest thread: a store and an instance of its process's module, run on one host thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runtime.engine import Machine, Store
from runtime.errors import RuntimeFault, Trap
from runtime.hostcalls import Unwind, current
from runtime.memory import GuestMemory
from runtime.waiting import Waker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.process import WasiProcess

_HOST_STACK = 16 << 20
_start_lock = threading.Lock()


class ProcessExit(Unwind):
    """The process ends with this code: `proc_exit`, a deadly signal, or the end of a limit."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class GuestThread:
    """One thread of a guest. Its host calls find it as `current.thread`.

    Attributes:
        pending: whether something waits to be delivered at the end of the next host call (a signal, the process's end).
        unwinding: why the guest's code is being left, while it is.
    """

    def __init__(self, process: WasiProcess, tid: int) -> None:
        """A thread of the process, not started yet."""
        self.process = process
        self.env = process.env
        self.descriptors = process.env.descriptors
        self.tid = tid
        self.pending = False
        self.unwinding: BaseException | None = None
        self.memory: GuestMemory
        self.machine: Machine
        self.waker = Waker()

    def start(self) -> None:
        """Run the process's module from `_start` on a host thread of its own."""
        host = threading.Thread(target=self._run, name=f"wasm-{self.process.pid}.{self.tid}", daemon=True)
        # The stack size is a setting of the whole interpreter: it is ours only while this thread starts.
        with _start_lock:
            before = threading.stack_size(_HOST_STACK)
            try:
                host.start()
            finally:
                threading.stack_size(before)

    def block(self, interests: Sequence[tuple[int, int]], deadline: int | None = None) -> list[tuple[int, int]]:
        """Wait until a descriptor is ready or the deadline has passed; what ends the process ends the wait.

        Args:
            interests: descriptors of the operating system with what they are waited for (see `Waker.wait`).
            deadline: nanoseconds of `time.monotonic_ns`, or `None`.

        Raises:
            Unwind: the process is being ended.
        """
        while True:
            ready = self.waker.wait(interests, deadline)
            if ready is not None:
                return ready
            self.deliver()

    def deliver(self) -> None:
        """Do what is pending.

        Raises:
            Unwind: the process is being ended.
        """
        if self.process.ending is not None:
            raise ProcessExit(self.process.ending)
        self.pending = False

    def interrupt(self) -> None:
        """Make the thread look at what is pending, wherever it is."""
        self.pending = True
        self.waker.wake()

    def _interrupted(self) -> bool:
        return self.process.ending is not None

    def _run(self) -> None:
        current.thread = self
        process = self.process
        store: Store | None = None
        try:
            store = Store(self._interrupted, self.env.limits.memory)
            self.machine = Machine(store, process.linker, process.module, process.shared_memory)
            found = self.machine.memory()
            if found is None:
                raise RuntimeFault(
                    f"{process.name}: the module has no memory to share with its host: not a WASI program"
                )
            self.memory = GuestMemory(*found)
            self.machine.call("_start")
            process.finish(0)
        except Trap as trap:
            self._after_trap(trap)
        except ProcessExit as end:
            process.finish(end.code)
        except BaseException as error:
            process.finish(process.ending if process.ending is not None else 1, fault=error)
        finally:
            self.waker.close()
            del current.thread
            # The guest's memory is given back now, not when the last reference to the process goes.
            self.__dict__.pop("machine", None)
            self.__dict__.pop("memory", None)
            if store is not None:
                store.close()
            process.ended.set()

    def _after_trap(self, trap: Trap) -> None:
        """Tell a trap by which a host call left the guest's code from one of the guest's own making."""
        process, unwinding = self.process, self.unwinding
        if isinstance(unwinding, ProcessExit):
            process.finish(unwinding.code)
        elif process.ending is not None:
            process.finish(process.ending)
        elif unwinding is not None:
            process.finish(1, fault=unwinding)
        else:
            process.finish(None, trap=trap)
