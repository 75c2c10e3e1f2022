"""Data through sockets: accept, receive, send, shut down.

Source: `api_wasix.h`, `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`, those of preview 1 with flags of their
own, and `sock_accept_v2`, `sock_recv_from`, `sock_send_to`.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from functools import partial

from runtime.abi.address import SocketAddress, address_room, knows_long_addresses, read_address, write_address
from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import SOCKET_RIGHTS, FdFlags, Rights
from runtime.descriptors import Description, Descriptor, in_use
from runtime.hostcalls import WASIX, syscall
from runtime.sockets import SocketFile
from runtime.waiting import READABLE, WRITABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from runtime.thread import GuestThread

    R = TypeVar("R")

_PEEK, _WAITALL, _TRUNCATED, _DONT_WAIT = 1, 2, 4, 8
_SEND_DONT_WAIT = 1
_DATA_TRUNCATED = 1
_NONBLOCK = int(FdFlags.NONBLOCK)
_RECEIVE_TIMEOUT, _SEND_TIMEOUT, _ACCEPT_TIMEOUT = 19, 20, 22
_REAL_LENGTH = sys.platform == "linux"


def socket_of(thread: GuestThread, fd: int, right: int = 0) -> tuple[Description, SocketFile]:
    """The socket that is open as `fd`.

    Raises:
        GuestError: `BADF`, `NOTCAPABLE`, `NOTSOCK`.
    """
    description = thread.descriptors.use(fd, 0)
    if not isinstance(description.file, SocketFile):
        raise GuestError(Errno.NOTSOCK)
    return thread.descriptors.use(fd, right), description.file


def add_socket(thread: GuestThread, file: SocketFile, flags: int = 0) -> int:
    """Give a socket the lowest free number; it is closed when there is none.

    Raises:
        GuestError: `MFILE`.
    """
    try:
        return thread.descriptors.add(Descriptor(Description(file=file, flags=flags), SOCKET_RIGHTS, SOCKET_RIGHTS))
    except GuestError:
        file.close()
        raise


def patiently(
    thread: GuestThread,
    description: Description,
    file: SocketFile,
    option: int,
    attempt: Callable[[], R],
    *,
    now: bool = False,
) -> R:
    """Do what may have to wait, until it is done, or the time that was set with the socket option is over.

    Raises:
        GuestError: `AGAIN` when the socket or the call (`now`) does not wait, `TIMEDOUT`, `INTR`.
    """
    deadline: int | None = None
    event = WRITABLE if option == _SEND_TIMEOUT else READABLE
    with in_use(description):
        while True:
            try:
                return attempt()
            except BlockingIOError:
                if now or description.flags & _NONBLOCK:
                    raise
            patience = file.timeouts.get(option)
            if deadline is None and patience is not None:
                deadline = time.monotonic_ns() + patience
            if not thread.block([(file.socket.fileno(), event)], deadline):
                raise GuestError(Errno.TIMEDOUT)


@syscall("sock_accept", "iii:i", WASIX)
def sock_accept(thread: GuestThread, fd: int, flags: int, result: int) -> None:
    """Take a connection from a listening socket, with `fdflags` for it; writes its descriptor, u32."""
    _accept(thread, fd, flags, result)


@syscall("sock_accept_v2", "iiii:i", WASIX)
@syscall("sock_accept", "iiii:i", WASIX)
def sock_accept_v2(thread: GuestThread, fd: int, flags: int, result: int, address: int) -> None:
    """Take a connection, with `fdflags` for it; writes its descriptor, u32, and the peer's `addr_port`.

    Errors: `INVAL` for flags that there are not and for a socket that does not listen, `AGAIN`, `TIMEDOUT`, `INTR`.
    """
    long = knows_long_addresses(thread.process.module)
    thread.memory.check(address, address_room(long=long))
    peer = _accept(thread, fd, flags, result)
    write_address(thread.memory, address, SocketAddress.of(peer), long=long)


def _accept(thread: GuestThread, fd: int, flags: int, result: int) -> object:
    if flags & ~_NONBLOCK:
        raise GuestError(Errno.INVAL)
    thread.memory.check(result, 4)
    description, file = socket_of(thread, fd, int(Rights.SOCK_ACCEPT))
    connection, peer = patiently(thread, description, file, _ACCEPT_TIMEOUT, file.accept_from)
    thread.memory.set_u32(result, add_socket(thread, connection, flags))
    return peer


@syscall("sock_recv", "iiiiii:i", WASIX)
def sock_recv(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int, out_flags: int) -> None:
    """As in preview 1, with two more `riflags`: 4 tells a datagram's real length, 8 does not wait.

    Errors: `INVAL`, `NOTSOCK`, `NOTCONN`, `CONNRESET`, `AGAIN`, `TIMEDOUT`, `INTR`.
    """
    if flags & ~(_PEEK | _WAITALL | _TRUNCATED | _DONT_WAIT):
        raise GuestError(Errno.INVAL)
    _receive(thread, fd, (iovs, count), flags, (size, out_flags))


@syscall("sock_recv_from", "iiiiiii:i", WASIX)
def sock_recv_from(
    thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int, out_flags: int, address: int
) -> None:
    """As `sock_recv`; writes the sender's `addr_port` too: the peer's for a connection."""
    if flags & ~(_PEEK | _WAITALL | _TRUNCATED | _DONT_WAIT):
        raise GuestError(Errno.INVAL)
    long = knows_long_addresses(thread.process.module)
    thread.memory.check(address, address_room(long=long))
    _, file = socket_of(thread, fd)
    sender = _receive(thread, fd, (iovs, count), flags, (size, out_flags))
    if not file.is_datagram and file.is_ip:
        # The data are there, though the peer may be gone.
        with contextlib.suppress(OSError):
            sender = file.socket.getpeername()
    write_address(thread.memory, address, SocketAddress.of(sender), long=long)


def _receive(thread: GuestThread, fd: int, iovs: tuple[int, int], flags: int, results: tuple[int, int]) -> object:
    description, file = socket_of(thread, fd, int(Rights.FD_READ))
    memory = thread.memory
    memory.check(results[0], 4)
    memory.check(results[1], 2)
    buffers = [buffer for buffer in memory.iovecs(*iovs) if len(buffer)]
    host_flags = socket.MSG_PEEK if flags & _PEEK else 0
    if flags & _TRUNCATED and file.is_datagram and _REAL_LENGTH:
        host_flags |= socket.MSG_TRUNC
    now = bool(flags & _DONT_WAIT)
    received, cut, sender = patiently(
        thread, description, file, _RECEIVE_TIMEOUT, lambda: file.receive_from(buffers, host_flags), now=now
    )
    if flags & _WAITALL and not flags & _PEEK and received and not file.is_datagram:
        received += _rest(thread, description, file, buffers, received)
    memory.set_u32(results[0], received)
    memory.set_u16(results[1], _DATA_TRUNCATED if cut else 0)
    return sender


def _rest(thread: GuestThread, description: Description, file: SocketFile, buffers: list[memoryview], done: int) -> int:
    """Fill what is left of the buffers after `done` bytes, as far as the peer sends before anything goes wrong."""
    more = 0
    for buffer in buffers:
        if done >= len(buffer):
            done -= len(buffer)
            continue
        part, done = buffer[done:], 0
        while len(part):
            attempt = partial(file.receive, [part], 0)
            try:
                received, _ = patiently(thread, description, file, _RECEIVE_TIMEOUT, attempt)
            except (OSError, GuestError):
                return more
            if not received:
                return more
            more += received
            part = part[received:]
    return more


@syscall("sock_send", "iiiii:i", WASIX)
def sock_send(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int) -> None:
    """Send from `count` buffers; writes the number of bytes, u32; `siflags` 1 does not wait.

    There is no `SIGPIPE`: C libraries do not pass on whether it is wanted. Errors: `NOTSOCK`, `NOTCONN`, `PIPE`, `CONNRESET`,
    `MSGSIZE`, `AGAIN`, `TIMEDOUT`, `INTR`.
    """
    if flags & ~_SEND_DONT_WAIT:
        raise GuestError(Errno.INVAL)
    _send(thread, fd, (iovs, count), size, None, now=bool(flags))


@syscall("sock_send_to", "iiiiii:i", WASIX)
def sock_send_to(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, address: int, size: int) -> None:
    """Send a datagram to an `addr_port`; writes the number of bytes, u32.

    Errors: as `sock_send`; `NOTSUP` without a network, `PERM` where the network's rules do not allow it.
    """
    if flags & ~_SEND_DONT_WAIT:
        raise GuestError(Errno.INVAL)
    _, file = socket_of(thread, fd)
    target: SocketAddress | None = None
    if file.is_ip:
        target = read_address(thread.memory, address, long=knows_long_addresses(thread.process.module))
        thread.env.network.connect(file.protocol, target.host, target.port)
    # A connection takes no address: what it is connected to is not chosen again.
    _send(thread, fd, (iovs, count), size, target if file.is_datagram else None, now=bool(flags))


def _send(
    thread: GuestThread, fd: int, iovs: tuple[int, int], size: int, target: SocketAddress | None, *, now: bool
) -> None:
    description, file = socket_of(thread, fd, int(Rights.FD_WRITE))
    thread.memory.check(size, 4)
    buffers = thread.memory.iovecs(*iovs)

    def attempt() -> int:
        return file.writev(buffers, 0) if target is None else file.send_to(buffers, target.for_host())

    thread.memory.set_u32(size, patiently(thread, description, file, _SEND_TIMEOUT, attempt, now=now))


@syscall("sock_shutdown", "ii:i", WASIX)
def sock_shutdown(thread: GuestThread, fd: int, how: int) -> None:
    """End receiving (1), sending (2) or both (3). Errors: `INVAL`, `NOTSOCK`, `NOTCONN`."""
    ways = {1: socket.SHUT_RD, 2: socket.SHUT_WR, 3: socket.SHUT_RDWR}
    if how not in ways:
        raise GuestError(Errno.INVAL)
    _, file = socket_of(thread, fd, int(Rights.SOCK_SHUTDOWN))
    file.socket.shutdown(ways[how])
