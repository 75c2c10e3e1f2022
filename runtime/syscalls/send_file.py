"""Files through sockets. Source: `api_wasix.h`, `sock_send_file`."""

from __future__ import annotations

import errno
import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from runtime.abi.errno import GuestError
from runtime.abi.flags import Rights
from runtime.descriptors import in_use
from runtime.hostcalls import WASIX, syscall
from runtime.stdio import HostStream
from runtime.syscalls.sock import patiently, socket_of
from runtime.syscalls.transfer import read

if TYPE_CHECKING:
    from runtime.descriptors import Description
    from runtime.fs.node import OpenFile
    from runtime.sockets import SocketFile
    from runtime.thread import GuestThread

_CHUNK = 1 << 18
_SEND_TIMEOUT = 20
_NO_SENDFILE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK, errno.EOPNOTSUPP}


@syscall("sock_send_file", "iiIIi:i", WASIX)
def sock_send_file(thread: GuestThread, fd: int, source: int, offset: int, count: int, result: int) -> None:
    """Send at most `count` bytes of an open file from `offset` on; writes how many were sent, u64.

    The file's position is behind them afterwards. What is no file (a pipe, a socket) is sent as it comes. Errors: those
    of reading `source` and of sending; none once something was sent.
    """
    thread.memory.check(result, 8)
    description, sock = socket_of(thread, fd, int(Rights.FD_WRITE))
    origin = thread.descriptors.use(source, int(Rights.FD_READ))
    sent = 0
    with in_use(origin) as file:
        try:
            while sent < count:
                part = _part(thread, (description, sock), (origin, file), offset + sent, min(count - sent, _CHUNK))
                if part == 0:
                    break
                sent += part
        except (OSError, GuestError):
            if not sent:
                raise
        finally:
            if file.seekable and sent:
                with origin.lock:
                    origin.position = offset + sent
    thread.memory.set_u64(result, sent)


def _part(
    thread: GuestThread,
    target: tuple[Description, SocketFile],
    source: tuple[Description, OpenFile],
    offset: int,
    count: int,
) -> int:
    """Send one part, at most `count` bytes; 0 at the end of the file."""
    (description, sock), (origin, file) = target, source
    number = file.fileno() if file.seekable and sys.platform == "linux" and not isinstance(file, HostStream) else None
    if number is not None:
        try:
            return patiently(
                thread,
                description,
                sock,
                _SEND_TIMEOUT,
                lambda: os.sendfile(sock.socket.fileno(), number, offset, count),
            )
        except OSError as error:
            if error.errno not in _NO_SENDFILE:
                raise
    buffer = bytearray(count)
    view = memoryview(buffer)
    view = view[: file.readv([view], offset) if file.seekable else read(thread, origin, [view])]
    sent = 0
    while sent < len(view):
        rest = view[sent:]
        try:
            sent += patiently(thread, description, sock, _SEND_TIMEOUT, partial(sock.writev, [rest], 0))
        except (OSError, GuestError):
            if not sent or not file.seekable:
                raise
            return sent
    return sent
