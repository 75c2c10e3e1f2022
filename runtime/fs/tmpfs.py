"""A filesystem in memory."""

from __future__ import annotations

import errno
import threading
from itertools import count
from time import time_ns
from weakref import ref

from runtime.fs.chunks import ChunkedData
from runtime.fs.device_numbers import next_device
from runtime.fs.failure import failure
from runtime.fs.names import check_name
from runtime.fs.node import Directory, DirEntry, File, Node, OpenFile, Stat, Symlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DAY = 86_400_000_000_000


class TmpSpace:
    """What all inodes of a filesystem share: its limits, how much of them is used, and its lock.

    Nodes know this and not the filesystem, so that everything goes at once with the last who uses it, and not when the
    next collection of cycles comes.
    """

    __slots__ = ("_numbers", "device", "lock", "max_bytes", "max_inodes", "used_bytes", "used_inodes")

    def __init__(self, max_bytes: int | None, max_inodes: int | None) -> None:
        self.max_bytes = max_bytes
        self.max_inodes = max_inodes
        self.device = next_device()
        self.lock = threading.Lock()
        self.used_bytes = 0
        self.used_inodes = 0
        self._numbers = count(1)

    def new_inode(self) -> int:
        """Take an inode number; with the lock held (or before the filesystem is shared).

        Raises:
            OSError: `ENOSPC` when `max_inodes` is reached.
        """
        if self.max_inodes is not None and self.used_inodes >= self.max_inodes:
            raise failure(errno.ENOSPC)
        self.used_inodes += 1
        return next(self._numbers)

    def room(self) -> int | None:
        """The bytes that may still be taken up; with the lock held."""
        return None if self.max_bytes is None else self.max_bytes - self.used_bytes


class TmpFileSystem:
    """A filesystem in memory: what a guest writes is gone with it.

    Safe for several threads: one lock, held for as long as one operation takes.

    Args:
        max_bytes: how many bytes all files may take up together, holes not counted; `None` for no limit.
        max_inodes: how many inodes there may be, the root included; `None` for no limit.
    """

    def __init__(self, max_bytes: int | None = None, max_inodes: int | None = None) -> None:
        self._space = TmpSpace(max_bytes, max_inodes)
        self._root = TmpDirectory(self._space, None)

    @property
    def root(self) -> TmpDirectory:
        """The directory at the top."""
        return self._root

    def add_directories(self, paths: Iterable[Sequence[str]]) -> None:
        """Make directories in a filesystem in which there is nothing yet, and of which nobody else knows.

        Args:
            paths: The names on the way to each, which have to be names.
        """
        for names in paths:
            here = self._root
            for name in names:
                child = here.children.get(name)
                if not isinstance(child, TmpDirectory):
                    child = here.children[name] = TmpDirectory(self._space, here)
                    here.nlink += 1
                here = child

    @property
    def used_bytes(self) -> int:
        """The bytes that all files take up together."""
        return self._space.used_bytes

    @property
    def used_inodes(self) -> int:
        """How many inodes there are."""
        return self._space.used_inodes


class TmpNode(Node):
    """What every inode of a `TmpFileSystem` has."""

    __slots__ = ("atim", "ctim", "fs", "ino", "mtim", "nlink")

    def __init__(self, fs: TmpSpace) -> None:
        self.fs = fs
        self.ino = fs.new_inode()
        self.nlink = 1
        self.atim = self.mtim = self.ctim = time_ns()

    def size(self) -> int:
        """The size that `stat` reports, in bytes."""
        return 0

    def stat(self) -> Stat:
        """As `Node.stat`."""
        with self.fs.lock:
            return Stat(
                self.fs.device, self.ino, self.filetype, self.nlink, self.size(), self.atim, self.mtim, self.ctim
            )

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`."""
        with self.fs.lock:
            if atim is not None:
                self.atim = atim
            if mtim is not None:
                self.mtim = mtim
            self.ctim = time_ns()

    def release(self) -> None:
        """Give the inode back once nothing refers to it any more; with the lock held."""
        self.fs.used_inodes -= 1


class TmpSymlink(TmpNode, Symlink):
    """A symbolic link in memory."""

    __slots__ = ("_target",)

    def __init__(self, fs: TmpSpace, target: str) -> None:
        super().__init__(fs)
        self._target = target

    def size(self) -> int:
        """The length of the target, in bytes."""
        return len(self._target.encode("utf-8", "surrogateescape"))

    def readlink(self) -> str:
        """As `Symlink.readlink`."""
        return self._target


class TmpFile(TmpNode, File):
    """A regular file in memory."""

    __slots__ = ("data", "opens")

    def __init__(self, fs: TmpSpace) -> None:
        super().__init__(fs)
        self.data = ChunkedData()
        self.opens = 0

    def size(self) -> int:
        """The length of the data, in bytes."""
        return self.data.size

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> TmpOpenFile:
        """As `File.open`."""
        with self.fs.lock:
            if not self.nlink and not self.opens:
                # Replaced or removed by another thread since it was looked up: opened as if that came a moment later.
                self.fs.used_inodes += 1
                self.fs.used_bytes += self.data.stored
            self.opens += 1
            if truncate:
                self.resize(0)
        return TmpOpenFile(self, read=read, write=write)

    def resize(self, size: int) -> None:
        """Set the size; with the lock held."""
        before = self.data.stored
        self.data.truncate(size)
        self.fs.used_bytes += self.data.stored - before
        self.mtim = self.ctim = time_ns()

    def release(self) -> None:
        """As `TmpNode.release`: not before the last descriptor is closed."""
        if not self.opens:
            self.fs.used_bytes -= self.data.stored
            super().release()


class TmpOpenFile(OpenFile):
    """An open file in memory."""

    __slots__ = ("_read", "_write", "node")

    node: TmpFile

    def __init__(self, node: TmpFile, *, read: bool, write: bool) -> None:
        self.node = node
        self._read = read
        self._write = write

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        if not self._read:
            raise failure(errno.EBADF)
        node = self.node
        with node.fs.lock:
            done = node.data.read(buffers, offset)
            now = time_ns()
            # As `relatime`: an access time tells whether the file was read since it changed.
            if node.atim <= node.mtim or node.atim <= node.ctim or now - node.atim > _DAY:
                node.atim = now
            return done

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.writev`."""
        with self.node.fs.lock:
            return self._write_locked(buffers, offset)

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """As `OpenFile.append`."""
        with self.node.fs.lock:
            offset = self.node.data.size
            done = self._write_locked(buffers, offset)
            return done, offset + done

    def _write_locked(self, buffers: Sequence[memoryview], offset: int) -> int:
        if not self._write:
            raise failure(errno.EBADF)
        node = self.node
        fs, data = node.fs, node.data
        before = data.stored
        try:
            return data.write(buffers, offset, fs.room())
        finally:
            fs.used_bytes += data.stored - before
            node.mtim = node.ctim = time_ns()

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.stat()

    def truncate(self, size: int) -> None:
        """As `OpenFile.truncate`."""
        if not self._write:
            raise failure(errno.EINVAL)
        with self.node.fs.lock:
            self.node.resize(size)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `OpenFile.set_times`."""
        self.node.set_times(atim, mtim)

    def close(self) -> None:
        """As `OpenFile.close`: the data of a file without a name goes with its last descriptor."""
        node = self.node
        with node.fs.lock:
            node.opens -= 1
            if not node.nlink:
                node.release()


class TmpDirectory(TmpNode, Directory):
    """A directory in memory."""

    __slots__ = ("_parent", "children")

    def __init__(self, fs: TmpSpace, parent: TmpDirectory | None) -> None:
        super().__init__(fs)
        self.nlink = 2
        # A directory that can be reached is kept by the one above it: it need not keep that, too.
        self._parent = ref(parent) if parent is not None else None
        self.children: dict[str, TmpNode] = {}

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`; a dictionary's own lookup is atomic, so it takes no lock."""
        try:
            return self.children[name]
        except KeyError:
            raise failure(errno.ENOENT, name) from None

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`: in the order in which they were made."""
        with self.fs.lock:
            return [DirEntry(name, node.ino, node.filetype) for name, node in self.children.items()]

    def create(self, name: str) -> TmpFile:
        """As `Directory.create`."""
        with self.fs.lock:
            self._check_free(name)
            node = TmpFile(self.fs)
            self._bind(name, node)
            return node

    def mkdir(self, name: str) -> TmpDirectory:
        """As `Directory.mkdir`."""
        with self.fs.lock:
            self._check_free(name)
            node = TmpDirectory(self.fs, self)
            self._bind(name, node)
            self.nlink += 1
            return node

    def symlink(self, name: str, target: str) -> None:
        """As `Directory.symlink`; an empty target is `ENOENT`."""
        with self.fs.lock:
            self._check_free(name)
            if not target:
                raise failure(errno.ENOENT)
            self._bind(name, TmpSymlink(self.fs, target))

    def link(self, name: str, node: Node) -> None:
        """As `Directory.link`."""
        with self.fs.lock:
            self._check_free(name)
            if not isinstance(node, TmpNode) or node.fs is not self.fs:
                raise failure(errno.EXDEV, name)
            if isinstance(node, TmpDirectory):
                raise failure(errno.EPERM, name)
            if not node.nlink:
                raise failure(errno.ENOENT, name)
            node.nlink += 1
            self._bind(name, node)
            node.ctim = self.ctim

    def unlink(self, name: str) -> None:
        """As `Directory.unlink`."""
        with self.fs.lock:
            node = self._child(name)
            if isinstance(node, TmpDirectory):
                raise failure(errno.EISDIR, name)
            del self.children[name]
            self._touch()
            self._drop(node)

    def rmdir(self, name: str) -> None:
        """As `Directory.rmdir`."""
        with self.fs.lock:
            node = self._child(name)
            if not isinstance(node, TmpDirectory):
                raise failure(errno.ENOTDIR, name)
            if node.children:
                raise failure(errno.ENOTEMPTY, name)
            del self.children[name]
            self._touch()
            self._drop(node)

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """As `Directory.rename`."""
        target = target.rename_target(new_name)
        if not isinstance(target, TmpDirectory) or target.fs is not self.fs:
            raise failure(errno.EXDEV, name)
        with self.fs.lock:
            node = self._child(name)
            if isinstance(node, TmpDirectory) and target.is_below(node):
                raise failure(errno.EINVAL, name)
            check_name(new_name)
            if not target.nlink:
                raise failure(errno.ENOENT, new_name)
            replaced = target.children.get(new_name)
            if replaced is node:
                return  # two names of one inode: POSIX keeps both
            if replaced is not None:
                _check_replaceable(self, node, replaced, new_name)
            del self.children[name]
            target.children.pop(new_name, None)  # a replaced name moves to the end, as a new one does
            target.children[new_name] = node
            if isinstance(node, TmpDirectory):
                node._parent = ref(target)
                self.nlink -= 1
                target.nlink += 1
            self._touch()
            target._touch()
            node.ctim = target.ctim
            if replaced is not None:
                target._drop(replaced)

    def is_below(self, ancestor: TmpDirectory) -> bool:
        """Whether this directory is `ancestor` or lies under it; with the lock held."""
        here: TmpDirectory | None = self
        while here is not None and here is not ancestor:
            here = here._parent() if here._parent is not None else None
        return here is not None

    def _child(self, name: str) -> TmpNode:
        try:
            return self.children[name]
        except KeyError:
            raise failure(errno.ENOENT, name) from None

    def _check_free(self, name: str) -> None:
        check_name(name)
        if name in self.children:
            raise failure(errno.EEXIST, name)
        if not self.nlink:
            raise failure(errno.ENOENT, name)  # the directory itself was removed

    def _bind(self, name: str, node: TmpNode) -> None:
        self.children[name] = node
        self._touch()

    def _touch(self) -> None:
        self.mtim = self.ctim = time_ns()

    def _drop(self, node: TmpNode) -> None:
        """One name of `node`, which was in this directory, is gone."""
        if isinstance(node, TmpDirectory):
            self.nlink -= 1
            node.nlink = 0
            node._parent = None
        else:
            node.nlink -= 1
        node.ctim = time_ns()
        if not node.nlink:
            node.release()


def _check_replaceable(source: TmpDirectory, node: TmpNode, replaced: TmpNode, name: str) -> None:
    """Refuse a rename of `node`, which is in `source`, over what may not be replaced by it."""
    if isinstance(replaced, TmpDirectory):
        if source.is_below(replaced):
            raise failure(errno.ENOTEMPTY, name)
        if not isinstance(node, TmpDirectory):
            raise failure(errno.EISDIR, name)
        if replaced.children:
            raise failure(errno.ENOTEMPTY, name)
    elif isinstance(node, TmpDirectory):
        raise failure(errno.ENOTDIR, name)
