"""Processes and threads as single host calls: each WASIX function, by itself, where no compiler is at hand."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from script import At, Script, run, start

from runtime.abi.errno import Errno
from runtime.engine import Module
from runtime.env import WasiEnv, WasiEnvBuilder

FD, FD2, PID, SIZE, IOVS, BUFFER, STATUS, NAME, VALUE = 0, 4, 8, 16, 32, 1024, 64, 3000, 512
ASYNCIFY = """
(global $state (mut i32) (i32.const 0))
(global $stack (mut i32) (i32.const 20000)) (export "__stack_pointer" (global $stack))
(func (export "asyncify_start_unwind") (param i32) (global.set $state (i32.const 1)))
(func (export "asyncify_stop_unwind") (global.set $state (i32.const 0)))
(func (export "asyncify_start_rewind") (param i32) (global.set $state (i32.const 2)))
(func (export "asyncify_stop_rewind") (global.set $state (i32.const 0)))
"""
"""What `wasm-opt --asyncify` exports, for a guest whose only function has nothing to be kept."""
LEAVE = "(if (i32.eq (global.get $state) (i32.const 1)) (then (return)))"


class OneProgram:
    """Finds one program, whatever it is asked for, but not what is called `none`."""

    def __init__(self, script: Script) -> None:
        self._module = script.module()
        self.name = "program"
        self.environ: Mapping[str, str] = {}

    def find(self, path: str, env: WasiEnv) -> "OneProgram | None":
        del env
        return None if path.endswith("none") else self

    def module(self) -> Module:
        return self._module

    def arguments(self, given: Sequence[str]) -> list[str]:
        return list(given)


def with_program(script: Script) -> Callable[[WasiEnvBuilder], object]:
    program = OneProgram(script)
    return lambda builder: builder.programs(program)


def exits(code: int) -> Script:
    return Script().raw(f"(call $exit (i32.const {code}))")


def asyncified(call: str, *arguments: int, before: Callable[[Script], object] | None = None) -> Script:
    """A guest that makes one call which leaves its functions and comes back."""
    script = Script()
    script.functions.append(ASYNCIFY)
    if before is not None:
        script.raw("(if (i32.eqz (global.get $state)) (then")
        before(script)
        script.raw("))")
    letters = script._push(call, arguments, script.namespace)
    return script.raw("drop" if letters.endswith("i") else "").raw(LEAVE)


@pytest.mark.parametrize(("call", "arguments"), [("proc_fork", (1, PID)), ("proc_fork_env", (PID,))])
def test_a_fork_has_a_memory_of_its_own(call: str, arguments: tuple[int, ...]) -> None:
    script = asyncified(call, *arguments)
    script.raw(f"(if (i32.eqz (i32.load (i32.const {PID}))) (then (i32.store (i32.const {VALUE}) (i32.const 9))")
    script.raw("(call $exit (i32.const 42))))").put(STATUS + 16, bytes(8))
    script.call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 4).show(PID, 1).show(VALUE, 1)
    assert run(script) == b"\1\0\x2a\0\2\0"


@pytest.mark.parametrize(("call", "arguments"), [("proc_vfork", (PID,)), ("proc_fork", (0, PID))])
def test_a_vfork_shares_its_memory(call: str, arguments: tuple[int, ...]) -> None:
    script = asyncified(call, *arguments)
    script.raw(f"(if (i32.eqz (i32.load (i32.const {PID}))) (then (i32.store (i32.const {VALUE}) (i32.const 9))")
    script.raw("(call $exit (i32.const 42))))").put(STATUS, (2).to_bytes(4, "little"))
    script.call("proc_join", STATUS, STATUS + 8).show(STATUS + 8, 1).show(PID, 1).show(VALUE, 1)
    assert run(script) == b"\x2a\2\x09"


@pytest.mark.parametrize("signal", [9, 15])
def test_a_signal_that_ends_the_child_of_a_vfork_leaves_its_parent(signal: int) -> None:
    script = asyncified("proc_vfork", PID)
    script.raw(f"(if (i32.eqz (i32.load (i32.const {PID}))) (then").call("proc_signal", 0, signal).raw("))")
    script.put(STATUS + 16, bytes(8)).call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 1).show(STATUS + 4, 1)
    assert run(script) == bytes([2, signal])


def test_a_fork_without_asyncify() -> None:
    run(
        Script()
        .call("proc_fork", 1, PID, errno=Errno.NOTSUP)
        .call("stack_checkpoint", BUFFER, VALUE, errno=Errno.NOTSUP)
    )


def test_a_stack_is_come_back_to() -> None:
    script = asyncified("stack_checkpoint", BUFFER, VALUE)
    script.raw(f"(if (i64.eqz (i64.load (i32.const {VALUE}))) (then").call("stack_restore", BUFFER, 77).raw("))")
    assert run(script.show(VALUE, 2)) == b"\x4d\0"


@pytest.mark.parametrize("call", ["proc_exec", "proc_exec2", "proc_exec3"])
def test_another_program_takes_over(call: str) -> None:
    script = Script().put(NAME, b"/bin/x").put(NAME + 16, b"x\na").put(NAME + 32, b"A=1").put(NAME + 48, b"/none")
    arguments = [NAME, 6, NAME + 16, 3, NAME + 32, 3, 0, 0, 0][
        : {"proc_exec": 4, "proc_exec2": 6, "proc_exec3": 9}[call]
    ]
    if call == "proc_exec3":
        script.call(call, NAME + 48, 5, NAME + 16, 3, NAME + 32, 3, 0, 0, 0, errno=Errno.NOENT)
    script.call(call, *arguments)
    program = Script().call("args_sizes_get", VALUE, VALUE + 4).show(VALUE, 1).raw("(call $exit (i32.const 6))")
    guest = start(script, with_program(program))
    assert guest.process.wait(20) == 6
    assert guest.output.getvalue() == b"\2"


def test_a_child_is_spawned_and_joined() -> None:
    script = (
        Script()
        .put(NAME, b"/bin/x")
        .put(NAME + 16, b"a")
        .put(NAME + 32, b"A=1")
        .put(NAME + 48, b"/none")
        .put(NAME + 64, b".")
    )
    script.call("proc_spawn2", NAME, 6, NAME + 16, 1, NAME + 32, 3, 0, 0, 0, 0, 0, 0, 0, PID)
    script.call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 3)
    script.call("proc_spawn2", NAME + 48, 5, NAME + 16, 1, NAME + 32, 3, 0, 0, 0, 0, 0, 0, 0, PID, errno=Errno.NOENT)
    script.call("proc_spawn", NAME, 6, 0, NAME + 16, 1, NAME + 16, 0, 2, 2, 2, NAME + 64, 1, BUFFER)
    script.call("proc_join", STATUS + 24, 0, STATUS).show(STATUS, 3)
    script.call("proc_join", STATUS + 32, 0, STATUS, errno=Errno.CHILD)
    assert run(script, with_program(exits(5))) == b"\1\0\x05" * 2


def test_who_and_where_a_process_is() -> None:
    script = Script().put(NAME, b"/").put(BUFFER, (100).to_bytes(4, "little"))
    script.call("proc_id", VALUE).show(VALUE, 4).call("proc_parent", 0, VALUE).show(VALUE, 4)
    script.call("proc_parent", 99, VALUE, errno=Errno.BADF).call("thread_parallelism", VALUE)
    script.call("chdir", NAME, 1).call("getcwd", BUFFER + 8, BUFFER).show(BUFFER + 8, 1)
    script.call("thread_sleep", 1).call("fd_pipe", FD, FD2).call("fd_dup", At(FD), VALUE)
    script.call("fd_dup2", At(FD), 30, 1, VALUE).show(VALUE, 1).call("fd_fdflags_get", 30, VALUE).show(VALUE, 2)
    script.call("fd_fdflags_set", 30, 0).call("fd_fdflags_get", 30, VALUE).show(VALUE, 2)
    script.put(NAME + 16, b"new").call("path_open2", 3, 0, NAME + 16, 3, 1, 0x42, 0, 0, 1, VALUE)
    script.call("fd_fdflags_get", At(VALUE), VALUE + 8).show(VALUE + 8, 1)
    assert run(script) == b"\1\0\0\0\0\0\0\0/\x1e\1\0\0\0\1"


@pytest.mark.parametrize("call", ["proc_signal", "thread_signal", "proc_raise_interval"])
def test_a_signal_runs_the_handler(call: str) -> None:
    script = Script().put(NAME, b"on_signal")
    script.functions.append(f'(func (export "on_signal") (param i32) (i32.store (i32.const {VALUE}) (local.get 0)))')
    script.call("callback_signal", NAME, 9)
    match call:
        case "proc_signal":
            script.call("proc_signal", 0, 10).call("proc_signal", 99, 10, errno=Errno.SRCH)
        case "thread_signal":
            script.call("thread_signal", 1, 10).call("thread_signal", 99, 10, errno=Errno.SRCH)
        case _:
            script.call("proc_raise_interval", 10, 1_000_000, 0).raw("(loop $again")
            script._push("thread_sleep", (1_000_000,), script.namespace)
            script.raw(f"drop (br_if $again (i32.eqz (i32.load (i32.const {VALUE})))))")
    script.call("sched_yield").call("proc_signals_sizes_get", BUFFER).show(BUFFER, 4).call("proc_signals_get", BUFFER)
    assert run(script.show(VALUE, 1)) == b"\0\0\0\0\n"


@pytest.mark.parametrize("call", ["thread_spawn", "thread_spawn_v2"])
def test_a_thread_wakes_another(call: str) -> None:
    script = Script(shared=True).put(BUFFER, (30_000).to_bytes(4, "little")).put(NAME, b"\0")
    wake, leave = script.label("futex_wake_all", 2), script.label("thread_exit", 1)
    script.functions.append(
        f'(func (export "wasi_thread_start") (param i32 i32) (i32.atomic.store (i32.const {VALUE}) (i32.const 5))'
        f"(drop (call {wake} (i32.const {VALUE}) (i32.const {SIZE}))) (call {leave} (i32.const 0)))"
    )
    script.call(call, BUFFER, PID).call("futex_wait", VALUE, 0, NAME, SIZE).show(VALUE, 1)
    script.call("thread_join", At(PID)).call("thread_join", 99, errno=Errno.SRCH)
    script.call("futex_wake", VALUE, SIZE).show(SIZE, 1)
    assert run(script) == b"\x05\1"


@pytest.mark.parametrize("call", ["futex_wake", "futex_wake_all"])
def test_waking_nobody_is_no_reason_to_try_again(call: str) -> None:
    """The C library of 2023 calls until it reads true."""
    script = Script(shared=True).raw("(loop $again").call(call, VALUE, SIZE)
    script.raw(f"(br_if $again (i32.eqz (i32.load8_u (i32.const {SIZE})))))")
    assert run(script.show(SIZE, 1)) == b"\1"


def test_a_thread_of_the_proposal() -> None:
    script = Script(shared=True)
    script.functions.append(
        '(func (export "wasi_thread_start") (param i32 i32) (i32.atomic.store (i32.const 512) (local.get 1)))'
    )
    script._push("thread-spawn", (33,), "wasi")
    script.raw("drop (loop $again").call("sched_yield").raw(
        "(br_if $again (i32.eqz (i32.atomic.load (i32.const 512)))))"
    )
    assert run(script.show(512, 1)) == b"!"


def test_values_of_a_thread() -> None:
    script = Script().call("thread_local_create", 0, VALUE).call("thread_local_set", At(VALUE), 7)
    script.call("thread_local_get", At(VALUE), BUFFER).show(BUFFER, 8).call("thread_local_destroy", At(VALUE))
    script.call("thread_local_get", At(VALUE), BUFFER, errno=Errno.INVAL)
    assert run(script) == b"\7" + bytes(7)
