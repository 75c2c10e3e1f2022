"""Sockets that the guest was given. Source: WASI preview 1, `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import SOCKET_RIGHTS, FdFlags, Rights
from runtime.descriptors import Description, Descriptor
from runtime.hostcalls import PREVIEW1, UNSTABLE, WASIX, syscall
from runtime.sockets import SocketFile
from runtime.syscalls.transfer import write
from runtime.waiting import READABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from runtime.thread import GuestThread

    R = TypeVar("R")

_PEEK, _WAITALL = 1, 2
_DATA_TRUNCATED = 1
_NONBLOCK = int(FdFlags.NONBLOCK)


def _socket(thread: GuestThread, fd: int, right: Rights) -> tuple[Description, SocketFile]:
    description = thread.descriptors.use(fd, int(right))
    if not isinstance(description.file, SocketFile):
        raise GuestError(Errno.NOTSOCK)
    return description, description.file


def _patiently(thread: GuestThread, description: Description, file: SocketFile, attempt: Callable[[], R]) -> R:
    """Do what may have to wait until the socket is readable."""
    while True:
        try:
            return attempt()
        except BlockingIOError:
            if description.flags & _NONBLOCK:
                raise
            thread.block([(file.socket.fileno(), READABLE)])


@syscall("sock_accept", "iii:i", PREVIEW1, UNSTABLE)
def sock_accept(thread: GuestThread, fd: int, flags: int, result: int) -> None:
    """Take a connection from a listening socket, with `fdflags` for it; writes its descriptor, u32."""
    if flags & ~_NONBLOCK:
        raise GuestError(Errno.INVAL)
    thread.memory.check(result, 4)
    description, file = _socket(thread, fd, Rights.SOCK_ACCEPT)
    connection = _patiently(thread, description, file, file.accept)
    descriptor = Descriptor(Description(file=connection, flags=flags), SOCKET_RIGHTS, SOCKET_RIGHTS)
    thread.memory.set_u32(result, thread.descriptors.add(descriptor))


@syscall("sock_recv", "iiiiii:i", PREVIEW1, UNSTABLE, WASIX)
def sock_recv(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int, out_flags: int) -> None:
    """Receive into `count` buffers; writes the number of bytes, u32, and `roflags`, u16.

    `riflags`: 1 peeks, 2 waits until the buffers are full. Errors: `INVAL`, `NOTSOCK`, `AGAIN`.
    """
    if flags & ~(_PEEK | _WAITALL):
        raise GuestError(Errno.INVAL)
    description, file = _socket(thread, fd, Rights.FD_READ)
    buffers = [buffer for buffer in thread.memory.iovecs(iovs, count) if len(buffer)]
    host_flags = socket.MSG_PEEK if flags & _PEEK else 0
    received, cut = _patiently(thread, description, file, lambda: file.receive(buffers, host_flags))
    if flags & _WAITALL and not flags & _PEEK and received:
        received += _rest(thread, description, file, buffers, received)
    thread.memory.set_u32(size, received)
    thread.memory.set_u16(out_flags, _DATA_TRUNCATED if cut else 0)


def _rest(thread: GuestThread, description: Description, file: SocketFile, buffers: list[memoryview], done: int) -> int:
    """Fill what is left of the buffers after `done` bytes, as far as the peer sends."""
    more = 0
    for buffer in buffers:
        if done >= len(buffer):
            done -= len(buffer)
            continue
        part, done = buffer[done:], 0
        while len(part):
            received, _ = _patiently(thread, description, file, lambda part=part: file.receive([part], 0))  # type: ignore[misc]
            if not received:
                return more
            more += received
            part = part[received:]
    return more


@syscall("sock_send", "iiiii:i", PREVIEW1, UNSTABLE, WASIX)
def sock_send(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int) -> None:
    """Send from `count` buffers; writes the number of bytes, u32. Errors: `INVAL` for flags: there are none."""
    if flags:
        raise GuestError(Errno.INVAL)
    description, _ = _socket(thread, fd, Rights.FD_WRITE)
    thread.memory.set_u32(size, write(thread, description, thread.memory.iovecs(iovs, count)))


@syscall("sock_shutdown", "ii:i")
def sock_shutdown(thread: GuestThread, fd: int, how: int) -> None:
    """End receiving (1), sending (2) or both (3). Errors: `INVAL`, `NOTSOCK`, `NOTCONN`."""
    ways = {1: socket.SHUT_RD, 2: socket.SHUT_WR, 3: socket.SHUT_RDWR}
    if how not in ways:
        raise GuestError(Errno.INVAL)
    _, file = _socket(thread, fd, Rights.SOCK_SHUTDOWN)
    file.socket.shutdown(ways[how])
