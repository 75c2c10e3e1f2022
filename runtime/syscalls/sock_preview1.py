"""The sockets of preview 1, which are only ever accepted and used.

Every program that its C library has made ready for one imports all four functions, and hardly any calls one: what they do,
and 4 ms of the standard library's `socket`, is loaded at the first call. Source: WASI preview 1, `sock_accept`, `sock_recv`,
`sock_send`, `sock_shutdown`.
"""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import PREVIEW1, UNSTABLE, syscall
from runtime.signals import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_PEEK, _WAITALL = 1, 2


@syscall("sock_accept", "iii:i", PREVIEW1, UNSTABLE)
def sock_accept(thread: GuestThread, fd: int, flags: int, result: int) -> None:
    """Take a connection from a listening socket, with `fdflags` for it; writes its descriptor, u32."""
    from runtime.syscalls import sock

    sock.sock_accept(thread, fd, flags, result)


@syscall("sock_recv", "iiiiii:i", PREVIEW1, UNSTABLE)
def sock_recv(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int, out_flags: int) -> None:
    """Receive into `count` buffers; writes the number of bytes, u32, and `roflags`, u16.

    `riflags`: 1 peeks, 2 waits until the buffers are full. Errors: `INVAL`, `NOTSOCK`, `AGAIN`.
    """
    from runtime.syscalls import sock

    if flags & ~(_PEEK | _WAITALL):
        raise GuestError(Errno.INVAL)
    sock.sock_recv(thread, fd, iovs, count, flags, size, out_flags)


@syscall("sock_send", "iiiii:i", PREVIEW1, UNSTABLE)
def sock_send(thread: GuestThread, fd: int, iovs: int, count: int, flags: int, size: int) -> None:
    """Send from `count` buffers; writes the number of bytes, u32. Errors: `INVAL` for flags: there are none.

    To a peer that is gone it is a `SIGPIPE`, as a write is: there is no flag against it here.
    """
    from runtime.syscalls import sock

    if flags:
        raise GuestError(Errno.INVAL)
    try:
        sock.sock_send(thread, fd, iovs, count, flags, size)
    except BrokenPipeError:
        thread.process.raise_signal(Signal.PIPE)
        raise


@syscall("sock_shutdown", "ii:i", PREVIEW1, UNSTABLE)
def sock_shutdown(thread: GuestThread, fd: int, how: int) -> None:
    """End receiving (1), sending (2) or both (3). Errors: `INVAL`, `NOTSOCK`, `NOTCONN`."""
    from runtime.syscalls import sock

    sock.sock_shutdown(thread, fd, how)
