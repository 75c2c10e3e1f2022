"""Clocks. Source: WASI preview 1, `clock_res_get` and `clock_time_get`; `api_wasix.h`, `clock_time_set`."""

from __future__ import annotations

import time

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import ClockId
from runtime.hostcalls import BESIDE, EVERYWHERE, WASIX, syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from runtime.thread import GuestThread

_REALTIME = int(ClockId.REALTIME)
_READ: tuple[Callable[[], int], ...] = (time.time_ns, time.monotonic_ns, time.process_time_ns, time.thread_time_ns)
_NAMES: tuple[Literal["time", "monotonic", "process_time", "thread_time"], ...] = (
    "time",
    "monotonic",
    "process_time",
    "thread_time",
)


@syscall("clock_res_get", "ii:i")
def clock_res_get(thread: GuestThread, clock: int, resolution: int) -> None:
    """Write the resolution of a clock in nanoseconds, a u64 at `resolution`."""
    if clock >= len(_NAMES):
        raise GuestError(Errno.INVAL)
    thread.memory.set_u64(resolution, max(1, round(time.get_clock_info(_NAMES[clock]).resolution * 1e9)))


@syscall("clock_time_get", "iIi:i", *EVERYWHERE, BESIDE)
def clock_time_get(thread: GuestThread, clock: int, precision: int, result: int) -> None:
    """Write the time of a clock in nanoseconds, a u64 at `result`; the precision asked for is always reached."""
    del precision
    if clock >= len(_READ):
        raise GuestError(Errno.INVAL)
    now = thread.env.clock.now() if clock == _REALTIME else _READ[clock]()
    thread.memory.set_u64(result, now)


@syscall("clock_time_set", "iI:i", WASIX)
def clock_time_set(thread: GuestThread, clock: int, now: int) -> None:
    """Set the time of day that this environment sees, in nanoseconds; the host's clock stays as it is.

    Errors: `INVAL` for any other clock.
    """
    if clock != _REALTIME:
        raise GuestError(Errno.INVAL)
    thread.env.clock.set(now)
