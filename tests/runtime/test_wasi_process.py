"""Arguments, environment, clocks, random bytes, exit and signals of WASI preview 1."""

import os
import struct
import time

import pytest
from remote_guest import BUFFER, MEMORY, PREVIEW1, RESULT, UNSTABLE, WASIX, Remote

from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder
from runtime.errors import RuntimeFault

# By the numbers of preview 1: none, CHLD, CONT, the four that stop (nobody could wake what they stop), URG, WINCH.
SIGNALS_IGNORED = {0, 16, 17, 18, 19, 20, 21, 22, 27}


def strings(guest: Remote, kind: str) -> list[bytes]:
    """What `args_get` or `environ_get` gives, found through its pointers."""
    guest.done(f"{kind}_sizes_get", RESULT, RESULT + 4)
    count, size = struct.unpack("<II", guest.read(RESULT, 8))
    guest.write(BUFFER, b"\xee" * (size + 8))
    guest.write(RESULT, b"\xee" * (4 * count + 4))
    guest.done(f"{kind}_get", RESULT, BUFFER)
    pointers = struct.unpack(f"<{count}I", guest.read(RESULT, 4 * count))
    data = guest.read(BUFFER, size)
    assert guest.read(BUFFER + size, 8) == b"\xee" * 8
    assert guest.read(RESULT + 4 * count, 4) == b"\xee" * 4
    assert list(pointers) == sorted(pointers)
    return [data[pointer - BUFFER :].split(b"\0")[0] for pointer in pointers]


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE, WASIX])
def test_arguments_and_environment(namespace: str) -> None:
    def setup(builder: WasiEnvBuilder) -> None:
        builder.args(["", "two words", "ünïcødé", os.fsdecode(b"\xff\xfe")])
        builder.env("HOME", "/").envs({"EMPTY": "", "EQUALS": "a=b", "Ü": "☃"})

    with Remote(namespace=namespace, setup=setup) as guest:
        assert strings(guest, "args") == [b"remote", b"", b"two words", "ünïcødé".encode(), b"\xff\xfe"]
        assert strings(guest, "environ") == [b"HOME=/", b"EMPTY=", b"EQUALS=a=b", "Ü=☃".encode()]


def test_nothing_is_given_that_was_not_asked_for() -> None:
    with Remote() as guest:
        assert strings(guest, "args") == [b"remote"]
        assert strings(guest, "environ") == []


@pytest.mark.parametrize("name", ["", "A=B", "A\0"])
def test_names_that_cannot_be_variables(name: str) -> None:
    with pytest.raises(RuntimeFault, match="environment variable"):
        WasiEnvBuilder().env(name, "x")


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE])
def test_clocks(namespace: str) -> None:
    with Remote(namespace=namespace) as guest:
        for clock in range(4):
            guest.done("clock_res_get", clock, RESULT)
            assert 1 <= guest.u64() < 1_000_000_000
            readings = []
            for precision in (0, 1, (1 << 64) - 1):
                guest.done("clock_time_get", clock, precision, RESULT)
                readings.append(guest.u64())
            assert readings == sorted(readings)
        guest.done("clock_time_get", 0, 0, RESULT)
        assert abs(guest.u64() - time.time_ns()) < 60_000_000_000
        for clock in (4, 5, 0xFFFF_FFFF):
            assert guest.clock_res_get(clock, RESULT) is Errno.INVAL
            assert guest.clock_time_get(clock, 0, RESULT) is Errno.INVAL


def test_random() -> None:
    with Remote() as guest:
        guest.done("random_get", BUFFER, 0)
        assert guest.read(BUFFER, 4) == bytes(4)
        guest.done("random_get", BUFFER, 1024)
        first = guest.read(BUFFER, 1024)
        guest.done("random_get", BUFFER, 1024)
        assert len({first, guest.read(BUFFER, 1024), bytes(1024)}) == 3
        assert guest.read(BUFFER + 1024, 8) == bytes(8)
        pages = 32
        assert guest.grow(pages) == MEMORY // 65536
        guest.done("random_get", MEMORY, pages * 65536)
        assert len(set(guest.read(MEMORY + (pages * 65536) - 4096, 4096))) > 200
        assert guest.random_get(MEMORY, pages * 65536 + 1) is Errno.FAULT


def test_yield() -> None:
    with Remote() as guest:
        assert guest.sched_yield() is Errno.SUCCESS


@pytest.mark.parametrize("code", [0, 1, 3, 77, 255, 256, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_exit_codes_pass_through(code: int) -> None:
    guest = Remote()
    guest.ask("proc_exit", code)
    assert guest.process.wait(20) == code
    guest.close()


def test_returning_is_exit_0() -> None:
    guest = Remote()
    guest.leave()
    assert guest.process.wait(20) == 0
    guest.close()


def test_a_trap_is_134_with_a_backtrace() -> None:
    guest = Remote()
    guest.trap()
    assert guest.process.wait(20) == 134
    assert guest.process.trap is not None
    assert "unreachable" in guest.process.trap.reason
    assert guest.process.trap.backtrace()
    guest.close()


@pytest.mark.parametrize("signal", range(31))
def test_signals(signal: int) -> None:
    guest = Remote()
    guest.ask("proc_raise", signal)
    if signal in SIGNALS_IGNORED:
        assert guest.answer() is Errno.SUCCESS
        assert guest.close() == 0
    else:
        # A shell tells a signal by the number that POSIX systems have for it: theirs count STKFLT, which WASI leaves out.
        assert guest.process.wait(20) == 128 + signal + (signal >= 16)
        guest.close()


def test_numbers_that_are_no_signal() -> None:
    with Remote() as guest:
        for signal in (31, 64, 0xFFFF_FFFF):
            assert guest.proc_raise(signal) is Errno.INVAL
