"""Threads: spawn, join, exit, identity, thread-local values.

Source: `api_wasix.h`, `thread_*`; older generations: `thread_spawn` and `thread_local_*` of the modules of 2023; and
`thread-spawn` of the wasi-threads proposal.
"""

from __future__ import annotations

import os
import time

from runtime.abi.errno import Errno, GuestError
from runtime.asyncify import StackBounds
from runtime.hostcalls import WASI_THREADS, WASIX, syscall
from runtime.syscalls.proc import signal_of
from runtime.unwinding import ThreadExit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_ENTRY = "wasi_thread_start"
_STACK_SIZE = 56
_WHOLE_PROCESS = 0x3FFF_FFFF
"""The tid that a C library which never learnt its own sends a signal to."""


@syscall("thread_spawn_v2", "ii:i", WASIX)
@syscall("thread_spawn", "ii:i", WASIX)
def thread_spawn(thread: GuestThread, start: int, result: int) -> None:
    """Start a thread at `wasi_thread_start(tid, start)`; writes the tid, u32.

    `start` points to a `thread_start` (64 bytes): the top of the stack u32, ..., the stack's size u32 at 56. Errors:
    `AGAIN` at the limit, `NOTSUP` for a module without that function.
    """
    memory = thread.memory
    memory.check(result, 4)
    upper, size = memory.u32(start), memory.u32(start + _STACK_SIZE)
    bounds = StackBounds(max(0, upper - size), upper)
    memory.set_u32(result, thread.process.spawn_thread(_ENTRY, start, bounds))


@syscall("thread-spawn", "i:i", WASI_THREADS)
def thread_spawn_proposal(thread: GuestThread, start: int) -> int:
    """Start a thread at `wasi_thread_start(tid, start)`; the tid, or a negative number when it cannot be started."""
    try:
        return thread.process.spawn_thread(_ENTRY, start, None)
    except GuestError as error:
        return -error.errno & 0xFFFF_FFFF


@syscall("thread_join", "i:i", WASIX)
def thread_join(thread: GuestThread, tid: int) -> None:
    """Wait until a thread has ended. Errors: `INVAL` for itself, `SRCH` for one that there never was."""
    process = thread.process
    if tid == thread.tid:
        raise GuestError(Errno.INVAL)
    if tid not in process.threads and tid not in process.ended_threads:
        raise GuestError(Errno.SRCH)
    thread.wait_for(lambda: tid not in process.threads)
    process.ended_threads.discard(tid)


@syscall("thread_exit", "i:", WASIX)
def thread_exit(thread: GuestThread, code: int) -> None:
    """End this thread; when it is the last, the process ends with this code."""
    del thread
    raise ThreadExit(code)


@syscall("thread_id", "i:i", WASIX)
def thread_id(thread: GuestThread, result: int) -> None:
    """Write the tid, u32: in every context that of the thread which made it."""
    owner = thread if thread.contexts is None else thread.contexts.main
    thread.memory.set_u32(result, owner.tid)


@syscall("thread_parallelism", "i:i", WASIX)
def thread_parallelism(thread: GuestThread, result: int) -> None:
    """Write how many threads can run at once, u32."""
    thread.memory.set_u32(result, os.cpu_count() or 1)


@syscall("thread_sleep", "I:i", WASIX)
def thread_sleep(thread: GuestThread, duration: int) -> None:
    """Sleep for so many nanoseconds. Errors: `INTR`."""
    thread.block((), time.monotonic_ns() + duration)


@syscall("thread_signal", "ii:i", WASIX)
def thread_signal(thread: GuestThread, tid: int, signal: int) -> None:
    """Send a signal to a thread of the own process. Errors: `INVAL`, `SRCH`."""
    number = signal_of(signal)
    if tid == _WHOLE_PROCESS:
        thread.process.raise_signal(number)
        return
    target = thread.process.threads.get(tid)
    if target is None:
        raise GuestError(Errno.SRCH)
    if number and not thread.process.ignores(number):
        thread.process.send(number, target)


# Thread-local values of the generation of 2023: keys are the process's, values each thread's.


@syscall("thread_local_create", "Ii:i", WASIX)
def thread_local_create(thread: GuestThread, user_data: int, result: int) -> None:
    """Make a key, u32 at `result`; its value is 0 in every thread. `user_data` was for a destructor that never came."""
    del user_data
    thread.memory.set_u32(result, thread.process.new_local())


@syscall("thread_local_destroy", "i:i", WASIX)
def thread_local_destroy(thread: GuestThread, key: int) -> None:
    """Forget a key. Errors: `INVAL` for one that there is not."""
    process = thread.process
    if key not in process.local_keys:
        raise GuestError(Errno.INVAL)
    process.local_keys.discard(key)
    for each in list(process.threads.values()):
        each.locals.pop(key, None)


@syscall("thread_local_set", "iI:i", WASIX)
def thread_local_set(thread: GuestThread, key: int, value: int) -> None:
    """Set this thread's value of a key. Errors: `INVAL`."""
    if key not in thread.process.local_keys:
        raise GuestError(Errno.INVAL)
    thread.locals[key] = value


@syscall("thread_local_get", "ii:i", WASIX)
def thread_local_get(thread: GuestThread, key: int, result: int) -> None:
    """Write this thread's value of a key, u64. Errors: `INVAL`."""
    if key not in thread.process.local_keys:
        raise GuestError(Errno.INVAL)
    thread.memory.set_u64(result, thread.locals.get(key, 0))
