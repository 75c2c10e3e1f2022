"""A C program, built with an ordinary toolchain: the runtime as its C library shows it (`tests/guests/libc.c`)."""

import os
import threading
from functools import cache
from pathlib import Path

import pytest
from remote_guest import both_filesystems  # noqa: F401 (fixture)

from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.fs.node import FileSystem
from runtime.process import WasiProcess
from runtime.stdio import HostStream, OutputBuffer

SECONDS = 30


@cache
def program() -> Module:
    return Module.compile((Path(__file__).parents[1] / "guests" / "libc.wasm").read_bytes(), "libc")


def run(builder: WasiEnvBuilder, *arguments: str) -> tuple[int, str, str, WasiProcess]:
    """The exit code, what was written to the standard streams, and the process."""
    out, err = OutputBuffer(), OutputBuffer()
    process = builder.args(arguments).stdout(out).stderr(err).timeout(SECONDS).build().spawn(program())
    return process.wait(), out.getvalue().decode(), err.getvalue().decode(), process


@pytest.mark.parametrize(
    "name", ["open-modes", "buffered", "positions", "metadata", "directories", "links", "time", "terminals"]
)
def test_the_c_library(filesystem: FileSystem, name: str) -> None:
    assert run(WasiEnvBuilder().root(filesystem), name)[:2] == (0, "")


def test_the_working_directory(filesystem: FileSystem) -> None:
    filesystem.root.mkdir("work")
    assert run(WasiEnvBuilder().root(filesystem).cwd("/work"), "buffered")[:2] == (0, "")
    work = filesystem.root.lookup("work")
    assert [entry.name for entry in work.entries()] == ["big"]  # type: ignore[attr-defined]


def test_arguments_and_environment() -> None:
    builder = WasiEnvBuilder().envs({"A": "1", "LONG": "x" * 5000})
    code, out, _, _ = run(builder, "environment", "", "a b", "ü")
    assert code == 0
    assert out == "argument \nargument a b\nargument ü\nvariable A=1\nvariable LONG=" + "x" * 5000 + "\n"


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 300_000])
def test_a_filter_between_buffers(size: int) -> None:
    data = "".join(chr(33 + index % 90) for index in range(size))
    code, out, err, _ = run(WasiEnvBuilder().stdin(data.encode()), "copy")
    assert (code, out, err) == (0, data, "copied\n")


def test_a_filter_between_pipes() -> None:
    source, to_guest = os.pipe()
    from_guest, sink = os.pipe()
    builder = WasiEnvBuilder().args(["copy"]).stdin(HostStream(source)).stdout(HostStream(sink)).timeout(SECONDS)
    process = builder.build().spawn(program())
    data = os.urandom(1 << 20)

    def feed() -> None:
        with open(to_guest, "wb") as pipe:
            pipe.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(from_guest, "rb") as pipe:
        assert pipe.read() == data
    feeder.join(SECONDS)
    assert process.wait(SECONDS) == 0


def test_a_filter_between_files(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        builder = WasiEnvBuilder().args(["copy"]).stdin(source.fileno()).stdout(sink.fileno()).timeout(SECONDS)
        assert builder.build().run(program()) == 0
    assert (tmp_path / "out").read_bytes() == data


def test_is_it_a_terminal() -> None:
    controller, terminal = os.openpty()
    err = OutputBuffer()
    builder = WasiEnvBuilder().args(["terminals"]).stdin(terminal).stdout(terminal).stderr(err)
    assert builder.build().run(program()) == 0
    assert err.getvalue() == b"110"
    os.close(controller)
    os.close(terminal)


def test_poll() -> None:
    source, to_guest = os.pipe()
    os.write(to_guest, b"ready")
    assert run(WasiEnvBuilder().stdin(HostStream(source)), "poll")[:2] == (0, "")
    os.close(to_guest)


@pytest.mark.parametrize("code", [0, 1, 44, 255])
def test_exit_codes(code: int) -> None:
    assert run(WasiEnvBuilder(), "exit", str(code))[0] == code


@pytest.mark.parametrize(("name", "reason"), [("abort", "unreachable"), ("recursion", ""), ("null", "out of bounds")])
def test_crashes_are_134(name: str, reason: str) -> None:
    code, _, _, process = run(WasiEnvBuilder(), name)
    assert code == 134
    assert process.trap is not None
    assert reason in process.trap.reason


def test_a_failed_assertion_says_so() -> None:
    code, _, err, _ = run(WasiEnvBuilder(), "assert")
    assert code == 134
    assert "this holds" in err


def test_memory_ends_at_the_limit() -> None:
    code, out, _, _ = run(WasiEnvBuilder().memory_limit(8 << 20), "memory")
    assert code == 0
    assert 2 << 20 < int(out) < 8 << 20
