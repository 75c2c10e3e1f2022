"""`wpm add`: from what somebody types to a manifest, a lock and a store."""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from make_packages import RegistryMaker, write_package

from pkgmgr.projects.adding import Wish, parse_wish
from pkgmgr.source import HashSource, NamedSource, PathSource, UrlSource
from pkgmgr.store import Store

if TYPE_CHECKING:
    from pathlib import Path

Wpm = Any


def dependencies(project: Path) -> dict[str, str]:
    found: dict[str, str] = tomli.loads((project / "wasmer.toml").read_text())["dependencies"]
    return found


def locked(project: Path) -> set[str]:
    lock = tomli.loads((project / "wasmer.lock").read_text())
    return {f"{package['name']}@{package['version']}" for package in lock["package"]}


def state(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}


def test_the_newest_version_is_written_as_a_requirement(project: Path, wpm: Wpm) -> None:
    before = (project / "wasmer.toml").read_text()
    done = wpm("add", "acme/tool", "plain")
    assert done.code == 0, done
    assert (project / "wasmer.toml").read_text() == before + '"acme/tool" = "^1.1.0"\n"plain" = "^0.3.0"\n'
    assert locked(project) == {"acme/tool@1.1.0", "acme/data@1.1.0", "plain@0.3.0"}
    assert done.out.splitlines() == [
        'wasmer.toml: "acme/tool" = "^1.1.0"',
        'wasmer.toml: "plain" = "^0.3.0"',
        "+ acme/data 1.1.0",
        "+ acme/tool 1.1.0",
        "+ plain 0.3.0",
        "3 packages installed (3 fetched, 1 module compiled, wasmer.lock written)",
    ]
    assert wpm("install", "--locked").out.startswith("3 packages installed (nothing to do)")
    assert wpm("lock", "--check").code == 0


def test_a_requirement_is_written_as_it_was_typed(project: Path, wpm: Wpm) -> None:
    assert wpm("add", "acme/tool@~1.0", "plain@*").code == 0
    assert dependencies(project) == {"acme/tool": "~1.0", "plain": "*"}
    assert "acme/tool@1.0.0" in locked(project)
    done = wpm("add", "acme/tool@latest")
    assert 'wasmer.toml: "acme/tool" = "^1.1.0" (was "~1.0")' in done.out
    assert "acme/tool 1.0.0 -> 1.1.0" in done.out
    again = wpm("add", "acme/tool")
    assert '"acme/tool" = "^1.1.0" (as it was)' in again.out and "nothing to do" in again.out


def test_what_others_need_holds_the_version_back(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    registry.add("acme/strict", "1.0.0", {"acme/data": "=1.0.0"})
    assert wpm("add", "acme/strict").code == 0
    assert wpm("add", "acme/data").code == 0
    assert dependencies(project)["acme/data"] == "^1.0.0"


@pytest.mark.parametrize(
    "spec",
    ["acme/tool@^9", "acme/tol", "nobody/nothing", "acme/data=plain@>=2", "./nothing.webc", "./", "sha256:" + "0" * 64],
)
def test_what_cannot_be_had_changes_nothing(project: Path, wpm: Wpm, spec: str) -> None:
    assert wpm("add", "acme/tool@1.0.0").code == 0
    before = state(project)
    done = wpm("add", "plain", spec)
    assert done.code == 1 and done.err.startswith("wpm: "), done
    assert state(project) == before and done.out == ""


def test_what_cannot_be_fetched_changes_nothing(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    assert wpm("lock").code == 0
    before = state(project)
    path = registry.root / "packages/acme/data/1.1.0.webc"
    real = path.read_bytes()
    assert wpm("registry", "index", registry.root).code == 0
    stamp = path.stat()
    path.write_bytes(real[:-1] + bytes([real[-1] ^ 1]))
    import os

    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    done = wpm("add", "acme/tool")
    assert done.code == 1 and "acme/data" in done.err, done
    assert state(project) == before


def test_a_dry_run_writes_nothing(project: Path, wpm: Wpm) -> None:
    before = state(project)
    done = wpm("add", "acme/tool", "--dry-run")
    assert done.code == 0 and "+ acme/tool 1.1.0" in done.out and "nothing was written" in done.out
    assert state(project) == before
    told = json.loads(wpm("add", "acme/tool", "--dry-run", "--json").out)
    assert told["dependencies"] == [{"alias": "acme/tool", "value": "^1.1.0", "before": None}]
    assert told["changes"][0] == {"name": "acme/data", "before": None, "after": "1.1.0"} and told["dry_run"]
    assert not told["lock_written"] and state(project) == before


def test_without_installing_nothing_is_fetched(project: Path, wpm: Wpm) -> None:
    done = wpm("add", "acme/tool", "--no-install")
    assert done.code == 0 and "wasmer.lock: 2 packages, written" in done.out
    assert not any((Store.default().root / "objects").rglob("*.webc")) and locked(project)


def test_locked_refuses_what_would_change_the_lock(project: Path, wpm: Wpm) -> None:
    assert wpm("add", "acme/tool@1.0.0").code == 0
    before = state(project)
    assert wpm("add", "acme/tool@1.0.0", "--locked").code == 0
    for words in (("plain",), ("plain", "--dry-run"), ("acme/tool",)):
        done = wpm("add", *words, "--locked")
        assert done.code == 1 and "--locked" in done.err
    assert state(project) == before


def test_a_path_is_written_from_the_folder_of_the_project(
    project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(project / "vendor/p.webc", "acme/vendored", "0.1.0")
    (project / "deep").mkdir()
    write_package(project.parent / "beside.webc", "acme/beside", "0.1.0")
    monkeypatch.chdir(project / "deep")
    assert wpm("add", "../vendor/p.webc", "../../beside.webc").code == 0
    assert dependencies(project) == {"acme/vendored": "./vendor/p.webc", "acme/beside": "../beside.webc"}
    assert wpm("install", "--locked").code == 0
    absolute = project / "vendor/p.webc"
    assert wpm("add", absolute).code == 0 and dependencies(project)["acme/vendored"] == str(absolute)
    assert wpm("add", absolute.as_uri()).code == 0 and dependencies(project)["acme/vendored"] == str(absolute)


def test_a_directory_is_built(project: Path, wpm: Wpm) -> None:
    sub = project / "sub"
    assert wpm("init", sub, "--name", "me/sub").code == 0
    done = wpm("add", "./sub")
    assert done.code == 0 and dependencies(project) == {"me/sub": "./sub"}, done
    assert wpm("remove", "sub").code == 1 and wpm("remove", "me/sub").code == 0
    assert dependencies(project) == {}


def test_what_has_no_name_needs_one(project: Path, wpm: Wpm) -> None:
    path = write_package(project / "p.webc")
    done = wpm("add", "p.webc")
    assert done.code == 1 and "wpm add NAME=./p.webc" in done.err
    assert wpm("add", "me/nameless=p.webc").code == 0 and dependencies(project) == {"me/nameless": "./p.webc"}
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert wpm("add", f"by-hash=sha256:{sha256}").code == 0
    assert dependencies(project)["by-hash"] == f"sha256:{sha256}"


def test_a_hash_is_known_by_the_name_of_its_package(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    sha256 = hashlib.sha256((registry.root / "packages/acme/data/1.0.0.webc").read_bytes()).hexdigest()
    assert wpm("add", f"sha256:{sha256}").code == 0
    assert dependencies(project) == {"acme/data": f"sha256:{sha256}"} and locked(project) == {"acme/data@1.0.0"}


def test_another_name_keeps_the_whole_source(project: Path, wpm: Wpm) -> None:
    assert wpm("add", "tool=acme/tool", "simple=plain@^0.3").code == 0
    assert dependencies(project) == {"tool": "acme/tool@^1.1.0", "simple": "_/plain@^0.3"}
    assert wpm("install", "--locked").code == 0
    assert wpm("update", "tool").code == 0


def test_a_project_is_not_its_own_dependency(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    registry.add("me/it", "1.0.0")
    before = state(project)
    done = wpm("add", "me/it")
    assert done.code == 1 and "cannot depend on itself" in done.err and state(project) == before
    assert "twice" in wpm("add", "plain", "plain@1").err


def test_a_yanked_version_is_not_added(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    (registry.root / "packages/acme/tool/1.1.0.yanked").touch()
    assert wpm("add", "acme/tool").code == 0 and dependencies(project) == {"acme/tool": "^1.0.0"}


def test_a_manifest_that_changed_meanwhile_is_left_alone(
    project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pkgmgr.installing.install import fetch_missing

    def slow(*arguments: Any) -> tuple[str, ...]:
        with (project / "wasmer.toml").open("a") as file:
            file.write('"acme/data" = "1"\n')
        return fetch_missing(*arguments)

    monkeypatch.setattr("pkgmgr.projects.editing.fetch_missing", slow)
    done = wpm("add", "acme/tool")
    assert done.code == 1 and "meanwhile" in done.err
    assert dependencies(project) == {"acme/data": "1"} and not (project / "wasmer.lock").exists()


def test_where_the_lock_cannot_be_written_the_manifest_is_as_it_was(
    project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> bool:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pkgmgr.projects.editing.write_lock", full)
    before = state(project)
    done = wpm("add", "acme/tool")
    assert done.code == 1 and "No space left" in done.err and state(project) == before


def test_several_at_once_never_mangle_the_manifest(project: Path, registry: RegistryMaker) -> None:
    """Each either adds its package, or says that somebody was faster."""
    for number in range(6):
        registry.add(f"acme/p{number}", "1.0.0")
    command = [sys.executable, "-m", "pkgmgr.cli.main", "add", "--no-install"]
    running = [
        subprocess.Popen([*command, f"acme/p{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for number in range(6)
    ]
    for process in running:
        _, err = process.communicate()
        assert process.returncode == 0 or "meanwhile" in err, err
    assert set(dependencies(project)) <= {f"acme/p{number}" for number in range(6)}
    assert (project / "wasmer.toml").read_text().startswith("# A project.\n[package]")


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("a/b", Wish(NamedSource("a/b"))),
        ("a/b@latest", Wish(NamedSource("a/b"))),
        ("x=a/b", Wish(NamedSource("a/b"), "x")),
        ("_/x=a/b", Wish(NamedSource("a/b"), "x")),
        ("a=b.webc", Wish(PathSource("b.webc"), "a")),
        ("./a=b.webc", Wish(PathSource("./a=b.webc"))),
        ("https://x.example/a.webc?b=c", Wish(UrlSource("https://x.example/a.webc?b=c"))),
        ("n=https://x.example/a.webc?b=c", Wish(UrlSource("https://x.example/a.webc?b=c"), "n")),
        ("n=sha256:" + "A" * 64, Wish(HashSource("a" * 64), "n")),
    ],
)
def test_arguments_mean_what_they_look_like(text: str, wish: Wish) -> None:
    assert parse_wish(text) == wish


def test_killed_at_any_moment_a_project_still_installs(project: Path, wpm: Wpm) -> None:
    """The manifest is the one before or the one after, whole, and the next install makes the lock fit."""
    before = (project / "wasmer.toml").read_text()
    after = before + '"acme/tool" = "^1.1.0"\n'
    command = [sys.executable, "-m", "pkgmgr.cli.main", "add", "acme/tool", "--no-compile"]
    seen = set()
    for moment in range(9):
        (project / "wasmer.toml").write_text(before)
        (project / "wasmer.lock").unlink(missing_ok=True)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1 + 0.05 * moment)
        process.kill()
        process.wait()
        text = (project / "wasmer.toml").read_text()
        assert text in (before, after)
        seen.add(text)
        assert wpm("install", "--no-compile").code == 0 and wpm("lock", "--check").code == 0
        assert ("acme/tool@1.1.0" in (locked(project) if text == after else set())) == (text == after)
    assert seen
