"""`wpm tree --invert`, `--why`, `--depth`: a lock from both of its sides."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_project
from typed import output, wpm

from pkgmgr.cli.tree import draw
from pkgmgr.locks.dependents import Dependents, shortest_chains
from pkgmgr.locks.lockfile import LockedPackage, Lockfile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """`top` needs `left` and `right`, which both need `base`; `base` is also the project's own need."""
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("t/base", "1.2.0")
    registry.add("t/left", "1.0.0", {"t/base": "^1"})
    registry.add("t/right", "1.0.0", {"t/base": ">=1.1"})
    registry.add("t/top", "2.0.0", {"t/left": "*", "t/right": "~1.0"})
    project = write_project(
        tmp_path / "project",
        {"t/top": "^2", "t/base": "1.2"},
        '[package]\nname = "me/app"\nversion = "0.3.0"\ndescription = ""\n',
    )
    output("install", "--registry", registry.root, cwd=project)
    return project


INVERTED = """\
t/base 1.2.0
├── me/app 0.3.0 (needs t/base "1.2")
├── t/left 1.0.0
│   └── t/top 2.0.0
│       └── me/app 0.3.0 (needs t/top "^2")
└── t/right 1.0.0
    └── t/top 2.0.0 (*)
"""
WHY = """\
me/app 0.3.0
  needs t/top "^2" -> t/top 2.0.0
    needs t/left "*" -> t/left 1.0.0
"""
DEEP = """\
me/app 0.3.0
├── t/base 1.2.0
└── t/top 2.0.0
"""


@pytest.fixture(autouse=True)
def drawn_with_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "utf-8")


def test_who_needs_a_package(project: Path) -> None:
    assert output("tree", "--invert", "t/base", cwd=project) == INVERTED
    assert output("tree", "--invert", cwd=project) == INVERTED
    assert output("tree", "--invert", "t/base@1.2.0", "--depth", "1", cwd=project).count("\n") == 4


def test_why(project: Path) -> None:
    assert output("tree", "--why", "t/left", cwd=project) == WHY
    shown = json.loads(output("tree", "--why", "t/base", "--json", cwd=project))
    assert (shown["package"], shown["count"]) == ("t/base@1.2.0", 3)
    asked = [[need["requirement"] for need in chain] for chain in shown["chains"]]
    assert asked == [["1.2"], ["^2", "*", "^1"], ["^2", "~1.0", ">=1.1"]]


def test_depth(project: Path) -> None:
    assert output("tree", "--depth", "1", cwd=project) == DEEP
    assert output("tree", "--depth", "0", cwd=project) == "me/app 0.3.0\n"
    shown = json.loads(output("tree", "--depth", "2", "--json", cwd=project))
    assert set(shown["packages"]) == {"t/base@1.2.0", "t/top@2.0.0", "t/left@1.0.0", "t/right@1.0.0"}
    shown = json.loads(output("tree", "--depth", "1", "--json", cwd=project))
    assert set(shown["packages"]) == {"t/base@1.2.0", "t/top@2.0.0"}


def test_inverted_for_programs(project: Path) -> None:
    shown = json.loads(output("tree", "--invert", "t/left", "--json", cwd=project))
    assert shown["tops"] == ["t/left@1.0.0"]
    assert shown["needed_by"]["t/left@1.0.0"] == [{"dependent": "t/top@2.0.0", "alias": "t/left"}]
    assert set(shown["needed_by"]) == {"t/left@1.0.0", "t/top@2.0.0"}


@pytest.mark.parametrize(
    ("name", "hint"), [("t/bas", "did you mean t/base?"), ("base", "did you mean t/base?"), ("zzz", "see: wpm tree")]
)
def test_a_package_that_is_not_needed(name: str, hint: str, project: Path) -> None:
    for option in ("--why", "--invert"):
        done = wpm("tree", option, name, cwd=project)
        assert (done.returncode, done.stderr.count(b"\n")) == (1, 1) and hint.encode() in done.stderr


def test_a_chain_whose_packages_are_not_here_is_told_without_what_they_ask_for(project: Path, own_store: Path) -> None:
    assert own_store.name in output("cache", "dir")
    assert output("tree", "--why", "t/left", cwd=project) == WHY.replace('needs t/left "*"', "needs t/left")


def locked(count: int, fan: int, seed: int) -> Lockfile:
    """A lock in which each package needs some of those behind it."""
    chance = random.Random(seed)
    packages = {}
    for number in range(count):
        below = range(number + 1, min(count, number + 60))
        needs = {f"s/p{each}": f"s/p{each}@1.0.0" for each in chance.sample(below, min(len(below), fan))}
        package = LockedPackage(f"s/p{number}", "1.0.0", "registry", f"{number:064x}", 1, needs)
        packages[package.id] = package
    return Lockfile({"s/p0": "*"}, {"s/p0": "s/p0@1.0.0"}, packages)


def test_large_locks() -> None:
    lock = locked(2000, 6, 1)
    lines = list(draw(lock, drawing=False))
    reached = _all(lock)
    assert len(lines) == 1 + sum(len(lock.packages[each].dependencies) for each in reached)
    chains, count = shortest_chains(Dependents(lock), "s/p1999@1.0.0")
    assert len(chains) == 10 and count > 10**20
    assert [len(chain) for chain in chains] == sorted(len(chain) for chain in chains)


def _all(lock: Lockfile) -> set[str]:
    found, waiting = set(lock.roots.values()), list(lock.roots.values())
    while waiting:
        for need in lock.packages[waiting.pop()].dependencies.values():
            if need not in found:
                found.add(need)
                waiting.append(need)
    return found


@given(st.integers(1, 9), st.integers(0, 3), st.integers(0, 1000))
def test_chains_are_all_there_are_and_the_shortest_come_first(count: int, fan: int, seed: int) -> None:
    lock = locked(count, fan, seed)

    def every(package: str) -> list[tuple[str, ...]]:
        if package == f"s/p{count - 1}@1.0.0":
            return [(package,)]
        return [(package, *rest) for need in lock.packages[package].dependencies.values() for rest in every(need)]

    expected = every("s/p0@1.0.0")
    dependents = Dependents(lock)
    target = f"s/p{count - 1}@1.0.0"
    found = [tuple(edge.package for edge in chain) for chain in dependents.chains(target)]
    assert sorted(found) == sorted(expected)
    assert [len(chain) for chain in found] == sorted(map(len, expected))
    assert dependents.count_chains(target) == len(expected)
