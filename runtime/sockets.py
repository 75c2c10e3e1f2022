"""Sockets of the host as open files."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence


class SocketFile(Stream):
    """A connected or listening socket; always non-blocking underneath, so that a wait can be interrupted."""

    __slots__ = ("filetype", "socket")

    def __init__(self, sock: socket.socket) -> None:
        """Serve a socket, which is ours from now on."""
        sock.setblocking(False)
        self.socket = sock
        datagram = sock.type == socket.SOCK_DGRAM
        self.filetype = Filetype.SOCKET_DGRAM if datagram else Filetype.SOCKET_STREAM

    def fileno(self) -> int | None:
        """The descriptor to wait on."""
        return self.socket.fileno()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Receive what is there."""
        del offset
        return self.socket.recvmsg_into(buffers)[0]

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Send what fits."""
        del offset
        return self.socket.sendmsg(buffers)

    def receive(self, buffers: Sequence[memoryview], flags: int) -> tuple[int, bool]:
        """Receive with `MSG_*` flags of the host; the number of bytes, and whether a datagram was cut off."""
        count, _, returned, _ = self.socket.recvmsg_into(buffers, 0, flags)
        return count, bool(returned & socket.MSG_TRUNC)

    def accept(self) -> SocketFile:
        """Take the next connection; `BlockingIOError` when there is none yet."""
        connection, _ = self.socket.accept()
        return SocketFile(connection)

    def stat(self) -> Stat:
        """A socket's metadata: nothing but its type."""
        return Stat(0, 0, self.filetype, 1, 0, 0, 0, 0)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
