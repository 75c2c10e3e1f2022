"""A filesystem that only reads: any tree of mappings and buffers, such as a webc volume, as it is, without copies.

A symbolic link of the tree is shown as it is. Nothing here follows it: `runtime.fs.walk` does, from the guest's root.
"""

# ruff: noqa: ARG002 (a refusal does not look at what it refuses)

from __future__ import annotations

import errno
import threading
from itertools import count

from runtime.abi.filetype import Filetype
from runtime.fs.device_numbers import next_device
from runtime.fs.failure import failure
from runtime.fs.names import encoded_length, is_name
from runtime.fs.node import DirEntry, File, Node, OpenFile, Stat, Symlink
from runtime.fs.sealed import SealedDirectory
from runtime.fs.static_tree import LazyDirectory, LazyFile, StaticDirectory, StaticFile, StaticSymlink
from runtime.typed import Protocol, cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias, TypeGuard, TypeVar

    _T = TypeVar("_T")

__all__ = [
    "LazyDirectory",
    "LazyFile",
    "ReadOnlyFileSystem",
    "StaticDirectory",
    "StaticFile",
    "StaticSymlink",
    "TreeDirectory",
    "TreeEntry",
    "TreeFile",
    "TreeSymlink",
    "is_directory",
]

_MOST_KNOWN = 64


class TreeFile(Protocol):
    """A file of a tree: `size` in bytes and `modified_ns` since the epoch, told without touching the content."""

    @property
    def size(self) -> int:
        """The length of the content, in bytes."""

    @property
    def modified_ns(self) -> int | None:
        """When it was modified, in nanoseconds since the epoch, if known."""

    @property
    def content(self) -> memoryview | bytes:
        """The bytes."""


class TreeDirectory(Protocol):
    """A directory of a tree; the mapping may do its work when it is first looked at."""

    @property
    def entries(self) -> Mapping[str, TreeEntry]:
        """Names, each with the file, directory or symbolic link of that name."""

    @property
    def modified_ns(self) -> int | None:
        """When it was modified, in nanoseconds since the epoch, if known."""


class TreeSymlink(Protocol):
    """A symbolic link of a tree. Its target is whatever the tree's maker wrote: absolute, climbing, dangling."""

    @property
    def target(self) -> str:
        """The target, as it was given."""

    @property
    def modified_ns(self) -> int | None:
        """When it was modified, in nanoseconds since the epoch, if known."""


TreeEntry: TypeAlias = TreeFile | TreeDirectory | TreeSymlink
"""What a name of a tree is bound to."""


class ReadOnlyFileSystem:
    """A tree as a filesystem; every change is `EROFS`.

    A name that cannot be one (empty, `.`, `..`, with a slash or a NUL) is not shown. A tree that fails to load, however
    it fails, is `EIO`.

    Args:
        tree: the directory at the top.
    """

    def __init__(self, tree: TreeDirectory) -> None:
        self.device = next_device()
        self.lock = threading.RLock()
        self._numbers = count(2)
        self._root = ReadOnlyDirectory(self, 1, tree)

    @property
    def root(self) -> ReadOnlyDirectory:
        """The directory at the top."""
        return self._root

    def new_inode(self) -> int:
        """An inode number of this filesystem."""
        return next(self._numbers)


class ReadOnlyFile(File):
    """A file of the tree."""

    __slots__ = ("_fs", "_ino", "_tree")

    def __init__(self, fs: ReadOnlyFileSystem, ino: int, tree: TreeFile) -> None:
        self._fs = fs
        self._ino = ino
        self._tree = tree

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        raise failure(errno.EROFS)

    def stat(self) -> Stat:
        """As `Node.stat`."""
        try:
            size, time = self._tree.size, self._tree.modified_ns or 0
        except OSError:
            raise
        except Exception as error:
            raise _failure(error) from error
        return Stat(self._fs.device, self._ino, Filetype.REGULAR_FILE, 1, size, time, time, time)

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> OpenFile:
        """As `File.open`."""
        if write or truncate:
            raise failure(errno.EROFS)
        try:
            content = self._tree.content
        except OSError:
            raise
        except Exception as error:
            raise _failure(error) from error
        return ReadOnlyOpenFile(self, memoryview(content), read=read)


class ReadOnlyOpenFile(OpenFile):
    """An open file of the tree."""

    __slots__ = ("_content", "_read", "node")

    node: ReadOnlyFile
    stable = True

    def __init__(self, node: ReadOnlyFile, content: memoryview, *, read: bool) -> None:
        self.node = node
        self._content = content
        self._read = read

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        if not self._read:
            raise failure(errno.EBADF)
        content = self._content
        begin = offset
        for buffer in buffers:
            piece = content[offset : offset + len(buffer)]
            buffer[: len(piece)] = piece
            offset += len(piece)
            if len(piece) < len(buffer):
                break
        return offset - begin

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: the file is not open for writing."""
        raise failure(errno.EBADF)

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """Refuse: the file is not open for writing."""
        raise failure(errno.EBADF)

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.stat()

    def truncate(self, size: int) -> None:
        """Refuse: the file is not open for writing."""
        raise failure(errno.EINVAL)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        self.node.set_times(atim, mtim)


class ReadOnlySymlink(Symlink):
    """A symbolic link of the tree."""

    __slots__ = ("_fs", "_ino", "_tree")

    def __init__(self, fs: ReadOnlyFileSystem, ino: int, tree: TreeSymlink) -> None:
        self._fs = fs
        self._ino = ino
        self._tree = tree

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        raise failure(errno.EROFS)

    def stat(self) -> Stat:
        """As `Node.stat`: the size is the target's length, in bytes."""
        time = _loaded(lambda: self._tree.modified_ns) or 0
        return Stat(self._fs.device, self._ino, self.filetype, 1, encoded_length(self.readlink()), time, time, time)

    def readlink(self) -> str:
        """As `Symlink.readlink`."""
        return _loaded(lambda: self._tree.target)


class ReadOnlyDirectory(SealedDirectory):
    """A directory of the tree; its mapping is asked for when the first name is."""

    __slots__ = ("_fs", "_ino", "_inodes", "_nodes", "_tree", "_trees")

    def __init__(self, fs: ReadOnlyFileSystem, ino: int, tree: TreeDirectory) -> None:
        self._fs = fs
        self._ino = ino
        self._tree = tree
        self._trees: Mapping[str, TreeEntry] | None = None
        self._inodes: dict[str, int] = {}
        self._nodes: dict[str, ReadOnlyNode] = {}

    def _load(self) -> Mapping[str, TreeEntry]:
        if self._trees is None:
            with self._fs.lock:
                if self._trees is None:
                    trees = _loaded(lambda: self._tree.entries)
                    names = _loaded(lambda: list(trees))
                    self._inodes = {name: self._fs.new_inode() for name in names if is_name(name)}
                    self._trees = trees
        return self._trees

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        node = self._nodes.get(name)
        return self._make(name) if node is None else node

    def _make(self, name: str) -> ReadOnlyNode:
        trees = self._load()
        ino = self._inodes.get(name)
        if ino is None:
            raise failure(errno.ENOENT, name)
        with self._fs.lock:
            node = self._nodes.get(name)
            if node is None:
                try:
                    tree = trees[name]
                    filetype = _filetype(tree)
                except OSError:
                    raise
                except Exception as error:
                    raise _failure(error) from error
                if filetype is Filetype.REGULAR_FILE:
                    node = ReadOnlyFile(self._fs, ino, cast("TreeFile", tree))
                elif filetype is Filetype.DIRECTORY:
                    node = ReadOnlyDirectory(self._fs, ino, cast("TreeDirectory", tree))
                else:
                    node = ReadOnlySymlink(self._fs, ino, cast("TreeSymlink", tree))
                self._nodes[name] = node
            return node

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`: in the order of the mapping."""
        trees = self._load()
        new, kind = tuple.__new__, _filetype
        return _loaded(lambda: [new(DirEntry, (name, ino, kind(trees[name]))) for name, ino in self._inodes.items()])

    def stat(self) -> Stat:
        """As `Node.stat`."""
        time = _loaded(lambda: self._tree.modified_ns) or 0
        return Stat(self._fs.device, self._ino, self.filetype, 2, 0, time, time, time)


ReadOnlyNode: TypeAlias = ReadOnlyFile | ReadOnlyDirectory | ReadOnlySymlink
"""A node of the filesystem."""


def is_directory(tree: TreeEntry) -> TypeGuard[TreeDirectory]:
    """Whether it is a directory, without looking into it."""
    return _has(tree, "entries")


def _is_symlink(tree: TreeEntry) -> TypeGuard[TreeSymlink]:
    return _has(tree, "target")


def _has(tree: TreeEntry, name: str) -> bool:
    # Asked of the type first: an `isinstance` check would run the property, which may load the directory.
    return hasattr(type(tree), name) or name in getattr(tree, "__dict__", ())


_known: dict[type, Filetype] = {}
"""What the entries of a class are, where the class itself tells: asked once, not for each of a thousand files."""


def _filetype(tree: TreeEntry) -> Filetype:
    found = _known.get(type(tree))
    if found is None:
        if is_directory(tree):
            found = Filetype.DIRECTORY
        else:
            found = Filetype.SYMBOLIC_LINK if _is_symlink(tree) else Filetype.REGULAR_FILE
        if any(hasattr(type(tree), name) for name in ("entries", "target", "content")) and len(_known) < _MOST_KNOWN:
            _known[type(tree)] = found
    return found


def _loaded(load: Callable[[], _T]) -> _T:
    """What `load` returns; its failure, whatever it is, as an `EIO`."""
    try:
        return load()
    except OSError:
        raise
    except Exception as error:
        raise _failure(error) from error


def _failure(error: Exception) -> OSError:
    """What the guest is told of a tree's failure that is no error of the system's."""
    return OSError(errno.EIO, f"the package's data cannot be read: {error}")
