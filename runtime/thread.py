"""A guest thread: a store and an instance of its process's module, run on one host thread."""

from __future__ import annotations

from functools import partial
from time import monotonic

from runtime import handlers, host_threads
from runtime.abi.errno import Errno, GuestError
from runtime.asyncify import Asyncify, Frames, StackBounds, stack_of
from runtime.checkpoints import Checkpoints
from runtime.engine import Machine, Store
from runtime.errors import RuntimeFault, Trap
from runtime.hostcalls import current
from runtime.memory import GuestMemory, nowhere
from runtime.signals import EXIT_SIGNAL, RESTARTS, Signal, default_is_deadly
from runtime.thread_waker import ThreadWaker
from runtime.turns import turns
from runtime.typed import NamedTuple
from runtime.unwinding import ProcessExit, ThreadExit, Unwind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.contexts import Contexts
    from runtime.control import ControlPlane
    from runtime.descriptors import Description
    from runtime.engine.shortcuts import TransferShortcut
    from runtime.process import WasiProcess
    from runtime.programs import Program
    from runtime.waiting import Waker

INTERRUPTS_OF_A_HANDLER = 1 << 15
"""How many interrupts a signal handler that runs amid the guest's own code outlasts; whoever ends it sends one more."""


class _Lent(NamedTuple):
    """What a vfork parent gets back when its child is done with the thread."""

    parent: WasiProcess
    frames: Frames


class GuestThread:
    """One thread of a guest. Its host calls find it as `current.thread`.

    Attributes:
        process: the process; the child's while a vfork has lent it the thread.
        pending: whether something waits to be delivered at the end of the next host call: a signal, the process's end.
        unwinding: why the guest's code is being left, while it is.
        contexts: the contexts among which it switches, once it has made one.
        checkpoints: stacks to which `stack_restore` can return.
        handler: the signal's handler that runs, if one does; of a forked thread, the one in which it begins.
    """

    def __init__(
        self,
        process: WasiProcess,
        tid: int,
        entry: str = "_start",
        arguments: tuple[int, ...] = (),
        bounds: StackBounds | None = None,
    ) -> None:
        """A thread of the process, not started yet.

        Args:
            process: whose.
            tid: its number in the process.
            entry: the exported function that it runs.
            arguments: what that function is given.
            bounds: its stack; found out for a main thread.
        """
        self.tid = tid
        self.entry = entry
        self.arguments = arguments
        self.exit_code = 0
        self.shortcut: TransferShortcut | None = None
        self.pending = False
        self.dismissed = False
        self.handling = False
        self.handled = Signal.NONE
        self.undisturbed_until = 0.0
        self.handler: handlers.Handler | None = None
        self._done = False
        self.unwinding: BaseException | None = None
        self.waker: Waker = ThreadWaker()
        self.locals: dict[int, int] = {}
        self.checkpoints = Checkpoints()
        self.contexts: Contexts | None = None
        self._bounds = bounds
        self._resumed: int | None = None
        self._after_unwind: Callable[[], None] | None = None
        self._lent: list[_Lent] = []
        self._store: Store | None = None
        self.machine: Machine
        self.memory = nowhere()
        self.asyncify: Asyncify
        self.enter(process)

    def enter(self, process: WasiProcess) -> None:
        """Be a thread of this process from now on."""
        self.process = process
        self.env = process.env
        self.descriptors = process.env.descriptors
        if self.shortcut is not None:
            self.shortcut.look_at(0)

    def shorten(self, fd: int, description: Description) -> None:
        """Let the guest transfer by this descriptor without the host from now on, if what is open there allows that."""
        if self.shortcut is not None and description.desked:
            self.shortcut.look_at(self.descriptors.show_rings(fd, description))

    def load(self) -> None:
        """Instantiate the process's module.

        Raises:
            RuntimeFault: it cannot be instantiated, or has no memory.
            Trap: its start function trapped.
        """
        process = self.process
        self._store = Store(self._interrupted, self.env.limits.memory)
        self.machine = Machine(self._store, process.linker, process.module, process.shared_memory, self._leaving)
        found = self.machine.memory()
        if found is None:
            raise RuntimeFault(f"{process.name}: the module has no memory to share with its host: not a WASI program")
        self.memory = GuestMemory(*found)
        if Asyncify.available(self.machine):
            self._bounds = self._bounds or stack_of(self.machine)
            self.asyncify = Asyncify(self.machine, self.memory, self._bounds)

    def admit(self) -> None:
        """Be counted, and start.

        Raises:
            GuestError: `AGAIN` when there are as many threads as there may be, or the host gives no more.
        """
        self.env.control.thread_started(self.env.limits.threads)
        try:
            self.start(near=True)
        except GuestError:
            self.env.control.thread_ended(self)
            raise

    def start(self, *, near: bool = False) -> None:
        """Run on a host thread of its own; the control plane has counted it, and its process knows it.

        Args:
            near: whether whoever starts it is likely to wait for it.

        Raises:
            GuestError: `AGAIN` when the host gives no more.
        """
        if self.process.signals_of(self):
            # They came before it was there to be told.
            self.interrupt()
        try:
            host_threads.start(partial(self._run, self.env.control), near=near)
        except RuntimeError:
            raise GuestError(Errno.AGAIN) from None

    # Waiting and signals

    def block(self, interests: Sequence[tuple[int, int]], deadline: int | None = None) -> list[tuple[int, int]]:
        """Wait until a descriptor is ready or the deadline has passed.

        Args:
            interests: descriptors of the operating system with what they are waited for (see `Waker.wait`).
            deadline: nanoseconds of `time.monotonic_ns`, or `None`.

        Raises:
            Unwind: the process is being ended.
            GuestError: `INTR` after a signal was handled.
        """
        while True:
            ready = self.waker.wait(interests, deadline)
            if ready is not None:
                return ready
            if self.deliver():
                raise GuestError(Errno.INTR)

    def wait_for(self, condition: Callable[[], bool], deadline: int | None = None) -> bool:
        """Wait until a condition of this environment holds; whoever makes it hold wakes the thread.

        Returns:
            Whether it holds; not when the deadline has passed.

        Raises:
            Unwind: the process is being ended.
            GuestError: `INTR` after a signal was handled.
        """
        while not condition():
            ready = self.waker.wait((), deadline)
            if ready is not None:
                return condition()
            if self.deliver():
                raise GuestError(Errno.INTR)
        return True

    def interrupt(self) -> None:
        """Make the thread look at what is pending, wherever it is."""
        self.pending = True
        self.rouse()

    def rouse(self) -> None:
        """End what the thread waits in: a host call that blocks, or the guest's own code for its turn."""
        self.waker.wake()
        turns.end_wait(self)

    def deliver(self) -> bool:
        """Do what is pending; whether a signal was handled that ends a blocking call.

        Raises:
            Unwind: the process or the thread is being ended.
        """
        self.pending = False  # before anything is looked at, so that what comes in meanwhile is not forgotten
        end = self.end()
        if end is not None:
            self.pending = True
            raise end
        nested = self.checkpoints.level >= handlers.MOST
        if nested or self._after_unwind is not None or self._resumed is not None or self.checkpoints.postpones():
            # The guest is on its way out of its functions, or back: a handler waits. So does one too many within each other.
            self.pending = True
            return False
        interrupts = False
        while (signal := self.process.take_signal(self)) is not None:
            self._handle(signal)
            interrupts |= signal not in RESTARTS
        return interrupts

    def _handle(self, signal: Signal) -> None:
        callback = self.process.signal_callback
        if signal is Signal.KILL or (callback is None and default_is_deadly(signal)):
            self.process.kill(signal)
            raise ProcessExit(self.process.ending or 0, signal)
        if callback is not None:
            before = self.handled
            # A default handler sends itself another signal (`ABRT`): what counts is the first.
            self.handled = before if before and default_is_deadly(before) else signal
            try:
                handlers.run(self, handlers.Handler(callback, signal, self.checkpoints.level + 1))
            finally:
                self.handled = before

    def end(self) -> Unwind | None:
        """Why the thread has to leave the guest's code, if somebody wants it to."""
        process = self.process
        if process.ending is not None:
            return ProcessExit(process.ending, process.ending_signal)
        if self._lent and (self.dismissed or any(lent.parent.ending is not None for lent in self._lent)):
            # Its parent needs the thread back, to end.
            return ProcessExit(EXIT_SIGNAL + Signal.KILL, Signal.KILL)
        return ThreadExit() if self.dismissed else None

    def _interrupted(self) -> bool:
        """Asked from among the guest's own code, at a loop or a call: whether it has to stop. Never with a ring locked.

        A signal is delivered here, too: a guest may wait for its handler in a loop that calls nobody (`sigsuspend` of
        some C libraries does).
        """
        if self.shortcut is not None and self.shortcut.holds_ring():
            return False
        try:
            turns.take(self)
            # Said before the end is asked for: whoever ends the thread from now on sends the interrupts a handler needs.
            self.handling = (
                bool(self.process.signals_of(self))
                and "machine" in self.__dict__
                and monotonic() >= self.undisturbed_until
            )
            end = self.end()
            if end is not None:
                self.unwinding = end  # known by name, so that nobody asks the engine for the words of this end
                return True
            if self.handling and self._store is not None:
                # The engine does not ask while it is asking: the handler runs unasked, until so many interrupts have come.
                self._store.allow(INTERRUPTS_OF_A_HANDLER)
                with self.machine.red_zone():
                    self.deliver()
        except BaseException as reason:
            self.unwinding = reason
            return True
        finally:
            if self.handling and self._store is not None:
                # Where the handler jumps out of the guest's code, too, the next interrupt is to be heard again.
                self._store.allow(1)
            self.handling = False
        return False

    # Leaving the guest's code and coming back

    def unwind(self, then: Callable[[], None]) -> None:
        """Leave the guest's functions, do something outside, and come back into this host call.

        The host call returns at once after this; when the guest is out, `then` runs and calls `rewind`.

        Raises:
            GuestError: `NOTSUP` for a module that asyncify has not transformed, `NOMEM` without room on the stack.
        """
        if "asyncify" not in self.__dict__:
            self.process.log_once("cannot fork or keep its stack: the module was not built with asyncify (NOTSUP)")
            raise GuestError(Errno.NOTSUP)
        self.asyncify.start_unwind()
        self._after_unwind = then

    def left(self) -> Callable[[], None] | None:
        """What is to be done now that the guest has left its functions, if it did so by an unwind; told once."""
        then, self._after_unwind = self._after_unwind, None
        return then

    def rewind(self, result: int) -> None:
        """Come back into the host call from which the stack was taken, which finds the result in `resumed`."""
        self._resumed = result
        self.asyncify.start_rewind()

    def resumed(self) -> int | None:
        """The result with which this host call is come back into; `None` when it is called for the first time."""
        result = self._resumed
        if result is not None:
            # Only then: a signal that arrives during this call must find the guest on its way.
            self.asyncify.stop_rewind()
            self._resumed = None
        return result

    def lend(self, child: WasiProcess, frames: Frames) -> None:
        """Be the child's thread until it is done (vfork)."""
        self._lent.append(_Lent(self.process, frames))
        child.threads[self.tid] = self
        self.enter(child)
        # They may have come before it was there to be told.
        self.pending = self.pending or bool(child.signals_of(self))

    def lent_level(self) -> int:
        """How many handlers run within each other where the thread was lent; -1 when it is not."""
        return self._lent[-1].frames.level if self._lent else -1

    def give_back(self, code: int = 0, failure: BaseException | None = None) -> bool:
        """Go on as the vfork parent, whose child is done with the thread; whether there is one."""
        if not self._lent:
            return False
        child, (parent, frames) = self.process, self._lent.pop()
        self.enter(parent)
        child.thread_ended(self, code, failure)
        self._come_back(child, frames)
        return True

    def _come_back(self, child: WasiProcess, frames: Frames) -> None:
        """Be where the vfork parent was when it lent the thread."""
        self.pending = self.pending or bool(self.process.signals_of(self))
        if self.end() is None:
            self.asyncify.put(frames)
            self.rewind(child.pid)

    def replace_image(self, program: Program) -> bool:
        """Run another program in this process from now on (exec)."""
        module = program.module()
        if self._lent:
            child = self.process
            child.become(module, program.name)
            runner = GuestThread(child, child.pid)
            with child.lock:
                child.threads = {runner.tid: runner}
            try:
                runner.admit()
            except BaseException:
                child.threads = {self.tid: self}
                raise
            parent, frames = self._lent.pop()
            self.enter(parent)
            self._come_back(child, frames)
            return True
        if not self.process.dismiss_others(self):
            return True
        self._unload()
        self.process.become(module, program.name)
        self.entry, self.arguments, self._bounds = "_start", (), None
        self.checkpoints.clear()
        self.locals.clear()
        self.contexts = None
        if self.process.signals_of(self):
            # The program before had them wait.
            self.interrupt()
        self.load()
        return True

    # The life of the thread

    def _run(self, control: ControlPlane) -> None:
        current.thread = self
        failure: BaseException | None = None
        going = True
        while going:
            try:
                if self._store is None:
                    self.load()
                turns.take(self)
                self._execute()
                failure, going = None, False
            except BaseException as error:
                failure = self._failed(error)
                going = failure is None and not self._done
        try:
            if self.contexts is not None:
                self.contexts.end()
            if not self.process.is_first:
                control.let_first_end()
            del current.thread
            # No exception of a host call, whose traceback knows this thread, keeps it alive from here on.
            self.unwinding = None
            self.checkpoints.clear()
            if not self.process.keep_for_last(self):
                self.discard()
            control.thread_ended(self)
        finally:
            self.process.thread_ended(self, self.exit_code, failure)

    def _failed(self, failure: BaseException) -> BaseException | None:
        """Do what a failure leaves to do; the failure if it ends the thread, which else goes on unless it is `_done`."""
        unwinding, self.unwinding = self.unwinding, None
        try:
            if isinstance(unwinding, Unwind):
                # A start function left by way of a host call: there is no code to come back to.
                self._done = not unwinding.after(self)
                return None
        except BaseException as error:
            failure = error
        while self._lent:
            # What failed is the child of a vfork: its parent goes on.
            try:
                self.give_back(1, failure)
            except BaseException as error:
                failure = error
            else:
                return None
        return failure

    def _leaving(self) -> bool:
        return self.unwinding is not None

    def _execute(self) -> None:
        """Run the guest's code until the thread ends."""
        going = True
        while going:
            end = self.end()
            if end is not None:
                going = end.after(self)
                continue
            try:
                if self.handler is not None:
                    inherited, self.handler = self.handler, None
                    going = handlers.go_on(self, inherited).after(self)
                    continue
                self.checkpoints.enter(self)
            except Trap:
                self.left()
                reason, self.unwinding = self.unwinding, None
                unwinding = self.end() or reason
                if unwinding is None:
                    raise
                if not isinstance(unwinding, Unwind):
                    raise unwinding from None
                for known in (unwinding, reason):
                    if known is not None:
                        # Tracebacks know this frame and thread, which know them: none would go before the next collection.
                        known.__traceback__ = known.__context__ = None
                going = unwinding.after(self)
            else:
                then = self.left()
                if then is not None:
                    self.asyncify.stop_unwind()
                    then()
                elif self.entry == "_start":
                    going = ProcessExit(0).after(self)
                else:
                    going = False

    def discard(self) -> None:
        """Let go of what `load` made, for a thread that is never started."""
        self._unload()
        self.waker.close()

    def _unload(self) -> None:
        """Give the guest's memory back now, not when the last reference to the process goes."""
        self.shortcut = None
        for name in ("machine", "memory", "asyncify"):
            self.__dict__.pop(name, None)
        if self._store is not None:
            self._store.close()
            self._store = None
