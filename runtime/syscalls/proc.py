"""The process itself: exit, raise, yield. Source: WASI preview 1, `proc_exit`, `proc_raise`, `sched_yield`."""

from __future__ import annotations

import os

from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import EVERYWHERE, PREVIEW1, UNSTABLE, WASIX, syscall
from runtime.signals import EXIT_SIGNAL, Signal, from_preview1
from runtime.unwinding import ProcessExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_ABORTED = 127


@syscall("proc_exit", "i:", *EVERYWHERE)
def proc_exit(thread: GuestThread, code: int) -> None:
    """End the process with this exit code; does not return.

    A C library for WASIX ends so, with 127 and having sent itself a last `ABRT`, in `abort` and in its default handler of
    a deadly signal: then that signal ended the process.
    """
    if code == _ABORTED and thread.process.signals_blocked and Signal.ABRT in thread.process.signals_of(thread):
        signal = thread.handled or Signal.ABRT
        raise ProcessExit(EXIT_SIGNAL + signal, signal)
    raise ProcessExit(code)


@syscall("proc_raise", "i:i", PREVIEW1, UNSTABLE)
def proc_raise(thread: GuestThread, signal: int) -> None:
    """Send a signal to the own process. Errors: `INVAL` for a number that is no signal."""
    try:
        thread.process.raise_signal(from_preview1(signal))
    except ValueError:
        raise GuestError(Errno.INVAL) from None


@syscall("proc_raise", "i:i", WASIX)
def proc_raise_wasix(thread: GuestThread, signal: int) -> None:
    """As `proc_raise`, with the numbers of WASIX."""
    thread.process.raise_signal(signal_of(signal))


def signal_of(number: int) -> Signal:
    """The WASIX signal of this number.

    Raises:
        GuestError: `INVAL` for a number that is no signal.
    """
    try:
        return Signal(number)
    except ValueError:
        raise GuestError(Errno.INVAL) from None


@syscall("sched_yield", ":i", *EVERYWHERE)
def sched_yield(thread: GuestThread) -> None:
    """Let others run."""
    del thread
    os.sched_yield()
