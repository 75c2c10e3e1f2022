"""Trees as directories: what is there afterwards, and that nothing is ever written elsewhere."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import Entry, HostFile, Kind, path_order, ways_to
from pkgmgr.rootfs.write_directory import write_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def a_file(path: str, content: bytes = b"x", mode: int = 0o644, mtime: int = 5) -> Entry:
    return Entry(path, Kind.FILE, mode, mtime, len(content), memoryview(content))


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
def test_modes_and_times_are_those_of_the_image(tmp_path: Path, mask: int) -> None:
    out = tmp_path / "out"
    out.mkdir()
    entries = [
        Entry("d", Kind.DIRECTORY, 0o1777, 11),
        a_file("d/a", b"one", 0o644, 12),
        a_file("d/b", b"", 0o755, 13),
        Entry("d/c", Kind.DIRECTORY, 0o555, 14),
        a_file("d/c/e", b"two", 0o4711, 15),
        Entry("d/l", Kind.SYMLINK, 0o777, 16, target="../away"),
        Entry("d/m", Kind.HARD_LINK, 0o644, 12, target="d/a"),
        a_file("e", b"three", 0o600, 0),
    ]
    with umask(mask):
        write_directory(entries, out)
    for entry in entries:
        found = (out / entry.path).lstat()
        assert found.st_mtime_ns == entry.mtime * 10**9, entry.path
        if entry.kind is not Kind.SYMLINK:
            assert stat.S_IMODE(found.st_mode) == entry.mode, entry.path
    assert os.readlink(out / "d/l") == "../away"
    assert (out / "d/a").stat().st_ino == (out / "d/m").stat().st_ino
    assert (out / "d/c/e").read_bytes() == b"two"


def test_files_of_the_host_are_copied(tmp_path: Path) -> None:
    data, out = os.urandom(700_000), tmp_path / "out"
    (tmp_path / "data").write_bytes(data)
    out.mkdir()
    whole = Entry("whole", Kind.FILE, size=len(data), content=HostFile(tmp_path / "data", len(data)))
    part = Entry("part", Kind.FILE, size=400_000, content=HostFile(tmp_path / "data", 400_000, 1234))
    write_directory([part, whole], out)
    assert (out / "whole").read_bytes() == data
    assert (out / "part").read_bytes() == data[1234 : 1234 + 400_000]
    longer = Entry("longer", Kind.FILE, size=800_000, content=HostFile(tmp_path / "data", 800_000))
    with pytest.raises(WpmError, match="became shorter"):
        write_directory([longer], out)


@pytest.mark.parametrize(
    "entries",
    [
        [a_file("../out.txt")],
        [a_file("/etc/out.txt")],
        [a_file("..")],
        [a_file(".")],
        [a_file("")],
        [a_file("a//b")],
        [a_file("a/b")],
        [a_file("no\0name")],
        [a_file("x" * 300)],
        [Entry("..", Kind.DIRECTORY)],
        [Entry("../x", Kind.DIRECTORY)],
        [Entry("d", Kind.DIRECTORY), a_file("d/../../out.txt")],
        [Entry("l", Kind.SYMLINK, target="{outside}"), a_file("l/out.txt")],
        [Entry("l", Kind.SYMLINK, target="{outside}"), Entry("l", Kind.DIRECTORY), a_file("l/out.txt")],
        [Entry("l", Kind.SYMLINK, target="{outside}/out.txt"), a_file("l")],
        [Entry("l", Kind.SYMLINK, target="{outside}"), Entry("m", Kind.HARD_LINK, target="l/secret")],
        [Entry("m", Kind.HARD_LINK, target="../outside/secret")],
        [Entry("m", Kind.HARD_LINK, target="{outside}/secret")],
        [a_file("a"), Entry("a", Kind.DIRECTORY)],
        [Entry("w", Kind.WHITEOUT)],
        [Entry("o", Kind.OPAQUE)],
        [a_file("t", mtime=1 << 70)],
    ],
)
def test_hostile_trees_end_in_one_line_and_nothing_elsewhere(tmp_path: Path, entries: list[Entry]) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    out.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("mine")
    named = [entry._replace(target=entry.target.replace("{outside}", str(outside))) for entry in entries]
    with pytest.raises((WpmError, OSError)) as caught:
        write_directory(named, out)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "outside"]
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").stat().st_nlink == 1


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("nobody tells what is open")
    before = len(os.listdir("/proc/self/fd"))
    (tmp_path / "a").mkdir()
    deep = [Entry("/".join("d" * depth), Kind.DIRECTORY) for depth in range(1, 100)]
    write_directory(deep, tmp_path / "a")
    (tmp_path / "b").mkdir()
    with pytest.raises(WpmError):
        write_directory([*deep, a_file("d/no/x")], tmp_path / "b")
    assert len(os.listdir("/proc/self/fd")) == before


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."}
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.binary(max_size=200), max_size=8))
def test_any_names(tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]) -> None:
    files = {path: data for path, data in files.items() if not any(other.startswith(path + "/") for other in files)}
    entries = {way: Entry(way, Kind.DIRECTORY, 0o755) for path in files for way in ways_to(path)}
    entries |= {path: a_file(path, data) for path, data in files.items()}
    out = tmp_path_factory.mktemp("any")
    write_directory([entries[path] for path in sorted(entries, key=path_order)], out)
    assert {os.path.relpath(os.path.join(at, name), out) for at, _, names in os.walk(out) for name in names} == set(
        files
    )
    assert all((out / path).read_bytes() == data for path, data in files.items())
