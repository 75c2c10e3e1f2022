"""Processes as the modules of 2022 know them. Source: the WASIX functions of that time, `getpid` and `process_spawn`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.abi.bus import BusErrno, bus_error
from runtime.abi.errno import GuestError, from_host
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.execute import proc_spawn
from runtime.syscalls.fork import proc_id

if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("getpid", "i:i", WASIX)
def getpid(thread: GuestThread, result: int) -> None:
    """As `proc_id`, by its first name."""
    proc_id(thread, result)


@syscall("process_spawn", "iiiiiiiiiiiii:i", WASIX)
def process_spawn(thread: GuestThread, *arguments: int) -> BusErrno:
    """As `proc_spawn`, by its first name; what goes wrong is told as a `bus_errno`."""
    try:
        proc_spawn(thread, *arguments)
    except GuestError as error:
        return bus_error(error.errno)
    except OSError as error:
        return bus_error(from_host(error))
    return BusErrno.SUCCESS
