"""Guests with very many threads: each gets its turn, and all are ended, whatever they do, when their time is up."""

import os
import sys
import time

import pytest
from wasmtime import wat2wasm

from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.limits import EXIT_TIMEOUT, Limits

pytestmark = pytest.mark.xdist_group("limits")

IMPORTS = """
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasix_32v1" "fd_pipe" (func $pipe (param i32 i32) (result i32)))
  (import "wasix_32v1" "futex_wait" (func $sleep (param i32 i32 i32 i32) (result i32)))
  (import "wasix_32v1" "futex_wake_all" (func $wake (param i32 i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
"""
# Words: 0 is never changed, at 256 the ends of a pipe, at 272 a buffer; no timeout at 64.
STORM = """(module {imports}
  (func (export "wasi_thread_start") (param i32 i32) (loop $ever {body} (br $ever)))
  (func (export "_start")
    (drop (call $pipe (i32.const 256) (i32.const 260)))
    (i32.store (i32.const 272) (i32.const 1024))
    (i32.store (i32.const 276) (i32.const 16))
    (loop $ever
      (drop (call $spawn (i32.const 0)))
      (br $ever))))
"""
BODIES = {
    "computes": "",
    "asks-the-host": "(drop (call $clock (i32.const 0) (i64.const 0) (i32.const 2048)))",
    "sleeps": "(drop (call $sleep (i32.const 0) (i32.const 0) (i32.const 64) (i32.const 128)))",
    "reads-a-pipe": "(drop (call $read (i32.load (i32.const 256)) (i32.const 272) (i32.const 1) (i32.const 288)))",
    "ends": "(return)",
}
# Each thread counts to a million, adds one to the word at 0, and wakes the first one, which waits for a hundred.
WORK = """(module {imports}
  (func (export "wasi_thread_start") (param i32 i32)
    (local $count i32)
    (loop $more
      (br_if $more (i32.lt_u (local.tee $count (i32.add (local.get $count) (i32.const 1))) (i32.const 1000000))))
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (drop (call $wake (i32.const 0) (i32.const 128))))
  (func (export "_start")
    (local $count i32)
    (loop $more
      (drop (call $spawn (i32.const 0)))
      (br_if $more (i32.lt_u (local.tee $count (i32.add (local.get $count) (i32.const 1))) (i32.const 100))))
    (loop $more
      (local.set $count (i32.atomic.load (i32.const 0)))
      (if (i32.lt_u (local.get $count) (i32.const 100))
        (then
          (drop (call $sleep (i32.const 0) (local.get $count) (i32.const 64) (i32.const 128)))
          (br $more))))
    (call $exit (i32.const 7))))
"""
# Threads pass a number on to each other, each waiting for its own: thread n makes n of it n + 1. One never stops computing.
CHAIN = """(module {imports}
  (func (export "wasi_thread_start") (param $tid i32) (param $own i32)
    (local $now i32)
    (if (i32.eq (local.get $own) (i32.const 100)) (then (loop $ever (br $ever))))
    (loop $again
      (local.set $now (i32.atomic.load (i32.const 0)))
      (if (i32.ne (local.get $now) (local.get $own))
        (then
          (drop (call $sleep (i32.const 0) (local.get $now) (i32.const 64) (i32.const 128)))
          (br $again))))
    (i32.atomic.store (i32.const 0) (i32.add (local.get $own) (i32.const 1)))
    (drop (call $wake (i32.const 0) (i32.const 128))))
  (func (export "_start")
    (local $count i32)
    (local.set $count (i32.const 101))
    (loop $more
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (drop (call $spawn (local.get $count)))
      (br_if $more (local.get $count)))
    (loop $more
      (local.set $count (i32.atomic.load (i32.const 0)))
      (if (i32.lt_u (local.get $count) (i32.const 100))
        (then
          (drop (call $sleep (i32.const 0) (local.get $count) (i32.const 64) (i32.const 128)))
          (br $more))))
    (call $exit (i32.const 7))))
"""


def compiled(text: str, body: str = "") -> Module:
    return Module.compile(bytes(wat2wasm(text.format(imports=IMPORTS, body=body))))


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_threads_for_ever(body: str) -> None:
    module = compiled(STORM, body)
    limits = Limits(seconds=0.5, threads=200)
    process = WasiEnvBuilder("storm").limits(limits).build().spawn(module)
    most = 0
    while process.exit_code is None and not process.ended.wait(0.01):
        most = max(most, len(process.threads))
    assert process.wait(30) == EXIT_TIMEOUT
    assert most <= 200
    # The last of them has left when the process is said to have ended.
    assert not process.threads
    assert WasiEnvBuilder("after").limits(Limits(seconds=30)).build().run(compiled(WORK)) == 7


def test_many_threads_at_work_finish_it() -> None:
    assert WasiEnvBuilder("work").limits(Limits(seconds=30)).build().run(compiled(WORK)) == 7


def test_many_threads_that_wait_for_each_other() -> None:
    assert WasiEnvBuilder("chain").limits(Limits(seconds=30)).build().run(compiled(CHAIN)) == 7


def test_a_crowd_is_ended_by_the_host() -> None:
    process = WasiEnvBuilder("storm").limits(Limits(threads=200)).build().spawn(compiled(STORM))
    while len(process.threads) < 64:
        time.sleep(0.01)
    process.terminate(9)
    assert process.wait(30) == 9


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_storm_leaves_nothing() -> None:
    module = compiled(STORM, BODIES["sleeps"])
    used: list[tuple[int, int]] = []
    for _ in range(3):
        process = WasiEnvBuilder("storm").limits(Limits(seconds=0.2, threads=100)).build().spawn(module)
        assert process.wait(30) == EXIT_TIMEOUT
        for _ in range(200):
            time.sleep(0.01)
            now = len(os.listdir("/proc/self/fd")), len(os.listdir("/proc/self/task"))
            if used and now[0] <= used[0][0] and now[1] <= used[0][1]:
                break
            if not used and now[1] < 32:
                break
        used.append(now)
    assert used[2][0] <= used[0][0]
    assert used[2][1] <= used[0][1]
