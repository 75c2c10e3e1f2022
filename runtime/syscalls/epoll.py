"""Interest lists. Source: `api_wasix.h`, `epoll_create`, `epoll_ctl`, `epoll_wait`, `epoll_event`."""

from __future__ import annotations

import time
from struct import Struct
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.descriptors import Description, Descriptor, Uses, in_use
from runtime.epoll import EpollFile
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.path import rights_of
from runtime.waiting import READABLE

if TYPE_CHECKING:
    from runtime.epoll import Event
    from runtime.thread import GuestThread

_EVENT = Struct("<IxxxxIIIxxxxQ")
"""`epoll_event`, 32 bytes: events u32; at 8 the data: ptr u32, fd u32, data1 u32, data2 u64 at 24."""

_ADD, _MODIFY, _DELETE = range(3)
_KNOWN = 0xFF
_FOREVER = (1 << 64) - 1
_MOST_EVENTS = 65536


@syscall("epoll_create", "i:i", WASIX)
def epoll_create(thread: GuestThread, result: int) -> None:
    """Make an interest list; writes its descriptor, u32."""
    thread.memory.check(result, 4)
    file = EpollFile()
    try:
        thread.memory.set_u32(result, thread.descriptors.add(Descriptor(Description(file=file), rights_of(file))))
    except GuestError:
        file.close()
        raise


def _list(thread: GuestThread, fd: int) -> tuple[Description, EpollFile]:
    description = thread.descriptors.get(fd).description
    if not isinstance(description.file, EpollFile):
        raise GuestError(Errno.INVAL)
    return description, description.file


@syscall("epoll_ctl", "iiii:i", WASIX)
def epoll_ctl(thread: GuestThread, epoll: int, operation: int, fd: int, event: int) -> None:
    """Add (0) a descriptor to an interest list, change (1) what is waited for, or take it out (2).

    `event` points to an `epoll_event` (32 bytes), whose data come back with the events; `epoll_type`: 1 in, 2 out, 4 peer
    closed, 8 urgent, 16 error, 32 hang-up, 64 edges only, 128 once. Errors: `BADF`, `INVAL` for what is no list, for the
    list itself and for other bits, `EXIST`, `NOENT`, `LOOP`.
    """
    list_, file = _list(thread, epoll)
    description = thread.descriptors.get(fd).description
    if description.file is file:
        raise GuestError(Errno.INVAL)
    with Uses() as uses:
        uses.keep(list_)
        uses.keep(description)
        _change(thread, file, operation, fd, description, event)


def _change(
    thread: GuestThread, file: EpollFile, operation: int, fd: int, description: Description, event: int
) -> None:
    if operation == _DELETE:
        file.delete(fd, description)
        return
    events, *data = thread.memory.unpack(_EVENT, event)
    if operation not in (_ADD, _MODIFY) or events & ~_KNOWN:
        raise GuestError(Errno.INVAL)
    change = file.add if operation == _ADD else file.modify
    change(fd, description, events, tuple(data))


@syscall("epoll_wait", "iiiIi:i", WASIX)
def epoll_wait(thread: GuestThread, epoll: int, events: int, most: int, timeout: int, result: int) -> None:
    """Wait until something has happened; writes at most so many `epoll_event` (32 bytes each), and how many, u32.

    The timeout is nanoseconds, all ones for none; when it is over there are 0 events. Errors: `BADF`, `INVAL`, `INTR`.
    """
    list_, file = _list(thread, epoll)
    memory = thread.memory
    if not 0 < most < 1 << 31:
        raise GuestError(Errno.INVAL)
    most = min(most, _MOST_EVENTS)
    memory.check(events, _EVENT.size)
    memory.check(result, 4)
    most = min(most, (memory.size - events) // _EVENT.size)
    deadline = None if timeout == _FOREVER else time.monotonic_ns() + timeout
    with in_use(list_):
        happened: list[Event] = file.ready(most)
        descriptor = file.fileno()
        assert descriptor is not None
        while not happened:
            ended = not thread.block([(descriptor, READABLE)], deadline)
            happened = file.ready(most)
            if ended:
                break
    memory.write(events, b"".join(_EVENT.pack(event.events, *event.data) for event in happened))
    memory.set_u32(result, len(happened))
