"""Devices do what Linux's do."""

import errno
from typing import TYPE_CHECKING

import pytest

from runtime.abi.filetype import Filetype
from runtime.fs.devices import DeviceFileSystem, LentFile
from runtime.fs.node import Directory, File, OpenFile
from runtime.fs.tmpfs import TmpFileSystem

if TYPE_CHECKING:
    from collections.abc import Callable


def opened(fs: DeviceFileSystem, name: str) -> OpenFile:
    node = fs.root.lookup(name)
    assert isinstance(node, File)
    return node.open(read=True, write=True, truncate=True)


def test_what_is_there() -> None:
    root = DeviceFileSystem().root
    listed = {entry.name: entry for entry in root.entries()}
    assert set(listed) == {"null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr", "fd"}
    for name, entry in listed.items():
        node = root.lookup(name)
        assert (node.stat().ino, node.filetype) == (entry.ino, entry.filetype)
        assert entry.filetype is (Filetype.DIRECTORY if name == "fd" else Filetype.CHARACTER_DEVICE)
    assert len({entry.ino for entry in listed.values()}) == len(listed)


def test_null_zero_full_and_random() -> None:
    fs = DeviceFileSystem()
    into = [memoryview(bytearray(b"x" * 300_000)), memoryview(bytearray(b"x" * 5))]
    out = [memoryview(b"hello"), memoryview(b"!")]
    assert opened(fs, "null").readv(into, 0) == 0
    assert opened(fs, "null").writev(out, 0) == 6
    assert opened(fs, "null").append(out) == (6, 0)
    assert opened(fs, "random").readv(into, 0) == 300_005
    assert opened(fs, "urandom").writev(out, 0) == 6
    assert len(set(bytes(into[0]))) == 256
    assert opened(fs, "zero").readv(into, 0) == 300_005
    assert not any(into[0])
    assert opened(fs, "full").readv(into, 0) == 300_005
    for write in (opened(fs, "full").writev, lambda data, _: opened(fs, "full").append(data)):
        with pytest.raises(OSError) as full:
            write(out, 0)
        assert full.value.errno == errno.ENOSPC
    assert not opened(fs, "null").seekable
    assert opened(fs, "null").filetype is Filetype.CHARACTER_DEVICE


def test_streams_are_lent() -> None:
    file = TmpFileSystem().root.create("terminal").open(read=True, write=True)
    fs = DeviceFileSystem(stdout=lambda: file, tty=lambda: file)
    lent = opened(fs, "stdout")
    assert isinstance(lent, LentFile)
    assert lent.lender is file
    lent.writev([memoryview(b"out")], 0)
    lent.close()
    assert opened(fs, "tty").stat().size == 3
    with pytest.raises(OSError) as none:
        opened(fs, "stdin")
    assert none.value.errno == errno.ENXIO


def test_descriptors_are_those_of_the_moment() -> None:
    files: dict[int, OpenFile] = {}
    fs = DeviceFileSystem(descriptors=lambda: files)
    folder = fs.root.lookup("fd")
    assert isinstance(folder, Directory)
    assert folder.entries() == []
    files[7] = TmpFileSystem().root.create("seven").open(read=True, write=True)
    files[3] = opened(fs, "null")
    assert [(entry.name, entry.filetype) for entry in folder.entries()] == [
        ("3", Filetype.CHARACTER_DEVICE),
        ("7", Filetype.REGULAR_FILE),
    ]
    seven = folder.lookup("7")
    assert isinstance(seven, File)
    assert seven.open(read=True, write=True).append([memoryview(b"x")]) == (1, 1)
    for name in ("4", "07", "-1", "x", "٣", "9" * 5000):
        with pytest.raises(FileNotFoundError):
            folder.lookup(name)


def test_the_directory_is_sealed() -> None:
    root = DeviceFileSystem().root
    attempts: list[tuple[Callable[[], object], int]] = [
        (lambda: root.create("x"), errno.EROFS),
        (lambda: root.mkdir("null"), errno.EEXIST),
        (lambda: root.unlink("null"), errno.EROFS),
        (lambda: root.rmdir("fd"), errno.EROFS),
        (lambda: root.rename("null", root, "x"), errno.EROFS),
        (lambda: opened(DeviceFileSystem(), "null").truncate(3), errno.EINVAL),
        (lambda: opened(DeviceFileSystem(), "null").allocate(0, 3), errno.ENODEV),
    ]
    for attempt, code in attempts:
        with pytest.raises(OSError) as refused:
            attempt()
        assert refused.value.errno == code
