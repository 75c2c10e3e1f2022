"""The launchers of a project: what runs by them is like a program of the machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from launched import launch, printed
from make_packages import RegistryMaker, write_project
from typed import output

SH = "/bin/sh"


def with_path(project: Path, command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """What a shell of the machine makes of a command with the launchers on its PATH."""
    path = f"{(project / '.wpm' / 'bin').absolute()}:{os.environ['PATH']}"
    return launch(SH, "-c", command, cwd=cwd, env={"PATH": path})


class TestStreams:
    def test_arguments_and_bytes_pass(self, project: Path) -> None:
        words = ["", "a b", "$HOME", "`x`", "it's", '"', "\\", "--", "-n", "*", "ß☃", "a\nb", "--launcher", "--help"]
        assert printed(project / ".wpm/bin/echo", "x", *words) == " ".join(["x", *words]) + "\n"
        assert launch(project / ".wpm/bin/cat", stdin=b"\0\xff").stdout == b"\0\xff"

    def test_a_path_with_the_launchers_just_works(self, project: Path, tmp_path: Path) -> None:
        (tmp_path / "notes").write_text("pear\napple\n")
        done = with_path(project, "sort notes | tr a-z A-Z > out; cat out; hello Ada", tmp_path)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"APPLE\nPEAR\nHello, Ada!\n", b"")

    def test_a_reader_that_is_gone_ends_it_quietly(self, project: Path) -> None:
        done = with_path(project, "yes | head -n 1")
        assert (done.stdout, done.stderr) == (b"y\n", b"")
        running = subprocess.Popen(
            [project / ".wpm/bin/yes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, restore_signals=True
        )
        assert running.stdout is not None and running.stderr is not None
        running.stdout.read(2)
        running.stdout.close()
        assert (running.wait(30), running.stderr.read()) == (-signal.SIGPIPE, b"")
        running.stderr.close()

    def test_it_sees_the_current_directory_and_nothing_else(self, project: Path, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        assert printed((project / ".wpm/bin/pwd").absolute(), cwd=tmp_path / "sub") == "/work\n"
        assert printed((project / ".wpm/bin/env").absolute()) == "PWD=/work\n"
        assert launch(project / ".wpm/bin/cat", str(project.absolute() / "wasmer.toml")).returncode == 1


class TestEnds:
    @pytest.fixture
    def ends(self, registry: RegistryMaker) -> Path:  # noqa: ARG002
        root = write_project(Path("ends"), {f"acme/{name}": "*" for name in ("exit", "trap", "spin")})
        output("install", "--project", root)
        return root

    def test_exit_codes_pass(self, ends: Path) -> None:
        assert launch(ends / ".wpm/bin/exit").returncode == 42
        trapped = launch(ends / ".wpm/bin/trap")
        assert (trapped.returncode, b"unreachable" in trapped.stderr) == (134, True)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
    def test_a_signal_ends_it_as_it_ends_others(self, ends: Path, number: signal.Signals) -> None:
        running = subprocess.Popen([ends / ".wpm/bin/spin"], stderr=subprocess.PIPE)
        time.sleep(0.7)
        running.send_signal(number)
        assert running.wait(30) == -number
        assert running.stderr is not None
        with running.stderr:
            assert running.stderr.read() == b""

    def test_an_interrupt_while_it_starts_ends_it_without_a_word(self, ends: Path) -> None:
        for delay in (0.01, 0.03, 0.05, 0.08):
            running = subprocess.Popen([ends / ".wpm/bin/spin"], stderr=subprocess.PIPE)
            time.sleep(delay)
            running.send_signal(signal.SIGINT)
            code = running.wait(30)
            assert running.stderr is not None
            with running.stderr:
                said = running.stderr.read()
            # The interpreter itself takes a few milliseconds in which it knows better than we do.
            if b"site.py" not in said and b"frozen" not in said:
                assert (code, said) == (-signal.SIGINT, b"")

    def test_a_guest_that_handles_a_signal_hears_of_it(self, project: Path) -> None:
        for number, name in ((signal.SIGTERM, "TERM"), (signal.SIGINT, "INT")):
            script = f"trap 'echo caught; exit 9' {name}; echo ready; while :; do sleep 0.05; done"
            running = subprocess.Popen([project / ".wpm/bin/sh", "-c", script], stdout=subprocess.PIPE)
            assert running.stdout is not None
            assert running.stdout.readline() == b"ready\n"
            running.send_signal(number)
            assert (running.wait(30), running.stdout.read()) == (9, b"caught\n")
            running.stdout.close()


class TestPlaces:
    def test_by_a_link_to_the_project_to_the_launcher_and_from_anywhere(self, project: Path, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(project.absolute())
        (tmp_path / "greet").symlink_to(tmp_path / "link" / ".wpm" / "bin" / "hello")
        for launcher in (tmp_path / "link/.wpm/bin/hello", tmp_path / "greet"):
            assert printed(launcher, "Ada", cwd=Path("/")) == "Hello, Ada!\n"
        assert printed(SH, str(project / ".wpm/bin/hello"), "Ada") == "Hello, Ada!\n"

    def test_a_moved_project_works_on(self, project: Path, tmp_path: Path) -> None:
        moved = project.rename(tmp_path / "moved")
        assert printed(moved / ".wpm/bin/hello") == "Hello, World!\n"
        assert output("verify", "--project", moved) == "3 packages verified\n"

    def test_a_project_that_is_gone_is_told(self, project: Path, tmp_path: Path) -> None:
        shutil.copytree(project / ".wpm", tmp_path / "else" / ".wpm")
        done = launch(tmp_path / "else/.wpm/bin/hello")
        assert done.returncode == 1
        assert done.stderr.startswith(b"wpm: ") and b"its project is gone" in done.stderr

    def test_a_python_that_is_gone_is_told(self, project: Path) -> None:
        launcher = project / ".wpm/bin/hello"
        launcher.write_text(launcher.read_text().replace(sys.executable, "/nowhere/python"))
        done = launch(launcher)
        assert done.returncode == 127
        assert done.stderr == b"wpm: hello: /nowhere/python is gone: install wpm again, and run: wpm install\n"

    def test_it_runs_what_the_lock_says_now(self) -> None:
        root = write_project(Path("p"), {"wpm/hello": "=1.1.0"})
        output("install", "--project", root)
        (root / "wasmer.toml").write_text((root / "wasmer.toml").read_text().replace("=1.1.0", "=2.0.0"))
        output("lock", "--project", root)
        assert '"wpm/hello@2.0.0"' not in (root / ".wpm/manifest.json").read_text()
        assert printed(root / ".wpm/bin/hello", "Ada") == "Hello, Ada!\n"
        (root / "wasmer.toml").write_text("[dependencies]\n'wpm/coreutils' = '*'\n")
        output("lock", "--project", root)
        done = launch(root / ".wpm/bin/hello")
        assert (done.returncode, b"run: wpm install" in done.stderr) == (1, True)
