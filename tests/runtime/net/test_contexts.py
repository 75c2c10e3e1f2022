"""Contexts of a guest thread, which run one at a time."""

import _thread
import threading
import time

import pytest
from script import At, Running, Script, run, start

from runtime.abi.errno import Errno
from runtime.limits import Limits

FIRST, SECOND, TRACE, SIZE, IOVS = 0, 8, 1024, 64, 128
TABLE = '(table (export "__indirect_function_table") 8 funcref) (elem (i32.const 1) $one $two $typed)'


def contexts(one: str, two: str = "") -> Script:
    """A guest with two functions for contexts; `trace` notes a letter, `switch` goes to a context."""
    script = Script(shared=True).iov(IOVS, (3000, 8))
    switch = script.label("context_switch", 1)
    script.functions += [
        TABLE,
        f"(global $at (mut i32) (i32.const {TRACE}))",
        "(func $trace (param i32) (i32.store8 (global.get $at) (local.get 0))",
        "  (global.set $at (i32.add (global.get $at) (i32.const 1))))",
        f"(func $switch (param i64) (if (call {switch} (local.get 0)) (then unreachable)))",
        f"(func $one {one})",
        f"(func $two {two})",
        "(func $typed (param i32) unreachable)",
    ]
    return script.call("context_create", FIRST, 1).call("context_create", SECOND, 2)


def trace(letter: str) -> str:
    return f"(call $trace (i32.const {ord(letter)}))"


def switch(number: int) -> str:
    return f"(call $switch (i64.const {number}))"


def test_each_goes_on_where_it_was_and_globals_are_one() -> None:
    one = trace("a") + switch(2) + trace("c") + switch(0) + trace("e") + switch(2) + "unreachable"
    two = trace("b") + switch(1) + trace("f") + switch(0) + "unreachable"
    script = contexts(one, two).raw(trace("M")).call("context_switch", 1).raw(trace("d")).call("context_switch", 1)
    script.call("context_switch", 0).raw(trace("N")).show(TRACE, 8).show(FIRST, 1).show(SECOND, 1)
    assert run(script) == b"MabcdefN\1\2"


def test_many_switches() -> None:
    script = contexts(f"(loop $again {trace('x')} {switch(0)} (br $again))")
    script.raw("(loop $again").call("context_switch", 1)
    script.raw("(br_if $again (i32.lt_u (global.get $at) (i32.const 3024))))").show(TRACE, 2000)
    assert run(script) == b"x" * 2000


def test_refusals() -> None:
    script = contexts(switch(0) + "unreachable")
    script.call("context_switch", 7, errno=Errno.INVAL).call("context_destroy", 0, errno=Errno.INVAL)
    script.call("context_destroy", 7).call("context_destroy", 2).call("context_switch", 2, errno=Errno.INVAL)
    for entry in (0, 3, 7, 1000):
        script.call("context_create", 16, entry, errno=Errno.INVAL)
    script.call("context_create", 1 << 30, 1, errno=Errno.FAULT)
    script.call("context_switch", 1).call("context_destroy", 1).call("context_switch", 1, errno=Errno.INVAL)
    run(script)


def test_a_memory_that_is_not_shared() -> None:
    script = Script().call("context_create", FIRST, 1, errno=Errno.NOTSUP).call("context_switch", 0, errno=Errno.NOTSUP)
    run(script.call("context_destroy", 0, errno=Errno.NOTSUP))


@pytest.mark.parametrize(("body", "reason"), [("", "returned"), ("unreachable", "unreachable")])
def test_the_end_of_a_context_is_a_trap_of_its_thread(body: str, reason: str) -> None:
    guest = start(contexts(body).call("context_switch", 1))
    assert guest.process.wait(20) == 134
    assert guest.process.trap is not None
    assert reason in guest.process.trap.reason


def test_a_context_ends_the_process() -> None:
    guest = start(contexts("(call $exit (i32.const 7))").call("context_switch", 1))
    assert guest.process.wait(20) == 7


def test_a_context_ends_its_thread() -> None:
    script = contexts("")
    label = script.label("thread_exit", 1)
    script.functions[5] = f"(func $one (call {label} (i32.const 9)))"
    guest = start(script.call("context_switch", 1))
    assert guest.process.wait(20) == 9


def test_the_thread_is_the_same_in_every_context() -> None:
    script = contexts("")
    label = script.label("thread_id", 1)
    script.functions[5] = f"(func $one (drop (call {label} (i32.const 300))) {switch(0)} unreachable)"
    script.call("thread_id", 304).call("context_switch", 1).show(300, 8)
    output = run(script)
    assert output[:4] == output[4:]


def blocked() -> Running:
    """A guest one of whose contexts reads from a pipe that nobody writes to."""
    script = contexts("").call("fd_pipe", 400, 404)
    label = script.label("fd_read", 4)
    read = f"(drop (call {label} (i32.load (i32.const 400)) (i32.const {IOVS}) (i32.const 1) (i32.const {SIZE})))"
    script.functions[5] = f"(func $one {read} unreachable)"
    return start(script.show(0, 1).call("context_switch", 1))


def test_a_process_is_ended_whatever_its_contexts_do() -> None:
    guest = blocked()
    threading.Timer(0.05, guest.process.terminate, (5,)).start()
    assert guest.process.wait(10) == 5


def test_nothing_is_left_of_contexts() -> None:
    before = _thread._count()
    script = contexts(switch(0) + "unreachable").raw("(loop $again").call("context_create", FIRST, 1)
    script.raw(f"(call $switch (i64.load (i32.const {FIRST})))").call("context_destroy", At(FIRST))
    script.raw(trace("x")).raw("(br_if $again (i32.lt_u (global.get $at) (i32.const 1324))))")
    script.call("context_switch", 1)
    run(script)
    deadline = time.monotonic() + 10
    while _thread._count() > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _thread._count() <= before


def test_more_contexts_than_threads_may_be() -> None:
    script = contexts(switch(0) + "unreachable", switch(0) + "unreachable").call("context_switch", 1)
    script.call("context_switch", 2, errno=Errno.AGAIN).call("context_switch", 1, errno=0)
    guest = start(script, lambda builder: builder.limits(Limits(threads=2)))
    assert guest.process.wait(10) == 134, "the first one went on, behind its switch"
