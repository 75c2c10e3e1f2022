"""Every example of the README runs as it is printed, one after the other, from an empty directory and an empty store."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHIM = f"""#!/bin/sh
exec "{sys.executable}" -m pkgmgr.cli.main "$@"
"""


class Block(NamedTuple):
    language: str
    text: str


def blocks() -> list[Block]:
    return [Block(*match) for match in re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)]


def typed_lines(text: str) -> list[tuple[str, str]]:
    """The command lines of a console block, each with what it shows."""
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)
    assert parts[0] == ""
    return list(zip(parts[1::2], parts[2::2], strict=True))


def fits(shown: str, written: str) -> bool:
    """Whether the output is what the README shows, where `...` stands for anything."""
    pattern = ".*?".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, written, re.DOTALL) is not None


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    shim = tmp_path / "bin" / "wpm"
    shim.parent.mkdir()
    shim.write_text(SHIM)
    shim.chmod(0o755)
    kept = {
        name: value for name, value in os.environ.items() if name not in ("WPM_REGISTRY", "PYTHONDONTWRITEBYTECODE")
    }
    return {
        **kept,
        "PATH": f"{shim.parent}{os.pathsep}{kept['PATH']}",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
        "WPM_CACHE_DIR": str(tmp_path / "store"),
    }


def test_the_readme_is_true(tmp_path: Path, environment: dict[str, str]) -> None:
    here = tmp_path / "here"
    here.mkdir()
    ran = 0
    for block in blocks():
        if block.language == "toml":
            path = tmp_path / "here" / block.text.splitlines()[0].removeprefix("# ")
            path.parent.mkdir(exist_ok=True)
            path.write_text(block.text)
        elif block.language == "python":
            done = run([sys.executable, "-c", block.text], here, environment)
            shown = "".join(f"{line[2:]}\n" for line in block.text.splitlines() if line.startswith("# "))
            assert done.returncode == 0 and fits(shown, done.stdout), done.stdout
            ran += 1
        elif block.language == "console":
            for line, shown in typed_lines(block.text):
                if line.startswith("cd "):
                    here /= line[3:]
                    continue
                done = run(["sh", "-c", line], here, environment)
                assert fits(shown, done.stdout), f"$ {line}\n{done.stdout}"
                ran += 1
    assert ran >= 15


def run(words: list[str], cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


def test_every_verb_and_option_is_in_the_readme() -> None:
    import argparse

    from pkgmgr.cli import run
    from pkgmgr.cli.main import VERBS

    parser = argparse.ArgumentParser()
    run.add_arguments(parser)
    options = {word for action in parser._actions for word in action.option_strings if word.startswith("--")}
    for word in {f"wpm {verb}" for verb in VERBS} | options - {"--help"}:
        assert word in README, word


def test_the_make_targets_are_there() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_the_readme_stays_short() -> None:
    assert len(README.splitlines()) < 200
