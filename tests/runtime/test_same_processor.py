"""Guests that hand the interpreter to one another stay on one processor, and nobody stays there who computes."""

from __future__ import annotations

import os
import queue
import threading
import time

import pytest

from runtime import host_threads
from runtime.same_processor import rests, same_processor

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs several processors"
)


def _until_free(place: list[set[int]]) -> None:
    """Compute until the thread may run anywhere, for some seconds at the most."""
    end = time.monotonic() + 10
    while len(os.sched_getaffinity(0)) == 1 and time.monotonic() < end:
        pass
    place.append(os.sched_getaffinity(0))


def test_who_is_started_near_is_on_one_processor_until_it_computes() -> None:
    everywhere = os.sched_getaffinity(0)
    host_threads.start(lambda: None, near=True)
    begun: queue.Queue[set[int]] = queue.Queue()
    ends: list[list[set[int]]] = [[], []]

    def job(place: list[set[int]]) -> None:
        begun.put(os.sched_getaffinity(0))
        _until_free(place)
        done.release()

    done = threading.Semaphore(0)
    for place in ends:
        host_threads.start(lambda place=place: job(place), near=True)  # type: ignore[misc]
    homes = [begun.get(timeout=10) for _ in ends]
    assert [len(home) for home in homes] == [1, 1]
    assert homes[0] == homes[1]
    for _ in ends:
        assert done.acquire(timeout=20)
    assert ends == [[everywhere], [everywhere]]


def test_who_waits_is_where_he_was_before() -> None:
    everywhere = os.sched_getaffinity(0)
    ended, seen = threading.Event(), queue.Queue[set[int]]()
    host_threads.start(lambda: None, near=True)

    def job() -> None:
        for _ in range(5):
            # Who waits now and then is kept.
            rests()
            time.sleep(0.004)
        seen.put(os.sched_getaffinity(threading.main_thread().native_id or 0))
        ended.set()

    host_threads.start(job, near=True)
    assert same_processor.wait(ended, 10)
    assert len(seen.get(timeout=10)) == 1
    assert os.sched_getaffinity(0) == everywhere


def test_threads_that_a_guest_makes_may_run_anywhere() -> None:
    everywhere = os.sched_getaffinity(0)
    seen: queue.Queue[set[int]] = queue.Queue()
    host_threads.start(lambda: None, near=True)

    def job() -> None:
        host_threads.start(lambda: seen.put(os.sched_getaffinity(0)))
        same_processor.leave()
        seen.put(os.sched_getaffinity(0))

    for _ in range(3):
        host_threads.start(job, near=True)
        assert seen.get(timeout=10) == everywhere
        assert seen.get(timeout=10) == everywhere
