"""The lock: it comes back as it was written, and a hostile one ends in one clear line."""

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binfactory.node import Mount
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import LockedPackage, Lockfile, format_lock, read_lock, write_lock
from pkgmgr.locks.reader import find_cycle, parse_lock

TEXT = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=12)
SOURCES = st.sampled_from(
    ["embedded", "registry", "registry+https://r.example/graphql", "hash", "https://host/x.webc", "path:../x.webc"]
)


@st.composite
def locks(draw: st.DrawFn) -> Lockfile:
    packages: dict[str, LockedPackage] = {}
    for number in range(draw(st.integers(0, 5))):
        dependencies = draw(st.dictionaries(TEXT, st.sampled_from(list(packages)), max_size=3)) if packages else {}
        mounts = st.builds(
            Mount,
            TEXT.filter(lambda text: ".." not in text).map("/{}".format),
            TEXT,
            TEXT.filter(lambda text: ".." not in text),
            st.sampled_from([None, *dependencies]),
        )
        package = LockedPackage(
            "" if number == 3 else f"ns/p{number}",
            "" if number == 3 else draw(st.sampled_from(["1.0.0", "0.1.0-rc.1", "2.0.0+b"])),
            draw(SOURCES),
            f"{number:064x}",
            draw(st.integers(0, 1 << 30)),
            dependencies,
            tuple(draw(st.lists(TEXT, max_size=3))),
            draw(st.none() | TEXT),
            tuple(draw(st.lists(mounts, max_size=2))),
        )
        packages[package.id] = package
    roots = draw(st.dictionaries(TEXT, st.sampled_from(list(packages)), max_size=3)) if packages else {}
    return Lockfile({alias: draw(TEXT) for alias in roots}, roots, packages)


@settings(deadline=None)
@given(locks())
def test_a_lock_comes_back_as_it_was(lock: Lockfile) -> None:
    text = format_lock(lock)
    again = parse_lock(text.encode())
    assert again == lock
    assert format_lock(again) == text
    assert again.is_for(lock.requirements)


@settings(deadline=None)
@given(locks(), st.data())
def test_a_damaged_lock_is_a_lock_or_an_error(lock: Lockfile, data: st.DataObject) -> None:
    text = bytearray(format_lock(lock).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(text) - 1))
        text[position : position + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=6))
    assert_lock_or_error(bytes(text))


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["version", "package", "requirements", "roots", "name", "sha256", "size", "mounts"]),
                inner,
            )
        ),
    )
)
def test_a_lock_of_any_shape_is_a_lock_or_an_error(value: object) -> None:
    import tomli_w

    def without_none(value: object) -> object:
        if isinstance(value, dict):
            return {key: without_none(each) for key, each in value.items() if each is not None}
        return [without_none(each) for each in value if each is not None] if isinstance(value, list) else value

    document = {"version": 1} | (value if isinstance(value, dict) else {"package": value})
    assert_lock_or_error(tomli_w.dumps(without_none(document)).encode())  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_lock_or_an_error(data: bytes) -> None:
    assert_lock_or_error(data)


def assert_lock_or_error(data: bytes) -> None:
    try:
        lock = parse_lock(data)
    except WpmError as error:
        assert "\n" not in str(error)
    else:
        assert parse_lock(format_lock(lock).encode()) == lock


PACKAGE = (
    'version = 1\n[[package]]\nname = "a/b"\nversion = "1.0.0"\nsource = "embedded"\nsha256 = "{}"\nsize = 1\n'.format(
        "0" * 64
    )
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "key version"),
        ("version = 2", "newer"),
        ("version = true", "key version"),
        ("version = 1\n[requirements]\nx = '1'", "roots"),
        (PACKAGE + PACKAGE.split("\n", 1)[1], "twice"),
        (PACKAGE.replace("a/b", "../b"), "package 1: not a package name"),
        (PACKAGE.replace("a/b", "_/b"), "the one form"),
        (PACKAGE.replace("embedded", "file:///etc/passwd"), "source"),
        (PACKAGE.replace("size = 1", "size = -1"), "size"),
        (PACKAGE + 'mounts = [{ guest = "/../x", volume = "v", path = "/" }]', "absolute path"),
        (PACKAGE + 'mounts = [{ guest = "/x", volume = "v", path = "/../y" }]', "leaves"),
        (PACKAGE + '[package.dependencies]\nself = "a/b@1.0.0"', "circle: a/b@1.0.0 -> a/b@1.0.0"),
        (PACKAGE + '[package.dependencies]\nother = "a/c@1.0.0"', "not among the packages"),
        ("x = " + "[" * 5000, "not TOML"),
    ],
)
def test_what_is_no_lock(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wasmer.lock").write_text(text)
    with pytest.raises(WpmError, match=message) as caught:
        read_lock(tmp_path / "wasmer.lock")
    assert "wpm lock" in str(caught.value)


def test_a_lock_that_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "wasmer.lock")
    with pytest.raises(WpmError, match="not a file"):
        read_lock(tmp_path / "wasmer.lock")


def test_writing_replaces_whole_and_only_what_changed(tmp_path: Path) -> None:
    path = tmp_path / "wasmer.lock"
    assert read_lock(path) is None
    lock = Lockfile({}, {}, {})
    assert write_lock(path, lock)
    before = path.stat().st_ino
    assert not write_lock(path, lock)
    assert path.stat().st_ino == before
    assert read_lock(path) == lock
    assert [each.name for each in tmp_path.iterdir()] == ["wasmer.lock"]


@settings(deadline=None)
@given(st.dictionaries(st.integers(0, 6).map(str), st.lists(st.integers(0, 6).map(str), max_size=3)))
def test_cycles(edges: dict[str, list[str]]) -> None:
    graph = {str(node): tuple(edges.get(str(node), ())) for node in range(7)}
    reached = {node: set(graph[node]) for node in graph}
    for _ in graph:
        for node in graph:
            reached[node] |= {far for near in reached[node] for far in graph[near]}
    cycle = find_cycle(graph)
    assert bool(cycle) == any(node in reached[node] for node in graph)
    assert all(following in graph[node] for node, following in pairwise(cycle))
    assert cycle[:1] == cycle[-1:]
