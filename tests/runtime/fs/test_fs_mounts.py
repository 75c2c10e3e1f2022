"""Mounted filesystems appear where they are mounted, and stand in nobody's way elsewhere."""

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fs_model import Guest

from runtime.fs.hostfs import HostFileSystem
from runtime.fs.mounts import MountTable
from runtime.fs.node import Directory
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.readonly import ReadOnlyFileSystem, StaticDirectory, StaticFile
from runtime.fs.tmpfs import TmpFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable


def made() -> tuple[Guest, TmpFileSystem, TmpFileSystem]:
    base, data = TmpFileSystem(), TmpFileSystem()
    before = Guest(base)
    for path in ("etc", "mnt", "mnt/data", "mnt/data/hidden"):
        before.mkdir(path)
    before.write("etc/file", 0, b"base")
    table = MountTable(base)
    table.mount("/mnt/data", data)
    table.mount("/new/deep/place", ReadOnlyFileSystem(StaticDirectory({"f": StaticFile(b"mounted")})))
    return Guest(table), base, data


def names(guest: Guest, path: str) -> list[str]:
    return sorted(entry.name for entry in guest.at(path).found().directory.entries())


def test_what_is_seen_where() -> None:
    guest, _, data = made()
    assert names(guest, "/") == ["etc", "mnt", "new"]
    assert names(guest, "/mnt") == ["data"]
    assert names(guest, "/mnt/data") == []
    assert guest.read("/new/deep/place/f") == b"mounted"
    assert guest.at("/new/deep/place/../..").found().path() == "/new"
    assert guest.at("/mnt/data").node is data.root
    guest.write("/mnt/data/x", 0, b"data")
    assert Guest(data).read("x") == b"data"


def test_off_the_way_the_nodes_are_native() -> None:
    guest, base, _ = made()
    assert guest.at("/etc").node is base.root.lookup("etc")


@pytest.mark.parametrize("path", ["/mnt", "/mnt/data", "/new", "/new/deep/place"])
def test_a_mount_point_stays(path: str) -> None:
    guest, _, _ = made()
    guest.mkdir("/d")
    attempts: list[Callable[[], object]] = [
        lambda: guest.rmdir(path),
        lambda: guest.rename(path, "/elsewhere"),
        lambda: guest.rename("/d", path),
    ]
    for attempt in attempts:
        with pytest.raises(OSError) as busy:
            attempt()
        assert busy.value.errno == errno.EBUSY
    with pytest.raises(FileExistsError):
        guest.mkdir(path)
    with pytest.raises(IsADirectoryError):
        guest.unlink(path)


def test_nothing_moves_across() -> None:
    guest, _, _ = made()
    attempts: list[Callable[[], object]] = [
        lambda: guest.rename("/etc/file", "/mnt/data/file"),
        lambda: guest.rename("/etc/file", "/new/deep/place/file"),
        lambda: guest.rename("/new/deep/place/f", "/f"),
        lambda: guest.link("/etc/file", "/mnt/data/file"),
    ]
    for attempt in attempts:
        with pytest.raises(OSError) as crossing:
            attempt()
        assert crossing.value.errno in {errno.EXDEV, errno.EROFS}
    devices = {guest.at(path).found().node.stat().dev for path in ("/etc", "/mnt/data", "/new", "/new/deep/place")}
    assert len(devices) == 4


def test_into_and_out_of_directories_on_the_way() -> None:
    guest, _, _ = made()
    guest.rename("/etc/file", "/file")
    guest.rename("/file", "/mnt/file")
    guest.rename("/mnt/file", "/etc/file")
    guest.link("/etc/file", "/mnt/again")
    assert guest.read("/mnt/again") == b"base"
    guest.unlink("/mnt/again")


def test_a_directory_made_up_by_a_mount_can_be_filled() -> None:
    guest, base, _ = made()
    guest.mkdir("/new/deep/other")
    guest.write("/new/file", 0, b"x")
    guest.at("/new").found().node.set_times(3, 4)
    assert names(guest, "/new/deep") == ["other", "place"]
    assert names(guest, "/new") == ["deep", "file"]
    assert Guest(base).read("new/file") == b"x"
    assert guest.at("/new").found().node.stat().mtim == 4


def test_mounts_within_mounts(tmp_path: Path) -> None:
    table = MountTable(ReadOnlyFileSystem(StaticDirectory({"a": StaticFile(b"hidden by a mount")})))
    middle, inner = HostFileSystem(tmp_path), TmpFileSystem()
    table.mount("/a/b", inner)
    table.mount("/a", middle)
    guest = Guest(table)
    guest.write("/a/file", 0, b"middle")
    guest.write("/a/b/file", 0, b"inner")
    assert (tmp_path / "file").read_text() == "middle"
    assert Guest(inner).read("file") == b"inner"
    assert names(guest, "/a") == ["b", "file"]
    with pytest.raises(OSError) as crossing:
        guest.rename("/a/file", "/a/b/other")
    assert crossing.value.errno == errno.EXDEV
    table.mount("/", TmpFileSystem())
    assert names(guest, "/") == ["a"]


def test_a_table_in_a_table_and_over_an_overlay() -> None:
    overlay = OverlayFileSystem(TmpFileSystem(), [ReadOnlyFileSystem(StaticDirectory({"lib": StaticDirectory({})}))])
    inner = MountTable(overlay)
    inner.mount("/dev", TmpFileSystem())
    outer = MountTable(inner)
    outer.mount("/lib/x", TmpFileSystem())
    guest = Guest(outer)
    guest.write("/f", 0, b"x")
    guest.rename("/f", "/lib/f")
    assert guest.read("/lib/f") == b"x"
    assert names(guest, "/lib") == ["f", "x"]
    assert names(guest, "/") == ["dev", "lib"]


@pytest.mark.parametrize("path", ["relative", "/a/../b", "/a/./b", "", "/a\0"])
def test_where_nothing_can_be_mounted(path: str) -> None:
    with pytest.raises(OSError) as refused:
        MountTable(TmpFileSystem()).mount(path, TmpFileSystem())
    assert refused.value.errno == errno.EINVAL


def test_mounting_on_the_root_directory_held_open() -> None:
    table = MountTable(TmpFileSystem())
    guest = Guest(table)
    table.mount("/late", TmpFileSystem())
    assert isinstance(guest.at("/late").node, Directory)
