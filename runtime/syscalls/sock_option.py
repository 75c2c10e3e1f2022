"""Options of sockets, and multicast groups.

Source: `api_wasix.h`, `sock_option`, `sock_set_opt_*`, `sock_get_opt_*`, `sock_join_multicast_*`, `sock_leave_multicast_*`.
"""

from __future__ import annotations

import socket
from struct import Struct
from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError, from_host
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.sock import socket_of

if TYPE_CHECKING:
    from runtime.sockets import SocketFile
    from runtime.thread import GuestThread

_NOOP, _ONLY_V6, _LISTENING, _LAST_ERROR, _LINGER = 0, 5, 10, 11, 13
_TYPE, _PROTOCOL = 25, 26
_TIMES = {19, 20, 21, 22}
_FLAGS: dict[int, tuple[int, int]] = {
    1: (socket.SOL_SOCKET, socket.SO_REUSEPORT),
    2: (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    3: (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    4: (socket.SOL_SOCKET, socket.SO_DONTROUTE),
    _ONLY_V6: (socket.IPPROTO_IPV6, socket.IPV6_V6ONLY),
    6: (socket.SOL_SOCKET, socket.SO_BROADCAST),
    7: (socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP),
    8: (socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP),
    12: (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    14: (socket.SOL_SOCKET, socket.SO_OOBINLINE),
}
"""The host's level and name of each flag."""

_SIZES: dict[int, tuple[int, int]] = {
    15: (socket.SOL_SOCKET, socket.SO_RCVBUF),
    16: (socket.SOL_SOCKET, socket.SO_SNDBUF),
    17: (socket.SOL_SOCKET, socket.SO_RCVLOWAT),
    18: (socket.SOL_SOCKET, socket.SO_SNDLOWAT),
    23: (socket.IPPROTO_IP, socket.IP_TTL),
    24: (socket.IPPROTO_IP, socket.IP_MULTICAST_TTL),
}
_IPV6_TTL = {23: socket.IPV6_UNICAST_HOPS, 24: socket.IPV6_MULTICAST_HOPS}
_BUFFERS = {15, 16}
_MOST = 1 << 30

_NONE, _SOME = 0, 1
_OPTION_TIME = Struct("<B7xQ")
"""`option_timestamp`, 16 bytes: tag u8, nanoseconds u64 at 8."""
_HOST_LINGER = Struct("@ii")
_SECOND = 1_000_000_000


def _flag(file: SocketFile, option: int) -> tuple[int, int]:
    """Where the host has this flag.

    Raises:
        GuestError: `INVAL` for what is no flag, or none of this kind of socket.
    """
    place = _FLAGS.get(option)
    family = {socket.IPPROTO_IP: socket.AF_INET, socket.IPPROTO_IPV6: socket.AF_INET6}.get(place[0]) if place else None
    if place is None or (family is not None and family != file.socket.family):
        raise GuestError(Errno.INVAL)
    if place[0] == socket.IPPROTO_TCP and (file.is_datagram or not file.is_ip):
        raise GuestError(Errno.INVAL)
    return place


@syscall("sock_set_opt_flag", "iii:i", WASIX)
def sock_set_opt_flag(thread: GuestThread, fd: int, option: int, flag: int) -> None:
    """Set a flag of a socket to 0 or 1. Errors: `NOTSOCK`, `INVAL` for what is no flag of this socket."""
    _, file = socket_of(thread, fd)
    if flag > 1:
        raise GuestError(Errno.INVAL)
    if option != _NOOP:
        file.socket.setsockopt(*_flag(file, option), flag)


@syscall("sock_get_opt_flag", "iii:i", WASIX)
def sock_get_opt_flag(thread: GuestThread, fd: int, option: int, result: int) -> None:
    """Write a flag of a socket, a bool u8. Errors: `NOTSOCK`, `INVAL`."""
    _, file = socket_of(thread, fd)
    if option == _NOOP:
        value = 0
    elif option == _LISTENING:
        value = int(file.listening)
    else:
        value = file.socket.getsockopt(*_flag(file, option))
    thread.memory.set_u8(result, int(bool(value)))


@syscall("sock_set_opt_size", "iiI:i", WASIX)
def sock_set_opt_size(thread: GuestThread, fd: int, option: int, size: int) -> None:
    """Set a number of a socket: buffer sizes, low-water marks, time to live. Errors: `NOTSOCK`, `INVAL`, `NOPROTOOPT`."""
    _, file = socket_of(thread, fd)
    place = _size(file, option)
    if option not in _BUFFERS and size > 0xFFFF_FFFF:
        raise GuestError(Errno.INVAL)
    file.socket.setsockopt(*place, min(size, _MOST))


@syscall("sock_get_opt_size", "iii:i", WASIX)
def sock_get_opt_size(thread: GuestThread, fd: int, option: int, result: int) -> None:
    """Write a number of a socket, u64: as they are set, and its last error (11), kind (25) and protocol (26).

    The error is an errno of WASI, 0 for none, and is told once. Errors: `NOTSOCK`, `INVAL`.
    """
    _, file = socket_of(thread, fd)
    if option == _LAST_ERROR:
        failure = file.take_failure()
        value = int(from_host(OSError(failure, ""))) if failure else 0
    elif option == _TYPE:
        value = 2 if file.is_datagram else 1
    elif option == _PROTOCOL:
        value = 0 if not file.is_ip else socket.IPPROTO_UDP if file.is_datagram else socket.IPPROTO_TCP
    else:
        value = file.socket.getsockopt(*_size(file, option))
    thread.memory.set_u64(result, value)


def _size(file: SocketFile, option: int) -> tuple[int, int]:
    if option in _IPV6_TTL and file.socket.family == socket.AF_INET6:
        return socket.IPPROTO_IPV6, _IPV6_TTL[option]
    if option not in _SIZES:
        raise GuestError(Errno.INVAL)
    return _SIZES[option]


@syscall("sock_set_opt_time", "iii:i", WASIX)
def sock_set_opt_time(thread: GuestThread, fd: int, option: int, timeout: int) -> None:
    """Set how long receiving (19), sending (20), connecting (21) or accepting (22) may wait, or closing lingers (13).

    `timeout` points to an `option_timestamp`; none, or 0, waits without end. Errors: `NOTSOCK`, `INVAL`.
    """
    _, file = socket_of(thread, fd)
    tag, time = thread.memory.unpack(_OPTION_TIME, timeout)
    if tag > _SOME:
        raise GuestError(Errno.INVAL)
    if option == _LINGER:
        seconds = min(-(-time // _SECOND), 0x7FFF_FFFF)
        file.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HOST_LINGER.pack(tag, seconds if tag else 0))
    elif option not in _TIMES:
        raise GuestError(Errno.INVAL)
    elif tag == _SOME and time:
        file.timeouts[option] = time
    else:
        file.timeouts.pop(option, None)


@syscall("sock_get_opt_time", "iii:i", WASIX)
def sock_get_opt_time(thread: GuestThread, fd: int, option: int, result: int) -> None:
    """Write a time of a socket, an `option_timestamp` (16 bytes). Errors: `NOTSOCK`, `INVAL`."""
    _, file = socket_of(thread, fd)
    time: int | None
    if option == _LINGER:
        raw = file.socket.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _HOST_LINGER.size)
        on, seconds = _HOST_LINGER.unpack(raw)
        time = seconds * _SECOND if on else None
    elif option in _TIMES:
        time = file.timeouts.get(option)
    else:
        raise GuestError(Errno.INVAL)
    thread.memory.pack(_OPTION_TIME, result, _NONE if time is None else _SOME, time or 0)


# Multicast


@syscall("sock_join_multicast_v4", "iii:i", WASIX)
def sock_join_multicast_v4(thread: GuestThread, fd: int, group: int, interface: int) -> None:
    """Join an IPv4 group (4 bytes) at the interface of an address (4 bytes). Errors: `INVAL`, `NOTSUP`, `PERM`."""
    _group_v4(thread, fd, group, interface, socket.IP_ADD_MEMBERSHIP)


@syscall("sock_leave_multicast_v4", "iii:i", WASIX)
def sock_leave_multicast_v4(thread: GuestThread, fd: int, group: int, interface: int) -> None:
    """Leave an IPv4 group. Errors: as joining it; `ADDRNOTAVAIL` for one that was not joined."""
    _group_v4(thread, fd, group, interface, socket.IP_DROP_MEMBERSHIP)


@syscall("sock_join_multicast_v6", "iii:i", WASIX)
def sock_join_multicast_v6(thread: GuestThread, fd: int, group: int, interface: int) -> None:
    """Join an IPv6 group (16 bytes) at the interface of an index. Errors: `INVAL`, `NOTSUP`, `PERM`."""
    _group_v6(thread, fd, group, interface, socket.IPV6_JOIN_GROUP)


@syscall("sock_leave_multicast_v6", "iii:i", WASIX)
def sock_leave_multicast_v6(thread: GuestThread, fd: int, group: int, interface: int) -> None:
    """Leave an IPv6 group. Errors: as joining it; `ADDRNOTAVAIL` for one that was not joined."""
    _group_v6(thread, fd, group, interface, socket.IPV6_LEAVE_GROUP)


def _group_v4(thread: GuestThread, fd: int, group: int, interface: int, option: int) -> None:
    _, file = socket_of(thread, fd)
    address, place = thread.memory.read(group, 4), thread.memory.read(interface, 4)
    if file.socket.family != socket.AF_INET or not file.is_datagram:
        raise GuestError(Errno.INVAL)
    thread.env.network.group(socket.inet_ntop(socket.AF_INET, address))
    file.socket.setsockopt(socket.IPPROTO_IP, option, address + place)


def _group_v6(thread: GuestThread, fd: int, group: int, interface: int, option: int) -> None:
    _, file = socket_of(thread, fd)
    address = thread.memory.read(group, 16)
    if file.socket.family != socket.AF_INET6 or not file.is_datagram:
        raise GuestError(Errno.INVAL)
    thread.env.network.group(socket.inet_ntop(socket.AF_INET6, address))
    file.socket.setsockopt(socket.IPPROTO_IPV6, option, address + Struct("@I").pack(interface))
