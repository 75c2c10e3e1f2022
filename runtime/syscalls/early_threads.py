"""Threads as the modules of 2022 and of early 2023 know them.

Source: the WASIX functions of that time, `thread_spawn` and `callback_*`. A thread runs an exported function of the guest's
user data, which are a u64 and come as two i32, the low half first. First `thread_spawn` named the function; then the guest
said it once for all of its threads with `callback_thread`, or left it at `_start_thread`.
"""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.asyncify import StackBounds
from runtime.hostcalls import WASIX, syscall
from runtime.thread import GuestThread

_ENTRY = "_start_thread"


@syscall("callback_thread", "ii:", WASIX)
def callback_thread(thread: GuestThread, name: int, length: int) -> None:
    """Say which exported function the threads of this process run, of two i32: `_start_thread` if nobody says."""
    thread.process.thread_callback = thread.memory.text(name, length)


@syscall("callback_reactor", "ii:", WASIX)
def callback_reactor(thread: GuestThread, name: int, length: int) -> None:
    """Say which exported function reactors run: `thread_spawn` makes none."""
    thread.memory.text(name, length)


@syscall("callback_thread_local_destroy", "ii:", WASIX)
def callback_thread_local_destroy(thread: GuestThread, name: int, length: int) -> None:
    """Say which exported function destroys thread-local values: `thread_local_destroy` forgets them without."""
    thread.memory.text(name, length)


@syscall("thread_spawn", "IIIii:i", WASIX)
def thread_spawn_2023(
    thread: GuestThread, user_data: int, stack_base: int, stack_start: int, reactor: int, result: int
) -> None:
    """The form of early 2023: of user data u64, the stack's upper and lower end u64, not a reactor; writes the tid, u32.

    Errors: `NOTCAPABLE` for a reactor and for a module without the function that threads run, `AGAIN` at the limit,
    `OVERFLOW` for a stack that is not in a memory of 32 bits.
    """
    if max(stack_base, stack_start) >> 32:
        raise GuestError(Errno.OVERFLOW)
    bounds = StackBounds(min(stack_start, stack_base), stack_base)
    _spawn(thread, thread.process.thread_callback or _ENTRY, (user_data, reactor), bounds, result)


@syscall("thread_spawn", "iiIii:i", WASIX)
def thread_spawn_2022(
    thread: GuestThread, method: int, method_length: int, user_data: int, reactor: int, result: int
) -> None:
    """The form of 2022: of the exported function's name, user data u64, not a reactor; writes the tid, u32."""
    _spawn(thread, thread.memory.text(method, method_length), (user_data, reactor), None, result)


def _spawn(thread: GuestThread, entry: str, what: tuple[int, int], bounds: StackBounds | None, result: int) -> None:
    user_data, reactor = what
    process = thread.process
    thread.memory.check(result, 4)
    if reactor:
        process.log_once("cannot start a reactor: there are none (NOTCAPABLE)")
        raise GuestError(Errno.NOTCAPABLE)
    if entry not in process.module.exports or process.shared_memory is None:
        raise GuestError(Errno.NOTCAPABLE)
    # Both halves of the user data for functions of two i32; those of a single i64 find all of it in the first.
    arguments = (user_data, user_data >> 32)
    started = process.add_thread(lambda tid: GuestThread(process, tid, entry, arguments, bounds))
    thread.memory.set_u32(result, started.tid)
