"""What a filesystem holds goes with its last user, without waiting for a collection of cycles."""

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from weakref import ref

import pytest

from runtime.env import WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.mounts import MountTable
from runtime.fs.node import Directory, File, FileSystem
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.tmpfs import TmpFileSystem


@pytest.fixture
def uncollected() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def mounted(_: Path) -> FileSystem:
    table = MountTable(TmpFileSystem())
    table.mount("/a/b", TmpFileSystem())
    return table


MAKERS: dict[str, Callable[[Path], FileSystem]] = {
    "memory": lambda _: TmpFileSystem(),
    "host": lambda path: HostFileSystem(path),
    "mounts": mounted,
    "overlay": lambda _: OverlayFileSystem(TmpFileSystem(), [TmpFileSystem()]),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.usefixtures("uncollected")
def test_a_filesystem(kind: str, tmp_path: Path) -> None:
    filesystem = MAKERS[kind](tmp_path)
    below = filesystem.root.mkdir("below").mkdir("deep")
    file = below.create("file")
    opened = file.open(read=True, write=True)
    opened.writev([memoryview(b"content")], 0)
    opened.close()
    assert isinstance(filesystem.root.lookup("below"), Directory)
    held = [ref(node) for node in (filesystem.root, below, file)]
    del filesystem, below, file, opened
    assert [node() for node in held] == [None] * 3


@pytest.mark.usefixtures("uncollected")
def test_what_is_still_used_stays() -> None:
    filesystem = OverlayFileSystem(TmpFileSystem())
    below = filesystem.root.mkdir("below")
    del filesystem
    below.create("file")
    assert isinstance(below.lookup("file"), File)
    table = MountTable(TmpFileSystem())
    table.mount("/a/b", TmpFileSystem())
    above = table.root.lookup("a")
    del table
    assert isinstance(above, Directory)
    assert isinstance(above.lookup("b"), Directory)
    above.mkdir("c").create("file")


@pytest.mark.usefixtures("uncollected")
def test_an_environment_and_its_host_descriptors(tmp_path: Path) -> None:
    def listed() -> list[str]:
        return sorted(os.listdir("/dev/fd"))

    before = listed()
    env = WasiEnvBuilder("none").mount("/host", HostFileSystem(tmp_path)).build()
    kept = ref(env.filesystem)
    env.descriptors.close_all()
    del env
    assert kept() is None
    assert len(listed()) == len(before)
