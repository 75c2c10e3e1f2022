"""Signals that a parent has decided on: what the child ignores, what it may change, and what exec keeps."""

from collections.abc import Mapping, Sequence

import pytest
from script import At, Script, run, start

from runtime.abi.errno import Errno
from runtime.engine import Module
from runtime.env import WasiEnv, WasiEnvBuilder

PID, VALUE, STATUS, PAIRS, BUFFER, NAME = 0, 8, 32, 512, 1024, 3000
INT, KILL, TERM, CHLD = 2, 9, 15, 17
DEFAULT, IGNORE = 0, 1


class Program:
    """A program made of a script."""

    def __init__(self, name: str, script: Script) -> None:
        self.name = name
        self._module = script.module()
        self.environ: Mapping[str, str] = {}

    def module(self) -> Module:
        return self._module

    def arguments(self, given: Sequence[str]) -> list[str]:
        return list(given)


class Programs:
    """Finds programs by name."""

    def __init__(self, **scripts: Script) -> None:
        self._programs = {f"/bin/{name}": Program(name, script) for name, script in scripts.items()}

    def __call__(self, builder: WasiEnvBuilder) -> None:
        builder.programs(self)

    def find(self, path: str, env: WasiEnv) -> Program | None:
        del env
        return self._programs.get(path)


def spawning(
    *pairs: tuple[int, int], program: bytes = b"/bin/x", errno: int = 0, after: Script | None = None
) -> Script:
    """A guest that spawns a program and shows how it ended: the kind, the exit code and the signal."""
    script = after if after is not None else Script()
    script.put(PAIRS, bytes(number for pair in pairs for number in pair)).put(NAME, program)
    script.call("proc_spawn2", NAME, len(program), 0, 0, 0, 0, 0, 0, PAIRS, len(pairs), 0, 0, 0, PID, errno=errno)
    if not errno:
        script.call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 1).show(STATUS + 2, 1).show(STATUS + 4, 1)
    return script


def sending(*signals: int) -> Script:
    """A guest that sends itself signals, writing a line after each, and exits with 7."""
    script = Script().put(VALUE, b"~")
    for signal in signals:
        script.call("proc_signal", 0, signal).show(VALUE, 1)
    return script.raw("(call $exit (i32.const 7))")


def handling(script: Script) -> Script:
    """The guest writes `!` for each signal that its handler is called with."""
    script.put(BUFFER, b"on_signal").put(BUFFER + 16, b"!")
    text = f"(call $show (i32.const {BUFFER + 16}) (i32.const 1))"
    script.functions.append(f'(func (export "on_signal") (param i32) {text})')
    return script.call("callback_signal", BUFFER, 9)


def test_what_is_ignored_does_not_end_the_child() -> None:
    script = spawning((INT, IGNORE))
    assert run(script, Programs(x=sending(INT, INT))) == b"~~\1\7\0"


def test_the_last_decision_counts_and_some_signals_are_nobodys_to_decide_on() -> None:
    # As C libraries make it: what is ignored, then every number of a full set as the default.
    full = [(number, DEFAULT) for number in range(1, 65) if number != INT]
    script = spawning((INT, IGNORE), (TERM, IGNORE), (KILL, IGNORE), *full)
    assert run(script, Programs(x=sending(INT, TERM))) == b"~\2\x8f\x0f"
    shown = Script().call("proc_signals_sizes_get", VALUE).show(VALUE, 1).call("proc_signals_get", BUFFER)
    shown.show(BUFFER, 4)
    told = spawning((KILL, IGNORE), (INT, DEFAULT), (TERM, IGNORE), (INT, IGNORE), (64, IGNORE))
    assert run(told, Programs(x=shown)) == bytes([2, INT, IGNORE, TERM, IGNORE]) + b"\1\0\0"


@pytest.mark.parametrize("pairs", [[(INT, 2)], [(INT, IGNORE)] * 131])
def test_what_is_no_decision(pairs: list[tuple[int, int]]) -> None:
    assert run(spawning(*pairs, errno=Errno.INVAL), Programs(x=sending())) == b""


def test_exec_keeps_what_is_ignored() -> None:
    first = Script().put(NAME, b"/bin/y").call("proc_exec", NAME, 6, NAME, 6)
    assert run(spawning((INT, IGNORE)), Programs(x=first, y=sending(INT))) == b"~\1\7\0"


def test_a_child_inherits_what_is_ignored() -> None:
    first = spawning(program=b"/bin/y")
    assert run(spawning((INT, IGNORE)), Programs(x=first, y=sending(INT))) == b"~\1\7\0" + b"\1\0\0"


def test_a_library_that_takes_over_decides() -> None:
    script = Script().call("proc_signals_get", BUFFER + 64)
    handling(script).call("proc_signal", 0, INT).call("thread_id", VALUE + 4).call("thread_signal", At(VALUE + 4), INT)
    # It lists all that it ignores: what it was started with is not among it any more. The third call is of a `CHLD`.
    spawning(program=b"/bin/y", after=script)
    assert run(spawning((INT, IGNORE)), Programs(x=script, y=sending(INT))) == b"!!" + b"!\2\x82\2" + b"\1\0\0"


def test_a_library_that_knows_nothing_of_it_is_not_told() -> None:
    script = (
        handling(Script())
        .call("proc_signal", 0, INT)
        .call("thread_id", VALUE + 4)
        .call("thread_signal", At(VALUE + 4), INT)
        .call("proc_signal", 0, TERM)
    )
    assert run(spawning((INT, IGNORE)), Programs(x=script)) == b"!\1\0\0"


def test_a_handler_is_taken_back() -> None:
    # By the name of no function: then a signal does again what it does to a program without a handler.
    script = handling(Script()).call("proc_signal", 0, INT).call("callback_signal", BUFFER, 0)
    script.call("proc_signal", 0, CHLD).call("proc_signal", 0, INT).show(BUFFER + 16, 1)
    assert run(spawning(), Programs(x=script)) == b"!\2\x82\2"


def test_a_handler_that_signals_itself_is_ended_by_the_timeout() -> None:
    script = Script().put(BUFFER, b"on_signal")
    send = script.label("proc_signal", 2)
    script.functions.append(
        f'(func (export "on_signal") (param i32) (drop (call {send} (i32.const 0) (i32.const {INT}))))'
    )
    script.call("callback_signal", BUFFER, 9).call("proc_signal", 0, INT)
    assert start(script, lambda builder: builder.timeout(0.3)).process.wait(20) == 124
