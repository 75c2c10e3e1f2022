"""`wpm exec`: a command of a package, without a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from make_packages import RegistryMaker, write_project
from typed import guest, output, wpm

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("wpm/hello", "--", "Ada"), "Hello, Ada!\n"),
        (("wpm/hello", "Ada"), "Hello, Ada!\n"),
        (("wpm/hello@=1.0.0", "--", "--version"), "hello 1.0.0\n"),
        (("--", "wpm/hello", "--version"), "hello 2.0.0\n"),
        (("--package", "wpm/coreutils", "--", "seq", "2"), "1\n2\n"),
        (("-p", "wpm/coreutils", "seq", "--", "2"), "1\n2\n"),
        (("-p", "wpm/coreutils", "-e", "seq", "2"), "1\n2\n"),
        (("wpm/coreutils", "-e", "echo", "--", "--", "-n"), "-- -n\n"),
        (("-p", "wpm/hello", "-p", "wpm/coreutils", "--", "ls", "/bin/hello"), "/bin/hello\n"),
    ],
)
def test_what_is_run(words: tuple[str, ...], printed: str, tmp_path: Path) -> None:
    assert output("exec", *words, cwd=tmp_path) == printed


def test_neither_the_project_nor_a_file_of_that_name_is_looked_at(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {"wpm/hello": "=1.0.0"})
    (project / "wpm" / "hello").mkdir(parents=True)
    assert output("exec", "wpm/hello", "--", "--version", cwd=project) == "hello 2.0.0\n"
    assert not (project / "wasmer.lock").exists()


def test_a_package_with_several_commands_runs_the_one_that_is_called_as_it_is(tmp_path: Path) -> None:
    registry = RegistryMaker(tmp_path / "registry")
    module = guest(tmp_path, "exit").read_bytes()
    registry.add("acme/leave", "1.0.0", commands=("other", "leave"), module=module)
    registry.add("acme/open", "1.0.0", commands=("this", "that"), module=module)
    env = {"WPM_REGISTRY": str(registry.root)}
    assert wpm("exec", "acme/leave", cwd=tmp_path, env=env).returncode == 42
    done = wpm("exec", "acme/open", cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"this" in done.stderr and b"that" in done.stderr
    done = wpm("exec", "-p", "acme/open", "--", "thi", cwd=tmp_path, env=env)
    assert done.stderr == b"wpm: thi: no command of acme/open@1.0.0 (did you mean this?)\n"


def test_it_sees_nothing_of_this_machine_unless_told(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a\nb\n")
    words = ("exec", "-p", "wpm/coreutils")
    assert wpm(*words, "--", "cat", "x", cwd=tmp_path).returncode == 1
    assert output(*words, "--volume", ".:/work", "--cwd", "/work", "--", "wc", "-l", "x", cwd=tmp_path) == "2 x\n"


@pytest.mark.parametrize(
    "words",
    [(), ("--",), ("--package", "wpm/coreutils"), ("--package", "wpm/coreutils", "--"), ("wpm/hello", "--nope")],
)
def test_wrong_usage(words: tuple[str, ...], tmp_path: Path) -> None:
    done = wpm("exec", *words, cwd=tmp_path)
    assert done.returncode == 2 and b"wpm exec: error: " in done.stderr
