"""What is typed wrong is answered in words that somebody can act on, and exits with 2."""

from __future__ import annotations

import pytest

from pkgmgr.cli.habits import _ELSEWHERE
from pkgmgr.cli.main import VERBS, main


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    captured = capsys.readouterr()
    assert (caught.value.code, captured.out) == (2, "")
    return captured.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("uninstall", "remove"),
        ("i", "install"),
        ("ls", "list"),
        ("upgrade", "update"),
        ("isntall", "install"),
        ("info", "show"),
        ("why", "tree --why"),
        ("pull", "rootfs pull"),
        ("push", "publish or rootfs push"),
        ("images", "rootfs"),
    ],
)
def test_the_verb_that_is_meant(word: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    expected = f"wpm: error: {word}: no such verb: did you mean {meant}? (see wpm --help)"
    assert said(capsys, word) == said(capsys, "help", word) == expected


def test_nothing_is_like_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "qqqq") == "wpm: error: qqqq: no such verb (see wpm --help)"


def test_habits_lead_to_verbs_that_there_are() -> None:
    assert {meant.split()[0] for meant in _ELSEWHERE.values()} <= set(VERBS)
    assert not set(_ELSEWHERE) & set(VERBS)


def test_install_takes_no_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert "wpm add acme/tool adds" in said(capsys, "install", "acme/tool")
    assert said(capsys, "install", "--bogus") == "wpm install: error: unrecognized arguments: --bogus"


@pytest.mark.parametrize("verb", ["rootfs", "env", "tool", "cache", "config", "registry"])
def test_a_verb_with_several_says_what_it_can_do(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([verb])
    told = capsys.readouterr().err
    assert f"usage: wpm {verb} [-h] WHAT ..." in told and f"Example: wpm {verb} " in told


@pytest.mark.parametrize("line", ["rootfs build -o x", "rootfs pull -o x y", "env export", "cache info", "config list"])
def test_what_does_not_know_an_option_says_so_itself(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    name = " ".join(line.split()[:2])
    assert said(capsys, *line.split(), "--bogus") == f"wpm {name}: error: unrecognized arguments: --bogus"


@pytest.mark.parametrize(
    "line",
    [
        "install --jobs 0",
        "install --jobs x",
        "search x --limit -1",
        "tree --depth -1",
        "tree --depth ²",
        "cache prune --days nan",
        "cache prune --days x",
        "registry serve . --port 65536",
        "registry serve . --max-size 0",
    ],
)
def test_numbers(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected a number from " in said(capsys, *line.split())
