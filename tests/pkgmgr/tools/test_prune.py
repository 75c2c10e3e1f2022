"""`wpm cache prune`, and what it goes by."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest
from make_packages import write_project
from typed import output, wpm

from pkgmgr.http.cache import MetadataCache
from pkgmgr.store import Store

if TYPE_CHECKING:
    from pathlib import Path

DAY = 24 * 3600.0


@pytest.fixture
def store(own_store: Path, tmp_path: Path) -> Store:
    """A store with `wpm/hello` 1.1.0 of a project, 2.0.0 that was run, and 1.0.0 of a tool."""
    project = write_project(tmp_path / "project", {"wpm/hello": "=1.1.0"})
    output("install", cwd=project)
    output("exec", "wpm/hello", "--", "x")
    wpm("tool", "install", "wpm/hello@=1.0.0")
    return Store(own_store)


def age(store: Store, days: float) -> None:
    """Let everything be older."""
    for path in store.root.rglob("*"):
        if path.is_file() and "modules" not in path.parts:
            # Older by whole seconds: what is below them says that nobody wrote.
            second = 10**9
            moment = int(time.time() - days * DAY) * second + path.stat().st_mtime_ns % second
            os.utime(path, ns=(moment, moment))


def names(*options: str) -> list[str]:
    return [each["id"] for each in json.loads(output("cache", "prune", "--json", *options))["packages"]]


def test_what_is_used_stays(store: Store) -> None:
    assert output("cache", "prune") == "nothing to remove\n"
    age(store, 29)
    assert names() == []


def test_what_was_not_used_for_long_goes_but_what_tools_use_stays(store: Store, private_tools: Path) -> None:
    age(store, 31)
    assert sorted(names("--dry-run")) == ["wpm/hello@1.1.0", "wpm/hello@2.0.0"]
    assert len(list(store.objects())) == 3
    report = json.loads(output("cache", "prune", "--json"))
    assert report["modules"] == 2 and report["resolutions"] >= 1 and report["freed_bytes"] > 50_000
    assert len(list(store.objects())) == 1 and len(list(store.modules.iterdir())) == 1
    assert output("tool", "run", "hello", "--", "--version") == "hello 1.0.0\n"
    assert private_tools.is_dir() and output("cache", "verify").startswith("1 package is sound")


@pytest.mark.parametrize("words", [("install", "--locked"), ("run", "hello", "x"), ("list",)])
def test_using_is_what_counts(words: tuple[str, ...], store: Store, tmp_path: Path) -> None:
    age(store, 31)
    output(*words, cwd=tmp_path / "project")
    gone = {"wpm/hello@2.0.0"} | ({"wpm/hello@1.1.0"} if words == ("list",) else set())
    assert set(names("--dry-run")) == gone


def test_a_package_that_went_comes_back(store: Store, tmp_path: Path) -> None:
    age(store, 31)
    names()
    assert output("run", "hello", "--", "--version", cwd=tmp_path / "project") == "hello 1.1.0\n"
    assert output("exec", "wpm/hello", "--", "x") == "Hello, x!\n"
    assert len(list(store.objects())) == 3


def test_days(store: Store) -> None:
    age(store, 5)
    assert names("--days", "6") == []
    assert len(names("--days", "4")) == 2
    for text in ("-1", "x", "nan", "inf"):
        assert wpm("cache", "prune", "--days", text).returncode == 2


def test_modules_of_other_engines_and_of_no_package(store: Store) -> None:
    other = store.modules / f"{'a' * 64}-00000000.cwasm"
    other.write_bytes(b"of another engine")
    report = json.loads(output("cache", "prune", "--json"))
    assert report["modules"] == 1 and not other.exists()


def test_what_registries_said(store: Store) -> None:
    metadata = MetadataCache(store.root / "metadata")
    metadata.put("key", {"a": 1}, None, 60)
    assert metadata.prune(60) == 0 and metadata.prune(-1, dry_run=True) == 1
    metadata.close()
    assert json.loads(output("cache", "info", "--json"))["metadata_bytes"] > 0
    assert json.loads(output("cache", "prune", "--json"))["metadata"] == 0
    assert json.loads(output("cache", "prune", "--days", "0", "--json"))["metadata"] == 1
    metadata = MetadataCache(store.root / "metadata")
    assert metadata.get("key") is None
    metadata.close()


def test_what_killed_writers_left(store: Store) -> None:
    (store.root / "tmp" / "1-a.part").write_bytes(b"half")
    assert json.loads(output("cache", "prune", "--json", "--dry-run"))["temporaries"] == 1
    assert json.loads(output("cache", "prune", "--json"))["temporaries"] == 1
    assert not (store.root / "tmp" / "1-a.part").exists()


def test_a_tool_that_cannot_be_read_forbids_it(store: Store, tmp_path: Path) -> None:
    age(store, 31)
    (tmp_path / "the user's $tools" / "hello.json").write_text("{")
    done = wpm("cache", "prune")
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert len(list(store.objects())) == 3


def test_cleaning_leaves_nothing(store: Store) -> None:
    MetadataCache(store.root / "metadata").put("key", 1, None, None)
    output("cache", "clean")
    info = json.loads(output("cache", "info", "--json"))
    assert (info["packages"], info["other_bytes"]) == (0, 0)


def test_an_empty_store(own_store: Path) -> None:
    assert output("cache", "prune") == "nothing to remove\n"
    assert not own_store.exists()
