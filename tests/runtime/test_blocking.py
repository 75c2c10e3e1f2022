"""What blocks can be ended; what is limited stays within its limit; and nothing is left behind."""

import gc
import os
import threading
import time

import pytest
import wasmtime
from remote_guest import APPEND, BUFFER, CREAT, MEMORY, NONBLOCK, RESULT, Remote, clock, readiness

from runtime.abi.errno import Errno
from runtime.abi.flags import FILE_RIGHTS
from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.errors import RuntimeFault
from runtime.limits import Limits
from runtime.stdio import HostStream, OutputBuffer, pipe

SECONDS = 20
HOUR = 3600 * 1_000_000_000


def streams(
    *, stdin: int | None = None, stdout: int | None = None, seconds: float | None = None, memory: int | None = None
) -> Remote:
    """A guest whose standard streams are pipes of the test."""

    def setup(builder: WasiEnvBuilder) -> None:
        builder.stdin(None if stdin is None else HostStream(stdin))
        builder.stdout(None if stdout is None else HostStream(stdout))
        builder.timeout(seconds).memory_limit(memory)

    return Remote(control=5, setup=setup)


def begin_read(guest: Remote) -> None:
    guest.ask("fd_read", 0, *guest.iovecs((BUFFER, 16)), RESULT)


def begin_sleep(guest: Remote) -> None:
    guest.write(BUFFER, clock(1, HOUR))
    guest.ask("poll_oneoff", BUFFER, BUFFER + 4096, 1, RESULT)


def begin_poll(guest: Remote) -> None:
    guest.write(BUFFER, clock(1, HOUR) + readiness(2, 0))
    guest.ask("poll_oneoff", BUFFER, BUFFER + 4096, 2, RESULT)


def begin_write(guest: Remote) -> None:
    guest.grow(16)
    guest.ask("fd_write", 1, *guest.iovecs((MEMORY, 16 * 65536)), RESULT)
    assert guest.answer() is Errno.SUCCESS, "what fits is written at once"
    assert 0 < guest.u32() < 16 * 65536
    guest.ask("fd_write", 1, *guest.iovecs((MEMORY, 16 * 65536)), RESULT)


BLOCKED = {
    "read": begin_read,
    "sleep": begin_sleep,
    "poll": begin_poll,
    "write": begin_write,
    "loop": Remote.spin,
}


@pytest.mark.parametrize("kind", BLOCKED)
def test_termination_ends_it_at_once(kind: str) -> None:
    reading, to_guest = os.pipe()
    from_guest, writing = os.pipe()
    guest = streams(stdin=reading, stdout=writing)
    BLOCKED[kind](guest)
    with pytest.raises(TimeoutError):
        guest.answer(0.05)
    guest.process.terminate(130)
    assert guest.process.wait(SECONDS) == 130
    guest.close()
    os.close(to_guest)
    os.close(from_guest)


@pytest.mark.parametrize("kind", BLOCKED)
def test_the_end_of_its_time_is_124(kind: str) -> None:
    reading, to_guest = os.pipe()
    from_guest, writing = os.pipe()
    guest = streams(stdin=reading, stdout=writing, seconds=0.3)
    BLOCKED[kind](guest)
    assert guest.process.wait(SECONDS) == 124
    assert guest.process.timed_out
    guest.close()
    os.close(to_guest)
    os.close(from_guest)


def test_termination_after_the_end_changes_nothing() -> None:
    guest = Remote()
    guest.ask("proc_exit", 7)
    assert guest.process.wait(SECONDS) == 7
    guest.process.terminate(130)
    assert guest.process.wait(SECONDS) == 7
    guest.close()


def test_waiting_for_what_still_runs() -> None:
    with Remote() as guest, pytest.raises(TimeoutError, match="still runs"):
        guest.process.wait(0.01)


def test_a_start_function_that_loops_is_ended_too() -> None:
    module = Module.compile(
        bytes(
            wasmtime.wat2wasm(
                '(module (memory (export "memory") 1) (func $s (loop (br 0))) (start $s) (func (export "_start")))'
            )
        )
    )
    process = WasiEnvBuilder().timeout(0.2).build().spawn(module)
    assert process.wait(SECONDS) == 124


def test_a_start_function_finds_no_memory_yet_and_may_exit() -> None:
    text = """(module
      (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func $s (call $exit (call $random (i32.const 0) (i32.const 8)))) (start $s) (func (export "_start")))"""
    assert WasiEnvBuilder().build().run(Module.compile(bytes(wasmtime.wat2wasm(text)))) == Errno.FAULT


def test_a_broken_pipe_is_141() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    guest = streams(stdout=writing)
    guest.ask("fd_write", 1, *guest.iovecs((BUFFER, 1)), RESULT)
    assert guest.process.wait(SECONDS) == 141
    guest.close()


def test_a_pipe_that_breaks_while_one_waits_is_141() -> None:
    reading, writing = os.pipe()
    guest = streams(stdout=writing)
    begin_write(guest)
    os.close(reading)
    assert guest.process.wait(SECONDS) == 141
    guest.close()


def test_a_slow_reader_gets_everything() -> None:
    from_guest, writing = os.pipe()
    with streams(stdout=writing) as guest:
        guest.grow(16)
        data = bytes(range(256)) * 4096
        guest.write(MEMORY, data)
        received = bytearray()

        def drain() -> None:
            while part := os.read(from_guest, 10_000):
                received.extend(part)

        reader = threading.Thread(target=drain)
        reader.start()
        done = 0
        while done < len(data):
            guest.done("fd_write", 1, *guest.iovecs((MEMORY + done, len(data) - done)), RESULT)
            done += guest.u32()
        guest.done("fd_close", 1)
        reader.join(SECONDS)
        assert received == data
        os.close(from_guest)


def test_what_must_not_block_says_again() -> None:
    reading, to_guest = os.pipe()
    from_guest, writing = os.pipe()
    with streams(stdin=reading, stdout=writing) as guest:
        guest.done("fd_fdstat_set_flags", 0, NONBLOCK)
        guest.done("fd_fdstat_set_flags", 1, NONBLOCK)
        assert guest.fd_read(0, *guest.iovecs((BUFFER, 4)), RESULT) is Errno.AGAIN
        os.write(to_guest, b"abcdef")
        assert guest.fd_text(0, 4) == b"abcd"
        assert guest.fd_text(0, 4) == b"ef"
        assert guest.fd_read(0, *guest.iovecs((BUFFER, 4)), RESULT) is Errno.AGAIN
        written = 0
        while (errno := guest.fd_write(1, *guest.iovecs((0, MEMORY)), RESULT)) is Errno.SUCCESS:
            written += guest.u32()
        assert errno is Errno.AGAIN
        while written:
            written -= len(os.read(from_guest, 65536))
        assert guest.fd_bytes(1, b"x") == 1
    os.close(to_guest)
    os.close(from_guest)


def test_a_blocked_read_goes_on_when_something_comes() -> None:
    reading, to_guest = os.pipe()
    with streams(stdin=reading) as guest:
        begin_read(guest)
        with pytest.raises(TimeoutError):
            guest.answer(0.02)
        os.write(to_guest, b"now")
        assert guest.answer() is Errno.SUCCESS
        assert guest.read(BUFFER, guest.u32()) == b"now"
        begin_read(guest)
        os.close(to_guest)
        assert guest.answer() is Errno.SUCCESS
        assert guest.u32() == 0


def test_memory_stops_growing_at_the_limit() -> None:
    with streams(memory=6 * 65536) as guest:
        assert guest.grow(2) == 4
        assert guest.grow(1) == -1
        assert guest.grow(0) == 6
        guest.done("random_get", 6 * 65536 - 8, 8)
    with streams() as guest:
        assert guest.grow(60) == 4
        assert guest.grow(1) == -1, "the module's own maximum"


def test_a_module_that_starts_with_more_than_it_may_have() -> None:
    guest = streams(memory=65536)
    with pytest.raises(RuntimeFault, match="memory"):
        guest.process.wait(SECONDS)


def test_modules_that_are_no_programs() -> None:
    texts = {
        "no function _start": '(module (memory (export "memory") 1))',
        "no memory": '(module (func (export "_start")))',
        "does not have": """(module (import "wasi_snapshot_preview1" "fd_fly" (func $fly)) (memory (export "memory") 1)
            (func (export "_start") (call $fly)))""",
        "signature": """(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64)))
            (memory (export "memory") 1) (func (export "_start")))""",
        "not built for WASI": """(module (import "env" "g" (global i32)) (memory (export "memory") 1)
            (func (export "_start")))""",
    }
    for words, text in texts.items():
        module = Module.compile(bytes(wasmtime.wat2wasm(text)))
        with pytest.raises(RuntimeFault, match=words):
            WasiEnvBuilder().build().run(module)


def test_what_is_never_called_may_be_missing() -> None:
    text = """(module (import "somewhere" "nothing" (func)) (memory (export "memory") 1) (func (export "_start")))"""
    assert WasiEnvBuilder().build().run(Module.compile(bytes(wasmtime.wat2wasm(text)))) == 0


RUN = """(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open"
    (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\\40\\00\\00\\00\\04\\00\\00\\00") (data (i32.const 64) "text") (data (i32.const 128) "file")
  (func (export "_start")
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
    (i64.store (i32.const 280) (i64.const 1000))
    (drop (call $poll (i32.const 256) (i32.const 512) (i32.const 1) (i32.const 16)))
    (drop (call $open (i32.const 3) (i32.const 0) (i32.const 128) (i32.const 4) (i32.const 1) (i64.const 66) (i64.const 0)
      (i32.const 0) (i32.const 24)))
    (drop (call $write (i32.load (i32.const 24)) (i32.const 0) (i32.const 1) (i32.const 16)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"""


def test_many_runs_leave_nothing_behind() -> None:
    module = Module.compile(bytes(wasmtime.wat2wasm(RUN)))

    def run() -> None:
        reading, writing = pipe()
        writing.writev([memoryview(b"in!!")], 0)
        output = OutputBuffer()
        assert WasiEnvBuilder().stdin(reading).stdout(output).timeout(60).build().run(module) == 0
        writing.close()
        assert output.getvalue() == b"in!!"

    def state() -> tuple[int, int]:
        gc.collect()
        for thread in threading.enumerate():
            # An alarm that was cancelled ends when the machine finds the time for it.
            if thread.name.startswith(("wasm-", "Thread-", "alarm")) and thread is not threading.current_thread():
                thread.join(SECONDS)
        return len(os.listdir("/dev/fd")), threading.active_count()

    for _ in range(5):
        run()
    before = state()
    for _ in range(500):
        run()
    after = state()
    assert after[0] <= before[0]
    assert after[1] <= before[1]


def test_terminated_runs_leave_nothing_behind() -> None:
    def run() -> None:
        reading, to_guest = os.pipe()
        guest = streams(stdin=reading)
        guest.open("a", oflags=CREAT, rights=FILE_RIGHTS, fdflags=APPEND)
        begin_read(guest)
        guest.process.terminate(1)
        assert guest.process.wait(SECONDS) == 1
        guest.close()
        os.close(to_guest)

    run()
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        run()
    gc.collect()
    assert len(os.listdir("/dev/fd")) <= before


def test_guests_run_side_by_side() -> None:
    guests = [Remote() for _ in range(8)]
    for guest in guests:
        guest.spin()
    started = time.monotonic()
    for number, guest in enumerate(guests):
        guest.process.terminate(number)
        assert guest.process.wait(SECONDS) == number
        guest.close()
    assert time.monotonic() - started < SECONDS


def test_limits_can_be_given_at_once() -> None:
    with Remote(setup=lambda builder: builder.limits(Limits(descriptors=6, memory=5 * 65536))) as guest:
        assert guest.open("a", oflags=CREAT) == 5
        assert guest.path_open(3, 0, *guest.text("a"), 0, 0, 0, 0, RESULT) is Errno.MFILE
        assert guest.grow(1) == 4
        assert guest.grow(1) == -1
