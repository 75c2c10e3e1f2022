"""Host calls that are answered beside the guest: what it sees is the same as from the host."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import wat2wasm

import runtime.syscalls.hurry
from runtime.engine import Module, beside
from runtime.engine.desk import desk
from runtime.env import WasiEnvBuilder
from runtime.fs.readonly import ReadOnlyFileSystem, StaticDirectory, StaticFile
from runtime.process import WasiProcess
from runtime.stdio import OutputBuffer

assert runtime.syscalls.hurry
SECONDS = 30
SHARED = pytest.mark.parametrize("shared", [False, True], ids=["own-memory", "shared-memory"])
BADF, FAULT, INVAL, NOSPC, NOTCAPABLE, PIPE = 8, 21, 28, 51, 76, 64

SIGNATURES = {
    "clock_time_get": "i32 i64 i32",
    "clock_time_set": "i32 i64",
    "fd_close": "i32",
    "fd_dup": "i32 i32",
    "fd_fdstat_set_rights": "i32 i64 i64",
    "fd_pipe": "i32 i32",
    "fd_read": "i32 i32 i32 i32",
    "fd_seek": "i32 i64 i32 i32",
    "fd_tell": "i32 i32",
    "fd_write": "i32 i32 i32 i32",
    "path_open": "i32 i32 i32 i32 i32 i64 i64 i32 i32",
    "callback_signal": "i32 i32",
}


@pytest.fixture(autouse=True, scope="module")
def always() -> Iterator[None]:
    """As for a guest that makes such calls often, from its second one on."""
    source = Path(beside.__file__).with_name("wat") / "front.wat"
    eager = wat2wasm(source.read_text().replace("(i32.const 200)", "(i32.const 1)"))
    beside._prepare_shortcuts()
    before = beside._modules["front"]
    beside._modules["front"] = Module.compile(bytes(eager), "front")
    yield
    beside._modules["front"] = before


def guest(body: str, *, shared: bool = False, variables: str = "", more: str = "") -> Module:
    """A guest that exits with 0 unless it finds something wrong; it has iovecs of 16 bytes, at 0 for 1024, at 8 for 2048."""
    imports = "".join(
        f'(import "wasix_32v1" "{name}" (func ${name} (param {kinds}) {"" if name == "callback_signal" else "(result i32)"}))'
        for name, kinds in SIGNATURES.items()
    )
    memory = '(import "env" "memory" (memory 4 16 shared))' if shared else "(memory 4 16)"
    return Module.compile(
        bytes(
            wat2wasm(f"""(module {imports}
            (import "wasix_32v1" "proc_exit" (func $exit (param i32)))
            {memory} (export "memory" (memory 0))
            (data (i32.const 0) "\\00\\04\\00\\00\\10\\00\\00\\00\\00\\08\\00\\00\\10\\00\\00\\00")
            (data (i32.const 1024) "0123456789abcdef")
            (func $want (param $is i32) (param $wanted i32) (param $line i32)
              (if (i32.ne (local.get $is) (local.get $wanted)) (then (call $exit (local.get $line)))))
            {more}
            (func (export "_start") (local $i i32) {variables} {body}))""")
        ),
        "guest",
    )


def run(module: Module, output: OutputBuffer | None = None) -> WasiProcess:
    process = WasiEnvBuilder("guest").stdout(output).timeout(SECONDS).build().spawn(module)
    process.wait()
    return process


def write(fd: str, iovs: int = 0, count: int = 1, result: int = 64) -> str:
    return f"(call $fd_write {fd} (i32.const {iovs}) (i32.const {count}) (i32.const {result}))"


def read(fd: str, iovs: int = 8, count: int = 1, result: int = 64) -> str:
    return f"(call $fd_read {fd} (i32.const {iovs}) (i32.const {count}) (i32.const {result}))"


def want(call: str, wanted: int, line: int) -> str:
    return f"(call $want {call} (i32.const {wanted}) (i32.const {line}))"


def repeat(times: int, body: str) -> str:
    return f"""(local.set $i (i32.const {times}))
    (loop $again {body} (br_if $again (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))"""


READ_END, WRITE_END = "(i32.load (i32.const 100))", "(i32.load (i32.const 104))"
PIPE_MADE = want("(call $fd_pipe (i32.const 100) (i32.const 104))", 0, 1)
ONCE = want(write(WRITE_END), 0, 2) + want(read(READ_END), 0, 3)
WARM = PIPE_MADE + repeat(5, ONCE)


@SHARED
def test_what_comes_out_of_a_pipe_is_what_went_in(shared: bool) -> None:
    same = want("(i64.eq (i64.load (i32.const 1024)) (i64.load (i32.const 2048)))", 1, 4)
    other = "(i32.store (i32.const 1024) (local.get $i))"
    count = want("(i32.load (i32.const 64))", 16, 5)
    assert run(guest(PIPE_MADE + repeat(3000, other + ONCE + count + same), shared=shared)).exit_code == 0


@SHARED
def test_two_buffers_at_once(shared: bool) -> None:
    both = (
        want(write(WRITE_END, 0, 2), 0, 2)
        + want("(i32.load (i32.const 64))", 32, 3)
        + want(read(READ_END, 8, 1), 0, 4)
        + want("(i32.load8_u (i32.const 2048))", ord("0"), 5)
        + want(read(READ_END, 8, 1), 0, 6)
    )
    assert run(guest(PIPE_MADE + repeat(50, both), shared=shared)).exit_code == 0


@SHARED
def test_pointers_that_lead_nowhere_are_faults(shared: bool) -> None:
    nowhere = (
        "(i32.store (i32.const 200) (i32.const -8)) (i32.store (i32.const 204) (i32.const 16))"
        + want(write(WRITE_END, iovs=200), FAULT, 10)
        + want(write(WRITE_END, iovs=-4), FAULT, 11)
        + want(write(WRITE_END, result=-2) + "(i32.and (i32.const 0xff))", FAULT, 12)
        + want("(call $clock_time_get (i32.const 1) (i64.const 0) (i32.const -4))", FAULT, 13)
    )
    assert run(guest(WARM + repeat(5, nowhere), shared=shared)).exit_code == 0


def test_a_closed_descriptor_is_bad() -> None:
    closed = want(f"(call $fd_close {WRITE_END})", 0, 10) + want(write(WRITE_END), BADF, 11)
    assert run(guest(WARM + closed)).exit_code == 0


def test_a_right_that_was_given_up_is_gone() -> None:
    given_up = want(f"(call $fd_fdstat_set_rights {WRITE_END} (i64.const 0) (i64.const 0))", 0, 10)
    assert run(guest(WARM + given_up + want(write(WRITE_END), NOTCAPABLE, 11))).exit_code == 0


def test_the_end_of_what_was_written_is_the_end() -> None:
    end = (
        want(write(WRITE_END), 0, 10)
        + want(f"(call $fd_close {WRITE_END})", 0, 11)
        + want(read(READ_END), 0, 12)
        + want("(i32.load (i32.const 64))", 16, 13)
        + repeat(3, want(read(READ_END), 0, 14) + want("(i32.load (i32.const 64))", 0, 15))
    )
    assert run(guest(WARM + end)).exit_code == 0


def test_who_writes_what_nobody_reads_writes_into_no_other_pipe() -> None:
    handler = '(func (export "__wasm_signal") (param i32))(data (i32.const 300) "__wasm_signal")'
    broken = (
        "(call $callback_signal (i32.const 300) (i32.const 13))"
        + want(f"(call $fd_close {READ_END})", 0, 10)
        + "(i32.store (i32.const 108) (i32.load (i32.const 104)))"
        + WARM
        + repeat(3, want(write("(i32.load (i32.const 108))"), PIPE, 11))
        + want(write(WRITE_END), 0, 12)
        + want(read(READ_END, 8, 1), 0, 13)
        + want("(i32.load (i32.const 64))", 16, 14)
    )
    assert run(guest(WARM + broken, more=handler)).exit_code == 0


def test_a_pipe_is_full_of_as_much_as_it_holds() -> None:
    """Nobody reads: what fits is written, and the process waits until it is ended."""
    process = (
        WasiEnvBuilder("guest")
        .timeout(1)
        .build()
        .spawn(guest(PIPE_MADE + repeat(1 << 30, want(write(WRITE_END), 0, 2))))
    )
    assert process.wait() == 124


@SHARED
def test_a_guest_that_only_calls_is_ended_from_outside(shared: bool) -> None:
    endless = (
        "(loop $on " + ONCE + "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 400))) (br $on))"
    )
    process = WasiEnvBuilder("guest").build().spawn(guest(PIPE_MADE + endless, shared=shared))
    time.sleep(0.1)
    process.terminate(7)
    assert process.wait(SECONDS) == 7


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 3000), st.integers(0, 40_000)), max_size=20),
    st.integers(0, 1 << 30),
)
@settings(max_examples=20, deadline=None)
def test_bytes_come_in_order_whatever_their_number(steps: list[tuple[bool, int, int]], seed: int) -> None:
    """What is written is counted, so that every byte tells which one it is."""
    body, filled = PIPE_MADE + repeat(3, ONCE), 0
    fill = """(local.set $j (i32.const 0)) (block $filled (loop $fill
        (br_if $filled (i32.ge_u (local.get $j) (local.get $size)))
        (i32.store8 (i32.add (i32.const 65536) (local.get $j)) (local.get $w))
        (local.set $w (i32.add (local.get $w) (i32.const 7)))
        (local.set $j (i32.add (local.get $j) (i32.const 1))) (br $fill)))"""
    look = """(local.set $j (i32.const 0)) (block $looked (loop $look
        (br_if $looked (i32.ge_u (local.get $j) (i32.load (i32.const 64))))
        (call $want (i32.load8_u (i32.add (i32.const 131072) (local.get $j)))
          (i32.and (local.get $r) (i32.const 255)) (i32.const 9))
        (local.set $r (i32.add (local.get $r) (i32.const 7)))
        (local.set $j (i32.add (local.get $j) (i32.const 1))) (br $look)))"""
    for writes, first, second in steps:
        size = (first + second) if writes else min(first + second, filled)
        if not size:
            continue
        one = min(first, size)
        place = 65536 if writes else 131072
        body += f"(local.set $size (i32.const {size}))" + (fill if writes else "")
        for at, part in ((200, (place, one)), (208, (place + one, size - one))):
            body += "".join(f"(i32.store (i32.const {at + 4 * i}) (i32.const {value}))" for i, value in enumerate(part))
        body += want(write(WRITE_END, 200, 2) if writes else read(READ_END, 200, 2), 0, 7)
        body += want("(i32.load (i32.const 64))", size, 8) + ("" if writes else look)
        filled += size if writes else -size
    variables = "(local $size i32) (local $j i32) (local $w i32) (local $r i32)"
    start = f"(local.set $w (i32.const {seed})) (local.set $r (i32.const {seed}))"
    assert run(guest(start + body, variables=variables)).exit_code == 0


CONTENT = random.Random(1).randbytes(3_000_000)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("read"), st.integers(1, 60_000), st.integers(1, 30)),
            st.tuples(st.just("seek"), st.integers(0, len(CONTENT) + 10), st.just(1)),
            st.tuples(st.just("forward"), st.integers(0, 100_000), st.just(1)),
            st.tuples(st.just("twin"), st.integers(1, 1000), st.integers(1, 3)),
        ),
        max_size=20,
    )
)
@settings(max_examples=30, deadline=None)
def test_a_file_that_is_read_on_ahead_is_read_from_its_position(steps: list[tuple[str, int, int]]) -> None:
    """By two descriptors of it, and the position is told after each step."""
    opened = "(call $path_open (i32.const 3) (i32.const 0) (i32.const 300) (i32.const 1) (i32.const 0)"
    body = want(f"{opened} (i64.const 38) (i64.const 0) (i32.const 0) (i32.const 100))", 0, 1)
    body += want("(call $fd_dup (i32.load (i32.const 100)) (i32.const 104))", 0, 2)
    body += "(i32.store (i32.const 200) (i32.const 65536)) (i32.store (i32.const 208) (i32.const 65536))"
    expected, position = bytearray(), 0
    for step, number, times in steps:
        if step in ("seek", "forward"):
            whence = 0 if step == "seek" else 1
            seek = (
                f"(call $fd_seek (i32.load (i32.const 100)) (i64.const {number}) (i32.const {whence}) (i32.const 400))"
            )
            body += want(seek, 0, 3)
            position = number if step == "seek" else position + number
        else:
            fd = f"(i32.load (i32.const {100 if step == 'read' else 104}))"
            one = f"(i32.store (i32.const 204) (i32.const {number}))" + want(read(fd, 200), 0, 4)
            one += "(i32.store (i32.const 212) (i32.load (i32.const 64)))" + want(write("(i32.const 1)", 208), 0, 5)
            body += repeat(times, one)
            expected += CONTENT[position : position + number * times]
            position = max(position, min(position + number * times, len(CONTENT)))
        body += want("(call $fd_tell (i32.load (i32.const 104)) (i32.const 400))", 0, 6)
        body += want(f"(i64.eq (i64.load (i32.const 400)) (i64.const {position}))", 1, 7)
    output = OutputBuffer()
    root = ReadOnlyFileSystem(StaticDirectory({"f": StaticFile(CONTENT)}))
    module = guest(body, more='(data (i32.const 300) "f")')
    process = WasiEnvBuilder("guest").root(root).stdout(output).timeout(SECONDS).build().spawn(module)
    assert process.wait() == 0
    assert output.getvalue() == expected


def test_what_is_captured_is_in_order_and_may_be_looked_at_meanwhile() -> None:
    output = OutputBuffer()
    body = repeat(100_000, "(i32.store (i32.const 1024) (local.get $i))" + want(write("(i32.const 1)"), 0, 1))
    process = WasiEnvBuilder("guest").stdout(output).timeout(SECONDS).build().spawn(guest(body))
    seen = 0
    while not process.ended.is_set():
        found = len(output.getvalue())
        assert found >= seen
        seen = found
    assert process.wait() == 0
    assert output.getvalue() == b"".join(i.to_bytes(4, "little") + b"456789abcdef" for i in range(100_000, 0, -1))


@pytest.mark.parametrize("limit", [100, (1 << 21) - 8, (1 << 21) + 8, (1 << 22) + 24])
def test_a_captured_output_has_its_limit(limit: int) -> None:
    output = OutputBuffer(limit)
    whole = limit // 16
    body = repeat(whole, want(write("(i32.const 1)"), 0, 1)) + repeat(3, want(write("(i32.const 1)"), NOSPC, 2))
    assert run(guest(body), output).exit_code == 0
    assert len(output.data) == 16 * whole


def test_a_captured_output_takes_everything_at_once() -> None:
    output = OutputBuffer()
    large = want(write("(i32.const 1)", 200), 0, 1) + want("(i32.load (i32.const 64))", 60_000, 2)
    body = f"(i32.store (i32.const 200) (i32.const 65536)) (i32.store (i32.const 204) (i32.const 60000)){repeat(100, large)}"
    assert run(guest(body), output).exit_code == 0
    assert len(output.getvalue()) == 6_000_000


def test_two_descriptors_of_one_output() -> None:
    output = OutputBuffer()
    both = want(write("(i32.const 1)"), 0, 1) + want(write("(i32.load (i32.const 108))"), 0, 2)
    body = want("(call $fd_dup (i32.const 1) (i32.const 108))", 0, 3) + repeat(100, both)
    assert run(guest(body), output).exit_code == 0
    assert output.getvalue() == b"0123456789abcdef" * 200


@SHARED
@pytest.mark.parametrize("clock", [0, 1, 2, 3])
def test_clocks_are_the_hosts_and_do_not_go_back(shared: bool, clock: int) -> None:
    reading = f"""{want(f"(call $clock_time_get (i32.const {clock}) (i64.const 0) (i32.const 400))", 0, 1)}
        {want("(i64.ge_u (i64.load (i32.const 400)) (local.get $last))", 1, 2)}
        (local.set $last (i64.load (i32.const 400)))"""
    body = repeat(5000, reading) + "(i64.store (i32.const 1024) (local.get $last))" + want(write("(i32.const 1)"), 0, 3)
    output = OutputBuffer()
    hosts = (time.time_ns, time.monotonic_ns)
    before = hosts[clock]() if clock < 2 else 0
    assert run(guest(body, shared=shared, variables="(local $last i64)"), output).exit_code == 0
    last = int.from_bytes(output.getvalue()[:8], "little")
    assert before <= last
    if clock < 2:
        assert last <= hosts[clock]()


def test_a_clock_that_is_set_is_so_at_once() -> None:
    reading = "(call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 400))"
    day = "(i64.div_u (i64.load (i32.const 400)) (i64.const 60000000000))"
    body = repeat(20, want(reading, 0, 1))
    for minutes in (5, 1_000_000):
        body += want(f"(call $clock_time_set (i32.const 0) (i64.const {minutes * 60 * 10**9}))", 0, 2)
        body += want(reading, 0, 3) + want(f"(i64.eq {day} (i64.const {minutes}))", 1, 4)
    assert run(guest(body)).exit_code == 0


def test_there_is_no_other_clock() -> None:
    reading = "(call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 400))"
    assert run(guest(repeat(20, want(reading, INVAL, 1)))).exit_code == 0


def test_places_on_the_desk_are_given_back() -> None:
    places = desk()
    before = len(places._rings), len(places._tables), len(places._cells)
    for _ in range(40):
        output = OutputBuffer()
        assert run(guest(WARM + repeat(5, want(write("(i32.const 1)"), 0, 20))), output).exit_code == 0
    del output
    after = len(places._rings), len(places._tables), len(places._cells)
    # The last few guests may not have gone yet.
    assert all(now >= then - 4 for now, then in zip(after, before, strict=True))


def test_the_host_is_asked_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    writev = OutputBuffer.writev

    def counted(self: OutputBuffer, buffers: Sequence[memoryview], offset: int) -> int:
        nonlocal calls
        calls += 1
        return writev(self, buffers, offset)

    monkeypatch.setattr(OutputBuffer, "writev", counted)
    output = OutputBuffer()
    assert run(guest(repeat(50_000, want(write("(i32.const 1)"), 0, 1))), output).exit_code == 0
    assert len(output.getvalue()) == 50_000 * 16
    assert calls < 100


def test_what_stands_before_a_guest_has_calls_that_it_does_not_import() -> None:
    """In a process of its own: which calls are known depends on the guests that ran before."""
    script = """
from wasmtime import wat2wasm
from runtime.engine import Module, beside
from runtime.env import WasiEnvBuilder
beside._prepare_shortcuts()
for name, kinds, given in (
    ("fd_write", "i32 i32 i32 i32", "(i32.const 1) (i32.const 0) (i32.const 1) (i32.const 64)"),
    ("clock_time_get", "i32 i64 i32", "(i32.const 0) (i64.const 0) (i32.const 64)"),
):
    text = f'''(module (import "wasi_snapshot_preview1" "{name}" (func $f (param {kinds}) (result i32)))
      (memory (export "memory") 1) (func (export "_start") (if (call $f {given}) (then unreachable))))'''
    assert WasiEnvBuilder("guest").build().run(Module.compile(bytes(wat2wasm(text)))) == 0
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
