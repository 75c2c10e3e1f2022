"""Signals. Source: `api_wasix.h`, `callback_signal`, `proc_signal`, `proc_raise_interval`, `proc_signals_get`."""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.proc import signal_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread


_BLOCKED = "__wasm_signal_blocked"


@syscall("callback_signal", "ii:", WASIX)
def callback_signal(thread: GuestThread, name: int, length: int) -> None:
    """Say which exported function, of one i32, is called when a signal arrives.

    By the name of no function but `__wasm_signal_blocked` the C library makes signals wait, until it gives the other name
    again. Without a handler that is there, a signal does what it does to a process that has none.
    """
    process = thread.process
    text = thread.memory.text(name, length)
    process.signals_blocked = text == _BLOCKED and text not in process.module.exports
    if not process.signals_blocked:
        process.signal_callback = text if text in process.module.exports else None
        for each in list(process.threads.values()):
            if process.signals_of(each):
                each.interrupt()


@syscall("proc_signal", "ii:i", WASIX)
def proc_signal(thread: GuestThread, pid: int, signal: int) -> None:
    """Send a signal to a process; 0 only asks whether it is there. Errors: `SRCH`, `INVAL`."""
    number = signal_of(signal)
    target = thread.process if pid == 0 else thread.env.control.get(pid)
    if target is None:
        raise GuestError(Errno.SRCH)
    target.raise_signal(number)


@syscall("proc_raise_interval", "iIi:i", WASIX)
def proc_raise_interval(thread: GuestThread, signal: int, interval: int, repeat: int) -> None:
    """Send the own process a signal after so many nanoseconds, again and again if `repeat`; 0 stops that."""
    thread.process.set_interval(signal_of(signal), interval, bool(repeat))


@syscall("proc_signals_sizes_get", "i:i", WASIX)
def proc_signals_sizes_get(thread: GuestThread, result: int) -> None:
    """Write how many signals the parent has decided on, u32."""
    thread.memory.set_u32(result, len(thread.process.dispositions))


@syscall("proc_signals_get", "i:i", WASIX)
def proc_signals_get(thread: GuestThread, buffer: int) -> None:
    """Write what the parent has decided: for each signal its number u8 and its disposition u8 (0 default, 1 ignore)."""
    pairs = bytes(number for pair in sorted(thread.process.dispositions.items()) for number in pair)
    thread.memory.write(buffer, pairs)
