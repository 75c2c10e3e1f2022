"""What programs hand over by mistake, and what guests do to whoever looks at their files."""

import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pkgmgr import CommandNotFound, Environment, GuestFileError, Package, Sandbox, Volume, WpmError

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("command", "arguments", "says"),
    [
        (("head", "-n", 5), {}, "an argument of head: expected str, not int"),
        ((None,), {}, "a command is a str, a Command or a Package, not NoneType"),
        (("cat",), {"input": 3}, "input: expected bytes or str, not int"),
        (("cat",), {"input": ["a"]}, "input: expected bytes or str, not list"),
        (("true",), {"timeout": "1"}, "timeout: expected seconds or None, not str"),
        (("true",), {"memory": 0.5e9}, "memory: expected int or None, not float"),
        (("true",), {"output_limit": 1.5}, "output_limit: expected int or None, not float"),
        (("true",), {"env": {"A": 3}}, "env: expected str, not int"),
        (("true",), {"cwd": 3}, "cwd: expected str, not int"),
    ],
)
def test_what_is_of_the_wrong_type_is_told(
    packages: list[Package], command: tuple[Any, ...], arguments: dict[str, Any], says: str
) -> None:
    with Sandbox(packages) as sandbox:
        for runs in (Environment(packages), sandbox):
            with pytest.raises(TypeError, match=says):
                runs.run(*command, **arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"network": 3}, "network: expected str, not int"),
        ({"disk": "1"}, "disk: expected int or None, not str"),
        ({"processes": 0.5}, "processes: expected int or None, not float"),
        ({"env": {"A": 3}}, "env: expected str, not int"),
        ({"files": {"a": 3}}, "a: expected bytes or str, not int"),
        ({"files": {3: "a"}}, "a path in the guest: expected str, not int"),
        ({"volumes": ["/tmp"]}, "a volume: expected Volume"),
    ],
)
def test_what_a_sandbox_is_made_of(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        Sandbox(**arguments)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"output_limit": -1}, "output_limit=-1: expected bytes from 0"),
        ({"env": {"": "x"}}, "env: ''"),
        ({"env": {"A=": "x"}}, "env: 'A='"),
        ({"cwd": "a\0b"}, "a path has no NUL"),
        ({"cwd": "nowhere"}, "/workspace/nowhere: not a directory"),
    ],
)
def test_what_cannot_be_meant(packages: list[Package], arguments: dict[str, Any], says: str) -> None:
    with Sandbox(packages) as sandbox, pytest.raises(WpmError, match=says):
        sandbox.run("true", **arguments)


def test_sandboxes_that_cannot_be_meant() -> None:
    for wrong in ({"disk": -1}, {"env": {"A=": "x"}}, {"network": ""}):
        with pytest.raises(WpmError):
            Sandbox(**wrong)


def test_as_much_memory_as_one_likes(packages: list[Package], tmp_path: os.PathLike[str]) -> None:
    volumes: list[Any] = [(tmp_path, "/data")]
    with Sandbox(packages, memory=1 << 70, volumes=volumes) as sandbox:
        assert sandbox.run("ls", "/data").ok
    assert Volume("a", "/b").read_only is False


HOSTILE = [
    *("up", "loop", "fd", "b/etc/passwd", "up/../../../x", "/dev/fd/0", "/dev/fd/9", "/dev/stdin", "/dev/tty"),
    *("/../../etc/passwd", "x" * 5000, "x/" * 3000 + "y", "a\0b", "\ud800", "", "a\nb/x", "/dev/null/x", "/dev/zero"),
]


@pytest.mark.parametrize("path", HOSTILE, ids=range(len(HOSTILE)))
def test_paths_of_hostile_guests(packages: list[Package], path: str) -> None:
    with Sandbox(packages) as sandbox:
        sandbox.shell("ln -s /../../../../etc/passwd up; ln -s loop loop; ln -s /dev/fd/0 fd; ln -s ../../.. b; : > zz")
        failing: tuple[Callable[[str], object], ...] = (
            sandbox.fs.read,
            sandbox.fs.list,
            lambda path: sandbox.fs.rename("nothing", path),
            lambda path: sandbox.run(path),
            lambda path: sandbox.run("true", cwd=path or "zz"),
        )
        for use in failing:
            with pytest.raises(WpmError) as caught:
                use(path)
            if isinstance(caught.value, GuestFileError):
                assert caught.value.path in (path, "nothing")
            assert len(str(caught.value)) < 1500
            assert str(caught.value).isprintable()
        others: tuple[Callable[[str], object], ...] = (sandbox.fs.stat, sandbox.fs.exists, sandbox.fs.remove)
        for use in (*others, lambda path: sandbox.fs.write(path, "x")):
            try:
                use(path)
            except WpmError as error:
                assert str(error).isprintable()


def test_what_a_guest_removes_meanwhile_is_removed(packages: list[Package]) -> None:
    script = "while :; do mkdir -p d/a; touch d/a/1 d/a/2 d/3; rm -rf d; done"
    with Sandbox(packages) as sandbox, sandbox.spawn("sh", "-c", script, stdout="null", stderr="null") as process:
        told = set()
        for _ in range(300):
            try:
                sandbox.fs.remove("d", recursive=True)
            except GuestFileError as error:
                told.add(str(error))
        assert told <= {"d: No such file or directory", "d: Directory not empty"}
        assert process.poll() is None


def test_streams_that_are_closed_meanwhile(packages: list[Package]) -> None:
    said: list[object] = []
    with Sandbox(packages) as sandbox:
        for _ in range(10):
            process = sandbox.spawn("sleep", "60")

            def read() -> None:
                try:
                    said.append(process.stdout.read())  # noqa: B023 (joined before the next)
                except ValueError as error:
                    said.append(str(error))

            thread = threading.Thread(target=read)
            thread.start()
            process.close()
            thread.join(20)
            assert not thread.is_alive()
    assert set(said) <= {b"", "read of closed file"}


def test_a_command_that_is_not_there_is_told_from_other_failures(packages: list[Package]) -> None:
    with Sandbox(packages) as sandbox:
        for runs in (Environment(packages), sandbox):
            for name in ("gerp", "./gerp", "a\nb"):
                with pytest.raises(CommandNotFound, match="no such command") as caught:
                    runs.run(name)
                assert str(caught.value).isprintable()
        with pytest.raises(WpmError) as caught_other:
            sandbox.run("/workspace")
        assert not isinstance(caught_other.value, CommandNotFound)
