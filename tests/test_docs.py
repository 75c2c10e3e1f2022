"""Every page of the documents runs as it is printed, each in a shell, a directory and a store of its own."""

import ast
import re
from pathlib import Path

import pytest
from transcripts import ROOT, Shell, blocks, check, on_free_ports

FOLDER = ROOT / "docs"
ELSEWHERE = {"reference/cli.md"}
"""Pages that another test runs."""
PAGES = {
    page: text
    for path in sorted(FOLDER.rglob("*.md"))
    if (page := path.relative_to(FOLDER).as_posix()) not in ELSEWHERE
    if "```" in (text := path.read_text(encoding="utf-8"))
}
FLOORS = ("pkgmgr", "binfactory", "runtime", "webc_parser")
RUN = {"console", "python", "toml"}
"""The languages of blocks that are run, or read, as they stand."""
NOT_RUN = 9
"""How many blocks of all pages are not run: each says why, and they stay few."""


def docstrings() -> dict[str, str]:
    """The docstrings with examples, by the names of what they are of."""
    found: dict[str, str] = {}
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if "```" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    said = ast.get_docstring(node) or ""
                    if "```" in said:
                        place = path.relative_to(ROOT).as_posix()
                        found[f"{place}::{getattr(node, 'name', '')}"] = said + "\n"
    return found


DOCSTRINGS = docstrings()


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_true(page: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    try:
        assert check(on_free_ports(PAGES[page]), shell, f"docs/{page}") >= 1
    finally:
        shell.close()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_run_a_file_or_says_why_not(page: str) -> None:
    for block in blocks(PAGES[page]):
        assert block.language in RUN or block.path or block.not_run, f"docs/{page}:{block.line}: {block.language}"


def test_few_blocks_are_not_run() -> None:
    every = [(page, block) for page, text in PAGES.items() for block in blocks(text)]
    reasons = [f"docs/{page}:{block.line}: {block.not_run}" for page, block in every if block.not_run]
    assert len(reasons) == NOT_RUN, "\n".join(reasons)


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_the_example_of_the_docstring_is_true(name: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    try:
        assert check(DOCSTRINGS[name], shell, name) >= 1
    finally:
        shell.close()


def test_every_variable_is_explained() -> None:
    page = PAGES["reference/variables.md"]
    read = {
        name
        for floor in FLOORS
        for path in (ROOT / floor).rglob("*.py")
        for name in re.findall(r"\bWPM_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    assert read == set(re.findall(r"`(WPM_[A-Z_]+)`", page))
