"""Interest lists over pipes, sockets, events and files, by levels and by edges."""

import os
import socket
import threading
import time

import pytest
from script import At, Script, run, start

from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder

EPOLL, FD, FD2, COUNT, SIZE, FLAGS, IOVS, BUFFER, INTEREST, EVENTS = 0, 4, 8, 12, 16, 20, 32, 1024, 128, 512
IN, OUT, RDHUP, ERR, HUP, EDGE, ONESHOT = 1, 2, 4, 16, 32, 64, 128
ADD, MODIFY, DELETE = 0, 1, 2
FOREVER = -1


def event(events: int, data2: int = 7, data1: int = 3, fd: int = 5, ptr: int = 9) -> bytes:
    words = [word.to_bytes(4, "little") for word in (events, 0, ptr, fd, data1, 0)]
    return b"".join(words) + data2.to_bytes(8, "little")


def happened(output: bytes) -> list[tuple[int, int]]:
    """Events with their last word."""
    return [
        (int.from_bytes(output[i : i + 4], "little"), int.from_bytes(output[i + 24 : i + 32], "little"))
        for i in range(0, len(output), 32)
    ]


def script(*interests: bytes) -> Script:
    made = Script().iov(IOVS, (BUFFER, 4)).put(BUFFER, b"data").iov(IOVS + 8, (BUFFER + 100, 2))
    for index, interest in enumerate(interests):
        made.put(INTEREST + 32 * index, interest)
    return made.call("epoll_create", EPOLL)


def wait(made: Script, timeout: int = 0, most: int = 8) -> Script:
    made.call("epoll_wait", At(EPOLL), EVENTS, most, timeout, COUNT).show(COUNT, 1)
    return made


def test_a_level_is_told_until_it_is_gone() -> None:
    made = script(event(IN)).call("fd_pipe", FD, FD2)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    wait(made)
    made.call("fd_write", At(FD2), IOVS, 1, SIZE)
    wait(made)
    wait(made)
    made.show(EVENTS, 32).call("fd_read", At(FD), IOVS, 1, SIZE)
    wait(made)
    output = run(made)
    assert output[:3] == b"\0\1\1"
    assert output[3:35] == event(IN)
    assert output[35:] == b"\0"


def test_an_edge_is_told_once_for_each_write() -> None:
    made = script(event(IN | EDGE)).call("fd_pipe", FD, FD2)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    for _ in range(3):
        made.call("fd_write", At(FD2), IOVS, 1, SIZE)
        wait(made)
        wait(made)
    made.call("fd_read", At(FD), IOVS + 8, 1, SIZE)
    wait(made)
    assert run(made) == b"\1\0\1\0\1\0\0"


def test_a_drained_pipe_that_is_filled_again_is_an_edge() -> None:
    made = script(event(IN | EDGE)).call("fd_pipe", FD, FD2)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST).call("fd_write", At(FD2), IOVS, 1, SIZE)
    wait(made)
    made.call("fd_read", At(FD), IOVS, 1, SIZE).call("fd_write", At(FD2), IOVS, 1, SIZE)
    wait(made)
    assert run(made) == b"\1\1"


@pytest.mark.parametrize("how", [0, EDGE])
def test_once_is_once_until_it_is_armed_again(how: int) -> None:
    made = script(event(IN | ONESHOT | how), event(IN | ONESHOT | how, data2=11)).call("fd_event", 1, 0, FD)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    wait(made)
    wait(made)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST, errno=Errno.EXIST)
    made.call("epoll_ctl", At(EPOLL), MODIFY, At(FD), INTEREST + 32)
    wait(made)
    made.show(EVENTS, 32)
    wait(made)
    output = run(made)
    assert (output[:3], output[-1:]) == (b"\1\0\1", b"\0")
    assert happened(output[3:35]) == [(IN, 11)]


def test_both_directions_of_a_socket_and_its_end() -> None:
    made = script(event(IN | OUT | RDHUP)).call("sock_pair", 3, 1, 0, FD, FD2)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    wait(made)
    made.show(EVENTS, 32).call("sock_send", At(FD2), IOVS, 1, 0, SIZE)
    wait(made)
    made.show(EVENTS, 32).call("fd_close", At(FD2))
    wait(made)
    made.show(EVENTS, 32)
    output = run(made)
    assert happened(output[1:33]) == [(OUT, 7)]
    assert happened(output[34:66]) == [(IN | OUT, 7)]
    ((events, _),) = happened(output[67:])
    assert events & (IN | HUP | RDHUP) == IN | HUP | RDHUP


def test_a_pipe_hangs_up() -> None:
    made = script(event(IN), event(OUT, data2=8)).call("fd_pipe", FD, FD2)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD2), INTEREST + 32)
    wait(made)
    made.show(EVENTS, 32).call("fd_close", At(FD2))
    wait(made)
    made.show(EVENTS, 32)
    output = run(made)
    assert happened(output[1:33]) == [(OUT, 8)]
    assert output[33:34] == b"\1", "what is closed is not in the list any more"
    assert happened(output[34:]) == [(HUP, 7)]


@pytest.mark.parametrize("how", [0, EDGE])
def test_a_file_is_always_ready(how: int) -> None:
    made = script(event(IN | OUT | how)).put(2000, b"file")
    made.call("path_open", 3, 0, 2000, 4, 1, 0x40_0000_0042, 0, 0, FD)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    wait(made, FOREVER)
    made.show(EVENTS, 32)
    wait(made)
    output = run(made)
    assert happened(output[1:33]) == [(IN | OUT, 7)]
    assert output[33:] == (b"\0" if how else b"\1")


def test_duplicates_share_what_they_stand_for() -> None:
    """Two descriptors of one pipe, with words of their own: both are told, and one can be taken out."""
    made = script(event(IN, data2=1), event(IN, data2=2)).call("fd_pipe", FD, FD2).call("fd_dup", At(FD), 24)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    made.call("epoll_ctl", At(EPOLL), ADD, At(24), INTEREST + 32)
    made.call("fd_write", At(FD2), IOVS, 1, SIZE)
    wait(made, FOREVER)
    made.show(EVENTS, 64)
    wait(made, FOREVER, 1)
    made.call("epoll_ctl", At(EPOLL), DELETE, At(FD), 0)
    made.call("epoll_wait", At(EPOLL), EVENTS, 8, 0, COUNT)
    wait(made)
    made.show(EVENTS, 32)
    output = run(made)
    assert output[0] == 2
    assert sorted(happened(output[1:65])) == [(IN, 1), (IN, 2)]
    assert output[65:67] == b"\1\1"
    assert happened(output[67:]) == [(IN, 2)]


def test_a_list_in_a_list_and_in_poll_oneoff() -> None:
    subscription = (77).to_bytes(8, "little") + b"\1" + bytes(39)
    made = script(event(IN), event(IN, data2=8)).put(400, subscription)
    made.call("epoll_create", 28).call("fd_event", 0, 0, FD)
    made.call("epoll_ctl", At(28), ADD, At(FD), INTEREST)
    made.call("epoll_ctl", At(EPOLL), ADD, At(28), INTEREST + 32)
    made.call("epoll_ctl", At(28), ADD, At(EPOLL), INTEREST, errno=Errno.LOOP)
    wait(made)
    made.put(BUFFER, b"\1" + bytes(7)).iov(48, (BUFFER, 8)).call("fd_write", At(FD), 48, 1, SIZE)
    wait(made)
    made.show(EVENTS, 32).raw("(i32.store (i32.const 416) (i32.load (i32.const 0)))")
    made.call("poll_oneoff", 400, 800, 1, SIZE).show(800, 8)
    output = run(made)
    assert output[:2] == b"\0\1"
    assert happened(output[2:34]) == [(IN, 8)]
    assert output[34:] == (77).to_bytes(8, "little")


def test_refusals() -> None:
    made = script(event(IN), event(1 << 20)).call("fd_event", 0, 0, FD)
    made.call("epoll_ctl", At(FD), ADD, At(EPOLL), INTEREST, errno=Errno.INVAL)
    made.call("epoll_ctl", At(EPOLL), ADD, At(EPOLL), INTEREST, errno=Errno.INVAL)
    made.call("epoll_ctl", At(EPOLL), ADD, 99, INTEREST, errno=Errno.BADF)
    made.call("epoll_ctl", 99, ADD, At(FD), INTEREST, errno=Errno.BADF)
    made.call("epoll_ctl", At(EPOLL), 3, At(FD), INTEREST, errno=Errno.INVAL)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST + 32, errno=Errno.INVAL)
    made.call("epoll_ctl", At(EPOLL), MODIFY, At(FD), INTEREST, errno=Errno.NOENT)
    made.call("epoll_ctl", At(EPOLL), DELETE, At(FD), 0, errno=Errno.NOENT)
    made.call("epoll_wait", At(FD), EVENTS, 8, 0, COUNT, errno=Errno.INVAL)
    made.call("epoll_wait", At(EPOLL), EVENTS, 0, 0, COUNT, errno=Errno.INVAL)
    made.call("epoll_wait", At(EPOLL), 1 << 30, 8, 0, COUNT, errno=Errno.FAULT)
    made.call("fd_read", At(EPOLL), IOVS, 1, SIZE, errno=Errno.INVAL)
    wait(made, 1_000_000)
    assert run(made) == b"\0"


def test_a_number_that_is_used_again_is_another_interest() -> None:
    made = script(event(IN, data2=1), event(IN, data2=2))
    for index in (0, 1):
        made.call("fd_event", 1, 0, FD).call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST + 32 * index)
        wait(made)
        made.show(EVENTS + 24, 1).call("fd_close", At(FD))
        wait(made)
    assert run(made) == b"\1\1\0\1\2\0"


def test_a_wait_sees_what_comes_from_outside() -> None:
    """A blocked wait ends when the host writes to the guest's standard input, and when its process is ended."""
    reading, writing = pipe_ends()
    made = script(event(IN)).call("epoll_ctl", At(EPOLL), ADD, 0, INTEREST)
    wait(made, FOREVER)
    made.call("fd_read", 0, IOVS, 1, SIZE)
    wait(made, FOREVER)

    def configure(builder: WasiEnvBuilder) -> None:
        builder.stdin(reading)

    guest = start(made, configure)
    time.sleep(0.02)
    writing.sendall(b"data")
    assert guest.shown(1) == b"\1"
    threading.Timer(0.02, guest.process.terminate, (5,)).start()
    assert guest.process.wait(10) == 5
    writing.close()


def pipe_ends() -> tuple[int, socket.socket]:
    """A descriptor for a guest to read, and a socket that writes there."""
    ends = socket.socketpair()
    number = ends[0].detach()
    return number, ends[1]


def test_many_descriptors_come_and_go() -> None:
    """2,000 events are added and closed without being taken out: nothing is left of them."""
    made = script(event(IN))
    made.raw("(local.set $e (i32.const 0)) (loop $again")
    made.call("fd_event", 1, 0, FD).call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    made.call("epoll_wait", At(EPOLL), EVENTS, 8, 0, COUNT).call("fd_close", At(FD))
    made.raw("(i32.store (i32.const 900) (i32.add (i32.load (i32.const 900)) (i32.const 1)))")
    made.raw("(br_if $again (i32.lt_u (i32.load (i32.const 900)) (i32.const 2000))))")
    wait(made)
    assert run(made) == b"\0"


def test_a_process_gives_every_descriptor_back() -> None:
    """Lists, stand-ins, pairs, events and pipes that a guest never closed."""
    made = script(event(IN | OUT)).put(2000, b"file").put(64, b"localhost")
    for name, arguments in (("fd_event", (1, 0, FD)), ("sock_pair", (3, 1, 0, FD, FD2)), ("fd_pipe", (FD, FD2))):
        made.call(name, *arguments).call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST)
    made.call("path_open", 3, 0, 2000, 4, 1, 0x40_0000_0042, 0, 0, FD)
    made.call("epoll_ctl", At(EPOLL), ADD, At(FD), INTEREST).call("sock_open", 1, 1, 6, FD)
    wait(made, FOREVER)
    module = made.module()
    before = set(os.listdir("/dev/fd"))
    for _ in range(20):
        assert WasiEnvBuilder("script").timeout(30).build().run(module) == 0
    assert len(os.listdir("/dev/fd")) <= len(before) + 1
