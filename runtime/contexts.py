"""Contexts: several stacks of one guest thread, of which one runs at a time.

Each context but the first has a host thread and an instance of its own over the process's memory. Who runs holds the
baton; a switch hands it over together with the values of the module's globals, so that the instances look like one: a
stack pointer that a context leaves behind is what the next one finds, as it would be in a single instance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from runtime.abi.errno import Errno, GuestError
from runtime.engine.globals import PREFIX
from runtime.errors import Trap
from runtime.hostcalls import current
from runtime.thread import GuestThread
from runtime.unwinding import ProcessExit, ThreadExit

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.control import ControlPlane
    from runtime.process import WasiProcess

MAIN = 0
"""The context that a thread begins in."""

RETURNED = "the entry function of a context returned"
"""The trap of a thread one of whose contexts had nothing more to do."""


class _Baton(NamedTuple):
    """What the next context gets: the globals, or why it has to leave its code."""

    values: tuple[int, ...]
    failure: BaseException | None = None


class _Context:
    """One context."""

    __slots__ = ("baton", "entry", "number", "thread")

    def __init__(self, number: int, thread: GuestThread | None, entry: int = 0) -> None:
        self.number = number
        self.thread = thread
        self.entry = entry
        self.baton: _Baton | None = None


class ContextThread(GuestThread):
    """The host thread of a context."""

    def __init__(self, process: WasiProcess, tid: int, contexts: Contexts, context: _Context) -> None:
        """A thread that runs the context's entry function, from the baton that lies there."""
        super().__init__(process, tid, "", (), contexts.main._bounds)
        self.contexts = contexts
        self.locals = contexts.main.locals
        self._context = context
        # Whether the guest has ended the thread (`thread_exit`).
        self._left = False

    def unwind(self, then: Callable[[], None]) -> None:
        """Refuse: what asyncify knows is the stack of the thread, and not that of a context."""
        if self.contexts is None:
            super().unwind(then)
            return
        self.process.log_once("cannot fork or keep its stack in another context than its thread's first (NOTSUP)")
        raise GuestError(Errno.NOTSUP)

    def _run(self, control: ControlPlane) -> None:
        current.thread = self
        contexts, context = self.contexts, self._context
        failure: BaseException | None = None
        assert contexts is not None
        try:
            self.load()
            name = self.machine.entry_at(context.entry)
            assert name is not None and context.baton is not None
            set_globals(self, context.baton.values)
            context.baton = None
            self.entry = name
            self._execute()
        except BaseException as error:
            failure = error
        finally:
            del current.thread
            self.discard()
            self.unwinding = None
            control.thread_ended(self)
            if self.contexts is contexts:
                self._ended(contexts, failure)
            else:
                # It has executed another program, whose only thread it was.
                self.process.thread_ended(self, self.exit_code, failure)

    def _ended(self, contexts: Contexts, failure: BaseException | None) -> None:
        """Let the thread's first context go on from where this one has ended by itself, and end likewise."""
        if not self.dismissed and self.process.ending is None:
            if failure is None:
                failure = ThreadExit(self.exit_code) if self._left else Trap(RETURNED, None, ())
            contexts.fail(self._context, failure)
        self.process.thread_ended(self, self.exit_code)
        self.process.ended_threads.discard(self.tid)

    def give_back(self, code: int = 0, failure: BaseException | None = None) -> bool:
        """As of any thread; says that it was ended."""
        self._left = True
        return super().give_back(code, failure)


class Contexts:
    """The contexts of one guest thread.

    Attributes:
        main: the thread that they belong to.
    """

    def __init__(self, main: GuestThread) -> None:
        """Only the thread's own context, which runs."""
        self.main = main
        self._active = _Context(MAIN, main)
        self._suspended: dict[int, _Context] = {}
        self._next = MAIN + 1

    @property
    def active(self) -> int:
        """The context that runs."""
        return self._active.number

    def create(self, thread: GuestThread, entry: int) -> int:
        """A new context, suspended, that will run the function at this index of the table.

        Raises:
            GuestError: `INVAL`: there is no function without parameters and results.
        """
        if thread.machine.entry_at(entry) is None:
            raise GuestError(Errno.INVAL)
        number, self._next = self._next, self._next + 1
        self._suspended[number] = _Context(number, None, entry)
        return number

    def switch(self, thread: GuestThread, number: int) -> None:
        """Let another context run, until one lets this one run again.

        Raises:
            GuestError: `INVAL`: it is not suspended; `AGAIN`: there are as many threads as there may be.
            Unwind: the process, or this context, is being ended.
            Trap: a context has trapped, and this is the thread's first.
        """
        if number == self.active:
            return
        target = self._suspended.get(number)
        if target is None:
            raise GuestError(Errno.INVAL)
        own = self._active
        del self._suspended[number]
        own.baton = None
        self._suspended[own.number] = own
        self._active = target
        try:
            self._hand(target, _Baton(get_globals(thread)))
        except GuestError:
            del self._suspended[own.number]
            self._suspended[number] = target
            self._active = own
            raise
        self._wait(thread, own)

    def destroy(self, number: int) -> None:
        """End a suspended context; one that there is not may be destroyed too.

        Raises:
            GuestError: `INVAL`: it runs, or is the thread's first.
        """
        if number in (self.active, MAIN):
            raise GuestError(Errno.INVAL)
        context = self._suspended.pop(number, None)
        if context is not None:
            _dismiss(context)

    def end(self) -> None:
        """End every context: the thread has ended."""
        if self.main.dismissed:
            # Another thread executes a program, perhaps one of these, and has ended all the others.
            return
        contexts, self._suspended = self._suspended, {}
        for context in [*contexts.values(), self._active]:
            if context.number != MAIN:
                _dismiss(context)

    def fail(self, context: _Context, failure: BaseException | None) -> None:
        """A context has ended by itself: the thread's first one runs, and ends likewise."""
        main = self._suspended.pop(MAIN, None)
        if main is None or self._active is not context:
            return
        self._active = main
        self._hand(main, _Baton((), failure))

    def _hand(self, target: _Context, baton: _Baton) -> None:
        target.baton = baton
        if target.thread is None:
            process = self.main.process
            target.thread = process.add_thread(lambda tid: ContextThread(process, tid, self, target))
        else:
            target.thread.waker.wake()

    def _wait(self, thread: GuestThread, own: _Context) -> None:
        """Sleep until the baton comes; signals are for the context that runs."""
        while own.baton is None:
            thread.waker.wait((), None)
            if thread.process.ending is not None:
                raise ProcessExit(thread.process.ending, thread.process.ending_signal)
            if thread.dismissed:
                raise ThreadExit
            runner = self._active.thread
            while runner is not None and runner is not thread:
                signal = thread.process.take_signal(thread)
                if signal is None:
                    break
                thread.process.send(signal, runner)
        baton, own.baton = own.baton, None
        if baton.failure is not None:
            raise baton.failure
        set_globals(thread, baton.values)


def _dismiss(context: _Context) -> None:
    if context.thread is not None:
        context.thread.dismissed = True
        context.thread.interrupt()


def _names(thread: GuestThread) -> list[str]:
    """The module's mutable globals, always in the same order."""
    known: list[str] | None = thread.machine.module.__dict__.get("mutable_globals")
    if known is None:
        known = sorted(name for name in thread.machine.module.exports if name.startswith(PREFIX))
        thread.machine.module.__dict__["mutable_globals"] = known
    return known


def get_globals(thread: GuestThread) -> tuple[int, ...]:
    """The values of the module's mutable globals in the thread's instance."""
    return tuple(thread.machine.global_value(name) or 0 for name in _names(thread))


def set_globals(thread: GuestThread, values: tuple[int, ...]) -> None:
    """Set them, as `get_globals` gave them in another instance of the module."""
    for name, value in zip(_names(thread), values, strict=True):
        thread.machine.set_global(name, value)


def contexts_of(thread: GuestThread) -> Contexts:
    """The contexts of a thread, which has at least its own.

    Raises:
        GuestError: `NOTSUP`: the module's memory cannot be shared by several instances.
    """
    if thread.contexts is None:
        if thread.process.shared_memory is None:
            thread.process.log_once("cannot make contexts: the module does not import a shared memory (NOTSUP)")
            raise GuestError(Errno.NOTSUP)
        thread.contexts = Contexts(thread)
    return thread.contexts
