"""Making sockets and giving them addresses.

Source: `api_wasix.h`, `sock_open`, `sock_pair`, `sock_bind`, `sock_listen`, `sock_connect`, `sock_status`, `sock_addr_*`.
"""

from __future__ import annotations

import errno as host_errno
import socket
import time

from runtime.abi.address import (
    INET4,
    INET6,
    SocketAddress,
    knows_long_addresses,
    read_address,
    write_address,
)
from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import FdFlags, Rights
from runtime.descriptors import in_use
from runtime.hostcalls import WASIX, syscall
from runtime.sockets import SocketFile
from runtime.syscalls.sock import add_socket, socket_of
from runtime.waiting import WRITABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_NONBLOCK = int(FdFlags.NONBLOCK)
_CONNECT_TIMEOUT = 21
_STREAM, _DATAGRAM = 1, 2
_OLD_DATAGRAM = 0
_FAMILIES = {INET4: socket.AF_INET, INET6: socket.AF_INET6}
_PROTOCOLS = {_STREAM: (0, socket.IPPROTO_TCP), _DATAGRAM: (0, socket.IPPROTO_UDP)}
_MOST_WAITING = 4096


def _kind(kind: int, protocol: int) -> socket.SocketKind:
    """The host's kind of socket.

    Raises:
        GuestError: `NOTSUP` for a kind, or a protocol of that kind, that there is not.
    """
    # In the generation of 2022 a datagram socket was 0, a number that nothing has today.
    kind = _DATAGRAM if kind == _OLD_DATAGRAM else kind
    if protocol not in _PROTOCOLS.get(kind, ()):
        raise GuestError(Errno.NOTSUP)
    return socket.SOCK_STREAM if kind == _STREAM else socket.SOCK_DGRAM


@syscall("sock_open", "iiii:i", WASIX)
def sock_open(thread: GuestThread, family: int, kind: int, protocol: int, result: int) -> None:
    """Make a socket of a family (1 IPv4, 2 IPv6), a kind (1 stream, 2 datagrams) and a protocol (0, 6 TCP, 17 UDP).

    Writes its descriptor, u32. It can be made without a network, and then not be used. Errors: `AFNOSUPPORT`, `NOTSUP`.
    """
    thread.memory.check(result, 4)
    kind_of_host = _kind(kind, protocol)
    if family not in _FAMILIES:
        raise GuestError(Errno.AFNOSUPPORT)
    sock = socket.socket(_FAMILIES[family], kind_of_host)
    thread.memory.set_u32(result, add_socket(thread, SocketFile(sock, thread.env.network)))


@syscall("sock_pair", "iiiii:i", WASIX)
def sock_pair(thread: GuestThread, family: int, kind: int, protocol: int, first: int, second: int) -> None:
    """Make two sockets that are connected to each other; writes their descriptors, u32 each. Needs no network.

    They are of this machine whatever family is asked for. Errors: `NOTSUP`, `MFILE`.
    """
    memory = thread.memory
    memory.check(first, 4)
    memory.check(second, 4)
    del family
    ends = socket.socketpair(socket.AF_UNIX, _kind(kind, protocol))
    number = None
    try:
        number = add_socket(thread, SocketFile(ends[0]))
        other = add_socket(thread, SocketFile(ends[1]))
    except GuestError:
        ends[1].close()
        if number is not None:
            thread.descriptors.close(number)
        raise
    memory.set_u32(first, number)
    memory.set_u32(second, other)


@syscall("sock_bind", "ii:i", WASIX)
def sock_bind(thread: GuestThread, fd: int, address: int) -> None:
    """Give a socket an `addr_port`; port 0 is any that is free.

    Errors: `NOTSUP` without a network, `PERM` where its rules do not allow it, `ADDRINUSE`, `ADDRNOTAVAIL`, `INVAL` for an
    address of the wrong family and for a socket that has one.
    """
    _, file = socket_of(thread, fd, int(Rights.SOCK_BIND))
    wanted = _address(thread, file, address)
    place = thread.env.network.bind(file.protocol, wanted.host, wanted.port)
    if wanted.is_ipv6 and ":" not in place:
        place = f"::ffff:{place}"
    file.socket.bind(wanted._replace(host=place).for_host())
    file.bound = True


@syscall("sock_listen", "ii:i", WASIX)
def sock_listen(thread: GuestThread, fd: int, backlog: int) -> None:
    """Take connections from now on, of which `backlog` may wait. Errors: `NOTSUP`, `PERM`, `INVAL` without an address."""
    _, file = socket_of(thread, fd, int(Rights.SOCK_LISTEN))
    if file.is_ip:
        thread.env.network.require()
        if not file.is_datagram:
            here = file.socket.getsockname()
            if not here[1]:
                raise GuestError(Errno.INVAL)
            thread.env.network.listen(here[0], here[1])
    file.socket.listen(min(backlog, _MOST_WAITING))
    file.listening = True


@syscall("sock_connect", "ii:i", WASIX)
def sock_connect(thread: GuestThread, fd: int, address: int) -> None:
    """Connect a socket to an `addr_port`; waits until it is, if the socket waits.

    A signal ends the wait with `INTR`, and the connection goes on being made. Errors: `NOTSUP` without a network, `PERM`
    where its rules do not allow it, `INPROGRESS`, `ALREADY`, `ISCONN`, `CONNREFUSED`, `TIMEDOUT`, `INVAL`.
    """
    description, file = socket_of(thread, fd, int(Rights.SOCK_CONNECT))
    target = _address(thread, file, address)
    thread.env.network.connect(file.protocol, target.host, target.port)
    if file.was_connecting and not file.settle() and not file.failure:
        raise GuestError(Errno.ALREADY)
    file.failure = 0
    error = file.socket.connect_ex(target.for_host())
    if error == 0:
        return
    if error not in (host_errno.EINPROGRESS, host_errno.EWOULDBLOCK):
        raise OSError(error, "cannot connect")
    file.was_connecting = True
    if description.flags & _NONBLOCK:
        raise GuestError(Errno.INPROGRESS)
    patience = file.timeouts.get(_CONNECT_TIMEOUT)
    deadline = None if patience is None else time.monotonic_ns() + patience
    with in_use(description):
        if not thread.block([(file.socket.fileno(), WRITABLE)], deadline):
            raise GuestError(Errno.TIMEDOUT)
        if not file.settle():
            raise OSError(file.take_failure(), "cannot connect")


def _address(thread: GuestThread, file: SocketFile, pointer: int) -> SocketAddress:
    """The address that a call names, which has to be of the socket's own family."""
    address = read_address(thread.memory, pointer, long=knows_long_addresses(thread.process.module))
    if file.socket.family != (socket.AF_INET6 if address.is_ipv6 else socket.AF_INET):
        raise GuestError(Errno.INVAL)
    return address


@syscall("sock_status", "ii:i", WASIX)
def sock_status(thread: GuestThread, fd: int, result: int) -> None:
    """Write a `sock_status`, u8: 0 opening, 1 opened, 2 closed by the peer, 3 failed. Errors: `NOTSOCK`."""
    _, file = socket_of(thread, fd)
    thread.memory.set_u8(result, file.status())


@syscall("sock_addr_local", "ii:i", WASIX)
def sock_addr_local(thread: GuestThread, fd: int, result: int) -> None:
    """Write the `addr_port` that a socket has: unspecified with port 0 before it has one. Errors: `NOTSOCK`."""
    _, file = socket_of(thread, fd, int(Rights.SOCK_ADDR_LOCAL))
    long = knows_long_addresses(thread.process.module)
    write_address(thread.memory, result, SocketAddress.of(file.socket.getsockname()), long=long)


@syscall("sock_addr_peer", "ii:i", WASIX)
def sock_addr_peer(thread: GuestThread, fd: int, result: int) -> None:
    """Write the `addr_port` that a socket is connected to. Errors: `NOTSOCK`, `NOTCONN`."""
    _, file = socket_of(thread, fd, int(Rights.SOCK_ADDR_REMOTE))
    long = knows_long_addresses(thread.process.module)
    write_address(thread.memory, result, SocketAddress.of(file.socket.getpeername()), long=long)
