"""The process itself: exit, raise, yield. Source: WASI preview 1, `proc_exit`, `proc_raise`, `sched_yield`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import Signal
from runtime.hostcalls import EVERYWHERE, syscall
from runtime.thread import ProcessExit

if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("proc_exit", "i:", *EVERYWHERE)
def proc_exit(thread: GuestThread, code: int) -> None:
    """End the process with this exit code; does not return."""
    thread.process.terminate(code)
    raise ProcessExit(code)


@syscall("proc_raise", "i:i", *EVERYWHERE)
def proc_raise(thread: GuestThread, signal: int) -> None:
    """Send a signal to the own process. Errors: `INVAL` for a number that is no signal."""
    if signal > Signal.SYS:
        raise GuestError(Errno.INVAL)
    thread.process.raise_signal(Signal(signal))


@syscall("sched_yield", ":i", *EVERYWHERE)
def sched_yield(thread: GuestThread) -> None:
    """Let others run."""
    del thread
    os.sched_yield()
