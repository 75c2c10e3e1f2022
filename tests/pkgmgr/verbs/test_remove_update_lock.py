"""`wpm remove`, `wpm update` and `wpm lock`: what changes, what does not, and what they say."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_package, write_project

from pkgmgr.installing.install import plan
from pkgmgr.installing.options import InstallOptions
from pkgmgr.locks.lockfile import format_lock, write_lock
from pkgmgr.projects.editing import plan_removal
from pkgmgr.projects.project import Project
from pkgmgr.resolution.candidates import RESOLUTIONS
from pkgmgr.store import Store

if TYPE_CHECKING:
    from pathlib import Path


Wpm = Any


def locked(project: Path) -> dict[str, str]:
    lock = tomli.loads((project / "wasmer.lock").read_text())
    return {package["name"]: package["version"] for package in lock.get("package", ())}


@pytest.fixture
def old(project: Path, registry: RegistryMaker, wpm: Wpm) -> Path:
    """A project whose lock was written when there was less in the registry."""
    with (project / "wasmer.toml").open("a") as file:
        file.write('"acme/tool" = "^1"  # the tool\n"plain" = "*"\n')
    assert wpm("lock", "--resolution", "lowest").code == 0
    assert locked(project) == {"acme/tool": "1.0.0", "acme/data": "1.0.0", "plain": "0.3.0"}
    registry.add("acme/tool", "2.0.0")
    return project


def test_removing_needs_nobody_and_keeps_the_other_versions(
    old: Path, registry: RegistryMaker, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(registry.root)
    monkeypatch.setenv("WPM_REGISTRY", "http://127.0.0.1:9/graphql")
    done = wpm("remove", "acme/tool", "--offline")
    assert done.code == 0 and done.out.splitlines() == [
        'wasmer.toml: "acme/tool" removed',
        "- acme/data 1.0.0",
        "- acme/tool 1.0.0",
        "wasmer.lock: 1 package, written",
    ], done
    assert locked(old) == {"plain": "0.3.0"}
    text = (old / "wasmer.toml").read_text()
    assert text.endswith('[dependencies]\n# none yet\n"plain" = "*"\n') and "# the tool" not in text


def test_removing_gives_the_lock_that_resolving_gives(old: Path, wpm: Wpm) -> None:
    assert wpm("remove", "plain").code == 0
    quick = (old / "wasmer.lock").read_bytes()
    assert wpm("lock", "--check").code == 0
    (old / "wasmer.lock").unlink()
    assert wpm("lock", "--resolution", "lowest").code == 0
    assert (old / "wasmer.lock").read_bytes() == quick


def test_a_path_that_served_others_is_resolved_anew(project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    assert project
    write_package(project / "data.webc", "acme/data", "1.0.5")
    assert wpm("add", "./data.webc", "acme/tool@1.0.0").code == 0 and locked(project)["acme/data"] == "1.0.5"
    assert wpm("remove", "acme/data").out.splitlines()[1:2] == ["acme/data 1.0.5 -> 1.1.0"]
    assert 'source = "path:' not in (project / "wasmer.lock").read_text() and wpm("lock", "--check").code == 0
    assert registry


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_removing_is_resolving_without(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever the graph: the lock that is cut down is the one that a resolution which keeps its versions gives."""
    root = tmp_path_factory.mktemp("graph")
    maker, count = RegistryMaker(root / "registry"), data.draw(st.integers(2, 5))
    for number in range(count):
        for minor in range(data.draw(st.integers(1, 2))):
            needed = data.draw(st.sets(st.integers(number + 1, count), max_size=2)) - {count}
            maker.add(f"t/p{number}", f"1.{minor}.0", {f"t/p{other}": "1" for other in sorted(needed)})
    wanted = sorted(data.draw(st.sets(st.integers(0, count - 1), min_size=1)))
    project = write_project(root / "project", {f"t/p{number}": "1" for number in wanted})
    options, store = InstallOptions(registry=str(maker.root)), Store(root / "store")
    resolution = data.draw(st.sampled_from(RESOLUTIONS))
    write_lock(project / "wasmer.lock", plan(Project.open(project), store, options._replace(resolution=resolution)))
    gone = data.draw(st.lists(st.sampled_from(wanted), min_size=1, unique=True))
    edit = plan_removal(Project.open(project), [f"t/p{number}" for number in gone], store, options)
    (project / "wasmer.toml").write_text(edit.text)
    assert format_lock(edit.lock) == format_lock(plan(Project.open(project), store, options))


def test_what_is_not_there_is_not_removed(old: Path, wpm: Wpm) -> None:
    before = (old / "wasmer.toml").read_bytes()
    assert "did you mean acme/tool?" in wpm("remove", "tool").err
    assert "did you mean acme/tool?" in wpm("remove", "acme/tol").err
    done = wpm("remove", "plain", "zzz")
    assert done.code == 1 and "it has acme/tool, plain" in done.err and (old / "wasmer.toml").read_bytes() == before


def test_what_is_still_used_is_not_removed(old: Path, wpm: Wpm) -> None:
    with (old / "wasmer.toml").open("a") as file:
        file.write('[[command]]\nname = "t"\nmodule = "acme/tool:module"\nrunner = "wasi"\n')
        file.write('[fs]\n"/d" = { from = "plain", volume = "/data" }\n')
    assert "still used by the command 't' of" in wpm("remove", "acme/tool").err
    assert "still used by the [fs] entry '/d' of" in wpm("remove", "plain").err
    assert locked(old)


def test_removing_can_be_tried_and_forbidden(old: Path, wpm: Wpm) -> None:
    before = (old / "wasmer.toml").read_bytes(), (old / "wasmer.lock").read_bytes()
    done = wpm("remove", "plain", "--dry-run", "--json")
    told = json.loads(done.out)
    assert told["removed"] == ["plain"] and told["changes"] == [{"name": "plain", "before": "0.3.0", "after": None}]
    assert wpm("remove", "plain", "--locked").code == 1
    assert before == ((old / "wasmer.toml").read_bytes(), (old / "wasmer.lock").read_bytes())


def test_updating_takes_what_the_manifest_allows(old: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    manifest = (old / "wasmer.toml").read_bytes()
    registry.add("acme/tool", "1.2.0", {"plain": "*", "acme/new": "1"})
    registry.add("acme/new", "1.0.0")
    tried = wpm("update", "--dry-run")
    assert locked(old)["acme/tool"] == "1.0.0"
    done = wpm("update")
    assert done.code == 0 and done.out.splitlines()[:3] == tried.out.splitlines()[:3] == [
        "- acme/data 1.0.0",
        "+ acme/new 1.0.0",
        "acme/tool 1.0.0 -> 1.2.0",
    ]
    assert done.out.splitlines()[-1].startswith("3 packages installed (3 fetched")
    assert (old / "wasmer.toml").read_bytes() == manifest
    assert wpm("update").out == "3 packages installed (nothing to do)\n"


def test_updating_one_package_leaves_the_others(old: Path, wpm: Wpm) -> None:
    assert wpm("update", "acme/data", "--no-install").out.splitlines()[0] == "acme/data 1.0.0 -> 1.1.0"
    assert locked(old) == {"acme/tool": "1.0.0", "acme/data": "1.1.0", "plain": "0.3.0"}
    done = wpm("update", "acme/dta")
    assert done.code == 1 and "did you mean acme/data?" in done.err
    assert wpm("update", "--locked").code == 1


def test_installing_can_upgrade(old: Path, wpm: Wpm) -> None:
    assert wpm("install", "-P", "acme/data", "--no-compile").code == 0 and locked(old)["acme/data"] == "1.1.0"
    assert locked(old)["acme/tool"] == "1.0.0"
    assert wpm("install", "--upgrade", "--no-compile").code == 0 and locked(old)["acme/tool"] == "1.1.0"
    assert wpm("install", "--locked", "--upgrade").code == 2
    assert wpm("install", "--resolution", "lowest", "--no-compile").code == 0 and locked(old)["acme/tool"] == "1.0.0"


def test_locking_says_what_changes(old: Path, wpm: Wpm) -> None:
    before = (old / "wasmer.lock").read_bytes()
    done = wpm("lock", "-U", "--dry-run")
    assert "acme/tool 1.0.0 -> 1.1.0" in done.out and "would change" in done.out
    assert (old / "wasmer.lock").read_bytes() == before
    told = json.loads(wpm("lock", "-U", "acme/data", "--json").out)
    assert told["changes"] == [{"name": "acme/data", "before": "1.0.0", "after": "1.1.0"}] and told["lock_written"]
    assert wpm("lock").out == "wasmer.lock: 3 packages, unchanged\n"
    lowest = wpm("lock", "--resolution", "lowest-direct")
    assert lowest.code == 0 and locked(old) == {"acme/tool": "1.0.0", "acme/data": "1.1.0", "plain": "0.3.0"}


def test_every_resolution_can_be_asked_for(old: Path, wpm: Wpm) -> None:
    for resolution in RESOLUTIONS:
        assert wpm("lock", "--resolution", resolution).code == 0 and locked(old)
    assert wpm("lock", "--resolution", "newest").code == 2


@pytest.mark.parametrize("indexed", [False, True])
def test_a_check_notices_another_file_of_a_locked_version(
    old: Path, registry: RegistryMaker, wpm: Wpm, indexed: bool
) -> None:
    if indexed:
        assert wpm("registry", "index", registry.root).code == 0
    before = (old / "wasmer.lock").read_bytes()
    assert wpm("lock", "--check").code == 0
    registry.add("acme/data", "1.0.0", files={"a.txt": b"somebody changed this"})
    if indexed:
        wpm("registry", "index", registry.root)
    done = wpm("lock", "--check")
    assert done.code == 1 and "acme/data@1.0.0" in done.err and "another file" in done.err and done.err.count("\n") == 1
    assert (old / "wasmer.lock").read_bytes() == before


def test_a_check_notices_a_version_that_is_gone_but_not_one_that_is_yanked(
    old: Path, registry: RegistryMaker, wpm: Wpm
) -> None:
    assert locked(old)["acme/data"] == "1.0.0"
    (registry.root / "packages/acme/data/1.0.0.yanked").touch()
    assert wpm("lock", "--check").code == 0
    (registry.root / "packages/acme/data/1.0.0.webc").unlink()
    done = wpm("lock", "--check")
    assert done.code == 1 and "no such version any more" in done.err
