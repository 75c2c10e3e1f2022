"""Pipes, in memory and as the kernel's: the same bytes in the same order, whoever asks for a descriptor and when."""

from __future__ import annotations

import os
import select
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.pipe_ring import CAPACITY, Ring
from runtime.pipes import PipeEnd, guest_pipe
from runtime.waiting import Waker

SIZES = st.sampled_from((0, 1, 100, select.PIPE_BUF, select.PIPE_BUF + 1, 65536, 300_000, CAPACITY, CAPACITY + 7))


def write(end: PipeEnd, data: bytes) -> int:
    return end.writev([memoryview(data)], 0)


def read(end: PipeEnd, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: end.readv([memoryview(buffer)], 0)])


def read_all(end: PipeEnd) -> bytes:
    found = b""
    while part := read(end, 100_000):
        found += part
    return found


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(("write", "write", "read", "read", "poll")), SIZES), max_size=12))
def test_bytes_come_in_order_whatever_carries_them(steps: list[tuple[str, int]]) -> None:
    reading, writing = guest_pipe()
    sent, got, source = bytearray(), bytearray(), os.urandom(1 << 16) * 32
    for what, size in steps:
        try:
            match what:
                case "write":
                    data = source[len(sent) % 65521 :][:size]
                    count = write(writing, data)
                    assert count == size or (count > 0 and size > select.PIPE_BUF)
                    sent += data[:count]
                case "read":
                    got += read(reading, size)
                case _:
                    reading.fileno()
        except BlockingIOError:
            continue
    writing.close()
    got += read_all(reading)
    reading.close()
    assert got == sent


def test_a_little_is_written_whole_or_not_at_all() -> None:
    reading, writing = guest_pipe()
    while True:
        try:
            write(writing, b"x" * 100_000)
        except BlockingIOError:
            break
    read(reading, 10)
    with pytest.raises(BlockingIOError):
        write(writing, b"y" * 11)
    assert write(writing, b"y" * 10) == 10
    assert write(writing, b"") == 0
    reading.close()
    writing.close()


@pytest.mark.parametrize("polled", [False, True])
def test_the_ends_hear_of_each_other(polled: bool) -> None:
    reading, writing = guest_pipe()
    if polled:
        reading.fileno()
    with pytest.raises(BlockingIOError):
        read(reading, 1)
    assert write(writing, b"last") == 4
    writing.close()
    assert read(reading, 100) == b"last"
    assert read(reading, 100) == b""
    reading.close()

    reading, writing = guest_pipe()
    write(writing, b"unread")
    if polled:
        writing.write_fileno()
    reading.close()
    with pytest.raises(BrokenPipeError):
        write(writing, b"x")
    writing.close()


def test_the_kernel_tells_what_is_there_already() -> None:
    reading, writing = guest_pipe()
    write(writing, b"before")
    descriptor = reading.fileno()
    assert descriptor is not None
    assert select.select([descriptor], [], [], 0)[0]
    write(writing, b", after")
    assert read(reading, 100) == b"before, after"
    assert not select.select([descriptor], [], [], 0)[0]
    writing.close()
    assert select.select([descriptor], [], [], 0)[0]
    assert read(reading, 100) == b""
    reading.close()


def test_what_the_kernel_does_not_take_at_once_comes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    # As a system does that has no wide pipes, or gives this user no more of them.
    monkeypatch.setattr("runtime.pipe_channel.fcntl", object())
    data = os.urandom(CAPACITY)
    reading, writing = guest_pipe()
    assert write(writing, data) == CAPACITY
    descriptor = writing.write_fileno()
    assert descriptor is not None
    assert not select.select([], [descriptor], [], 0)[1]
    with pytest.raises(BlockingIOError):
        write(writing, b"too early")
    first = read(reading, 300_000)
    writing.close()
    assert first + read_all(reading) == data
    reading.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_the_second_end_can_be_read_as_well() -> None:
    first, second = guest_pipe()
    write(first, b"to and fro")
    assert read(second, 100) == b"to and fro"
    with pytest.raises(BlockingIOError):
        read(first, 1)
    first.close()
    assert read(second, 1) == b""
    second.close()


def test_there_are_pipes_when_there_are_no_rings_left() -> None:
    rings = []
    while (ring := Ring.make()) is not None:
        rings.append(ring)
    reading, writing = guest_pipe()
    assert write(writing, b"by the kernel") == 13
    assert read(reading, 100) == b"by the kernel"
    with pytest.raises(BlockingIOError):
        read(reading, 1)
    reading.close()
    writing.close()
    rings.clear()
    assert Ring.make() is not None


@pytest.mark.parametrize("size", [10, 5000, 65536])
@pytest.mark.parametrize("readers", [1, 2])
def test_nobody_sleeps_through_what_it_waits_for(size: int, readers: int) -> None:
    reading, writing = guest_pipe()
    got = [0] * readers
    count = 400

    def wait(end: PipeEnd, waker: Waker, *, to_write: bool) -> None:
        while moment := end.patience(waker, writing=to_write):
            if waker.wait((), None if moment < 0 else time.monotonic_ns() + moment) is not None:
                break

    def take(which: int) -> None:
        waker = Waker()
        while True:
            try:
                part = len(read(reading, size))
            except BlockingIOError:
                wait(reading, waker, to_write=False)
            else:
                got[which] += part
                if not part:
                    return

    threads = [threading.Thread(target=take, args=(which,)) for which in range(readers)]
    for thread in threads:
        thread.start()
    waker, left = Waker(), count * size
    while left:
        try:
            left -= write(writing, bytes(min(size, left)))
        except BlockingIOError:
            wait(writing, waker, to_write=True)
    writing.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert sum(got) == count * size
    reading.close()
