"""Every page of the documents runs as it is printed, each in a shell, a directory and a store of its own."""

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
RUN = {"console", "python", "toml"}
"""The languages of blocks that are run, or read, as they stand."""
NOT_RUN = 3
"""How many blocks of all pages are not run: each says why, and they stay few."""


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
