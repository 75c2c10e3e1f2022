"""setjmp and longjmp: the first checkpoints of a thread, which the host makes, and the later ones, which it does not."""

import random
from functools import cache
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from runtime.engine import Module, beside
from runtime.engine.wat.build import assembled
from runtime.env import WasiEnvBuilder
from runtime.errors import RuntimeFault
from runtime.process import WasiProcess

ROOT = Path(__file__).parents[2]
SECONDS = 30
ALWAYS_HOST = "always-by-the-host"
WAYS = pytest.mark.parametrize("way", [ALWAYS_HOST, "0", "40"])
"""How many checkpoints the guest makes before; the host makes all for a module whose instances cannot share a memory."""


@pytest.fixture(autouse=True, scope="module")
def prepared() -> None:
    """Compiled beforehand: a guest does not wait for it, and might be done before."""
    beside.prepare()


@cache
def program(way: str = "") -> Module:
    wasm = (ROOT / "tests/guests/checkpoints/checkpoints.wasm").read_bytes()
    if way == ALWAYS_HOST:
        wasm = wasm.replace(b"wasi_thread_start", b"not_for_a_thread!")
    return Module.compile(wasm, "checkpoints")


def run_test(name: str, way: str) -> WasiProcess:
    if way == ALWAYS_HOST:
        return run(program(way), name, "0")
    return run(program(), name, way)


def run(module: Module, *arguments: str) -> WasiProcess:
    process = WasiEnvBuilder("guest").args(arguments).timeout(SECONDS).build().spawn(module)
    process.wait()
    return process


@WAYS
@pytest.mark.parametrize(
    "name",
    [
        "nested",
        "deep",
        "growing",
        "in-child",
        "of-parent",
        "of-grandparent",
        "borrowed",
        "many",
        "many-alive",
        "jumps-from-handler",
        "jumps-twice-from-handler",
        "sets-in-handler",
        "storm",
        "storm-of-jumps",
        "second-thread",
        "bad-pointers",
    ],
)
def test_a_guest(name: str, way: str) -> None:
    if name == "second-thread" and way == ALWAYS_HOST:
        pytest.skip("such a module has no threads")
    process = run_test(name, way)
    assert (process.exit_code, process.trap) == (0, None), f"line {process.exit_code} of checkpoints.c"


@WAYS
@pytest.mark.parametrize("name", ["bad-record", "forgotten"])
def test_a_jump_to_nowhere(name: str, way: str) -> None:
    with pytest.raises(RuntimeFault, match=r"stack_restore \(longjmp\) to a place that was never remembered"):
        run_test(name, way)


@WAYS
def test_a_jump_by_a_record_out_of_memory(way: str) -> None:
    # The function returns nothing: it cannot say so, and the guest, which expects not to come back, traps.
    process = run_test("bad-restore", way)
    assert process.exit_code == 134


def test_a_guest_with_little_memory() -> None:
    builder = WasiEnvBuilder("guest").args(["growing", "40"]).timeout(SECONDS)
    process = builder.memory_limit(7 << 16).build().spawn(program())
    assert process.wait() == 0


def test_a_guest_that_only_makes_checkpoints_can_be_ended() -> None:
    process = WasiEnvBuilder("guest").args(["storm", "1000000000"]).build().spawn(program())
    with pytest.raises(TimeoutError):
        process.wait(0.3)
    process.terminate(9)
    assert process.wait(SECONDS) == 9


# A guest that only looks as if asyncify had made it, and does what it likes with the record, the stack pointer and the
# state between its checkpoints: whatever becomes of it, the host stays.
HOSTILE = """(module
  (import "wasix_32v1" "stack_checkpoint" (func $checkpoint (param i32 i32) (result i32)))
  (import "wasix_32v1" "stack_restore" (func $restore (param i32 i64)))
  (import "wasix_32v1" "proc_exit" (func $exit (param i32)))
  (import "wpm" "stack_checkpoint" (func $host (param i32 i32) (result i32)))
  (import "wpm" "checkpoint_room" (func $room (param i32 i32) (result i32)))
  (import "env" "memory" (memory 2 16 shared))
  (global $pointer (export "__stack_pointer") (mut i32) (i32.const 65536))
  (global $state (mut i32) (i32.const 0))
  (global $data (mut i32) (i32.const 0))
  (global $turns (mut i32) (i32.const 0))
  (func (export "asyncify_start_unwind") (param i32)
    (global.set $state (i32.const 1)) (global.set $data (local.get 0)))
  (func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
  (func (export "asyncify_start_rewind") (param i32)
    (global.set $state (i32.const 2)) (global.set $data (local.get 0)))
  (func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
  (func (export "wasi_thread_start") (param i32 i32))
  (func (export "_start")
    (global.set $turns (i32.add (global.get $turns) (i32.const 1)))
    (if (i32.gt_u (global.get $turns) (i32.const 80)) (then (call $exit (i32.const 0))))
    (drop (call $checkpoint (i32.const 1024) (i32.const 2048)))
    (if (i32.gt_u (global.get $turns) (i32.const {calm}))
      (then
        {deeds}
        nop))))"""
NUMBERS = [0, 1, 2, 7, 8, 16, 64, 1024, 65536, 131072, 131064, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFF0, 0x8000_0000]


def deed(chance: random.Random) -> str:
    number, other = (chance.choice(NUMBERS) for _ in range(2))
    return chance.choice(
        [
            f"(i32.store (global.get $data) (i32.const {number}))",
            f"(i32.store offset=4 (global.get $data) (i32.const {number}))",
            f"(i32.store (i32.const 8) (i32.const {number})) (i32.store (i32.const 12) (i32.const {other}))",
            f"(global.set $pointer (i32.const {number}))",
            f"(global.set $state (i32.const {number}))",
            f"(global.set $data (i32.const {number}))",
            f"(drop (call $checkpoint (i32.const {number}) (i32.const {other})))",
            f"(drop (call $room (i32.const {number}) (i32.const {other})))",
            f"(drop (call $host (i32.const {number}) (i32.const {other})))",
            f"(i64.store (i32.const 1032) (i64.const {number}))",
            "(call $restore (i32.const 1024) (i64.const 3))",
        ]
    )


@pytest.mark.parametrize("seed", range(60))
def test_a_hostile_guest_ends_itself_only(seed: int) -> None:
    chance = random.Random(seed)
    deeds = "\n".join(deed(chance) for _ in range(chance.randrange(1, 4)))
    source = HOSTILE.replace("{calm}", str(chance.choice([0, 3, 40, 60]))).replace("{deeds}", deeds)
    if chance.random() < 0.25:
        source = source.replace("wasi_thread_start", "not_for_threads")
    module = Module.compile(bytes(wat2wasm(source)), "hostile")
    try:
        process = run(module)
    except RuntimeFault:
        return
    assert process.exit_code in (0, 134), source


def test_the_modules_in_the_tree_are_those_of_their_sources() -> None:
    sources = sorted((ROOT / "runtime/engine/wat").glob("*.wat"))
    assert sources
    for source in sources:
        for name, wasm in assembled(source).items():
            assert source.with_name(f"{name}.wasm").read_bytes() == wasm, f"{source.name} was not assembled again"
