"""A guest process: its module, its memory, its threads, its children and how it ended."""

from __future__ import annotations

import threading

from runtime.abi.errno import Errno, GuestError
from runtime.alarm import Alarm
from runtime.descriptors import NAMES_OF_ALL
from runtime.engine import SharedMemory
from runtime.errors import Trap
from runtime.futex import Futexes
from runtime.imports import keeps_dispositions, linker_of
from runtime.limits import EXIT_THREAD_TRAP, EXIT_TIMEOUT, EXIT_TRAP
from runtime.pending_signals import PendingSignals
from runtime.same_processor import same_processor
from runtime.signals import EXIT_SIGNAL, IGNORED, Signal
from runtime.thread import INTERRUPTS_OF_A_HANDLER, GuestThread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.asyncify import StackBounds
    from runtime.engine import Linker, Module
    from runtime.env import WasiEnv


class WasiProcess:
    """A running or ended process.

    Attributes:
        pid: its number in the environment, from 1.
        is_first: whether the host started it, and not another guest.
        parent: the process that forked or spawned it, while that runs.
        children: the processes that it has started and not joined yet, by pid.
        exit_code: how it ended, `None` while it runs.
        signal: the signal that ended it, 0 if none did.
        trap: the trap that ended it, if one did.
        fault: the failure of ours that ended it, if one did; `wait` raises it.
        ended: set when the last of its threads has left the guest's code.
    """

    def __init__(
        self,
        env: WasiEnv,
        module: Module,
        name: str,
        parent: WasiProcess | None = None,
        *,
        forked: bool = False,
        borrows: bool = False,
        memory: SharedMemory | None = None,
    ) -> None:
        """A process of `module` in `env`; `start` runs it.

        Args:
            env: what it sees of the world.
            module: its program.
            name: what messages call it.
            parent: who started it, if a guest did.
            forked: it goes on where its parent is, and has its handlers.
            borrows: it does so on its parent's thread and memory until it executes another program (vfork).
            memory: the shared memory that it imports, where there is one already (fork).

        Raises:
            RuntimeFault: the module cannot be given what it imports.
            GuestError: `AGAIN`: there are as many processes as there may be, or the parent is being ended.
        """
        self.env = env
        self.parent = parent
        self.is_first = parent is None
        self.children: dict[int, WasiProcess] = {}
        self.ending: int | None = None
        self.ending_signal = 0
        self.exit_code: int | None = None
        self.signal = 0
        self.trap: Trap | None = None
        self.fault: BaseException | None = None
        self.timed_out = False
        self.ended = threading.Event()
        self._end_callbacks: list[Callable[[], object]] = []
        self.futexes = Futexes()
        self.threads: dict[int, GuestThread] = {}
        self.ended_threads: set[int] = set()
        self._left: list[GuestThread] = []
        self.local_keys: set[int] = set()
        self._next_local = 1
        self._executing = False
        self._interval: Alarm | None = None
        self.lock = threading.Lock()
        self._timer: Alarm | None = None
        self._logged: set[str] = set()
        self.name = name
        self.module = module
        self.linker: Linker
        self.shared_memory: SharedMemory | None = None
        self.signal_callback: str | None = None
        self.signals_blocked = False
        self.thread_callback: str | None = None
        self.dispositions: dict[int, int] = {}
        if parent is not None:
            self.dispositions.update(parent.dispositions)
        self._signals = PendingSignals()
        if borrows and parent is not None:
            self.linker, self.shared_memory = parent.linker, parent.shared_memory
            self.futexes = parent.futexes
        else:
            self._take(module, memory)
        if forked and parent is not None:
            self.signal_callback, self.signals_blocked = parent.signal_callback, parent.signals_blocked
            self.thread_callback = parent.thread_callback
        # Last: from now on others find it, and send it signals.
        self.pid = env.control.adopt(self)
        # The first thread's number is the process's own.
        self._next_tid = self.pid + 1

    def become(self, module: Module, name: str) -> None:
        """Be a process of this module: nothing of the one before it stays but what exec keeps."""
        self.name = name
        self.env.enter_program()
        self._take(module)

    def _take(self, module: Module, memory: SharedMemory | None = None) -> None:
        self.module = module
        if not module.is_wasix:
            self.env.descriptors.show_names()
        elif self.env.has_root:
            # Where the C library of WASIX finds a name beside these, it leaves a part of it in the path.
            self.env.descriptors.hide_names(NAMES_OF_ALL)
        self.linker = linker_of(module)
        needed = self.linker.memory
        self.shared_memory = memory
        if memory is None and needed is not None and needed.memory is not None:
            self.shared_memory = SharedMemory(needed.memory, self.env.limits.memory)
        self.signal_callback, self.signals_blocked, self.thread_callback = None, False, None
        self.futexes = Futexes()

    def start(self) -> WasiProcess:
        """Run the process on its own thread."""
        if self.parent is None and self.env.limits.seconds is not None:
            self._timer = Alarm(self.env.limits.seconds, self._time_is_up)
        self.run_thread(GuestThread(self, self.pid))
        return self

    def run_thread(self, thread: GuestThread) -> None:
        """Start the first thread of this process.

        Raises:
            GuestError: `AGAIN`: there are as many threads as there may be; the process is gone then.
        """
        self.threads[thread.tid] = thread
        try:
            thread.admit()
        except BaseException as error:
            thread.discard()
            if self.parent is None:
                self.thread_ended(thread, 1, error)
            else:
                self.abandon()
            raise

    def abandon(self) -> None:
        """Be as if never made: for the child that could not be started, of which its parent never hears."""
        self.env.control.reap(self)
        self.threads.clear()
        self.shared_memory = None
        self.exit_code = 1
        self.env.descriptors.close_all()
        self.ended.set()
        if self.parent is not None:
            # Another thread may be waiting for any child, of which there are none now.
            self.parent.wake_threads()

    def spawn_thread(self, entry: str, argument: int, bounds: StackBounds | None) -> int:
        """Start another thread, at `entry(tid, argument)`; its tid.

        Raises:
            GuestError: `AGAIN`: there are as many threads as there may be, or the process is ending or executing another
                program; `NOTSUP`: the module has no such function, or a memory that threads cannot share.
        """
        if entry not in self.module.exports or self.shared_memory is None:
            raise GuestError(Errno.NOTSUP)
        return self.add_thread(lambda tid: GuestThread(self, tid, entry, (tid, argument), bounds)).tid

    def add_thread(self, make: Callable[[int], GuestThread]) -> GuestThread:
        """Start a thread that is made for a new tid.

        Raises:
            GuestError: `AGAIN`: there are as many threads as there may be.
        """
        control = self.env.control
        # Before it is made: nobody ever sees one too many.
        control.thread_started(self.env.limits.threads)
        thread: GuestThread | None = None
        try:
            with self.lock:
                if self._executing or self.ending is not None:
                    raise GuestError(Errno.AGAIN)
                tid, self._next_tid = self._next_tid, self._next_tid + 1
                thread = self.threads[tid] = make(tid)
            thread.start()
        except GuestError:
            control.thread_ended(thread)
            if thread is not None:
                self.threads.pop(thread.tid, None)
                # exec, in another thread, may be waiting for this one to go.
                self.wake_threads()
            raise
        return thread

    def wake_threads(self) -> None:
        """Make every blocked thread look again whether what it waits for has come."""
        for thread in list(self.threads.values()):
            thread.waker.wake()

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
        if not self.wait_ended(timeout):
            raise TimeoutError(f"{self.name} still runs after {timeout} s")
        if self.fault is not None:
            raise self.fault
        assert self.exit_code is not None
        return self.exit_code

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Wait for its end, for so many seconds at the most; whether it has come."""
        return same_processor.wait(self.ended, timeout)

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call something once, when the process has ended; at once if it has.

        Args:
            callback: Called without arguments, as a rule by the last thread of the process: it must not take long. What
                it raises is logged.
        """
        with self.lock:
            if not self.ended.is_set():
                self._end_callbacks.append(callback)
                return
        callback()

    def raise_signal(self, signal: Signal) -> None:
        """Send the process a signal; its first thread takes it."""
        if signal is Signal.NONE or self.exit_code is not None:
            return
        if self.ignores(signal):
            return
        self.send(signal)
        if self.signal_callback is not None:
            # For one that computes, or waits in a loop of its own.
            self.module.engine.interrupt()
        if signal is Signal.KILL or (self.signal_callback is None and not self.signals_blocked):
            # A guest that computes without a host call hears of a deadly signal all the same.
            from runtime.signals import default_is_deadly

            if default_is_deadly(signal):
                self.kill(signal)

    def send(self, signal: Signal, target: GuestThread | None = None) -> None:
        """Have a thread, or the first one, take a signal at its next host call, or in the one that it is blocked in."""
        self._signals.add(signal, target)
        for thread in [target] if target is not None else list(self.threads.values())[:1]:
            thread.interrupt()

    def signals_of(self, thread: GuestThread) -> list[Signal]:
        """The signals that wait for one of its threads, in the order in which they came."""
        return self._signals.of(thread, self.threads)

    def take_signal(self, thread: GuestThread) -> Signal | None:
        """The signal that has waited longest for one of its threads and may be delivered now."""
        return self._signals.take(thread, self.threads, blocked=self.signals_blocked)

    def ignores(self, signal: Signal) -> bool:
        """Whether the process was started with this signal ignored, and cannot have changed that.

        A C library that asks for what its parent has decided (`proc_signals_get`) keeps it beside its own handlers, and
        decides from then on; an older one knows nothing of it.
        """
        if self.dispositions.get(signal) != IGNORED:
            return False
        return self.signal_callback is None or not keeps_dispositions(self.module)

    def kill(self, signal: Signal) -> None:
        """End the process by a signal."""
        self.terminate(EXIT_SIGNAL + signal, signal)

    def terminate(self, code: int = EXIT_SIGNAL + Signal.TERM, signal: int = 0) -> None:
        """End the process with this code, wherever its threads are: in guest code, in a host call or blocked."""
        if self.condemn(code, signal):
            self._interrupt(list(self.threads.values()))

    def condemn(self, code: int, signal: int = 0) -> bool:
        """Mark the process as ending with this code, without telling its threads; whether it was not ending yet."""
        with self.lock:
            if self.ending is not None or self.exit_code is not None:
                return False
            self.ending_signal = signal
            self.ending = code & 0xFFFF_FFFF
            return True

    def terminate_all(self, code: int = EXIT_SIGNAL + Signal.TERM) -> None:
        """End every process of this environment with this code."""
        condemned = self.env.control.condemn(code)
        if not condemned:
            # The engine is not interrupted for nobody: all guests of this process would have to answer.
            return
        threads = [thread for process in condemned for thread in list(process.threads.values())]
        for thread in threads:
            thread.pending = True
        # Those that compute leave first: they are who keeps the others from the processor.
        self.module.engine.interrupt()
        for thread in threads:
            thread.rouse()
        if any(thread.handling for thread in threads):
            for _ in range(INTERRUPTS_OF_A_HANDLER):
                self.module.engine.interrupt()
        if threads:
            self.module.engine.insist(lambda: all(process.ended.is_set() for process in condemned))

    def dismiss_others(self, thread: GuestThread) -> bool:
        """End every thread but this one, and wait until they have left (exec).

        Returns:
            Whether it is the only one now; not when another thread came first or the process is being ended.
        """
        with self.lock:
            if thread.dismissed:
                return False
            self._executing = True
            others = [other for other in self.threads.values() if other is not thread]
            for other in others:
                other.dismissed = True
        if others:
            self._interrupt(others)
        while len(self.threads) > 1:
            if self.ending is not None:
                return False
            thread.waker.wait((), None)
        with self.lock:
            self._executing = False
            self.threads = {self.pid: thread}
            thread.tid = self.pid
        return True

    def _interrupt(self, threads: list[GuestThread]) -> None:
        if not threads:
            return
        if threads == [getattr(_current(), "thread", None)]:
            # The only thread ends itself: nobody has to be stopped.
            threads[0].pending = True
            return
        for thread in threads:
            thread.interrupt()
        self.module.engine.interrupt()
        if any(thread.handling for thread in threads):
            for _ in range(INTERRUPTS_OF_A_HANDLER):
                self.module.engine.interrupt()

        def gone() -> bool:
            if self.ending is not None:
                return self.ended.is_set()
            return not set(threads) & set(self.threads.values())

        self.module.engine.insist(gone)

    def keep_for_last(self, thread: GuestThread) -> bool:
        """Whether the last thread of the process will free what this one had, because all are on their way out.

        That takes each several more turns at the interpreter, and who waits for the process would wait for them.
        """
        together = self.ending is not None and len(self.threads) > 1
        if together:
            self._left.append(thread)
        return together

    def thread_ended(self, thread: GuestThread, code: int, failure: BaseException | None = None) -> None:
        """Take note that a thread has left, with a trap or a failure of ours if it did so; the last one ends the process."""
        if failure is not None and not thread.dismissed:
            with self.lock:
                # A thread that is stopped from outside may leave by a trap: that is not what ends the process.
                failed = self.ending is None
                if failed and isinstance(failure, Trap):
                    self.trap = failure.with_traceback(None)
                    self.ending = EXIT_TRAP if thread.entry == "_start" else EXIT_THREAD_TRAP
                elif failed:
                    self.fault = failure
                    self.ending = 1
            if failed:
                if self.fault is not None and not self.is_first:
                    self.log_once(str(self.fault) or type(self.fault).__name__)
                self._interrupt([other for other in self.threads.values() if other is not thread])
        with self.lock:
            self.threads.pop(thread.tid, None)
            self.ended_threads.add(thread.tid)
            left = list(self.threads.values())
        self._signals.forget(thread)
        if left and self._signals:
            # It is the first one now, perhaps.
            left[0].interrupt()
        if not left:
            self._finish(code)
            for each in self._left:
                each.discard()
            self._left.clear()
        elif self.ending is None:
            # Somebody may be joining this thread. Where all are on their way out they know it: each would wake all others.
            self.wake_threads()

    def _finish(self, code: int) -> None:
        for timer in (self._timer, self._interval):
            if timer is not None:
                timer.cancel()
        try:
            self.env.descriptors.close_all()
        except Exception as error:
            # A file that the host has given: whoever waits hears of it, and does hear.
            self.fault = self.fault or error
        self.signal = self.ending_signal
        self.exit_code = code if self.ending is None else self.ending
        self.shared_memory = None
        if self.is_first:
            # Nobody is left to wait for what it has started.
            self.env.control.first_ended()
            self.terminate_all(EXIT_SIGNAL + Signal.KILL)
            if self.env.control.terminal_changed:
                from runtime.terminal import restore

                restore()
        parent = self.env.control.ended(self)
        # First the fact, then the news: a parent that is told looks once.
        with self.lock:
            self.ended.set()
            callbacks, self._end_callbacks = self._end_callbacks, []
        if parent is not None:
            parent.raise_signal(Signal.CHLD)
            parent.wake_threads()
        for callback in callbacks:
            try:
                callback()
            except Exception as error:
                self.log_once(f"who waits for its end failed: {error}")

    def new_local(self) -> int:
        """A new key for thread-local values."""
        with self.lock:
            key, self._next_local = self._next_local, self._next_local + 1
            self.local_keys.add(key)
            return key

    def set_interval(self, signal: Signal, interval: int, repeat: bool) -> None:
        """Send the process a signal after `interval` nanoseconds, again and again if `repeat`; 0 stops that.

        Raises:
            GuestError: `AGAIN`: the host gives no more threads.
        """
        with self.lock:
            if self._interval is not None:
                self._interval.cancel()
                self._interval = None
            if interval:
                self._interval = Alarm(interval / 1e9, lambda: self.raise_signal(signal), repeat=repeat)

    def log_once(self, message: str) -> None:
        """Put a line into the log, the first time only."""
        if message not in self._logged:
            self._logged.add(message)
            import logging

            logging.getLogger("wpm.runtime").warning("%s: %s", self.name, message)

    def _time_is_up(self) -> None:
        self.timed_out = True
        self.terminate_all(EXIT_TIMEOUT)


def _current() -> object:
    from runtime.hostcalls import current

    return current
