"""`poll_oneoff`: clocks, files, pipes, hang-ups, and what is wrong with a single subscription."""

import os
import struct
import time

import pytest
from remote_guest import BUFFER, CREAT, MEMORY, RESULT, Remote, clock, readiness

from runtime.abi.errno import Errno
from runtime.abi.flags import FILE_RIGHTS, Rights
from runtime.env import WasiEnvBuilder
from runtime.stdio import HostStream, OutputBuffer

CLOCK, FD_READ, FD_WRITE = 0, 1, 2
ABSOLUTE = 1
MILLISECOND = 1_000_000
HOUR = 3600 * 1000 * MILLISECOND
HANGUP = 1


def test_a_clock_alone_sleeps() -> None:
    with Remote() as guest:
        for clock_id in (0, 1):
            before = time.monotonic_ns()
            events = guest.poll(clock(7, 30 * MILLISECOND, clock_id=clock_id))
            assert time.monotonic_ns() - before >= 30 * MILLISECOND
            assert events == [(7, Errno.SUCCESS, CLOCK, 0, 0)]
        assert guest.poll(clock(1 << 63, 0)) == [(1 << 63, Errno.SUCCESS, CLOCK, 0, 0)]


def test_absolute_times() -> None:
    with Remote() as guest:
        for clock_id, now in [(0, time.time_ns), (1, time.monotonic_ns)]:
            wanted = now() + 30 * MILLISECOND
            guest.poll(clock(1, wanted, clock_id=clock_id, flags=ABSOLUTE))
            assert now() >= wanted
            assert guest.poll(clock(2, 1, clock_id=clock_id, flags=ABSOLUTE))[0].userdata == 2


def test_the_earliest_clock_wins() -> None:
    with Remote() as guest:
        events = guest.poll(clock(1, HOUR), clock(2, MILLISECOND), clock(3, (1 << 64) - 1))
        assert [event.userdata for event in events] == [2]


def test_clocks_that_cannot_be_waited_for() -> None:
    with Remote() as guest:
        events = guest.poll(clock(1, 0, clock_id=9), clock(2, 0, clock_id=2), clock(3, HOUR))
        assert [(event.userdata, event.error) for event in events] == [(1, Errno.INVAL), (2, Errno.NOTSUP)]


def test_files_are_always_ready() -> None:
    with Remote() as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS)
        guest.fd_bytes(fd, b"12345678")
        guest.seek(fd, 3)
        events = guest.poll(readiness(1, fd), readiness(2, fd, write=True), clock(3, HOUR))
        assert [(event.userdata, event.error, event.kind) for event in events] == [
            (1, Errno.SUCCESS, FD_READ),
            (2, Errno.SUCCESS, FD_WRITE),
        ]
        assert events[0].size == 5


def test_a_bad_descriptor_is_told_in_its_event() -> None:
    with Remote() as guest:
        closed = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS & ~int(Rights.POLL_FD_READWRITE))
        events = guest.poll(readiness(1, 99), readiness(2, closed), clock(3, HOUR), readiness(4, 2, write=True))
        found = {event.userdata: event.error for event in events}
        assert found == {1: Errno.BADF, 2: Errno.NOTCAPABLE, 4: Errno.SUCCESS}


def test_arguments_that_make_no_sense() -> None:
    with Remote() as guest:
        assert guest.poll_oneoff(BUFFER, BUFFER, 0, RESULT) is Errno.INVAL
        assert guest.poll_oneoff(BUFFER, BUFFER, 0xFFFF_FFFF, RESULT) in (Errno.INVAL, Errno.FAULT)
        guest.write(BUFFER, clock(1, 0))
        assert guest.poll_oneoff(MEMORY - 47, BUFFER, 1, RESULT) is Errno.FAULT
        assert guest.poll_oneoff(BUFFER, MEMORY - 31, 1, RESULT) is Errno.FAULT
        assert guest.poll_oneoff(BUFFER, BUFFER, 1, MEMORY - 3) is Errno.FAULT
        guest.write(BUFFER, struct.pack("<QB39x", 1, 3))
        assert guest.poll_oneoff(BUFFER, BUFFER, 1, RESULT) is Errno.INVAL


def streams(*, stdin: int | bytes | None = None, stdout: int | OutputBuffer | None = None) -> Remote:
    """A guest whose standard streams are for the test."""

    def setup(builder: WasiEnvBuilder) -> None:
        builder.stdin(HostStream(stdin) if isinstance(stdin, int) else stdin)
        builder.stdout(HostStream(stdout) if isinstance(stdout, int) else stdout)

    return Remote(control=5, setup=setup)


def test_a_pipe_is_ready_when_there_is_something() -> None:
    reading, writing = os.pipe()
    with streams(stdin=reading) as guest:
        assert [event.userdata for event in guest.poll(readiness(1, 0), clock(2, 20 * MILLISECOND))] == [2]
        os.write(writing, b"abc")
        assert guest.poll(readiness(1, 0), clock(2, HOUR)) == [(1, Errno.SUCCESS, FD_READ, 3, 0)]
        assert guest.fd_text(0) == b"abc"
        guest.write(BUFFER, readiness(1, 0) + clock(2, HOUR))
        guest.ask("poll_oneoff", BUFFER, BUFFER + 32768, 2, RESULT)
        with pytest.raises(TimeoutError):
            guest.answer(0.02)
        os.write(writing, b"defg")
        assert guest.answer() is Errno.SUCCESS
        assert guest.events() == [(1, Errno.SUCCESS, FD_READ, 4, 0)]
        guest.fd_text(0)
        os.close(writing)
        (event,) = guest.poll(readiness(1, 0), clock(2, HOUR))
        assert (event.userdata, event.size, event.flags) == (1, 0, HANGUP)
        assert guest.fd_text(0) == b""


def test_a_full_pipe_is_not_ready() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with streams(stdout=writing) as guest:
        assert [event.userdata for event in guest.poll(readiness(1, 1, write=True), clock(2, HOUR))] == [1]
        filled = 0
        try:
            while True:
                filled += os.write(writing, bytes(65536))
        except BlockingIOError:
            pass
        events = guest.poll(readiness(1, 1, write=True), clock(2, 20 * MILLISECOND))
        assert [event.userdata for event in events] == [2]
        while filled:
            filled -= len(os.read(reading, 65536))
        events = guest.poll(readiness(1, 1, write=True), clock(2, HOUR))
        assert [event.userdata for event in events] == [1]
        os.close(reading)


def test_standard_streams_of_any_kind_can_be_polled() -> None:
    for stdin, stdout in [(b"bytes", OutputBuffer()), (None, None)]:
        with streams(stdin=stdin, stdout=stdout) as guest:
            pending = {0: False, 1: True, 2: True}
            events = guest.poll(*(readiness(fd, fd, write=write) for fd, write in pending.items()), clock(9, HOUR))
            assert {event.userdata: event.error for event in events} == dict.fromkeys(pending, Errno.SUCCESS)
