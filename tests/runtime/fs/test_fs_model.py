"""The same random operations on every writable filesystem and on a real directory come to the same."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fs_model import Guest, Host, outcome, tree
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runtime.fs.hostfs import HostFileSystem
from runtime.fs.mounts import MountTable
from runtime.fs.node import Directory, FileSystem
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.readonly import ReadOnlyFileSystem, StaticDirectory, StaticFile
from runtime.fs.tmpfs import TmpFileSystem

# Deep enough that no `..` of a link reaches the top, where a guest's root ends and the host's folder does not.
BASE = "w/w/w/w/"
NAMES = st.sampled_from(["a", "b", "c", "d"])
RELATIVE = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATHS = RELATIVE.map(lambda path: BASE + path)
ODD_PATHS = st.one_of(
    PATHS,
    PATHS,
    PATHS.map(lambda path: path + "/"),
    PATHS.map(lambda path: path + "/."),
    PATHS.map(lambda path: path + "/../a"),
)
TARGETS = st.one_of(RELATIVE, st.sampled_from(["../a", "..", ".", "a/", "b/c/", "../b/c", "./a"]))
OFFSETS = st.sampled_from([0, 1, 5, 4096, 262_143, 262_144, 300_000])
DATA = st.sampled_from([b"", b"x", b"hello world", bytes(range(256)) * 20])
TIMES = st.one_of(st.none(), st.integers(1, 2_000_000_000_000_000_000))
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("mkdir"), ODD_PATHS),
        st.tuples(st.just("mkdir"), PATHS),
        st.tuples(st.just("write"), PATHS, OFFSETS, DATA),
        st.tuples(st.just("append"), PATHS, DATA),
        st.tuples(st.just("read"), ODD_PATHS),
        st.tuples(st.just("truncate"), PATHS, OFFSETS),
        st.tuples(st.just("symlink"), PATHS, TARGETS),
        st.tuples(st.just("readlink"), ODD_PATHS),
        st.tuples(st.just("link"), ODD_PATHS, PATHS),
        st.tuples(st.just("unlink"), ODD_PATHS),
        st.tuples(st.just("rmdir"), ODD_PATHS),
        st.tuples(st.just("rename"), ODD_PATHS, ODD_PATHS),
        st.tuples(st.just("rename"), PATHS, PATHS),
        st.tuples(st.just("set_times"), PATHS, TIMES, TIMES),
        st.tuples(st.just("stat"), ODD_PATHS),
        st.tuples(st.just("names"), ODD_PATHS),
    ),
    max_size=40,
)

Maker = Callable[[Path], FileSystem]


class OnTheWay:
    """A filesystem whose root is on the way to a mount point; the mount point itself is not shown."""

    def __init__(self) -> None:
        self.table = MountTable(TmpFileSystem())
        self.table.mount("/mounted/here", TmpFileSystem())

    @property
    def root(self) -> Directory:
        return self.table.root


def below(tree: dict[str, object], depth: int = 4) -> StaticDirectory:
    """A lower layer with this under the directory that the operations work in."""
    entries = {
        name: StaticFile(content, 5) if isinstance(content, bytes) else below(content, 0)  # type: ignore[arg-type]
        for name, content in tree.items()
    }
    here = StaticDirectory(entries, 7)
    for _ in range(depth):
        here = StaticDirectory({"w": here}, 7)
    return here


FIRST: dict[str, object] = {"a": {"a": b"first a/a", "b": {"c": b"first a/b/c", "d": b""}}, "b": b"first b"}
SECOND: dict[str, object] = {
    "a": {"a": {"b": b"hidden"}, "b": {"c": {"d": b"hidden"}, "a": b"second a/b/a"}, "c": b"x" * 300_000},
    "b": {"a": b"hidden"},
    "c": {"a": {"b": b"second c/a/b"}, "d": b"second c/d"},
}
BOTH: dict[str, object] = {
    "a": {
        "a": b"first a/a",
        "b": {"c": b"first a/b/c", "d": b"", "a": b"second a/b/a"},
        "c": b"x" * 300_000,
    },
    "b": b"first b",
    "c": SECOND["c"],
}


def lowers() -> list[FileSystem]:
    return [ReadOnlyFileSystem(below(FIRST)), ReadOnlyFileSystem(below(SECOND))]


def lay_out(world: Host, tree: dict[str, object], path: str) -> None:
    for name, content in tree.items():
        if isinstance(content, bytes):
            world.write(path + name, 0, content)
        else:
            world.mkdir(path + name)
            lay_out(world, content, f"{path}{name}/")  # type: ignore[arg-type]


MAKERS: dict[str, Maker] = {
    "tmpfs": lambda _: TmpFileSystem(),
    "hostfs": HostFileSystem,
    "mounts": lambda _: OnTheWay(),
}
OVERLAYS: dict[str, Maker] = {
    "tmpfs": lambda _: OverlayFileSystem(TmpFileSystem(), lowers()),
    "hostfs": lambda folder: OverlayFileSystem(HostFileSystem(folder), lowers()),
}


def run(guest: Guest, host: Host, operations: list[tuple[str, ...]]) -> None:
    for name, *arguments in operations:
        expected = outcome(lambda: getattr(host, name)(*arguments))  # noqa: B023
        found = outcome(lambda: getattr(guest, name)(*arguments))  # noqa: B023
        assert found == expected, (name, arguments)
    assert tree(guest, BASE[:-1]) == tree(host, BASE[:-1])


@pytest.mark.parametrize("kind", MAKERS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(operations=OPERATIONS)
@example(operations=[("symlink", BASE + "a", "a/"), ("write", BASE + "a", 0, b"")])
def test_as_a_real_directory(kind: str, operations: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        guest, host = Guest(MAKERS[kind](Path(first))), Host(Path(second))
        for depth in range(1, 5):
            guest.mkdir("/".join("w" * depth))
            host.mkdir("/".join("w" * depth))
        run(guest, host, operations)


@pytest.mark.parametrize("kind", OVERLAYS)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(operations=OPERATIONS)
def test_overlay_as_a_real_directory(kind: str, operations: list[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        filesystem = OVERLAYS[kind](Path(first))
        guest, host = Guest(filesystem), Host(Path(second))
        for depth in range(1, 5):
            host.mkdir("/".join("w" * depth))
        lay_out(host, BOTH, BASE)
        run(guest, host, operations)
        if kind == "hostfs":
            again = Guest(OverlayFileSystem(HostFileSystem(first), lowers()))
            assert tree(again, BASE[:-1]) == tree(host, BASE[:-1])
