"""What Tab offers behind `wpm shell` and `wpm env`, and what is told to who types other tools' words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from typed import output, wpm

from pkgmgr.completion.candidates import FILES, FOLDERS, complete

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def offered(*words: str, current: str = "") -> set[str]:
    return {each.text for each in complete(words, current).candidates}


def test_completion(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    assert offered("env") == {"show", "path", "activate", "run", "export", "import"}
    assert offered("env", "run", current="he") == {"head", "hello"}
    assert offered("env", "activate", "--shell") == {"sh", "bash", "zsh", "fish"}
    assert complete(("env", "run", "cat"), "").besides == FILES
    assert complete(("env", "import"), "").besides == FILES
    assert complete(("env", "import", "x.tar"), "").besides == FOLDERS
    assert complete(("shell", "--"), "").besides == FILES
    assert complete(("shell", "-c"), "").besides == "nothing"
    assert {"--host", "--volume", "--sandbox", "--project"} <= offered("shell", current="--")


def test_habits() -> None:
    for typed, meant in (("activate", "env activate"), ("develop", "shell"), ("export", "env export")):
        assert f"did you mean {meant}?".encode() in wpm(typed).stderr


def test_show_and_path(project: Path) -> None:
    told = json.loads(output("env", "show", "--json", "--project", project))
    assert (told["root"], told["current"]) == (str(project.absolute()), True)
    assert told["launchers"] == output("env", "path", "--project", project).strip()
    assert told["variables"]["PATH"].startswith(told["launchers"] + ":")
    assert told["commands"]["hello"] == "wpm/hello@1.1.0"
    (project / ".wpm/bin/hello").unlink()
    assert json.loads(output("env", "show", "--json", "--project", project))["current"] is False
    assert "run wpm install" in output("env", "show", "--project", project)


def test_a_command_by_its_name(project: Path) -> None:
    assert output("env", "run", "hello", "--", "Ada", cwd=project) == "Hello, Ada!\n"
    done = wpm("env", "run", "hallo", cwd=project)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"wpm list shows those" in done.stderr
    assert wpm("env", "run").returncode == 2


def test_activation_for_every_shell(project: Path) -> None:
    for_sh = output("env", "activate", "--shell", "sh", "--project", project)
    assert output("env", "activate", "--shell", "zsh", "--project", project) == for_sh
    assert output("env", "activate", "--shell", "bash", "--project", project) == for_sh
