"""Sockets of the host as open files."""

from __future__ import annotations

import select
import socket
import threading

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.stdio import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.net import NetworkPolicy

STATUS_OPENING, STATUS_OPENED, STATUS_CLOSED, STATUS_FAILED = range(4)
"""`sock_status` of WASIX."""

_DISCARD = bytearray(1)


class SocketFile(Stream):
    """A socket; always non-blocking underneath, so that a wait can be interrupted.

    Attributes:
        socket: the host's.
        policy: whom it may hear, `None` for a socket that the guest was given.
        timeouts: how long an operation may wait, in nanoseconds, by the number of its socket option.
        listening: whether it takes connections.
        bound: whether it was given an address.
        failure: the host's error number of a connection that could not be made, until it is asked for.
        was_connecting: whether a connection is being made.
    """

    __slots__ = ("_lock", "bound", "failure", "filetype", "listening", "policy", "socket", "timeouts", "was_connecting")

    def __init__(self, sock: socket.socket, policy: NetworkPolicy | None = None) -> None:
        """Serve a socket, which is ours from now on."""
        sock.setblocking(False)
        self.socket = sock
        self.policy = None if policy is None or policy.unrestricted else policy
        self.timeouts: dict[int, int] = {}
        self.listening = self.bound = self.was_connecting = False
        self.failure = 0
        self._lock = threading.Lock()
        self.filetype = Filetype.SOCKET_DGRAM if self.is_datagram else Filetype.SOCKET_STREAM

    @property
    def is_datagram(self) -> bool:
        """Whether it carries datagrams."""
        return self.socket.type == socket.SOCK_DGRAM

    @property
    def is_ip(self) -> bool:
        """Whether it is one of the network, and not a local pair."""
        return self.socket.family in (socket.AF_INET, socket.AF_INET6)

    @property
    def protocol(self) -> str:
        """`tcp` or `udp`."""
        return "udp" if self.is_datagram else "tcp"

    def fileno(self) -> int | None:
        """The descriptor to wait on."""
        return self.socket.fileno()

    def timeout(self, *, writing: bool) -> int | None:
        """How long a transfer may wait, in nanoseconds."""
        return self.timeouts.get(20 if writing else 19)

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Receive what is there."""
        del offset
        return self.receive(buffers, 0)[0]

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Send what fits."""
        del offset
        return self.socket.sendmsg(buffers)

    def receive(self, buffers: Sequence[memoryview], flags: int) -> tuple[int, bool]:
        """Receive with `MSG_*` flags of the host; the number of bytes, and whether a datagram was cut off."""
        count, cut, _ = self.receive_from(buffers, flags)
        return count, cut

    def receive_from(self, buffers: Sequence[memoryview], flags: int) -> tuple[int, bool, object]:
        """As `receive`, with the sender's address as the host gives it.

        A datagram of somebody who may not be heard is thrown away.
        """
        if self.policy is None or not self.is_datagram or not self.is_ip:
            count, _, returned, sender = self.socket.recvmsg_into(buffers, 0, flags)
            return count, bool(returned & socket.MSG_TRUNC), sender
        with self._lock:
            # Looked at first: a buffer of the guest's must never hold what it may not read.
            while not self._hears(self.socket.recvmsg_into([_DISCARD], 0, socket.MSG_PEEK)[3]):
                self.socket.recvmsg_into([_DISCARD])
            count, _, returned, sender = self.socket.recvmsg_into(buffers, 0, flags)
        return count, bool(returned & socket.MSG_TRUNC), sender

    def send_to(self, buffers: Sequence[memoryview], address: tuple[object, ...]) -> int:
        """Send a datagram to an address of the host's form."""
        return self.socket.sendmsg(buffers, (), 0, address)

    def accept(self) -> SocketFile:
        """Take the next connection; `BlockingIOError` when there is none yet."""
        return self.accept_from()[0]

    def accept_from(self) -> tuple[SocketFile, object]:
        """As `accept`, with the peer's address; somebody who may not be heard is hung up on."""
        while True:
            connection, peer = self.socket.accept()
            if self.policy is None or not self.is_ip or self._hears(peer):
                return SocketFile(connection, self.policy), peer
            connection.close()

    def _hears(self, peer: tuple[str, int]) -> bool:
        assert self.policy is not None
        local, local_port = self.socket.getsockname()[:2]
        return self.policy.hears(self.protocol, peer[0], peer[1], local, local_port)

    def status(self) -> int:
        """What `sock_status` tells."""
        if self.failure:
            return STATUS_FAILED
        if self.listening:
            return STATUS_OPENED
        if self.is_datagram:
            return STATUS_OPENED if self.bound or not self.is_ip or self.socket.getsockname()[1] else STATUS_OPENING
        if self.was_connecting and not self.settle():
            return STATUS_FAILED if self.failure else STATUS_OPENING
        try:
            self.socket.getpeername()
        except OSError:
            return STATUS_OPENED if self.bound else STATUS_OPENING
        try:
            ended = self.socket.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            ended = False
        except OSError:
            return STATUS_FAILED
        return STATUS_CLOSED if ended else STATUS_OPENED

    def settle(self) -> bool:
        """Whether a connection that was being made is there now; its failure is kept."""
        if not self.was_connecting:
            return not self.failure
        poll = select.poll()
        poll.register(self.socket, select.POLLOUT)
        if not poll.poll(0):
            return False
        self.was_connecting = False
        self.failure = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return not self.failure

    def take_failure(self) -> int:
        """The error that was kept, the host's number; 0 for none. It is told once."""
        self.settle()
        failure, self.failure = self.failure, 0
        return failure or self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def stat(self) -> Stat:
        """A socket's metadata: nothing but its type."""
        return Stat(0, 0, self.filetype, 1, 0, 0, 0, 0)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()
