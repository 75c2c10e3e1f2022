"""Sockets that a guest is given: `sock_accept`, `sock_recv`, `sock_send`, `sock_shutdown`, and the `fd_*` functions."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from remote_guest import BUFFER, MEMORY, NONBLOCK, PREVIEW1, RESULT, ROOT, UNSTABLE, Remote, clock, readiness

from runtime.abi.errno import Errno
from runtime.abi.filetype import Filetype

SOCKET = 5
PEEK, WAITALL = 1, 2
RECEIVING, SENDING = 1, 2
HOUR = 3600 * 1_000_000_000


@contextmanager
def connected(namespace: str = PREVIEW1) -> Iterator[tuple[Remote, socket.socket]]:
    mine, its = socket.socketpair()
    with mine, Remote(namespace=namespace, setup=lambda builder: builder.socket(its)) as guest:
        mine.settimeout(20)
        yield guest, mine


@contextmanager
def listening() -> Iterator[tuple[Remote, tuple[str, int]]]:
    server = socket.create_server(("127.0.0.1", 0))
    address = server.getsockname()
    with Remote(setup=lambda builder: builder.socket(server)) as guest:
        yield guest, address


def receive(guest: Remote, length: int, flags: int = 0, fd: int = SOCKET) -> tuple[bytes, int]:
    guest.done("sock_recv", fd, *guest.iovecs((BUFFER, length)), flags, RESULT, RESULT + 4)
    raw = guest.read(RESULT, 6)
    return guest.read(BUFFER, int.from_bytes(raw[:4], "little")), int.from_bytes(raw[4:], "little")


def send(guest: Remote, data: bytes, fd: int = SOCKET) -> int:
    guest.write(BUFFER, data)
    guest.done("sock_send", fd, *guest.iovecs((BUFFER, len(data))), 0, RESULT)
    return guest.u32()


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE])
def test_send_and_receive(namespace: str) -> None:
    with connected(namespace) as (guest, peer):
        assert guest.fdstat(SOCKET).filetype == Filetype.SOCKET_STREAM
        assert send(guest, b"hello") == 5
        assert peer.recv(10) == b"hello"
        peer.sendall(b"abcdefgh")
        assert receive(guest, 3, PEEK) == (b"abc", 0)
        assert receive(guest, 3) == (b"abc", 0)
        assert guest.fd_text(SOCKET, 2) == b"de"
        assert guest.fd_bytes(SOCKET, b"too") == 3
        assert peer.recv(10) == b"too"
        guest.done("sock_recv", SOCKET, *guest.iovecs((BUFFER, 1), (BUFFER + 8, 9)), 0, RESULT, RESULT + 4)
        assert guest.u32() == 3
        assert guest.read(BUFFER, 1) + guest.read(BUFFER + 8, 2) == b"fgh"


def test_waiting_for_all_of_it() -> None:
    with connected() as (guest, peer):
        peer.sendall(b"123")
        guest.ask("sock_recv", SOCKET, *guest.iovecs((BUFFER, 4), (BUFFER + 4, 4)), WAITALL, RESULT, RESULT + 4)
        with pytest.raises(TimeoutError):
            guest.answer(0.02)
        peer.sendall(b"45678")
        assert guest.answer() is Errno.SUCCESS
        assert guest.read(BUFFER, guest.u32()) == b"12345678"
        peer.sendall(b"end")
        peer.shutdown(socket.SHUT_WR)
        assert receive(guest, 100, WAITALL) == (b"end", 0)
        assert receive(guest, 100) == (b"", 0)


def test_accept() -> None:
    with listening() as (guest, address):
        guest.ask("sock_accept", SOCKET, 0, RESULT)
        with pytest.raises(TimeoutError):
            guest.answer(0.02)
        with socket.create_connection(address) as peer:
            assert guest.answer() is Errno.SUCCESS
            connection = guest.u32()
            assert connection == SOCKET + 1
            assert send(guest, b"welcome", connection) == 7
            assert peer.recv(10) == b"welcome"
            peer.sendall(b"thanks")
            assert receive(guest, 10, fd=connection) == (b"thanks", 0)
            guest.done("fd_close", connection)
            assert peer.recv(10) == b""


def test_accept_without_waiting() -> None:
    with listening() as (guest, address):
        guest.done("fd_fdstat_set_flags", SOCKET, NONBLOCK)
        assert guest.sock_accept(SOCKET, NONBLOCK, RESULT) is Errno.AGAIN
        with socket.create_connection(address):
            guest.poll(readiness(1, SOCKET), clock(2, HOUR))
            guest.done("sock_accept", SOCKET, NONBLOCK, RESULT)
            connection = guest.u32()
            assert guest.fdstat(connection).flags == NONBLOCK
            iovecs = guest.iovecs((BUFFER, 4))
            assert guest.sock_recv(connection, *iovecs, 0, RESULT, RESULT + 4) is Errno.AGAIN
        assert guest.sock_accept(SOCKET, 1, RESULT) is Errno.INVAL
        assert guest.sock_accept(SOCKET, 0, MEMORY) is Errno.FAULT


def test_polling_sockets() -> None:
    with connected() as (guest, peer):
        events = guest.poll(readiness(1, SOCKET), readiness(2, SOCKET, write=True), clock(3, HOUR))
        assert [event.userdata for event in events] == [2]
        peer.sendall(b"12345")
        (event,) = guest.poll(readiness(1, SOCKET), clock(3, HOUR))
        assert (event.userdata, event.size) == (1, 5)
        peer.close()
        receive(guest, 5)
        (event,) = guest.poll(readiness(1, SOCKET), clock(3, HOUR))
        assert event.flags == 1
        assert receive(guest, 5) == (b"", 0)


@pytest.mark.parametrize("how", [RECEIVING, SENDING, RECEIVING | SENDING])
def test_shutdown(how: int) -> None:
    with connected() as (guest, peer):
        guest.done("sock_shutdown", SOCKET, how)
        if how & SENDING:
            assert peer.recv(10) == b""
        else:
            assert send(guest, b"still") == 5
            assert peer.recv(10) == b"still"
        if how & RECEIVING:
            assert receive(guest, 10) == (b"", 0)
        else:
            peer.sendall(b"still")
            assert receive(guest, 10) == (b"still", 0)


def test_shutdown_refuses_what_is_no_way() -> None:
    with connected() as (guest, _):
        for how in (0, 4, 7, 255):
            assert guest.sock_shutdown(SOCKET, how) is Errno.INVAL


def test_sending_after_the_end_is_a_broken_pipe() -> None:
    with connected() as (guest, _):
        guest.done("sock_shutdown", SOCKET, SENDING)
        guest.ask("sock_send", SOCKET, *guest.iovecs((BUFFER, 1)), 0, RESULT)
        assert guest.process.wait(20) == 141


def test_what_is_no_socket() -> None:
    with Remote() as guest:
        guest.make("file")
        file = guest.open("file", rights=(1 << 29) - 1)
        iovecs = guest.iovecs((BUFFER, 1))
        for fd in (0, 2, ROOT, file):
            refusals = (Errno.NOTSOCK, Errno.NOTCAPABLE)
            assert guest.sock_accept(fd, 0, RESULT) in refusals
            assert guest.sock_recv(fd, *iovecs, 0, RESULT, RESULT + 4) in refusals
            assert guest.sock_send(fd, *iovecs, 0, RESULT) in refusals
            assert guest.sock_shutdown(fd, 1) in refusals


def test_arguments_that_make_no_sense() -> None:
    with connected() as (guest, peer):
        iovecs = guest.iovecs((BUFFER, 1))
        assert guest.sock_recv(SOCKET, *iovecs, 4, RESULT, RESULT + 4) is Errno.INVAL
        assert guest.sock_send(SOCKET, *iovecs, 1, RESULT) is Errno.INVAL
        peer.sendall(b"x")
        assert guest.sock_recv(SOCKET, *guest.iovecs((MEMORY, 1)), 0, RESULT, RESULT + 4) is Errno.FAULT
        assert guest.sock_send(SOCKET, *guest.iovecs((MEMORY, 1)), 0, RESULT) is Errno.FAULT
        assert guest.sock_recv(SOCKET, MEMORY, 1, 0, RESULT, RESULT + 4) is Errno.FAULT
        assert guest.fd_seek(SOCKET, 0, 0, RESULT) is Errno.SPIPE
        assert guest.sock_shutdown(99, 1) is Errno.BADF


def test_datagrams_that_are_cut_off() -> None:
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with mine, Remote(setup=lambda builder: builder.socket(its)) as guest:
        assert guest.fdstat(SOCKET).filetype == Filetype.SOCKET_DGRAM
        mine.send(b"one message")
        mine.send(b"two")
        assert receive(guest, 3) == (b"one", 1)
        assert receive(guest, 10) == (b"two", 0)
        assert send(guest, b"reply") == 5
        assert mine.recv(10) == b"reply"
