"""Futexes. Source: `api_wasix.h`, `futex_wait`, `futex_wake`, `futex_wake_all`."""

from __future__ import annotations

import time

from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_SOME = 1
_EVERYBODY = 1 << 31


def deadline_of(thread: GuestThread, option: int) -> int | None:
    """The deadline of an `option_timestamp` (tag u8, nanoseconds u64 at 8), in `monotonic_ns`; `None` for none."""
    if thread.memory.u8(option) != _SOME:
        return None
    return time.monotonic_ns() + thread.memory.u64(option + 8)


@syscall("futex_wait", "iiii:i", WASIX)
def futex_wait(thread: GuestThread, futex: int, expected: int, timeout: int, result: int) -> None:
    """Sleep while the u32 at `futex` is `expected`, until woken; writes a bool, false when the time was up.

    `timeout` points to an `option_timestamp`. Errors: `INVAL` for an address that is not aligned, `INTR`.
    """
    memory = thread.memory
    if futex % 4:
        raise GuestError(Errno.INVAL)
    memory.check(result, 1)
    memory.check(futex, 4)
    deadline = deadline_of(thread, timeout)
    woken = thread.process.futexes.wait(thread, futex, lambda: memory.u32(futex) == expected, deadline)
    memory.set_u8(result, int(woken))


@syscall("futex_wake", "ii:i", WASIX)
def futex_wake(thread: GuestThread, futex: int, result: int) -> None:
    """Wake one thread that sleeps on `futex`; writes a bool, true whether or not there was one.

    C libraries of 2023 call again until they read true: told the truth, a thread that unlocks what nobody waits for would
    never come back. The system that they come from says true, too.
    """
    thread.memory.check(result, 1)
    thread.process.futexes.wake(futex, 1)
    thread.memory.set_u8(result, 1)


@syscall("futex_wake_all", "ii:i", WASIX)
def futex_wake_all(thread: GuestThread, futex: int, result: int) -> None:
    """Wake every thread that sleeps on `futex`; writes a bool, always true, as `futex_wake` does."""
    thread.memory.check(result, 1)
    thread.process.futexes.wake(futex, _EVERYBODY)
    thread.memory.set_u8(result, 1)
