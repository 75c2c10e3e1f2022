"""A thread that waits is woken once, however often it is told."""

from __future__ import annotations

import os
import threading
import time

import pytest

from runtime.waiting import READABLE, Waker


def _soon() -> int:
    return time.monotonic_ns() + 20_000_000


@pytest.mark.parametrize("waited_before", [False, True])
def test_many_wake_ups_end_one_wait(waited_before: bool) -> None:
    waker = Waker()
    if waited_before:
        assert waker.wait((), _soon()) == []
    for _ in range(3):
        for _ in range(5):
            waker.wake()
        assert waker.wait((), None) is None
        assert waker.wait((), _soon()) == []
    waker.close()


def test_a_wake_up_ends_the_wait_that_is_under_way_each_time() -> None:
    waker, woken = Waker(), threading.Semaphore(0)
    reading, writing = os.pipe()

    def wake() -> None:
        for _ in range(200):
            waker.wake()
            assert woken.acquire(timeout=10)

    thread = threading.Thread(target=wake)
    thread.start()
    for _ in range(200):
        assert waker.wait([(reading, READABLE)], time.monotonic_ns() + 10_000_000_000) is None
        woken.release()
    thread.join()
    waker.close()
    os.close(reading)
    os.close(writing)
