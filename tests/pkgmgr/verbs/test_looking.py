"""`wpm outdated`, `wpm search` and `wpm show`: what they tell, and that nothing of a package can move the cursor."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pkgmgr.cli.main import VERBS
from pkgmgr.cli.table import display_width, shortened
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from pathlib import Path

    from make_packages import RegistryMaker

Wpm = Any


def write_described(registry: RegistryMaker, name: str, version: str, **texts: str) -> None:
    """A package with a description, a license and so on."""
    path = registry.root / "packages" / name / f"{version}.webc"
    path.parent.mkdir(parents=True, exist_ok=True)
    wapm = {"name": name, "version": version, "description": "", **texts}
    write_container(path, manifest={"package": {"wapm": wapm}, "use": {}, "commands": {}}, atoms={}, volumes={})


@pytest.fixture
def old(project: Path, registry: RegistryMaker, wpm: Wpm) -> Path:
    with (project / "wasmer.toml").open("a") as file:
        file.write('"acme/tool" = "^1"\n"plain" = "*"\n')
    assert wpm("lock", "--resolution", "lowest").code == 0
    registry.add("acme/tool", "2.0.0")
    registry.add("acme/tool", "3.0.0-rc.1")
    return project


def test_what_is_outdated_is_told(old: Path, wpm: Wpm) -> None:
    assert old
    done = wpm("outdated")
    assert done.code == 0 and [line.split() for line in done.out.splitlines()] == [
        ["NAME", "CURRENT", "COMPATIBLE", "LATEST"],
        ["acme/tool", "1.0.0", "1.1.0", "2.0.0"],
    ]
    assert "acme/data" in wpm("outdated", "--all").out
    told = json.loads(wpm("outdated", "--all", "--json").out)
    assert told == [
        {
            "name": "acme/data",
            "current": "1.0.0",
            "compatible": "1.1.0",
            "latest": "1.1.0",
            "current_yanked": False,
            "direct": False,
        },
        {
            "name": "acme/tool",
            "current": "1.0.0",
            "compatible": "1.1.0",
            "latest": "2.0.0",
            "current_yanked": False,
            "direct": True,
        },
    ]
    assert wpm("update", "--no-install").code == 0
    assert [line.split() for line in wpm("outdated").out.splitlines()[1:]] == [["acme/tool", "1.1.0", "1.1.0", "2.0.0"]]


def test_yanked_versions_are_marked_and_never_the_latest(old: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        (registry.root / f"packages/acme/tool/{version}.yanked").touch()
    done = wpm("outdated")
    assert done.code == 0 and done.out.splitlines()[1].split() == ["acme/tool", "1.0.0", "(yanked)", "-", "-"]
    assert "no compatible versions are known" in done.err
    (registry.root / "packages/acme/tool/1.1.0.yanked").unlink()
    assert wpm("outdated").out.splitlines()[1].split() == ["acme/tool", "1.0.0", "(yanked)", "1.1.0", "1.1.0"]
    assert old


def test_what_is_not_locked_is_missing_and_what_is_new_is_not_told(project: Path, wpm: Wpm) -> None:
    with (project / "wasmer.toml").open("a") as file:
        file.write('"plain" = "*"\n')
    assert wpm("outdated").out.splitlines()[1].split() == ["plain", "-", "0.3.0", "0.3.0"]
    assert not (project / "wasmer.lock").exists()
    assert wpm("lock").code == 0 and wpm("outdated").out == "everything is as new as it can be\n"


def test_searching_finds_names_first(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    assert project
    write_described(registry, "acme/about-tools", "1.0.0", description="x")
    write_described(registry, "acme/other", "1.0.0", description="A tool  for\nmany things")
    done = wpm("search", "tool")
    assert done.code == 0 and [line.split()[0] for line in done.out.splitlines()] == [
        "acme/tool",
        "wpm/text-tools",
        "acme/about-tools",
        "acme/other",
    ]
    assert json.loads(wpm("search", "tool", "--limit", "1", "--json").out) == [
        {"name": "acme/tool", "version": "1.1.0", "description": ""}
    ]
    assert wpm("search", "qqqq").out == "no package has 'qqqq' in its name or description\n"
    assert wpm("search", "hello").out.startswith("wpm/hello")
    assert wpm("search", " ").code == 1 and wpm("search", "x", "--limit", "0").code == 2


def test_a_namespace_is_searched_only_where_it_is_mapped(
    project: Path, registry: RegistryMaker, wpm: Wpm, tmp_path: Path
) -> None:
    assert project
    registry.add("wpm/hello-impostor", "9.0.0")
    other = type(registry)(tmp_path / "other")
    other.add("acme/hello-ours", "1.0.0")
    other.add("else/hello-theirs", "1.0.0")
    registry.add("acme/hello-fake", "9.0.0")
    assert wpm("config", "set", "registries.acme/*", other.root).code == 0
    found = [each["name"] for each in json.loads(wpm("search", "hello", "--json").out)]
    assert found == ["wpm/hello", "acme/hello-ours"]


def test_one_registry_that_cannot_be_asked_is_told(project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project
    monkeypatch.setenv("WPM_REGISTRY", "http://127.0.0.1:9/graphql")
    done = wpm("search", "hello")
    assert done.code == 0 and done.out.startswith("wpm/hello") and "not searched: http://127.0.0.1:9" in done.err
    done = wpm("search", "qqqq", "--offline")
    assert (done.code, done.err.count("http://127.0.0.1:9")) == (1, 1) and "--offline forbids" in done.err


def test_showing_a_package(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    assert project
    (registry.root / "packages/acme/tool/1.1.0.yanked").touch()
    text = wpm("show", "acme/tool").out
    assert text.startswith("acme/tool 1.0.0\n") and "runs where none is named" in text and "1.1.0  " in text
    told = json.loads(wpm("show", "acme/tool@1.1.0", "--json").out)
    assert (told["version"], told["yanked"], told["commands"]) == ("1.1.0", True, ["tool", "tool-extra"])
    assert told["dependencies"] == {"acme/data": "acme/data@^1.1"}
    assert [(each["version"], each["yanked"]) for each in told["versions"]] == [("1.1.0", True), ("1.0.0", False)]
    path = registry.root / "packages/acme/tool/1.1.0.webc"
    assert told["size"] == path.stat().st_size and len(told["sha256"]) == 64
    assert json.loads(wpm("show", "acme/tool@^1.0", "--json").out)["version"] == "1.0.0"
    assert "acme/tool 1.1.0 yanked" in wpm("show", "acme/tool@=1.1.0").out


def test_the_examples_of_the_help_do_what_they_say(project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> None:
    def example(verb: str) -> Any:
        done = wpm(*VERBS[verb].example.split()[1:])
        assert done.code == 0, (verb, done)
        return done.out

    assert "acme/my-project" in example("init")
    monkeypatch.chdir(project / "my-project")
    assert '"wpm/sh" = "^1"' in example("add")
    assert "nothing would change" in example("update") and "unchanged" in example("lock")
    assert "as new as it can be" in example("outdated") and "wpm/words" in example("search")
    assert example("show").startswith("wpm/hello 1.1.0\n")
    assert "- wpm/hello 2.0.0" in example("remove")


def test_what_is_not_there_is_not_shown(project: Path, wpm: Wpm) -> None:
    assert project
    assert "did you mean acme/tool?" in wpm("show", "acme/tol").err
    assert "did you mean wpm/hello?" in wpm("show", "hello").err
    assert "no version satisfies ^9: there are 1.1.0, 1.0.0" in wpm("show", "acme/tool@9").err
    assert "wpm inspect" in wpm("show", "./x.webc").err


NASTY = "\x1b[2J\x1b]0;owned\x07 evil\u202e\u2066\r\nnext\x9b31m\u0007 \u200b漢字 é"


def test_nothing_of_a_package_moves_the_cursor(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    assert project
    write_described(
        registry,
        "acme/evil",
        "1.0.0",
        description=NASTY,
        license=NASTY,
        homepage=NASTY,
        repository="https://x/" + NASTY,
    )
    for words in (("show", "acme/evil"), ("search", "evil"), ("add", "acme/evil", "--dry-run"), ("show", "acme/evl")):
        done = wpm(*words)
        shown = (done.out + done.err).replace("\n", "")
        assert shown.isprintable(), (words, shown)
        assert "evil" in shown


def on_terminal(command: list[str], columns: int, **variables: str) -> str:
    """What a program prints on a terminal of so many columns."""
    primary, secondary = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pkgmgr.cli.main", *command],
        stdout=secondary,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": str(columns), "TERM": "xterm", "PYTHONIOENCODING": "utf-8", **variables},
    )
    os.close(secondary)
    chunks = []
    try:
        while chunk := os.read(primary, 4096):
            chunks.append(chunk)
    except OSError:
        pass
    os.close(primary)
    assert process.wait() == 0
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_tables_fit_the_terminal_and_colours_are_for_terminals(
    project: Path, registry: RegistryMaker, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project
    monkeypatch.delenv("NO_COLOR", raising=False)
    write_described(registry, "acme/long", "1.0.0", description="漢字 and " * 40)
    plain = on_terminal(["search", "long"], 60, NO_COLOR="1")
    assert "\x1b" not in plain and plain.rstrip().endswith("…")
    assert all(display_width(line) <= 60 for line in plain.splitlines())
    assert "\x1b[1m" in on_terminal(["search", "long"], 60)
    assert "\x1b" not in on_terminal(["search", "long"], 60, TERM="dumb")
    assert "\x1b" not in wpm("search", "long").out and "…" not in wpm("search", "long").out


@pytest.mark.parametrize(("text", "width", "result"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("漢字漢", 4, "漢…")])
def test_texts_are_cut_by_their_width(text: str, width: int, result: str) -> None:
    assert shortened(text, width) == result and display_width(result) <= width
