"""Trees of buffers are read as they are, loaded late, and never changed."""

import errno
from collections.abc import Callable, Iterator, Mapping

import pytest
from fs_model import read_all

from runtime.fs.node import Directory, File
from runtime.fs.readonly import (
    LazyDirectory,
    LazyFile,
    ReadOnlyFileSystem,
    StaticDirectory,
    StaticFile,
    TreeDirectory,
    TreeFile,
)
from runtime.fs.tmpfs import TmpFileSystem


def file_at(directory: Directory, name: str) -> File:
    node = directory.lookup(name)
    assert isinstance(node, File)
    return node


def test_reading_is_in_place() -> None:
    content = bytearray(b"0123456789")
    root = ReadOnlyFileSystem(StaticDirectory({"f": StaticFile(memoryview(content), 77)})).root
    file = file_at(root, "f")
    assert (file.stat().size, file.stat().mtim) == (10, 77)
    opened = file.open(read=True, write=False)
    content[0] = ord("x")
    buffers = [memoryview(bytearray(4)), memoryview(bytearray(4))]
    assert opened.readv(buffers, 0) == 8
    assert bytes(buffers[0]) == b"x123"
    assert opened.readv(buffers, 7) == 3
    assert opened.readv(buffers, 10) == 0
    assert opened.readv(buffers, 1 << 63) == 0
    assert read_all(opened) == bytes(content)


def test_nodes_and_numbers_stay() -> None:
    root = ReadOnlyFileSystem(
        StaticDirectory({"a": StaticFile(b""), "b": StaticDirectory({"c": StaticFile(b"")})})
    ).root
    listed = {entry.name: entry.ino for entry in root.entries()}
    assert listed == {name: root.lookup(name).stat().ino for name in listed}
    below = root.lookup("b")
    assert isinstance(below, Directory)
    assert below.lookup("c") is below.lookup("c")
    numbers = [root.stat().ino, *listed.values(), below.lookup("c").stat().ino]
    assert len(set(numbers)) == 4


def test_loading_is_late_and_once() -> None:
    calls: list[str] = []

    def directory() -> TreeDirectory:
        calls.append("directory")
        return StaticDirectory({"lazy": LazyFile(file)})

    def file() -> TreeFile:
        calls.append("file")
        return StaticFile(b"made")

    root = ReadOnlyFileSystem(StaticDirectory({"d": LazyDirectory(directory)})).root
    assert [entry.name for entry in root.entries()] == ["d"]
    below = root.lookup("d")
    assert isinstance(below, Directory)
    assert calls == []
    assert [entry.name for entry in below.entries()] == ["lazy"]
    assert calls == ["directory"]
    assert read_all(file_at(below, "lazy").open(read=True, write=False)) == b"made"
    assert file_at(below, "lazy").stat().size == 4
    assert calls == ["directory", "file"]


class Broken(Mapping[str, TreeFile]):
    def __getitem__(self, name: str) -> TreeFile:
        raise ValueError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(["f"])

    def __len__(self) -> int:
        return 1


def test_a_broken_tree_is_an_input_output_error() -> None:
    def fail() -> TreeFile:
        raise ValueError("bad offset 12")

    root = ReadOnlyFileSystem(StaticDirectory({"f": LazyFile(fail), "d": StaticDirectory(Broken())})).root
    broken = root.lookup("d")
    assert isinstance(broken, Directory)
    operations: list[Callable[[], object]] = [
        lambda: broken.lookup("f"),
        lambda: broken.entries(),
        lambda: file_at(root, "f").stat(),
        lambda: file_at(root, "f").open(read=True, write=False),
    ]
    for operation in operations:
        with pytest.raises(OSError) as failed:
            operation()
        assert failed.value.errno == errno.EIO


def test_names_that_are_none_are_not_shown() -> None:
    names = ["", ".", "..", "a/b", "a\0", "x" * 256, "good"]
    root = ReadOnlyFileSystem(StaticDirectory({name: StaticFile(b"") for name in names})).root
    assert [entry.name for entry in root.entries()] == ["good"]
    for name in names[:-1]:
        with pytest.raises(FileNotFoundError):
            root.lookup(name)


def test_every_change_is_refused() -> None:
    root = ReadOnlyFileSystem(StaticDirectory({"f": StaticFile(b"f"), "d": StaticDirectory({})})).root
    file = file_at(root, "f")
    refused: list[tuple[Callable[[], object], int]] = [
        (lambda: root.create("x"), errno.EROFS),
        (lambda: root.create("f"), errno.EEXIST),
        (lambda: root.mkdir("x"), errno.EROFS),
        (lambda: root.mkdir("d"), errno.EEXIST),
        (lambda: root.symlink("x", "y"), errno.EROFS),
        (lambda: root.link("x", file), errno.EROFS),
        (lambda: root.unlink("f"), errno.EROFS),
        (lambda: root.unlink("x"), errno.ENOENT),
        (lambda: root.rmdir("d"), errno.EROFS),
        (lambda: root.rename("f", root, "x"), errno.EROFS),
        (lambda: root.rename("f", TmpFileSystem().root, "x"), errno.EXDEV),
        (lambda: root.set_times(1, 1), errno.EROFS),
        (lambda: file.set_times(1, 1), errno.EROFS),
        (lambda: file.open(read=True, write=True), errno.EROFS),
        (lambda: file.open(read=True, write=False, truncate=True), errno.EROFS),
        (lambda: file.open(read=True, write=False).writev([memoryview(b"x")], 0), errno.EBADF),
        (lambda: file.open(read=True, write=False).append([memoryview(b"x")]), errno.EBADF),
        (lambda: file.open(read=True, write=False).truncate(0), errno.EINVAL),
    ]
    for operation, code in refused:
        with pytest.raises(OSError) as failed:
            operation()
        assert failed.value.errno == code
