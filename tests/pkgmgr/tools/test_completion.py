"""Tab completion: what is offered, and that real shells offer it."""

from __future__ import annotations

import os
import subprocess
import sys
from shutil import which
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_project
from terminals import Terminal
from typed import ROOT, environment, output, wpm

from pkgmgr.cli.main import VERBS
from pkgmgr.completion.line import insertion, parse_line
from pkgmgr.store.names import stored_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pkgmgr.store import Store

BREAKS = " \t\n\"'@><=;|&(:"
"""What bash has in COMP_WORDBREAKS when it starts."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with `wpm/text-tools` and a file of each kind, and `wpm` on PATH."""
    project = write_project(tmp_path / "a project", {"wpm/text-tools": "^1"})
    output("lock", cwd=project)
    for name in ("run.wasm", "with space.webc", "notes.txt"):
        (project / name).write_text("")
    (project / "folder").mkdir()
    programs = tmp_path / "programs"
    programs.mkdir()
    wpm = programs / "wpm"
    wpm.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m pkgmgr.cli.main "$@"\n')
    wpm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.chdir(project)
    return project


def offered(line: str, cwd: Path | None = None) -> set[str]:
    """What bash is told to offer, without the spaces behind."""
    kind, *words = output("completion", "--complete", "bash", line, BREAKS, cwd=cwd).split("\n")[:-1]
    assert kind.split()[0] in ("files", "folders", "runnable", "nothing")
    return {word.removesuffix(" ") for word in words}


@pytest.mark.usefixtures("project")
class TestWhatIsOffered:
    def test_verbs(self) -> None:
        assert offered("wpm ") == {*VERBS, "help"}
        assert offered("wpm in") == {"install", "inspect"} | {verb for verb in VERBS if verb.startswith("in")}
        assert offered("wpm help tr") == {"tree"}
        assert offered("wpm --v") == {"--version"}

    @pytest.mark.parametrize("verb", VERBS)
    def test_options_of_every_verb(self, verb: str) -> None:
        assert "--help" in offered(f"wpm {verb} --") and offered(f"wpm {verb} --hel") == {"--help"}

    def test_images(self, project: Path) -> None:
        output("rootfs", "build", "wpm/hello", "-o", "layout", "--tag", "1.0", cwd=project)
        output("rootfs", "build", "wpm/hello", "-o", "layout", "--tag", "old", cwd=project)
        output("rootfs", "build", "wpm/hello", "-o", "root", cwd=project)
        output("rootfs", "build", "wpm/hello", "-o", "hello.webc", cwd=project)
        assert offered("wpm rootfs ls layout:") == {"1.0", "old"}
        assert offered("wpm rootfs diff layout:old layout:1") == {"1.0"}
        assert offered("wpm rootfs run root ") == offered("wpm rootfs run hello.webc h") == {"hello"}
        assert offered("wpm rootfs run layout:old ") == offered("wpm rootfs pull ") == set()

    def test_options_that_were_typed_are_not_offered_again(self) -> None:
        shown = offered("wpm run --cwd /x --volume . --")
        assert "--volume" in shown and "--cwd" not in shown and "--net" in shown
        assert offered("wpm tool install wpm/hello --sand") == {"--sandbox"}
        assert "--tool" not in offered("wpm tool run --")

    def test_what_runs(self) -> None:
        shown = offered("wpm run ")
        assert {"count-lines", "wc", "wpm/hello", "run.wasm", "with\\ space.webc", "folder/"} <= shown
        assert "notes.txt" not in shown
        assert offered("wpm run count-l") == {"count-lines"}
        assert offered("wpm run ./") == {"./run.wasm", "./with\\ space.webc", "./folder/"}
        assert offered("wpm run --net --cwd /x wi") == {"with\\ space.webc"}

    def test_packages_and_their_versions(self) -> None:
        for verb in ("exec", "tool install", "run --use", "exec --package"):
            assert offered(f"wpm {verb} wpm/h") == {"wpm/hello"}
        assert offered("wpm exec wpm/hello@1") == {"@1.0.0", "@1.1.0"}
        assert offered("wpm exec --package=wpm/h") == {"wpm/hello"}

    @pytest.mark.usefixtures("own_store")
    def test_packages_of_the_store(self, tmp_path: Path) -> None:
        registry = RegistryMaker(tmp_path / "registry")
        registry.add("acme/stored", "1.2.3", commands=("one", "two"))
        words = ("exec", "--registry", registry.root, "acme/stored", "-e", "one")
        assert wpm(*words).returncode == 1  # it is no program, but it is there now
        assert offered("wpm exec acme/") == {"acme/stored"}
        assert offered("wpm exec acme/stored@") == {"@1.2.3"}
        assert offered("wpm exec acme/stored -e ") == {"one", "two"}
        assert offered("wpm exec -p acme/stored -- t") == {"two"}
        output("cache", "clean")
        assert offered("wpm exec acme/") == set()

    def test_commands_of_packages(self) -> None:
        assert offered("wpm exec -p wpm/coreutils -- w") == {"wc"}
        assert offered("wpm run wpm/coreutils -e w") == {"wc"}
        assert offered("wpm run -e count-l") == {"count-lines"}

    def test_packages_of_the_project(self) -> None:
        assert offered("wpm tree --why ") == {"wpm/text-tools", "wpm/words", "wpm/coreutils"}
        assert offered("wpm tree --invert wpm/w") == {"wpm/words"}
        assert offered("wpm lock --upgrade wpm/t") == {"wpm/text-tools"}
        assert offered("wpm tree --project '.' --why wpm/w") == {"wpm/words"}
        assert offered("wpm remove ") == {"wpm/text-tools"}
        assert offered("wpm update wpm/t") == {"wpm/text-tools"}
        assert offered("wpm add wpm/he") == offered("wpm show wpm/he") == {"wpm/hello"}

    def test_tools(self) -> None:
        wpm("tool", "install", "wpm/hello", "--as", "greet")
        wpm("tool", "install", "wpm/coreutils", "-e", "seq")
        assert offered("wpm tool ") == {"install", "upgrade", "uninstall", "list", "run", "dir"}
        assert offered("wpm tool run ") == {"greet", "seq"}
        assert offered("wpm tool uninstall greet ") == {"coreutils"}
        assert offered("wpm tool upgrade ") == {"coreutils", "greet"}

    def test_choices(self) -> None:
        assert offered("wpm completion ") == {"bash", "zsh", "fish"}
        assert offered("wpm cache pr") == {"prune"}

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("wpm inspect ", "files"),
            ("wpm tree --project ", "folders"),
            ("wpm tree --project=", "folders"),
            ("wpm run --volume ", "folders"),
            ("wpm run x -- ", "files"),
            ("wpm run x ", "files"),
            ("wpm tree --depth ", "nothing"),
            ("wpm search ", "nothing"),
            ("wpm nonsense ", "nothing"),
        ],
    )
    def test_what_the_shell_completes_itself(self, line: str, kind: str) -> None:
        assert output("completion", "--complete", "bash", line, BREAKS).split()[0] == kind

    def test_in_a_project_that_cannot_be_read(self, project: Path) -> None:
        (project / "wasmer.lock").write_text("\0")
        assert "wpm/hello" in offered("wpm run ")
        (project / "wasmer.toml").write_text("[[[")
        assert "wpm/hello" in offered("wpm run ") and offered("wpm tree --why ") == set()

    @pytest.mark.parametrize(
        "words", [(), ("bash",), ("csh", "wpm "), ("zsh",), ("bash", "", ""), ("bash", "wpm run 'x", "")]
    )
    def test_nothing_is_ever_complained_of(self, words: tuple[str, ...]) -> None:
        output("completion", "--complete", *words)


class TestLine:
    @given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
    def test_words_are_what_a_shell_makes_of_them(self, words: list[str]) -> None:
        from shlex import quote

        line = parse_line("wpm " + "".join(f"{quote(word)} " for word in words))
        assert (list(line.words), line.current, line.quote) == (words, "", "")

    @given(st.text(max_size=30))
    def test_any_line_can_be_taken_apart(self, text: str) -> None:
        line = parse_line(text)
        assert insertion("candidate", line, BREAKS, ends=True) is not None

    @given(st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1))
    def test_what_is_inserted_means_the_candidate(self, candidate: str) -> None:
        for before in ("wpm ", 'wpm "', "wpm '"):
            text = insertion(candidate, parse_line(before), BREAKS, ends=False)
            if text is None or candidate.startswith("~"):
                continue
            assert parse_line(before + text).current == candidate

    def test_variables_before_the_command(self) -> None:
        assert parse_line("A=1 B+='x y' wpm run x").words == ("run",)


class TestShells:
    """The scripts in the shells themselves."""

    @pytest.fixture
    def bash(self, project: Path) -> Iterator[Terminal]:
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], project, interactive("PS1=READY> "))
        try:
            terminal.until("READY> ")
            terminal.type("bind 'set enable-bracketed-paste off'; bind 'set bell-style none'\n")
            terminal.type('eval "$(wpm completion bash)"; echo set\\ up\n')
            terminal.until("set up\n(.|\n)*READY> ")
            yield terminal
        finally:
            terminal.close()

    @pytest.mark.parametrize(
        ("typed", "completed"),
        [
            ("wpm verif\t", "wpm verify "),
            ("wpm tree --inv\t", "wpm tree --invert "),
            ("wpm run count-l\t", "wpm run count-lines "),
            ("wpm exec wpm/hel\t", "wpm exec wpm/hello "),
            ("wpm exec wpm/hello@2\t", "wpm exec wpm/hello@2.0.0 "),
            ("wpm exec --package=wpm/hel\t", "wpm exec --package=wpm/hello "),
            ("wpm run 'wpm/hel\t", "wpm run 'wpm/hello' "),
            ("wpm run with\t", "wpm run with\\ space.webc "),
            ("wpm tree --project fol\t", "wpm tree --project folder/"),
            ("wpm inspect no\t", "wpm inspect notes.txt "),
            ("wpm tree --why=wpm/wo\t", "wpm tree --why=wpm/words "),
            ("true && A=1 wpm verif\t", "A=1 wpm verify "),
        ],
    )
    def test_bash(self, typed: str, completed: str, bash: Terminal) -> None:
        import re

        bash.type(typed)
        bash.until(re.escape(completed))

    def test_bash_shows_what_there_is_and_no_errors(self, bash: Terminal, project: Path) -> None:
        (project / "wasmer.toml").write_text("[[[")
        bash.type("wpm tool \t\t")
        shown = bash.until("READY> wpm tool ")
        assert {"install", "uninstall", "upgrade", "list", "run", "dir"} <= set(shown.split())
        bash.type("\x15wpm tree --why \t\t\x15echo done\n")
        assert "wpm:" not in bash.until("done\n")

    @pytest.mark.skipif(which("zsh") is None, reason="there is no zsh")
    @pytest.mark.parametrize(
        ("typed", "completed"),
        [
            ("wpm verif\t", "wpm verify "),
            ("wpm tree --inv\t", "wpm tree --invert "),
            ("wpm run count-l\t", "wpm run count-lines "),
            ("wpm exec wpm/hello@2\t", "wpm exec wpm/hello@2.0.0 "),
            ("wpm exec --package=wpm/hel\t", "wpm exec --package=wpm/hello "),
            ("wpm run with\t", "wpm run with\\ space.webc "),
            ("wpm tree --project fol\t", "wpm tree --project folder/"),
            ("wpm tree --project=fol\t", "wpm tree --project=folder/"),
            ("wpm cache pru\t", "wpm cache prune "),
        ],
    )
    def test_zsh(self, typed: str, completed: str, project: Path) -> None:
        import re

        terminal = Terminal(["zsh", "-f", "-i"], project, interactive("PS1=READY> "))
        try:
            terminal.until("READY> ")
            terminal.type('unsetopt zle_bracketed_paste; eval "$(wpm completion zsh)"; compinit -u -D; echo set\\ up\n')
            terminal.until("set up\n(.|\n)*READY> ")
            terminal.type(typed)
            terminal.until(re.escape(completed.replace("\\ ", " ").split()[-1]))
        finally:
            terminal.close()

    @pytest.mark.skipif(which("fish") is None, reason="there is no fish")
    @pytest.mark.usefixtures("project")
    def test_fish(self) -> None:
        def completed(line: str) -> set[str]:
            script = f"wpm completion fish | source; complete -C '{line}'"
            done = subprocess.run(
                ["fish", "--no-config", "-c", script], capture_output=True, env=interactive(), timeout=60
            )
            assert done.stderr == b""
            return {each.partition("\t")[0] for each in done.stdout.decode().splitlines()}

        assert completed("wpm verif") == {"verify"}
        assert completed("wpm exec wpm/hel") == {"wpm/hello"}
        assert completed("wpm run count-l") == {"count-lines"}
        assert completed("wpm tree --project fol") == {"folder/"}


def interactive(*more: str) -> dict[str, str]:
    """The variables of a shell on a terminal."""
    kept = {name: value for name, value in environment().items() if not name.startswith("PYTHON")}
    return kept | {"TERM": "xterm", "HISTFILE": "/dev/null"} | dict(each.split("=", 1) for each in more)


class TestNames:
    def test_a_file_of_names_that_is_none(self, own_store: Path) -> None:
        from pkgmgr.store import Store

        output("exec", "wpm/hello", "--", "x")
        store: Store = Store(own_store)
        expected = {"wpm/hello@2.0.0"}
        assert set(stored_names(store).values()) == expected
        for text in ("", "[]", "\0", '{"format": 1, "names": []}', '{"format": 1, "names": {"x": "y"}}', "[" * 10_000):
            (own_store / "names.json").write_text(text)
            assert set(stored_names(store).values()) == expected

    def test_a_package_that_is_none(self, own_store: Path) -> None:
        from pkgmgr.store import Store

        store = Store(own_store)
        (own_store / "x").parent.mkdir()
        (own_store / "x").write_bytes(os.urandom(100))
        store.add_file(own_store / "x")
        assert set(stored_names(store).values()) == {""}
