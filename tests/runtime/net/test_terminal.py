"""A guest's terminal: what it is told, what it changes, and that it is always as before in the end."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path
from struct import pack, unpack

import pytest
from script import Script, run, start

from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder

HERE = Path(__file__).parent
RAW = pack("<IIIIBBBBBxxx", 0, 0, 0, 0, 1, 1, 1, 0, 0)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a new terminal: the user's and the program's."""
    ends = pty.openpty()
    termios.tcsetwinsize(ends[1], (33, 111))
    yield ends
    for end in ends:
        os.close(end)


def modes(fd: int) -> tuple[bool, bool]:
    flags = termios.tcgetattr(fd)[3]
    return bool(flags & termios.ECHO), bool(flags & termios.ICANON)


def raw() -> Script:
    return Script().put(64, RAW).call("tty_set", 64).show(64, 1)


def test_a_guest_sees_its_terminal(terminal: tuple[int, int]) -> None:
    script = raw().call("tty_get", 128).show(128, 24)

    def configure(builder: WasiEnvBuilder) -> None:
        builder.stdin(terminal[1])

    output = run(script, configure)
    columns, rows, _, _, *flags = unpack("<IIIIBBBBBxxx", output[1:])
    assert (columns, rows) == (111, 33)
    assert flags == [1, 0, 0, 0, 0]
    assert modes(terminal[1]) == (True, True)


def test_without_a_terminal_there_is_a_usual_one() -> None:
    script = Script().put(64, RAW).call("tty_set", 64, errno=Errno.NOTSUP).call("tty_get", 128).show(128, 24)
    columns, rows, _, _, *flags = unpack("<IIIIBBBBBxxx", run(script))
    assert (columns, rows, flags) == (80, 25, [0, 0, 0, 1, 1])


@pytest.mark.parametrize("end", ["(unreachable)", "(call $exit (i32.const 3))", "(loop $l (br $l))"])
def test_the_terminal_is_as_before_whatever_happens(terminal: tuple[int, int], end: str) -> None:
    guest = start(raw().raw(end), lambda builder: builder.stdin(terminal[1]))
    if "loop" in end:
        guest.shown(1)
        assert modes(terminal[1]) == (False, False)
        guest.process.terminate(3)
    guest.process.wait(10)
    assert modes(terminal[1]) == (True, True)


PROGRAM = """
import sys
sys.path[:0] = [{here!r}]
from test_terminal import raw
from script import start
guest = start(raw().raw({body!r}), lambda builder: builder.stdin(0).timeout(60))
guest.shown(1)
print("raw", flush=True)
{then}
"""


@pytest.mark.parametrize(
    ("then", "number"),
    [
        ("guest.process.wait()", signal.SIGTERM),
        ("guest.process.wait()", signal.SIGHUP),
        ("guest.process.wait()", signal.SIGINT),
        ("sys.exit(4)", None),
        ("raise ValueError('a mistake')", None),
    ],
)
def test_the_terminal_is_as_before_when_the_host_ends(terminal: tuple[int, int], then: str, number: int | None) -> None:
    code = PROGRAM.format(here=str(HERE), body="(loop $l (br $l))", then=then)
    root = str(HERE.parents[2])
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=terminal[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": root},
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"raw\n"
        if number is not None:
            assert modes(terminal[1]) == (False, False)
            host.send_signal(number)
        status = host.wait(20)
    assert modes(terminal[1]) == (True, True)
    if number in (signal.SIGTERM, signal.SIGHUP):
        assert status == -number, "the signal is still what ended it"
