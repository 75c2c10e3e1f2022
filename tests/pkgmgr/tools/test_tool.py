"""`wpm tool`: commands of packages, installed for the user."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_project
from typed import environment, guest, output, wpm

PRINTING = ("wpm/coreutils", "-e", "echo", "-e", "cat", "-e", "env")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryMaker:
    """A registry for `acme/*`."""
    registry = RegistryMaker(tmp_path / "registry")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(f'[registries]\n"acme/*" = "{registry.root}"\n')
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    return registry


def start(
    launcher: Path, *words: str, cwd: Path | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run a launcher as a shell does, with nothing that leads Python to wpm."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([launcher, *words], cwd=cwd, env=kept, input=stdin, capture_output=True, timeout=60)


def printed(launcher: Path, *words: str, cwd: Path | None = None) -> str:
    done = start(launcher, *words, cwd=cwd)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode()


def tools() -> dict[str, str]:
    listed = json.loads(output("tool", "list", "--json"))["tools"]
    return {tool["name"]: tool["package"] for tool in listed}


class TestInstall:
    def test_a_launcher_runs_the_command(self, private_tools: Path) -> None:
        assert output("tool", "install", "wpm/hello") == "hello: wpm/hello@2.0.0 installed (command hello)\n"
        assert printed(private_tools / "hello", "Ada") == "Hello, Ada!\n"
        assert tools() == {"hello": "wpm/hello@2.0.0"}
        assert os.listdir(private_tools) == ["hello"]

    def test_arguments_and_streams_pass_through(self, private_tools: Path, tmp_path: Path) -> None:
        wpm("tool", "install", *PRINTING)
        words = ["", "a b", "$HOME", "`x`", "it's", '"', "\\", "--", "-n", "*", "ß\u2603", "a\nb"]
        assert printed(private_tools / "echo", "x", *words) == " ".join(["x", *words]) + "\n"
        assert start(private_tools / "cat", cwd=tmp_path, stdin=b"\0\xff").stdout == b"\0\xff"

    def test_exit_codes_pass_through(self, private_tools: Path, registry: RegistryMaker, tmp_path: Path) -> None:
        registry.add("acme/leave", "1.0.0", commands=("leave",), module=guest(tmp_path, "exit").read_bytes())
        registry.add("acme/trap", "1.0.0", commands=("trap",), module=guest(tmp_path, "trap").read_bytes())
        for name, code in (("leave", 42), ("trap", 134)):
            output("tool", "install", f"acme/{name}")
            assert start(private_tools / name).returncode == code

    def test_an_interrupt_ends_it(self, private_tools: Path, registry: RegistryMaker, tmp_path: Path) -> None:
        registry.add("acme/spin", "1.0.0", commands=("spin",), module=guest(tmp_path, "spin").read_bytes())
        output("tool", "install", "acme/spin")
        running = subprocess.Popen([private_tools / "spin"], stderr=subprocess.PIPE)
        time.sleep(1)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == -signal.SIGINT

    def test_all_commands_some_or_one_by_another_name(self, private_tools: Path) -> None:
        assert json.loads(wpm("tool", "install", *PRINTING[:5], "--json").stdout)["name"] == "coreutils"
        assert sorted(os.listdir(private_tools)) == ["cat", "echo"]
        output("tool", "install", "wpm/text-tools")
        assert "count-lines" in os.listdir(private_tools)
        output("tool", "install", "wpm/coreutils", "-e", "seq", "--as", "tally")
        assert printed(private_tools / "tally", "2") == "1\n2\n"
        assert set(tools()) == {"coreutils", "text-tools", "tally"}

    def test_again_replaces_what_was_chosen_before(self, private_tools: Path) -> None:
        wpm("tool", "install", "wpm/coreutils")
        assert "[" in os.listdir(private_tools)
        wpm("tool", "install", "wpm/coreutils", "-e", "seq")
        assert os.listdir(private_tools) == ["seq"]

    def test_a_package_file(self, private_tools: Path, registry: RegistryMaker, tmp_path: Path) -> None:
        file = registry.add("acme/leave", "1.0.0", commands=("leave",), module=guest(tmp_path, "exit").read_bytes())
        (tmp_path / "here").mkdir()
        (tmp_path / "here" / "l.webc").write_bytes(file.read_bytes())
        output("tool", "install", "./l.webc", cwd=tmp_path / "here")
        (tmp_path / "here" / "l.webc").unlink()
        assert start(private_tools / "leave").returncode == 42

    def test_a_project_here_changes_nothing(self, private_tools: Path, tmp_path: Path) -> None:
        project = write_project(tmp_path / "project", {"wpm/hello": "=1.0.0"})
        output("tool", "install", "wpm/hello", cwd=project)
        assert printed(private_tools / "hello", "--version", cwd=project) == "hello 2.0.0\n"

    def test_python_is_not_led_astray(
        self, private_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        output("tool", "install", "wpm/hello")
        for name in ("pkgmgr", "argparse", "runtime"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('astray')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("PYTHONHOME", "/nowhere")
        done = subprocess.run([private_tools / "hello", "x"], cwd=tmp_path, capture_output=True, timeout=60)
        assert (done.stdout, done.stderr) == (b"Hello, x!\n", b"")


class TestWhatItSees:
    def test_the_current_directory_and_nothing_else(self, private_tools: Path, tmp_path: Path) -> None:
        wpm("tool", "install", *PRINTING)
        (tmp_path / "below").mkdir()
        (tmp_path / "below" / "x").write_text("seen\n")
        (tmp_path / "y").write_text("unseen\n")
        assert printed(private_tools / "cat", "x", "/work/x", cwd=tmp_path / "below") == "seen\nseen\n"
        for path in ("../y", str(tmp_path / "y"), "/etc/passwd"):
            assert start(private_tools / "cat", path, cwd=tmp_path / "below").returncode == 1
        assert "HOME" not in printed(private_tools / "env")

    def test_it_may_write_there(self, private_tools: Path, tmp_path: Path) -> None:
        wpm("tool", "install", "wpm/coreutils", "-e", "touch")
        (tmp_path / "w").mkdir()
        printed(private_tools / "touch", "new", cwd=tmp_path / "w")
        assert (tmp_path / "w" / "new").exists()

    def test_what_was_said_when_it_was_installed(
        self, private_tools: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        words = ("wpm/coreutils", "-e", "env", "-e", "cat", "-e", "pwd", "-e", "touch")
        wpm("tool", "install", *words, "--volume", ".", "--env", "A=1", "--env", "B")
        monkeypatch.setenv("B", "ours")
        monkeypatch.setenv("C", "unseen")
        shown = printed(private_tools / "env", cwd=tmp_path).splitlines()
        assert {"A=1", "B=ours"} <= set(shown) and not any(line.startswith("C=") for line in shown)
        assert printed(private_tools / "pwd", cwd=tmp_path) == f"{tmp_path}\n"
        (tmp_path / "x").write_text("seen\n")
        assert printed(private_tools / "cat", str(tmp_path / "x"), "x", cwd=tmp_path) == "seen\nseen\n"
        wpm("tool", "install", *words, "--volume", f"{tmp_path}:/fixed:ro", "--cwd", "/fixed")
        assert printed(private_tools / "cat", "x", cwd=Path("/")) == "seen\n"
        assert start(private_tools / "touch", "new", cwd=Path("/")).returncode == 1

    def test_a_relative_directory_is_looked_for_where_it_is_started(self, private_tools: Path, tmp_path: Path) -> None:
        wpm("tool", "install", "wpm/coreutils", "-e", "cat", "--volume", "data:/data")
        done = start(private_tools / "cat", "/data/x", cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, b"wpm: --volume data:/data: there is no directory data\n")
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "x").write_text("seen\n")
        assert printed(private_tools / "cat", "/data/x", cwd=tmp_path) == "seen\n"
        assert wpm("tool", "install", "wpm/hello", "--volume", "/not/here:/x").returncode == 1

    def test_a_sandbox_sees_nothing(self, private_tools: Path, tmp_path: Path) -> None:
        wpm("tool", "install", *PRINTING, "--sandbox")
        (tmp_path / "x").write_text("unseen\n")
        assert start(private_tools / "cat", "x", cwd=tmp_path).returncode == 1
        assert wpm("tool", "install", "wpm/hello", "--sandbox", "--volume", ".").returncode == 2


class TestInTheWay:
    def test_a_file_of_somebody_else_stays(self, private_tools: Path) -> None:
        private_tools.mkdir()
        other = private_tools / "hello"
        other.write_text("#!/bin/sh\necho mine\n")
        done = wpm("tool", "install", "wpm/hello")
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1) and b"--force" in done.stderr
        assert other.read_text().endswith("mine\n") and tools() == {} and os.listdir(private_tools) == ["hello"]
        assert wpm("tool", "install", "wpm/hello", "--force").returncode == 0
        assert printed(other, "x") == "Hello, x!\n"

    def test_a_link_of_somebody_else_is_not_followed(self, private_tools: Path, tmp_path: Path) -> None:
        private_tools.mkdir()
        (tmp_path / "precious").write_text("precious")
        (private_tools / "hello").symlink_to(tmp_path / "precious")
        assert wpm("tool", "install", "wpm/hello").returncode == 1
        assert wpm("tool", "install", "wpm/hello", "--force").returncode == 0
        assert (tmp_path / "precious").read_text() == "precious"
        assert not (private_tools / "hello").is_symlink()

    def test_a_directory(self, private_tools: Path) -> None:
        (private_tools / "hello" / "deep").mkdir(parents=True)
        done = wpm("tool", "install", "wpm/hello", "--force")
        assert done.returncode == 1 and done.stderr.count(b"\n") == 1
        assert tools() == {} and os.listdir(private_tools) == ["hello"]

    def test_another_tool(self, private_tools: Path) -> None:
        wpm("tool", "install", "wpm/coreutils", "-e", "seq", "-e", "echo")
        assert wpm("tool", "install", "wpm/hello", "--as", "seq").returncode == 1
        assert wpm("tool", "install", "wpm/hello", "--as", "seq", "--force").returncode == 0
        assert printed(private_tools / "seq", "x") == "Hello, x!\n"
        assert wpm("tool", "upgrade", "coreutils").returncode == 0
        assert printed(private_tools / "seq", "x") == "Hello, x!\n"
        output("tool", "uninstall", "coreutils")
        assert os.listdir(private_tools) == ["seq"]

    def test_a_tool_of_another_package(self, registry: RegistryMaker, private_tools: Path, tmp_path: Path) -> None:
        registry.add("acme/hello", "1.0.0", commands=("leave",), module=guest(tmp_path, "exit").read_bytes())
        output("tool", "install", "wpm/hello")
        done = wpm("tool", "install", "acme/hello")
        assert done.returncode == 1 and b"--as" in done.stderr
        output("tool", "install", "acme/hello", "--force")
        assert os.listdir(private_tools) == ["leave"]

    def test_programs_of_the_same_name_are_told(self, private_tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert b"comes before /usr/bin/env" in wpm("tool", "install", "wpm/coreutils", "-e", "env").stderr
        monkeypatch.setenv("PATH", f"/usr/bin:{private_tools}")
        assert b"comes after /usr/bin/env" in wpm("tool", "install", "wpm/coreutils", "-e", "env").stderr
        monkeypatch.setenv("PATH", "/usr/bin")
        assert b"is not on PATH" in wpm("tool", "install", "wpm/hello").stderr


class TestUpgrade:
    def test_to_what_it_was_installed_as(self, registry: RegistryMaker, private_tools: Path, tmp_path: Path) -> None:
        module = guest(tmp_path, "exit").read_bytes()
        registry.add("acme/leave", "1.0.0", commands=("leave", "old"), module=module)
        output("tool", "install", "acme/leave@^1", "--volume", ".:/src")
        registry.add("acme/leave", "1.1.0", commands=("leave", "new"), module=guest(tmp_path, "trap").read_bytes())
        registry.add("acme/leave", "2.0.0", commands=("leave",), module=module)
        assert start(private_tools / "leave").returncode == 42
        assert output("tool", "upgrade", "leave") == "leave: 1.0.0 -> 1.1.0\n"
        assert start(private_tools / "leave").returncode == 134
        assert sorted(os.listdir(private_tools)) == ["leave", "new"]
        assert json.loads(output("tool", "list", "--json"))["tools"][0]["guest"]["volume"] == [".:/src"]
        assert "newest" in output("tool", "upgrade", "--all")

    def test_one_that_fails_is_as_it_was_and_the_others_go_on(
        self, registry: RegistryMaker, private_tools: Path
    ) -> None:
        gone = registry.add("acme/gone", "1.0.0", commands=("gone",))
        output("tool", "install", "acme/gone")
        output("tool", "install", "wpm/hello@=1.0.0")
        gone.unlink()
        done = wpm("tool", "upgrade", "--all", "--json")
        assert done.returncode == 1 and done.stderr.count(b"acme/gone") >= 1
        shown = json.loads(done.stdout)
        assert (shown["failed"], [tool["name"] for tool in shown["tools"]]) == (["gone"], ["hello"])
        assert set(tools()) == {"gone", "hello"} and (private_tools / "gone").exists()

    @pytest.mark.parametrize("words", [("upgrade",), ("upgrade", "x", "--all"), ("uninstall",), ("run",), ()])
    def test_wrong_usage(self, words: tuple[str, ...]) -> None:
        assert wpm("tool", *words).returncode == 2


class TestUninstall:
    def test_leaves_nothing(self, private_tools: Path, tmp_path: Path) -> None:
        output("tool", "install", "wpm/text-tools")
        output("tool", "install", "wpm/hello")
        assert output("tool", "uninstall", "text-tools", "hello") == "text-tools: uninstalled\nhello: uninstalled\n"
        assert os.listdir(private_tools) == [] and tools() == {}
        assert [each for each in os.listdir(tmp_path / "the user's $tools") if not each.startswith(".lock")] == []

    def test_all_or_none(self) -> None:
        output("tool", "install", "wpm/hello")
        done = wpm("tool", "uninstall", "hello", "helo")
        assert (done.returncode, done.stderr) == (1, b"wpm: helo: there is no such tool (did you mean hello?)\n")
        assert set(tools()) == {"hello"}

    def test_what_somebody_put_in_the_place_of_a_launcher_stays(self, private_tools: Path) -> None:
        output("tool", "install", "wpm/hello")
        (private_tools / "hello").unlink()
        (private_tools / "hello").write_text("mine")
        assert b"stays" in wpm("tool", "uninstall", "hello").stderr
        assert (private_tools / "hello").read_text() == "mine"


class TestRun:
    def test_by_command_or_tool(self) -> None:
        output("tool", "install", "wpm/hello", "--as", "greet")
        wpm("tool", "install", *PRINTING)
        assert output("tool", "run", "greet", "Ada") == "Hello, Ada!\n"
        assert output("tool", "run", "echo", "--", "--", "-n") == "-- -n\n"
        done = wpm("tool", "run", "coreutils")
        assert done.returncode == 1 and b"cat, echo, env" in done.stderr

    def test_neither_registry_nor_network_is_asked(
        self, registry: RegistryMaker, private_tools: Path, tmp_path: Path
    ) -> None:
        file = registry.add("acme/leave", "1.0.0", commands=("leave",), module=guest(tmp_path, "exit").read_bytes())
        output("tool", "install", "acme/leave")
        file.unlink()
        assert start(private_tools / "leave").returncode == 42

    def test_a_store_that_was_emptied_is_filled_again(self, private_tools: Path, own_store: Path) -> None:
        output("tool", "install", "wpm/hello@=1.0.0")
        output("cache", "clean")
        assert not any(own_store.rglob("*.webc"))
        assert printed(private_tools / "hello", "--version") == "hello 1.0.0\n"

    @pytest.mark.parametrize(
        "text", ["", "{}", "[]", '{"format": 2}', '{"format": 1, "lock": "x"}', "\0", "[" * 100_000]
    )
    def test_a_record_that_is_none(self, text: str, tmp_path: Path) -> None:
        output("tool", "install", "wpm/hello")
        (tmp_path / "the user's $tools" / "hello.json").write_text(text)
        for words in (("run", "hello"), ("list",), ("upgrade", "hello")):
            done = wpm("tool", *words)
            assert (done.returncode, done.stderr.count(b"\n")) == (1, 1), done
        output("tool", "uninstall", "hello")
        assert tools() == {}

    @pytest.mark.parametrize("name", ["../x", "/etc/passwd", ".", "", "a b", "-x", "x\ny"])
    def test_names_that_are_none(self, name: str) -> None:
        assert wpm("tool", "install", "wpm/hello", f"--as={name}").returncode == 1
        assert wpm("tool", "run", "--", name).returncode == 1


def test_the_folders(private_tools: Path, tmp_path: Path) -> None:
    assert output("tool", "dir") == f"{tmp_path}/the user's $tools\n"
    assert output("tool", "dir", "--bin") == f"{private_tools}\n"


def test_installs_that_are_killed_leave_a_tool_or_none(private_tools: Path) -> None:
    import random

    chance = random.Random(4)
    wpm("tool", "install", "wpm/coreutils", "-e", "seq")
    began = time.monotonic()
    wpm("tool", "install", "wpm/text-tools", "-e", "count-lines", "--as", "lines")
    usual = time.monotonic() - began
    for number in range(8):
        wanted = ("wpm/coreutils",) if number % 2 else ("wpm/coreutils", "-e", "seq")
        command = [sys.executable, "-m", "pkgmgr.cli.main", "tool", "install", *wanted]
        running = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 1.1) * usual)
        running.kill()
        running.wait()
        assert tools() == {"coreutils": "wpm/coreutils@1.0.0", "lines": "wpm/text-tools@1.2.0"}
        assert printed(private_tools / "seq", "1") == "1\n"
    wpm("tool", "install", "wpm/coreutils", "-e", "seq")
    assert {name for name in os.listdir(private_tools) if not name.startswith(".wpm-launcher-")} == {"seq", "lines"}


def test_many_at_once(private_tools: Path) -> None:
    command = [sys.executable, "-m", "pkgmgr.cli.main", "tool", "install", "wpm/coreutils"]
    names = ["seq", "cat", "wc", "head"]
    running = [
        subprocess.Popen([*command, "-e", name, "--as", f"my-{name}"], env=environment(), stdout=subprocess.DEVNULL)
        for name in names * 2
    ]
    assert [each.wait(60) for each in running] == [0] * 8
    assert sorted(os.listdir(private_tools)) == sorted(f"my-{name}" for name in names) == sorted(tools())
