"""Environments and live processes, with real guests."""

import io
import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from wasmtime import wat2wasm

from pkgmgr import Completed, Environment, ExitReason, Package, ProcessFailed, Volume, WaitTimeout, WpmError


def test_a_command_runs_with_its_input_and_nothing_of_ours(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "secret")
    done = environment.run(
        "sh", "-c", 'read line; echo "$line $A $OURS"; pwd; exit 3', input="text\n", env={"A": "b"}, cwd="/tmp"
    )
    assert done == Completed("sh", 3, ExitReason.EXITED, b"text b \n/tmp\n", b"")
    assert not done.ok
    assert environment.run("wc", "-c", input=b"\x00\xff").text().split() == ["2"]
    assert environment.run("cat").stdout == b""


def test_what_fails_raises_where_that_is_asked_for(environment: Environment) -> None:
    with pytest.raises(ProcessFailed, match=r"^cat: exit code 1: cat: /missing") as caught:
        environment.run("cat", "/missing", check=True)
    assert caught.value.completed.exit_code == 1
    assert isinstance(caught.value, WpmError)
    done = environment.run("cat", "/missing")
    with pytest.raises(ProcessFailed):
        done.text()


def test_each_run_has_a_filesystem_of_its_own(environment: Environment) -> None:
    assert environment.run("sh", "-c", "echo x > /tmp/a; cat /tmp/a").text() == "x\n"
    assert environment.run("ls", "/tmp").text() == ""


def test_output_above_the_limit_is_cut_and_the_guest_is_not_hurt(environment: Environment) -> None:
    done = environment.run("sh", "-c", "head -c 100000 /dev/zero; echo done >&2", output_limit=10)
    assert (done.exit_code, done.stdout, done.stdout_truncated) == (0, bytes(10), True)
    assert (done.stderr, done.stderr_truncated) == (b"done\n", False)
    assert environment.run("echo", "12345", output_limit=6).stdout_truncated is False
    assert environment.run("echo", "1", output_limit=0).stdout == b""
    assert len(environment.run("head", "-c", "20000000", "/dev/zero", output_limit=None).stdout) == 20_000_000


def test_limits_end_a_guest(environment: Environment) -> None:
    done = environment.run("sh", "-c", "while :; do :; done", timeout=0.2)
    assert (done.exit_code, done.reason, done.timed_out) == (124, ExitReason.TIMEOUT, True)
    done = environment.run("sleep", "60", timeout=0.1)
    assert done.timed_out
    done = environment.run("sort", input=b"x\n" * (16 << 20), memory=32 << 20)
    assert not done.ok
    assert b"memory" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"timeout": -1}, "timeout=-1: expected seconds"),
        ({"timeout": float("nan")}, "timeout=nan"),
        ({"memory": 3}, "memory=3: expected bytes"),
        ({"network": "nonsense"}, "nonsense"),
        ({"cwd": "/missing"}, "/missing"),
        ({"env": {"A=B": "c"}}, "A=B"),
        ({"volumes": [Volume("/missing-directory", "/x")]}, "/missing-directory"),
        ({"volumes": [Volume(".", "relative")]}, "relative"),
        ({"volumes": [Volume(".", "/")]}, "whole filesystem"),
    ],
)
def test_what_cannot_be_meant_is_told_in_one_line(
    environment: Environment, arguments: dict[str, object], told: str
) -> None:
    with pytest.raises(WpmError, match=told) as caught:
        environment.run("true", **arguments)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_an_unknown_command_says_what_there_is(environment: Environment) -> None:
    with pytest.raises(WpmError, match="did you mean cat"):
        environment.run("catt")
    with pytest.raises(WpmError, match="no such command"):
        environment.run("/bin/nothing")
    with pytest.raises(WpmError, match="NUL"):
        environment.run("cat", "a\0b")
    with pytest.raises(WpmError):
        Environment.of("wpm/there-is-none", offline=True)


def test_a_trap_is_told_with_the_stack() -> None:
    module = '(module (memory (export "memory") 1) (func $boom unreachable) (func (export "_start") (call $boom)))'
    wasm = bytes(wat2wasm(module))
    done = Environment.of(Package.create(modules={"boom": wasm})).run("boom")
    assert (done.exit_code, done.reason) == (134, ExitReason.TRAPPED)
    assert done.trap is not None
    assert "unreachable" in done.trap
    with pytest.raises(ProcessFailed, match="boom: trapped"):
        done.check()


def test_volumes_show_a_directory_of_the_host(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "in").write_text("from outside")
    (tmp_path / "link").symlink_to("/etc/passwd")
    shown = [Volume(tmp_path, "/data")]
    assert environment.run("cat", "/data/in", volumes=shown).text() == "from outside"
    assert not environment.run("cat", "/data/link", volumes=shown).ok
    assert not environment.run("cat", "/data/../../etc/passwd", volumes=shown).ok
    environment.run("sh", "-c", "echo x > /data/out", volumes=shown, check=True)
    assert (tmp_path / "out").read_text() == "x\n"
    assert not environment.run("sh", "-c", "echo x > /data/o", volumes=[Volume(tmp_path, "/data", read_only=True)]).ok


def test_a_live_process_talks(environment: Environment) -> None:
    with environment.spawn("cat") as process:
        assert process.poll() is None
        assert process.pid >= 1
        process.stdin.write(b"one\ntwo\n")
        assert process.stdout.readline() == b"one\n"
        assert process.stdout.readline() == b"two\n"
        process.stdin.write(b"three\nfour")
        process.stdin.close()
        assert list(process.stdout) == [b"three\n", b"four"]
        assert process.wait(timeout=10).ok
        assert process.poll() == 0
        with pytest.raises(ValueError, match="closed"):
            process.stdin.write(b"more")


def test_streams_are_files(environment: Environment) -> None:
    with environment.spawn("sh", "-c", "printf 'abc\\ndefgh\\nij'; printf err >&2") as process:
        assert process.stdout.read(2) == b"ab"
        assert process.stdout.readline(1) == b"c"
        assert io.TextIOWrapper(process.stdout).readlines() == ["\n", "defgh\n", "ij"]
        assert process.stderr.read() == b"err"


def test_a_stream_that_is_polled_is_a_pipe_of_the_system(environment: Environment) -> None:
    import select

    with environment.spawn("sh", "-c", "read x; echo got $x; read y; echo and $y") as process:
        assert select.select([process.stdout.fileno()], [], [], 0)[0] == []
        process.stdin.write(b"1\n")
        assert select.select([process.stdout.fileno()], [], [], 20)[0]
        assert process.stdout.readline() == b"got 1\n"
        process.stdin.write(b"2\n")
        assert process.stdout.read() == b"and 2\n"


def test_communicate_feeds_and_reads_at_the_same_time(environment: Environment) -> None:
    data = os.urandom(3_000_000)
    with environment.spawn("sh", "-c", "tee /dev/stderr") as process:
        done = process.communicate(data)
    assert done.stdout == data
    assert done.stderr == data
    with environment.spawn("head", "-c", "3", output_limit=2) as process:
        done = process.communicate(data, check=True)
    assert (done.stdout, done.stdout_truncated) == (data[:2], True)
    with environment.spawn("sleep", "60") as process:
        with pytest.raises(WaitTimeout):
            process.communicate(timeout=0.1)
        with pytest.raises(TimeoutError):
            process.wait(timeout=0.05)
        assert process.poll() is None


def test_where_outputs_go(environment: Environment, capfd: pytest.CaptureFixture[str]) -> None:
    script = ("sh", "-c", "echo out; echo err >&2")
    with environment.spawn(*script, stdin="null", stdout="capture", stderr="stdout") as process:
        assert process.wait().stdout == b"out\nerr\n"
    with environment.spawn(*script, stdin="null", stderr="stdout") as process:
        assert process.stdout.read() == b"out\nerr\n"
        with pytest.raises(WpmError, match="stderr is no pipe"):
            _ = process.stderr
    with environment.spawn(*script, stdout="null", stderr="capture") as process:
        assert process.wait().stderr == b"err\n"
    with environment.spawn(*script, stdin="inherit", stdout="inherit", stderr="inherit") as process:
        process.wait()
    assert capfd.readouterr() == ("out\n", "err\n")
    with pytest.raises(WpmError, match="stdout='tape'"):
        environment.spawn("true", stdout="tape")  # type: ignore[arg-type]


def test_a_reader_that_goes_away_ends_the_writer(environment: Environment) -> None:
    with environment.spawn("yes") as process:
        assert process.stdout.readline() == b"y\n"
        process.stdout.close()
        assert process.wait(timeout=20).exit_code != 0


def test_ending_a_guest(environment: Environment) -> None:
    with environment.spawn("sh", "-c", "while :; do :; done") as process:
        done = process.terminate(grace=5)
        assert (done.reason, done.signal, done.exit_code) == (ExitReason.TERMINATED, signal.SIGTERM, 143)
    with environment.spawn("sh", "-c", "trap '' TERM; echo ready; while :; do :; done") as process:
        process.stdout.readline()
        done = process.terminate(grace=0.1)
        assert (done.reason, done.signal, done.exit_code) == (ExitReason.TERMINATED, signal.SIGKILL, 137)
    with environment.spawn(
        "sh", "-c", "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.05; done"
    ) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b"caught\n"
        assert process.wait(timeout=20).exit_code == 7
    with environment.spawn("cat") as process:
        process.kill()
        assert process.wait().exit_code == 137
        process.kill()
        with pytest.raises(WpmError, match="no such signal"):
            process.send_signal(999)


def test_leaving_the_block_ends_what_runs(environment: Environment) -> None:
    with environment.spawn("sleep", "60") as process:
        pass
    assert process.poll() is not None


@pytest.mark.skipif(sys.platform not in ("linux", "darwin"), reason="there are no terminals like these")
def test_a_terminal(environment: Environment) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with environment.spawn("sh", terminal=True, size=(91, 17)) as process:
        process.stdin.write(b"test -t 0 && test -t 1 && echo it is $((1))\n")
        shown = b""
        while b"it is 1\r\n" not in shown:
            shown += process.stdout.readline()
        process.resize(100, 30)
        assert os.get_terminal_size(process.stdout.fileno()) == (100, 30)
        with pytest.raises(WpmError, match="0 by 1"):
            process.resize(0, 1)
        process.stdin.write(b"exit 5\n")
        process.stdout.read()
        assert process.wait(timeout=20).exit_code == 5
    assert signal.getsignal(signal.SIGTERM) is before
    with environment.spawn("sleep", "60", terminal=True) as process:
        time.sleep(0.1)
        process.stdin.write(b"\x03")
        assert process.wait(timeout=20).signal == signal.SIGINT
    with environment.spawn("true") as process, pytest.raises(WpmError, match="no terminal"):
        process.resize(80, 25)


@pytest.mark.usefixtures("unchanged_process")
def test_many_threads_use_one_environment(environment: Environment) -> None:
    results: dict[int, str] = {}

    def work(number: int) -> None:
        for _ in range(5):
            results[number] = environment.run("sh", "-c", "cat; pwd", input=str(number), cwd="/tmp").text()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: f"{number}/tmp\n" for number in range(8)}


def test_an_interrupt_ends_the_guest(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    import pkgmgr.library.process as room

    seen = []

    def interrupted(self: room.Process, *_: object, **__: object) -> Completed:
        seen.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(room.Process, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.run("sleep", "60")
    assert seen[0].poll() == 137
