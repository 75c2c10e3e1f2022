"""The same operations on a guest filesystem and, by `os` calls, on a real directory: outcomes to compare."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from runtime.abi.filetype import Filetype
from runtime.fs import naming
from runtime.fs.node import Directory, File, FileSystem, OpenFile, Symlink
from runtime.fs.walk import Walked, top, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Outcome = object


class Guest:
    """Path operations on a filesystem, as a POSIX system would offer them."""

    def __init__(self, filesystem: FileSystem) -> None:
        self.top = top(filesystem)

    def at(self, path: str, *, follow: bool = True, naming: bool = False, creating: bool = False) -> Walked:
        return walk(self.top, self.top, path, follow=follow, naming=naming, creating=creating)

    def mkdir(self, path: str) -> Outcome:
        naming.make_directory(self.at(path, follow=False, naming=True))
        return None

    def open(self, path: str, *, create: bool = False, truncate: bool = False, write: bool = True) -> OpenFile:
        at = self.at(path, creating=create)
        node = at.node
        if node is None:
            if not create:
                at.found()
            node = naming.create_file(at)
        if isinstance(node, Directory):
            raise IsADirectoryError(errno.EISDIR, path)
        assert isinstance(node, File)
        return node.open(read=True, write=write, truncate=truncate)

    def write(self, path: str, offset: int, data: bytes) -> Outcome:
        opened = self.open(path, create=True)
        try:
            return opened.writev([memoryview(data)], offset)
        finally:
            opened.close()

    def append(self, path: str, data: bytes) -> Outcome:
        opened = self.open(path)
        try:
            half = len(data) // 2
            return opened.append([memoryview(data)[:half], memoryview(data)[half:]])
        finally:
            opened.close()

    def read(self, path: str) -> Outcome:
        opened = self.open(path, write=False)
        try:
            return read_all(opened)
        finally:
            opened.close()

    def truncate(self, path: str, size: int) -> Outcome:
        opened = self.open(path)
        try:
            opened.truncate(size)
        finally:
            opened.close()
        return None

    def symlink(self, path: str, target: str) -> Outcome:
        naming.make_symlink(self.at(path, follow=False, naming=True), target)
        return None

    def readlink(self, path: str) -> Outcome:
        node = self.at(path, follow=False).found().node
        if not isinstance(node, Symlink):
            raise OSError(errno.EINVAL, path)
        return node.readlink()

    def link(self, old: str, new: str) -> Outcome:
        node = self.at(old, follow=False).found().node
        naming.make_link(self.at(new, follow=False, naming=True), node)
        return None

    def unlink(self, path: str) -> Outcome:
        naming.remove_file(self.at(path, follow=False, naming=True))
        return None

    def rmdir(self, path: str) -> Outcome:
        naming.remove_directory(self.at(path, follow=False, naming=True))
        return None

    def rename(self, old: str, new: str) -> Outcome:
        naming.rename(self.at(old, follow=False, naming=True), self.at(new, follow=False, naming=True))
        return None

    def set_times(self, path: str, atim: int | None, mtim: int | None) -> Outcome:
        node = self.at(path).found().node
        node.set_times(atim, mtim)
        stat = node.stat()
        return (atim is None or stat.atim == atim, mtim is None or stat.mtim == mtim)

    def stat(self, path: str, *, follow: bool = True) -> Outcome:
        stat = self.at(path, follow=follow).found().node.stat()
        size = 0 if stat.filetype is Filetype.DIRECTORY else stat.size
        nlink = 0 if stat.filetype is Filetype.DIRECTORY else stat.nlink
        return (stat.filetype, size, nlink)

    def names(self, path: str) -> Outcome:
        entries = self.at(path).found().directory.entries()
        return sorted((entry.name, entry.filetype) for entry in entries)


def read_all(opened: OpenFile) -> bytes:
    """Everything in the file, read in odd pieces."""
    found = b""
    while True:
        buffers = [memoryview(bytearray(3)), memoryview(bytearray(0)), memoryview(bytearray(100_003))]
        count = opened.readv(buffers, len(found))
        if not count:
            return found
        found += b"".join(bytes(buffer) for buffer in buffers)[:count]


class Host:
    """The same operations on a real directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def at(self, path: str) -> str:
        return f"{self.folder}/{path}"

    def mkdir(self, path: str) -> Outcome:
        os.mkdir(self.at(path))
        return None

    def write(self, path: str, offset: int, data: bytes) -> Outcome:
        number = os.open(self.at(path), os.O_RDWR | os.O_CREAT)
        try:
            return os.pwrite(number, data, offset)
        finally:
            os.close(number)

    def append(self, path: str, data: bytes) -> Outcome:
        number = os.open(self.at(path), os.O_RDWR | os.O_APPEND)
        try:
            return os.write(number, data), os.fstat(number).st_size
        finally:
            os.close(number)

    def read(self, path: str) -> Outcome:
        number = os.open(self.at(path), os.O_RDONLY)
        try:
            found = b""
            while piece := os.read(number, 1 << 20):
                found += piece
            return found
        finally:
            os.close(number)

    def truncate(self, path: str, size: int) -> Outcome:
        number = os.open(self.at(path), os.O_RDWR)
        try:
            os.ftruncate(number, size)
        finally:
            os.close(number)
        return None

    def symlink(self, path: str, target: str) -> Outcome:
        os.symlink(target, self.at(path))
        return None

    def readlink(self, path: str) -> Outcome:
        return os.readlink(self.at(path))

    def link(self, old: str, new: str) -> Outcome:
        os.link(self.at(old), self.at(new), follow_symlinks=False)
        return None

    def unlink(self, path: str) -> Outcome:
        os.unlink(self.at(path))
        return None

    def rmdir(self, path: str) -> Outcome:
        os.rmdir(self.at(path))
        return None

    def rename(self, old: str, new: str) -> Outcome:
        os.rename(self.at(old), self.at(new))
        return None

    def set_times(self, path: str, atim: int | None, mtim: int | None) -> Outcome:
        status = os.stat(self.at(path))
        os.utime(self.at(path), ns=(status.st_atime_ns if atim is None else atim, mtim or status.st_mtime_ns))
        return (True, True)

    def stat(self, path: str, *, follow: bool = True) -> Outcome:
        status = os.stat(self.at(path), follow_symlinks=follow)
        kind = {0o04: Filetype.DIRECTORY, 0o10: Filetype.REGULAR_FILE, 0o12: Filetype.SYMBOLIC_LINK}
        filetype = kind[status.st_mode >> 12]
        if filetype is Filetype.DIRECTORY:
            return (filetype, 0, 0)
        return (filetype, status.st_size, status.st_nlink)

    def names(self, path: str) -> Outcome:
        kinds = []
        for entry in os.scandir(self.at(path)):
            if entry.is_symlink():
                kinds.append((entry.name, Filetype.SYMBOLIC_LINK))
            else:
                kinds.append((entry.name, Filetype.DIRECTORY if entry.is_dir() else Filetype.REGULAR_FILE))
        return sorted(kinds)


def outcome(operation: Callable[[], Outcome]) -> tuple[str, Outcome]:
    """What an operation came to: its result, or the name of its errno."""
    try:
        return ("did", operation())
    except OSError as error:
        assert error.errno is not None, error
        return ("failed", errno.errorcode[error.errno])


def tree(world: Guest | Host, path: str = ".") -> dict[str, Outcome]:
    """Everything there is, with its content."""
    found: dict[str, Outcome] = {}
    for name, filetype in world.names(path):  # type: ignore[attr-defined]
        below = f"{path}/{name}"
        match filetype:
            case Filetype.DIRECTORY:
                found[below] = "directory"
                found |= tree(world, below)
            case Filetype.SYMBOLIC_LINK:
                found[below] = ("link", world.readlink(below))
            case _:
                found[below] = (world.stat(below), world.read(below))
    return found
