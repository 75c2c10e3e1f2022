"""`.wasmerignore` reads as gitignore does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from pkgmgr.building.ignore import Ignored, IgnoreFile, parse

PATHS = [
    f"{top}/{name}"
    for top in ("a", "b", "docs", "x y", "#h", "!n")
    for name in ("a", "b/a", "note.txt", "[a]", "a.md/b")
]
FOLDERS = sorted({"/".join(path.split("/")[:depth]) for path in PATHS for depth in range(1, path.count("/") + 1)})


def ignored(text: str) -> set[str]:
    rules = Ignored((IgnoreFile(0, parse(text)),))
    found = set()
    for path in [*FOLDERS, *PATHS]:
        names = path.split("/")
        steps = [names[:depth] for depth in range(1, len(names) + 1)]
        if any(rules.ignores(step, "/".join(step) in FOLDERS) for step in steps):
            found.add(path)
    return found


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not here")
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", root], check=True)
    for path in PATHS:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "/a",
        "a/",
        "/a/\n!/a/note.txt",
        "*.txt\n!a/note.txt",
        "a/b",
        "**/b",
        "a/**",
        "a/**/a",
        "**",
        "*\n!docs\n!docs/note.txt",
        "[ab]",
        "[!a]",
        "[^a]",
        "\\#h\n# a comment\n\\!n",
        "\\[a\\]",
        "x\\ y",
        "docs   ",
        "*a*",
        "*.md/b",
        "a//b\n//\n!\n\n/",
        "?",
    ],
)
def test_git_agrees(repository: Path, text: str) -> None:
    (repository / ".gitignore").write_text(text + "\n")
    command = ["git", "-C", str(repository), "check-ignore", "--no-index", "--stdin", "-z"]
    result = subprocess.run(command, input="\0".join([*FOLDERS, *PATHS]), capture_output=True, text=True)
    assert ignored(text) == set(result.stdout.split("\0")) - {""}


def test_a_hostile_pattern_takes_no_time() -> None:
    rules = Ignored((IgnoreFile(0, parse("*a" * 100 + "/" + "**/" * 500 + "b")),))
    assert not rules.ignores(["a" * 250] + ["c"] * 200, False)


def test_deeper_files_come_later_and_count_from_their_own_directory() -> None:
    rules = Ignored((IgnoreFile(0, parse("*.txt")), IgnoreFile(1, parse("!/keep.txt"))))
    assert not rules.ignores(["docs", "keep.txt"], False)
    assert rules.ignores(["docs", "deep", "keep.txt"], False)
