"""`wpm shell`: among the packages, and on the machine."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from shlex import quote

import pytest
from make_packages import write_project
from typed import COMMAND, environment, output, wpm

sys.path.append(str(Path(__file__).parents[1] / "tools"))
from terminals import Terminal

WITHOUT_SHELL = {"wpm/hello": "^1.1"}


class TestAmongPackages:
    def test_a_command_and_its_exit_code(self, project: Path) -> None:
        done = wpm("shell", "--project", project, "-c", "hello Ada | tr a-z A-Z; echo $WPM_PROJECT; exit 3")
        assert (done.returncode, done.stdout, done.stderr) == (3, b"HELLO, ADA!\n/work\n", b"")

    def test_a_script_from_standard_input(self, project: Path) -> None:
        done = wpm("shell", "--project", project, stdin=b"pwd\nread line\nfor me\necho $line; exit 4\n")
        assert (done.returncode, done.stdout) == (4, b"/work\nfor me\n")

    def test_arguments_go_to_the_shell(self, project: Path) -> None:
        said = output("shell", "--project", project, "--", "-c", 'echo "$0 $2"', "zero", "one", "--two")
        assert said == "zero --two\n"
        assert output("shell", "--project", project, "-c", 'echo "$0 $1"', "--", "zero", "-x") == "zero -x\n"

    def test_it_begins_where_we_are_in_the_project(self, project: Path) -> None:
        (project / "deep" / "er").mkdir(parents=True)
        assert output("shell", "-c", "pwd; ls ..", cwd=project / "deep" / "er") == "/work/deep/er\ner\n"
        output("shell", "-c", "echo made > here", cwd=project / "deep")
        assert (project / "deep" / "here").read_text() == "made\n"

    def test_options_of_the_guest(self, project: Path, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        seen = output(
            "shell", "--project", project, "--volume", f"{tmp_path}/other:/o", "--cwd", "/o", "-c", "pwd; ls /"
        )
        assert seen.startswith("/o\n") and "work" not in seen.split()
        assert wpm("shell", "--project", project, "--timeout", "300ms", "-c", "sleep 9").returncode == 124
        assert output("shell", "--project", project, "--env", "A=1", "-c", "echo $A") == "1\n"
        assert output("shell", "--project", project, "--use", "wpm/words", "-c", "ls / | wc -l")
        assert wpm("shell", "--project", project, "--sandbox", "-c", "cat /work/wasmer.toml").returncode == 1
        assert wpm("shell", "--host", "--net").returncode == 2
        assert wpm("shell", "--sandbox", "--volume", ".").returncode == 2

    def test_the_manifest_names_the_shell(self, project: Path) -> None:
        toml = project / "wasmer.toml"
        with toml.open("a") as file:
            file.write('[wpm]\nshell = "echo"\n')
        assert output("shell", "--project", project, "--", "I", "am", "it") == "I am it\n"
        toml.write_text(toml.read_text().replace('"echo"', '"nu"'))
        done = wpm("shell", "--project", project)
        assert (done.returncode, b"wpm.shell: 'nu' is no command of the project" in done.stderr) == (1, True)
        toml.write_text(toml.read_text().replace('"nu"', "7"))
        assert b"wpm.shell: expected a string" in wpm("shell", "--project", project).stderr

    def test_without_a_shell_its_options_are_an_error(self) -> None:
        root = write_project(Path("p"), WITHOUT_SHELL)
        done = wpm("shell", "--project", root, "--timeout", "1", "-c", "x")
        assert (done.returncode, b"wpm add wpm/sh adds one" in done.stderr) == (1, True)

    def test_a_terminal(self, project: Path) -> None:
        terminal = Terminal([*COMMAND, "shell", "--project", str(project)], Path.cwd(), environment({"TERM": "dumb"}))
        try:
            terminal.until(r"\$ ")
            terminal.type("hello Ada; echo $TERM\r")
            assert "Hello, Ada!\ndumb\n" in terminal.until(r"!\ndumb\n")
            # Each comes at another moment of the fork and the exec, of which none may lose it or end the shell.
            for number in range(50):
                terminal.type(f"echo {number}{number}; sleep 30\r")
                terminal.until(rf"{number}{number}\n")
                terminal.type("\x03")
                terminal.until(r"\$ $")
            terminal.type("hello again\r")
            terminal.until("Hello, again!")
        finally:
            terminal.close()


class TestOfTheMachine:
    def test_where_the_project_has_none_or_it_is_asked_for(self, project: Path) -> None:
        without = write_project(Path("p"), WITHOUT_SHELL)
        for root, words in ((without, ()), (project, ("--host",))):
            done = wpm("shell", "--project", root, *words, "-c", 'hello; echo "$WPM_PROJECT"; exit 5')
            assert (done.returncode, done.stderr) == (5, b""), done
            assert done.stdout.decode() == f"Hello, World!\n{root.absolute()}\n"

    def test_a_script_from_standard_input(self) -> None:
        root = write_project(Path("p"), WITHOUT_SHELL)
        done = wpm("shell", "--project", root, stdin=b"hello Ada\nexit 6\n")
        assert (done.returncode, done.stdout) == (6, b"Hello, Ada!\n")

    def test_nested_shells_are_told_apart(self) -> None:
        outer, inner = (write_project(Path(name), WITHOUT_SHELL) for name in ("outer", "in$(ner)"))
        shown = '\'echo "$WPM_SHELL"; echo "$PATH"\''
        inside = f'"{sys.executable}" -m pkgmgr.cli.main shell --project {quote(str(inner.absolute()))} -c {shown}'
        said = output("shell", "--project", outer, "-c", inside).splitlines()
        assert said[0] == "outer > in_ner_"
        assert said[1].split(":")[:2] == [str((each / ".wpm/bin").absolute()) for each in (inner, outer)]
        again = output(
            "shell",
            "--project",
            outer,
            "-c",
            inside.replace(quote(str(inner.absolute())), quote(str(outer.absolute()))),
        )
        assert again.splitlines()[1].count("/outer/.wpm/bin") == 1

    @pytest.mark.parametrize("name", ["bash", "zsh", "dash", "fish"])
    def test_a_prompt_that_shows_the_project(self, name: str, tmp_path: Path) -> None:
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"there is no {name}")
        root = write_project(Path("the-project"), WITHOUT_SHELL)
        output("install", "--project", root)
        home = tmp_path / "home"
        (home / ".config" / "fish").mkdir(parents=True)
        for file in (".bashrc", ".zshrc", ".config/fish/config.fish"):
            (home / file).write_text("export MINE=yes\n" if "fish" not in file else "set -gx MINE yes\n")
        (home / "env").write_text("MINE=yes\n")
        given = {
            "SHELL": program,
            "HOME": str(home),
            "ENV": str(home / "env"),
            "TERM": "vt100",
            "XDG_CONFIG_HOME": str(home / ".config"),
        }
        terminal = Terminal([*COMMAND, "shell", "--host", "--project", str(root)], Path.cwd(), environment(given))
        try:
            terminal.until(r"\(the-project\) ")
            terminal.type('echo "[$MINE]"; command -v hello; hello Ada\r')
            seen = terminal.until("Hello, Ada!")
            assert "[yes]" in seen
            assert "/the-project/.wpm/bin/hello" in seen
        finally:
            terminal.close()

    def test_a_shell_that_is_not_there_is_told(self) -> None:
        root = write_project(Path("p"), WITHOUT_SHELL)
        done = wpm("shell", "--project", root, env={"SHELL": "/nowhere/sh"})
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
        assert b"/nowhere/sh: cannot be executed" in done.stderr

    def test_a_path_that_cannot_stand_in_path_is_told(self) -> None:
        root = write_project(Path("a:b"), WITHOUT_SHELL)
        for words in (("shell", "--host"), ("env", "activate")):
            assert b"cannot stand in PATH" in wpm(*words, "--project", root).stderr


class TestActivation:
    @pytest.mark.parametrize(("name", "kind"), [("sh", "sh"), ("bash", "sh"), ("zsh", "sh"), ("fish", "fish")])
    def test_evaluated(self, name: str, kind: str, project: Path) -> None:
        import subprocess

        program = shutil.which(name)
        if program is None:
            pytest.skip(f"there is no {name}")
        text = output("env", "activate", "--shell", kind, "--project", project)
        script = f'{text}{text}hello Ada; echo "$WPM_PROJECT"; echo "$PATH"'
        done = subprocess.run([program, "-c", script], env=dict(os.environ), capture_output=True, text=True, timeout=60)
        first, second, path = done.stdout.splitlines()
        assert (first, second) == ("Hello, Ada!", str(project.absolute()))
        assert path.count("/.wpm/bin") == 1

    def test_evaluated_without_quotes(self, project: Path) -> None:
        import subprocess

        text = output("env", "activate", "--shell", "sh", "--project", project)
        script = "eval $text && hello Ada"
        variables = {**os.environ, "text": text}
        done = subprocess.run(["sh", "-c", script], env=variables, capture_output=True, text=True, timeout=60)
        assert (done.stdout, done.stderr) == ("Hello, Ada!\n", "")

    def test_not_installed_is_told(self) -> None:
        root = write_project(Path("p"), WITHOUT_SHELL)
        done = wpm("env", "activate", "--project", root)
        assert (done.returncode, done.stdout) == (1, b"")
        assert b"run: wpm install" in done.stderr
