"""Every example of the README runs as it is printed, one after the other, from an empty directory and an empty store."""

import re
from pathlib import Path

from transcripts import ROOT, Shell, check

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_readme_is_true(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    try:
        assert check(README, shell, "README.md") >= 15
    finally:
        shell.close()


def test_every_verb_and_option_is_in_the_readme() -> None:
    import argparse

    from pkgmgr.cli import run
    from pkgmgr.cli.main import VERBS

    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    options = {
        word
        for action in parser._actions
        if action.help != argparse.SUPPRESS
        for word in action.option_strings
        if word.startswith("--")
    }
    for word in {f"wpm {verb}" for verb in VERBS} | options - {"--help"}:
        assert word in README, word


def test_the_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) < 200
