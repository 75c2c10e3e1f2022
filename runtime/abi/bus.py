"""The errors of the bus between processes, which WASIX had in 2022 and 2023 (`bus_errno`)."""

from __future__ import annotations

from runtime.abi.enumeration import IntEnum
from runtime.abi.errno import Errno


class BusErrno(IntEnum):
    """What `bus_*`, `call_*` and `process_spawn` answer: a u32 of their own, and no `errno`."""

    SUCCESS = 0
    FETCH = 4
    COMPILE = 5
    UNSUPPORTED = 11
    BADREQUEST = 12
    DENIED = 13
    INTERNAL = 14
    ALLOC = 15
    MEMVIOLATION = 18


_MEANING = {
    Errno.NOENT: BusErrno.FETCH,
    Errno.NOTDIR: BusErrno.FETCH,
    Errno.NOEXEC: BusErrno.COMPILE,
    Errno.NOTSUP: BusErrno.UNSUPPORTED,
    Errno.INVAL: BusErrno.BADREQUEST,
    Errno.ACCES: BusErrno.DENIED,
    Errno.PERM: BusErrno.DENIED,
    Errno.NOMEM: BusErrno.ALLOC,
    Errno.AGAIN: BusErrno.ALLOC,
    Errno.FAULT: BusErrno.MEMVIOLATION,
}


def bus_error(errno: Errno) -> BusErrno:
    """The nearest error of the bus."""
    return _MEANING.get(errno, BusErrno.INTERNAL)
