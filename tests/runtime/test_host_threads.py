"""Guests run on host threads that are used again, one guest thread at a time."""

from __future__ import annotations

import queue
import threading
import time

from runtime import host_threads


def test_a_thread_is_used_again_and_none_waits_for_ever() -> None:
    seen: queue.Queue[int] = queue.Queue()

    def job() -> None:
        seen.put(threading.get_ident())

    threads = set()
    for _ in range(50):
        host_threads.start(job)
        threads.add(seen.get(timeout=10))
        time.sleep(0.001)
    assert len(threads) < 50
    assert host_threads.wait_until_none_is_idle(10)


def test_all_run_at_once() -> None:
    barrier = threading.Barrier(13)

    def job() -> None:
        barrier.wait(10)

    for _ in range(4):
        for _ in range(12):
            host_threads.start(job)
        barrier.wait(10)
