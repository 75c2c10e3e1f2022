"""A guest that starts threads for ever meets its limit, and is ended with all of them when its time is up."""

import time

import pytest
from wasmtime import wat2wasm

from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.limits import EXIT_TIMEOUT, Limits

pytestmark = pytest.mark.xdist_group("limits")

STORM = """
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func (export "wasi_thread_start") (param i32 i32) (loop $ever (br $ever)))
  (func (export "_start")
    (loop $ever
      (if (i32.lt_s (call $spawn (i32.const 0)) (i32.const 0))
        (then (i32.store (i32.const 0) (i32.const 1))))
      (br $ever))))
"""


def test_threads_for_ever() -> None:
    module = Module.compile(bytes(wat2wasm(STORM)))
    limits = Limits(seconds=0.5, threads=64)
    process = WasiEnvBuilder("storm").limits(limits).build().spawn(module)
    most = 0
    while process.exit_code is None and not process.ended.wait(0.01):
        most = max(most, len(process.threads))
    assert process.wait(30) == EXIT_TIMEOUT
    assert 32 < most <= 64
    for _ in range(500):
        if not process.threads:
            break
        time.sleep(0.01)
    assert not process.threads
