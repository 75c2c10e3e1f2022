"""What WASIX adds for a single thread of a single process: working directory, thread identity, futexes, signal callback.

Source: `api_wasix.h` of wasix-libc.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.fs.walk import walk
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.args import encode
from runtime.thread import ProcessExit

if TYPE_CHECKING:
    from runtime.thread import GuestThread

_SOME = 1


@syscall("getcwd", "ii:i", WASIX)
def getcwd(thread: GuestThread, path: int, length: int) -> None:
    """Write the working directory to `path`; `length` points to the buffer's size, u32, and gets the path's.

    Errors: `OVERFLOW` when the buffer is too small.
    """
    memory = thread.memory
    here = encode(thread.env.cwd.path())
    room = memory.u32(length)
    memory.set_u32(length, len(here))
    if len(here) > room:
        raise GuestError(Errno.OVERFLOW)
    memory.write(path, here)


@syscall("chdir", "ii:i", WASIX)
def chdir(thread: GuestThread, path: int, length: int) -> None:
    """Change the working directory. Errors: those of `walk`; `NOTDIR`."""
    env = thread.env
    location = walk(env.root, env.cwd, thread.memory.text(path, length), follow=True).found()
    _ = location.directory
    env.cwd = location


@syscall("proc_id", "i:i", WASIX)
def proc_id(thread: GuestThread, result: int) -> None:
    """Write the pid, u32."""
    thread.memory.set_u32(result, thread.process.pid)


@syscall("thread_id", "i:i", WASIX)
def thread_id(thread: GuestThread, result: int) -> None:
    """Write the tid, u32."""
    thread.memory.set_u32(result, thread.tid)


@syscall("thread_parallelism", "i:i", WASIX)
def thread_parallelism(thread: GuestThread, result: int) -> None:
    """Write how many threads can run at once, u32."""
    thread.memory.set_u32(result, os.cpu_count() or 1)


@syscall("thread_sleep", "I:i", WASIX)
def thread_sleep(thread: GuestThread, duration: int) -> None:
    """Sleep for so many nanoseconds."""
    thread.block((), time.monotonic_ns() + duration)


@syscall("thread_exit", "i:", WASIX)
def thread_exit(thread: GuestThread, code: int) -> None:
    """End this thread; the main thread's end is the process's."""
    thread.process.terminate(code)
    raise ProcessExit(code)


@syscall("callback_signal", "ii:", WASIX)
def callback_signal(thread: GuestThread, name: int, length: int) -> None:
    """Say which exported function is called when a signal arrives."""
    thread.process.signal_callback = thread.memory.text(name, length)


def _deadline(thread: GuestThread, option: int) -> int | None:
    """The deadline that an `option_timestamp` gives (tag u8, nanoseconds u64 at 8), `None` for none."""
    if thread.memory.u8(option) != _SOME:
        return None
    return time.monotonic_ns() + thread.memory.u64(option + 8)


@syscall("futex_wait", "iiii:i", WASIX)
def futex_wait(thread: GuestThread, futex: int, expected: int, timeout: int, result: int) -> None:
    """Sleep while the u32 at `futex` is `expected`, until woken; writes whether it was woken, a bool.

    `timeout` points to an `option_timestamp`. Errors: `INVAL` for an address that is not aligned.
    """
    memory = thread.memory
    if futex % 4:
        raise GuestError(Errno.INVAL)
    memory.check(result, 1)
    memory.check(futex, 4)
    deadline = _deadline(thread, timeout)
    woken = thread.process.futexes.wait(thread, futex, lambda: memory.u32(futex) == expected, deadline)
    memory.set_u8(result, int(woken))


@syscall("futex_wake", "ii:i", WASIX)
def futex_wake(thread: GuestThread, futex: int, result: int) -> None:
    """Wake one thread that sleeps on `futex`; writes whether there was one, a bool."""
    thread.memory.set_u8(result, int(thread.process.futexes.wake(futex, 1) > 0))


@syscall("futex_wake_all", "ii:i", WASIX)
def futex_wake_all(thread: GuestThread, futex: int, result: int) -> None:
    """Wake every thread that sleeps on `futex`; writes whether there was one, a bool."""
    thread.memory.set_u8(result, int(thread.process.futexes.wake(futex, 1 << 31) > 0))
