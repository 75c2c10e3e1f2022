"""Guests that use up something for ever are stopped, guests that come and go leave nothing, and the host goes on."""

import random
import sys
import time

import pytest
from soak import GUEST, is_kept, soak, usage

from runtime.engine import Module
from runtime.env import WasiEnv, WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem
from runtime.limits import EXIT_TIMEOUT, Limits
from runtime.stdio import OutputBuffer

pytestmark = pytest.mark.xdist_group("limits")


@pytest.fixture(scope="module")
def module() -> Module:
    return Module.compile(GUEST.read_bytes())


def environment(script: str, limits: Limits, room: int | None = None) -> tuple[WasiEnv, OutputBuffer]:
    out, root = OutputBuffer(), TmpFileSystem(room)
    root.root.mkdir("tmp")
    return WasiEnvBuilder("guest").args([script]).root(root).stdout(out).limits(limits).build(), out


def finished(env: WasiEnv) -> bool:
    """Whether every process of the environment is gone, soon."""
    for _ in range(1000):
        if not env.control.running():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        pytest.param("!spin", Limits(seconds=0.3), id="computes"),
        pytest.param("!fork", Limits(seconds=0.5, processes=64), id="forks"),
        pytest.param("!fork", Limits(seconds=0.5, processes=1024, threads=32), id="forks-to-the-limit-of-threads"),
    ],
)
def test_a_guest_that_never_ends_is_ended(module: Module, script: str, limits: Limits) -> None:
    env, _ = environment(script, limits)
    process = env.spawn(module)
    assert process.wait(30) == EXIT_TIMEOUT
    assert process.timed_out
    assert finished(env)
    env, out = environment("pw0r0", Limits())
    assert env.run(module) == 0
    assert out.getvalue() == b"0 p 0\n0 w 3\n0 r 3\n"


def test_memory_ends_where_its_limit_is(module: Module) -> None:
    env, out = environment("!grow", Limits(memory=32 << 20, seconds=30))
    assert env.run(module) == 0
    assert 30 <= int(out.getvalue().split()[2]) <= 32


def test_a_full_filesystem_is_full(module: Module) -> None:
    env, out = environment("!fill", Limits(seconds=30), room=4 << 20)
    assert env.run(module) == 0
    assert out.getvalue() == b"0 f 1\n"


def test_a_fork_at_the_limit_fails_and_no_more(module: Module) -> None:
    env, out = environment("(x3)((x4)x5)x6", Limits(processes=2))
    assert env.run(module) == 6
    # The grandchild could not be made: pid -1, for which nobody can wait.
    assert out.getvalue() == b"0 ( 3\n1 ( -1\n0 ( 5\n"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_500_rounds_leave_nothing() -> None:
    assert is_kept(*soak(500))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ending_it_anywhere_leaves_nothing(module: Module) -> None:
    chance = random.Random(20)
    before = usage()
    for _ in range(150):
        env, _ = environment("p" + "(w0(w0r0)Ko)pdr0" * 40, Limits())
        process = env.spawn(module)
        time.sleep(chance.random() / 200)
        process.terminate(77)
        assert process.wait(20) in (77, 0)
        assert finished(env)
    assert is_kept(before, usage())
