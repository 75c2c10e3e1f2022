"""A signal's handler: guest code that the host runs amid a call of the guest's, and the processes that are forked there.

Below the handler's frames lies a frame of the host, and below that the code which the handler interrupts. Only the frames
above are taken apart: whether the code below can be, nobody knows, as asyncify transforms the functions that lead to chosen
imports alone, and leaves no trace of its choice in the module. So a forked child has the handler, and not what it
interrupted: it may execute a program, exit, or jump to a checkpoint, and is ended when its handler returns. The parent, which
has both, just goes on.
"""

from __future__ import annotations

import time

from runtime.abi.errno import GuestError
from runtime.alarm import Alarm
from runtime.errors import Trap
from runtime.signals import EXIT_SIGNAL, Signal
from runtime.typed import NamedTuple
from runtime.unwinding import ProcessExit, Resume, Unwind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

MOST = 16
"""How many handlers may run within each other: each takes some of the host's stack."""
_MOMENT = 0.01
"""Seconds for which a handler that can wait does so after a write, unless the guest calls the host again before."""
_LOST = (
    "forked within a signal's handler, the child returned from it: what the handler interrupted is its parent's alone"
)


class Handler(NamedTuple):
    """A handler that is running: the exported function, its signal, and how many run within each other."""

    callback: str
    signal: Signal
    level: int


def can_wait(thread: GuestThread) -> bool:
    """Whether all that is pending after a write is a signal that nobody dies of, whose handler then waits for a moment.

    In the handler of every signal, C libraries of 2023 write out what their streams hold. Right after a write they do not
    know yet that it is written, and would write it twice, as a child tends to end while its parent writes.
    """
    if thread.end() is not None or set(thread.process.signals_of(thread)) != {Signal.CHLD}:
        return False
    thread.undisturbed_until = time.monotonic() + _MOMENT
    try:
        Alarm(2 * _MOMENT, thread.process.module.engine.interrupt)
    except GuestError:
        return False
    return True


def run(thread: GuestThread, handler: Handler) -> None:
    """Call the guest's handler, whose stack is taken and put back by itself, until it is left for good.

    Raises:
        Unwind: the handler leaves the code that it has interrupted, too.
        Trap: it trapped.
    """
    outer, thread.handler = thread.handler, handler
    thread.checkpoints.set_level(handler.level)
    try:
        going = True
        while going:
            reason = _called(thread, handler)
            then = thread.left()
            # Nothing is raised amid an exception: with its traceback it would know the thread, which knows it.
            if isinstance(reason, Resume) and reason.frames.level == handler.level:
                reason.after(thread)
            elif reason is not None and not _borrowed(thread, handler):
                raise reason
            elif reason is not None:
                _leave_borrowed(thread, reason)
            elif then is not None:
                thread.asyncify.stop_unwind()
                then()
            elif _borrowed(thread, handler):
                _leave_borrowed(thread, _lost(thread))
            else:
                going = False
    finally:
        thread.checkpoints.set_level(handler.level - 1)
        thread.handler = outer


def _called(thread: GuestThread, handler: Handler) -> BaseException | None:
    """Call the handler, or come back into it; why its code was left, if not by a return or an unwind."""
    before = thread.unwinding
    try:
        thread.machine.call(handler.callback, handler.signal)
    except Trap as trap:
        reason, thread.unwinding = thread.unwinding, before
        if isinstance(reason, Unwind) and reason is not before:
            return reason.with_traceback(None)
        return trap.with_traceback(None) if reason is None or reason is before else reason
    return None


def go_on(thread: GuestThread, handler: Handler) -> Unwind:
    """Go on in the handler in which the parent forked this thread's process; how it is left.

    Raises:
        Trap: as `Machine.call`.
    """
    try:
        run(thread, handler)
    except Unwind as reason:
        if not isinstance(reason, Resume) or reason.frames.level == 0:
            return reason.with_traceback(None)
    return _lost(thread)


def _lost(thread: GuestThread) -> ProcessExit:
    thread.process.log_once(_LOST)
    return ProcessExit(EXIT_SIGNAL + Signal.ABRT, Signal.ABRT)


def _borrowed(thread: GuestThread, handler: Handler) -> bool:
    """Whether it is the child of a vfork within this handler that runs."""
    return thread.lent_level() == handler.level


def _leave_borrowed(thread: GuestThread, reason: BaseException) -> None:
    """Let the child of a vfork go, whose parent goes on in the handler."""
    if isinstance(reason, Resume):
        reason = _lost(thread)
    try:
        if not isinstance(reason, Unwind):
            thread.give_back(1, reason)
        else:
            reason.after(thread)
    except BaseException as error:
        thread.give_back(1, error)
    end = thread.end()
    if end is not None:
        raise end
