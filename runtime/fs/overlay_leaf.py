"""What is not a directory in an overlay: files and symbolic links, in the upper layer or still in a lower one."""

from __future__ import annotations

import errno

from runtime.fs.copy_up import copy_file, copy_symlink
from runtime.fs.failure import failure
from runtime.fs.node import File, Node, OpenFile, Stat, Symlink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.fs.overlay import OverlayDirectory
    from runtime.fs.overlay_numbers import OverlayNumbers


class OverlayLeaf(Node):
    """A file or link: `real` is the inode that is shown, of layer `layer` (0 is the upper one)."""

    __slots__ = ("_ino", "filetype", "fs", "layer", "place", "real")

    real: Node

    def __init__(self, fs: OverlayNumbers, parent: OverlayDirectory, name: str, layer: int, real: Node) -> None:
        self.fs = fs
        self.filetype = real.filetype
        self.layer = layer
        self.real = real
        self.place: tuple[OverlayDirectory, str] | None = (parent, name)
        """Where to copy it up to; `None` when its name is gone."""
        self._ino: int | None = None

    def ino(self) -> int:
        """The inode number, the same before and after copying up."""
        if self._ino is None:
            self._ino = self.fs.inode(self.layer, self.real.stat().ino)
        return self._ino

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return self.shown(self.real.stat())

    def shown(self, stat: Stat) -> Stat:
        """The real inode's metadata with the overlay's device and inode numbers."""
        if self._ino is None:
            self._ino = self.fs.inode(self.layer, stat.ino)
        return Stat(self.fs.device, self._ino, *stat[2:])

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`: copies up."""
        self.copy_up().set_times(atim, mtim)

    def copy_up(self, *, content: bool = True) -> Node:
        """The inode in the upper layer, made if it is not there.

        Args:
            content: whether the bytes are wanted.

        Raises:
            OSError: what copying failed with; `ENOENT` when the name is gone.
        """
        with self.fs.lock:
            if self.layer:
                if self.place is None:
                    raise failure(errno.ENOENT)
                parent, name = self.place
                ino = self.ino()
                self.real = self._copy(parent, name, content)
                self.layer = 0
                self.fs.remember(self.real.stat().ino, ino)
                parent.forget(name)
            return self.real

    def _copy(self, parent: OverlayDirectory, name: str, content: bool) -> Node:
        raise NotImplementedError


class OverlaySymlink(OverlayLeaf, Symlink):
    """A symbolic link."""

    __slots__ = ()

    real: Symlink

    def readlink(self) -> str:
        """As `Symlink.readlink`."""
        return self.real.readlink()

    def _copy(self, parent: OverlayDirectory, name: str, content: bool) -> Node:
        del content
        return copy_symlink(self.real, parent.make_upper(), name)


class OverlayFile(OverlayLeaf, File):
    """A file."""

    __slots__ = ()

    real: File

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> OpenFile:
        """As `File.open`: opening for writing copies up.

        What was opened for reading before that keeps reading the old content, as with Linux's overlayfs.
        """
        if (write or truncate) and self.filetype is File.filetype:
            self.copy_up(content=not truncate)
        return OverlayOpenFile(self, self.real.open(read=read, write=write, truncate=truncate))

    def _copy(self, parent: OverlayDirectory, name: str, content: bool) -> Node:
        return copy_file(self.real, parent.make_upper(), name, content=content)


class OverlayOpenFile(OpenFile):
    """An open file of an overlay: the real one with the overlay's inode number."""

    __slots__ = ("_real", "filetype", "node", "seekable", "stable")

    node: OverlayFile

    def __init__(self, node: OverlayFile, real: OpenFile) -> None:
        self.node = node
        self._real = real
        self.filetype = real.filetype
        self.seekable = real.seekable
        self.stable = real.stable

    def fileno(self) -> int | None:
        """As `OpenFile.fileno`."""
        return self._real.fileno()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        return self._real.readv(buffers, offset)

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.writev`."""
        return self._real.writev(buffers, offset)

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """As `OpenFile.append`."""
        return self._real.append(buffers)

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.shown(self._real.stat())

    def truncate(self, size: int) -> None:
        """As `OpenFile.truncate`."""
        self._real.truncate(size)

    def allocate(self, offset: int, length: int) -> None:
        """As `OpenFile.allocate`."""
        self._real.allocate(offset, length)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `OpenFile.set_times`; a file that is only open for reading is copied up first."""
        if self.node.layer or self._real.node is not self.node.real:
            self.node.set_times(atim, mtim)
        else:
            self._real.set_times(atim, mtim)

    def sync(self, *, data_only: bool) -> None:
        """As `OpenFile.sync`."""
        self._real.sync(data_only=data_only)

    def close(self) -> None:
        """As `OpenFile.close`."""
        self._real.close()
