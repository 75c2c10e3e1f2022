"""Functions that the host calls, exported in shapes that they must not have: the guest ends, and the host goes on."""

import pytest
from wasmtime import wat2wasm

from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.errors import RuntimeFault

HANDLER = """
(module
  (import "wasix_32v1" "callback_signal" (func $callback (param i32 i32)))
  (import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "handler")
  (func (export "handler") (param i64 i64 i64 i64 i64 i64 i64 i64))
  (func (export "_start")
    (call $callback (i32.const 8) (i32.const 7))
    (drop (call $raise (i32.const 10)))))
"""

THREAD = """
(module
  (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
  (import "env" "memory" (memory 1 1 shared))
  (func (export "wasi_thread_start") (param i32 i32) (result {results})
    {values})
  (func (export "_start")
    (drop (call $spawn (i32.const 0)))
    (loop $wait (drop (memory.atomic.wait32 (i32.const 64) (i32.const 0) (i64.const 200000000))))))
"""


@pytest.mark.parametrize(
    "program",
    [
        HANDLER,
        THREAD.format(results="i64 " * 8, values="(i64.const -1) " * 8),
        THREAD.format(results="i32", values="(i32.const 1)").replace("(param i32 i32)", "(param i32 i32 i64 i64)"),
        THREAD.format(results="i32", values="(i32.const 1)").replace("(param i32 i32)", "(param externref i32)"),
    ],
    ids=["handler", "results", "parameters", "references"],
)
def test_the_host_outlives_it(program: str) -> None:
    module = Module.compile(bytes(wat2wasm(program)))
    process = WasiEnvBuilder("shapes").build().spawn(module)
    with pytest.raises(RuntimeFault, match="cannot be called"):
        process.wait(30)
