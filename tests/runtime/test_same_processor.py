"""Guests that hand the interpreter to one another stay on one processor, and nobody stays there who computes."""

from __future__ import annotations

import os
import queue
import threading
import time

import pytest

from runtime import host_threads
from runtime.same_processor import rests, same_processor

_TRIES = 50

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs several processors"
)


def _until_free(place: list[set[int]]) -> None:
    """Compute until the thread may run anywhere, for some seconds at the most."""
    end = time.monotonic() + 10
    while len(os.sched_getaffinity(0)) == 1 and time.monotonic() < end:
        pass
    place.append(os.sched_getaffinity(0))


def _started_near() -> tuple[list[set[int]], list[list[set[int]]]]:
    """Where two threads that compute find themselves at first, and where they end up."""
    begun: queue.Queue[set[int]] = queue.Queue()
    ends: list[list[set[int]]] = [[], []]
    done = threading.Semaphore(0)

    def job(place: list[set[int]]) -> None:
        begun.put(os.sched_getaffinity(0))
        _until_free(place)
        done.release()

    for place in ends:
        host_threads.start(lambda place=place: job(place), near=True)  # type: ignore[misc]
    homes = [begun.get(timeout=10) for _ in ends]
    for _ in ends:
        assert done.acquire(timeout=20)
    return homes, ends


def test_who_is_started_near_is_on_one_processor_until_it_computes() -> None:
    everywhere = os.sched_getaffinity(0)
    host_threads.start(lambda: None, near=True)
    for _ in range(_TRIES):
        homes, ends = _started_near()
        assert ends == [[everywhere], [everywhere]]
        # On a busy machine one may have been let go before it looks.
        if len(homes[0]) == 1 and homes[0] == homes[1]:
            return
    raise AssertionError(homes)


def _place_of_main(everywhere: set[int]) -> set[int]:
    """Where the main thread is while it waits for a guest that waits now and then."""
    ended, seen = threading.Event(), queue.Queue[set[int]]()

    def job() -> None:
        for _ in range(5):
            # Who waits now and then is kept.
            rests()
            time.sleep(0.004)
        seen.put(os.sched_getaffinity(threading.main_thread().native_id or 0))
        ended.set()

    host_threads.start(job, near=True)
    assert same_processor.wait(ended, 10)
    assert os.sched_getaffinity(0) == everywhere
    return seen.get(timeout=10)


def test_who_waits_is_where_he_was_before() -> None:
    everywhere = os.sched_getaffinity(0)
    host_threads.start(lambda: None, near=True)
    # On a busy machine the guest may be let go before anybody waits for it.
    assert any(len(_place_of_main(everywhere)) == 1 for _ in range(_TRIES))


def test_threads_that_a_guest_makes_may_run_anywhere() -> None:
    everywhere = os.sched_getaffinity(0)
    seen: queue.Queue[set[int]] = queue.Queue()
    host_threads.start(lambda: None, near=True)

    def job() -> None:
        for _ in range(3):
            host_threads.start(lambda: seen.put(os.sched_getaffinity(0)))
        same_processor.leave()
        seen.put(os.sched_getaffinity(0))

    for _ in range(500):
        host_threads.start(job, near=True)
        assert [seen.get(timeout=10) for _ in range(4)] == [everywhere] * 4
