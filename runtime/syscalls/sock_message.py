"""Messages through sockets, with room for what goes beside the data.

Source: `sock_send_msg` and `sock_recv_msg` of the WASIX of 2026, of which `sendmsg` and `recvmsg` are made. Nothing goes beside
the data: no descriptor leaves its process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.sock import sock_recv, sock_recv_from, sock_send, sock_send_to

if TYPE_CHECKING:
    from runtime.thread import GuestThread


@syscall("sock_send_msg", "iiiiiiii:i", WASIX)
def sock_send_msg(
    thread: GuestThread,
    fd: int,
    iovs: int,
    count: int,
    flags: int,
    address: int,
    control: int,
    control_length: int,
    size: int,
) -> None:
    """As `sock_send_to`, or as `sock_send` when `address` is 0. Errors: theirs; `NOTSUP` for anything beside the data."""
    if control and control_length:
        raise GuestError(Errno.NOTSUP)
    if address:
        sock_send_to(thread, fd, iovs, count, flags, address, size)
    else:
        sock_send(thread, fd, iovs, count, flags, size)


@syscall("sock_recv_msg", "iiiiiiiiii:i", WASIX)
def sock_recv_msg(
    thread: GuestThread,
    fd: int,
    iovs: int,
    count: int,
    flags: int,
    address: int,
    control: int,
    capacity: int,
    size: int,
    out_flags: int,
    control_size: int,
) -> None:
    """As `sock_recv_from`, or as `sock_recv` when `address` is 0; writes how much came beside the data, u32: 0."""
    del control, capacity
    thread.memory.set_u32(control_size, 0)
    if address:
        sock_recv_from(thread, fd, iovs, count, flags, size, out_flags, address)
    else:
        sock_recv(thread, fd, iovs, count, flags, size, out_flags)
