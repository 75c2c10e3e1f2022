"""`wpm init`: a manifest that the other verbs take."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from pkgmgr.manifest import load_manifest

if TYPE_CHECKING:
    from pathlib import Path

Wpm = Any


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "My Project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("bare", [[], ["--bare"]])
def test_a_new_project_works_with_the_other_verbs(here: Path, wpm: Wpm, bare: list[str]) -> None:
    done = wpm("init", *bare)
    assert done.code == 0 and done.out.startswith("wasmer.toml: the project my-project 0.1.0"), done
    assert [path.name for path in here.iterdir()] == ["wasmer.toml"]
    manifest = load_manifest(here)
    assert (manifest.name, manifest.version, manifest.warnings) == ("my-project", "0.1.0", ())
    assert ("#" in (here / "wasmer.toml").read_text()) != bool(bare)
    assert wpm("install").code == 0
    assert wpm("add", "wpm/hello", "--no-install").code == 0
    assert dict(load_manifest(here).dependencies) == {"wpm/hello": "^2.0.0"}
    assert wpm("remove", "wpm/hello").code == 0 and wpm("build").code == 0 and wpm("list").code == 0


def test_the_examples_in_the_comments_are_true(here: Path, wpm: Wpm) -> None:
    assert wpm("init").code == 0
    text = (here / "wasmer.toml").read_text()
    lines = [
        line.removeprefix("# ")
        if line.startswith(
            (
                "# [",
                '# "',
                "# name",
                "# source",
                "# abi",
                "# module",
                "# runner",
                "# license",
                "# description",
                "# entrypoint",
            )
        )
        else line
        for line in text.splitlines()
    ]
    (here / "wasmer.toml").write_text("\n".join(lines))
    manifest = load_manifest(here)
    assert manifest.entrypoint == "hello" and manifest.modules and manifest.fs and manifest.license == "MIT"
    assert manifest.warnings == ()


def test_what_is_given_is_written(here: Path, wpm: Wpm) -> None:
    done = wpm(
        "init", "a/b", "--name", "acme/thing", "--version", "1.0.0-rc.1", "--description", 'says "hi"\t\\', "--json"
    )
    assert json.loads(done.out) == {
        "manifest": str(here / "a/b/wasmer.toml"),
        "name": "acme/thing",
        "version": "1.0.0-rc.1",
    }
    package = tomli.loads((here / "a/b/wasmer.toml").read_text())["package"]
    assert package == {"name": "acme/thing", "version": "1.0.0-rc.1", "description": 'says "hi"\t\\'}


def test_nothing_is_overwritten(here: Path, wpm: Wpm) -> None:
    for name in ("wasmer.toml", "wapm.toml"):
        (here / name).write_text("# mine")
        done = wpm("init")
        assert done.code == 1 and "already" in done.err and (here / name).read_text() == "# mine"
        (here / name).unlink()
    (here / "file").write_text("mine")
    assert wpm("init", "file").code == 1 and (here / "file").read_text() == "mine"
    (here / "wasmer.toml").symlink_to(here / "elsewhere")
    assert wpm("init").code == 1 and not (here / "elsewhere").exists()


def test_nonsense_makes_no_folder(here: Path, wpm: Wpm) -> None:
    for words in (("--name", "a b"), ("--version", "1"), ("--name", "../x"), ("--name", "a/b/c")):
        done = wpm("init", "new", *words)
        assert done.code == 1 and done.err.count("\n") == 1 and not (here / "new").exists()
    (here / "---").mkdir()
    assert "--name" in wpm("init", "./---").err
