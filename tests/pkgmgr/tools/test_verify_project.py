"""`wpm verify`: manifest, lock and store against each other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from make_packages import RegistryMaker, write_package, write_project
from typed import output, wpm

from pkgmgr.locks.lockfile import read_lock, write_lock
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pkgmgr.locks.lockfile import LockedPackage


@pytest.fixture
def project(tmp_path: Path, own_store: Path) -> Path:
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("v/base", "1.0.0", commands=("tell",), files={"a": b"some contents\n"})
    registry.add("v/base", "1.1.0", commands=("tell",), files={"a": b"other contents\n"})
    registry.add("v/top", "1.0.0", {"v/base": "=1.0.0"})
    write_package(tmp_path / "project" / "own.webc", "v/own", "1.0.0", commands=("own",))
    project = write_project(tmp_path / "project", {"v/top": "^1", "v/own": "./own.webc"})
    output("install", "--registry", registry.root, "--no-compile", cwd=project)
    assert own_store.is_dir()
    return project


def problems(project: Path) -> list[tuple[str, str]]:
    done = wpm("verify", "--json", cwd=project)
    shown = json.loads(done.stdout)
    assert done.returncode == (1 if shown["problems"] else 0) and shown["sound"] is not bool(shown["problems"])
    told = wpm("verify", cwd=project)
    assert (told.returncode, told.stderr.count(b"\n")) == (done.returncode, len(shown["problems"]))
    assert all(each["remedy"] for each in shown["problems"])
    return [(each["subject"], each["kind"]) for each in shown["problems"]]


def change(project: Path, package: str, changing: Callable[[LockedPackage], LockedPackage]) -> None:
    lock = read_lock(project / "wasmer.lock")
    assert lock is not None
    packages = {each.id: changing(each) if each.id == package else each for each in lock.packages.values()}
    write_lock(project / "wasmer.lock", lock._replace(packages=packages))


def stored(project: Path, package: str) -> Path:
    lock = read_lock(project / "wasmer.lock")
    assert lock is not None
    return Store.default().path(lock.packages[package].sha256)


def test_a_project_that_is_sound(project: Path) -> None:
    assert output("verify", cwd=project) == "3 packages verified\n"
    assert json.loads(output("verify", "--json", cwd=project)) == {"sound": True, "packages": 3, "problems": []}


def test_a_package_that_is_not_there(project: Path) -> None:
    stored(project, "v/base@1.0.0").unlink()
    assert problems(project) == [("v/base@1.0.0", "missing")]
    output("install", "--registry", project.parent / "registry", cwd=project)
    assert problems(project) == []


@pytest.mark.parametrize("offset", [0, 9, 200, -1])
def test_a_byte_that_changed(offset: int, project: Path) -> None:
    path = stored(project, "v/base@1.0.0")
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert problems(project) == [("v/base@1.0.0", "bytes")]


def test_a_container_that_is_wrong_in_itself(project: Path) -> None:
    """The lock vouches for the bytes, but these never were a sound package."""
    data = bytearray(stored(project, "v/base@1.0.0").read_bytes())
    place = data.index(b"some contents")
    data[place] ^= 1
    (project / "bad").write_bytes(data)
    bad = Store.default().add_file(project / "bad")
    change(project, "v/base@1.0.0", lambda package: package._replace(sha256=bad.sha256))
    assert problems(project) == [("v/base@1.0.0", "container")]


@pytest.mark.parametrize(
    ("changing", "kind"),
    [
        (lambda package: package._replace(commands=("tell", "more")), "contents"),
        (lambda package: package._replace(entrypoint=None), "contents"),
        (lambda package: package._replace(mounts=()), "contents"),
        (lambda package: package._replace(size=package.size + 1), "lock"),
    ],
)
def test_a_lock_that_says_otherwise(
    changing: Callable[[LockedPackage], LockedPackage], kind: str, project: Path
) -> None:
    change(project, "v/base@1.0.0", changing)
    assert problems(project) == [("v/base@1.0.0", kind)]


def test_a_package_under_the_name_of_another(project: Path) -> None:
    other = Store.default().add_file(project.parent / "registry" / "packages" / "v" / "base" / "1.1.0.webc")
    change(project, "v/base@1.0.0", lambda package: package._replace(sha256=other.sha256, size=other.size))
    assert ("v/base@1.0.0", "container") in problems(project)


def test_a_dependency_that_does_not_satisfy(project: Path) -> None:
    lock = (project / "wasmer.lock").read_text()
    other = Store.default().add_file(project.parent / "registry" / "packages" / "v" / "base" / "1.1.0.webc")
    was = stored(project, "v/base@1.0.0")
    sha256 = was.parent.name + was.stem
    lock = lock.replace(sha256, other.sha256).replace("v/base@1.0.0", "v/base@1.1.0")
    lock = lock.replace('name = "v/base"\nversion = "1.0.0"', 'name = "v/base"\nversion = "1.1.0"')
    lock = lock.replace(
        f'size = {was.stat().st_size}\nentrypoint = "tell"', f'size = {other.size}\nentrypoint = "tell"'
    )
    (project / "wasmer.lock").write_text(lock)
    assert problems(project) == [("v/top@1.0.0", "dependency")]


def test_a_manifest_that_wants_something_else(project: Path) -> None:
    manifest = project / "wasmer.toml"
    text = manifest.read_text()
    for changed in (text.replace("^1", "^2"), text + '"v/more" = "*"\n', "[dependencies]\n"):
        manifest.write_text(changed)
        assert {kind for _, kind in problems(project)} == {"manifest"}
    lines = text.splitlines()
    manifest.write_text("\n".join([*lines[:-2], lines[-1], lines[-2]]) + "\n")
    assert problems(project) == [("wasmer.lock", "manifest")]


def test_a_path_that_changed_or_is_gone(project: Path) -> None:
    write_package(project / "own.webc", "v/own", "1.0.0", commands=("own", "more"))
    assert problems(project) == [("v/own@1.0.0", "path")]
    (project / "own.webc").unlink()
    assert problems(project) == [("v/own@1.0.0", "path")]


def test_what_nothing_needs(project: Path) -> None:
    (project / "wasmer.toml").write_text('[dependencies]\n"v/top" = "^1"\n')
    lock = (project / "wasmer.lock").read_text()
    (project / "wasmer.lock").write_text(
        lock.replace('"v/own" = "./own.webc"\n', "").replace('"v/own" = "v/own@1.0.0"\n', "")
    )
    assert problems(project) == [("v/own@1.0.0", "lock")]


@pytest.mark.parametrize("text", [None, "", "\0", "version = 1\n[roots]\na = 'b'\n"])
def test_a_lock_that_is_none(text: str | None, project: Path) -> None:
    (project / "wasmer.lock").unlink()
    if text is not None:
        (project / "wasmer.lock").write_text(text)
    assert problems(project) == [("wasmer.lock", "lock")]
    # What and what to do are said once.
    said = wpm("verify", cwd=project).stderr.decode()
    assert (said.count("wasmer.lock"), said.count("wpm lock")) == (1, 1)


def test_neither_store_nor_network_is_touched(project: Path, own_store: Path) -> None:
    before = sorted(path for path in own_store.rglob("*"))
    assert problems(project) == []
    assert sorted(path for path in own_store.rglob("*")) == before


def test_without_a_project(tmp_path: Path) -> None:
    done = wpm("verify", "--project", tmp_path)
    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
