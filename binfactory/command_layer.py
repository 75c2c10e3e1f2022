"""`/bin` and `/usr/bin` as the factory has them: a read-only layer whose files are the modules of commands."""

from __future__ import annotations

import errno
import os
from itertools import count
from typing import TYPE_CHECKING

from binfactory.errors import FactoryError
from runtime.fs.device_numbers import next_device
from runtime.fs.node import Directory, DirEntry, File, Node, OpenFile, Stat

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from binfactory.command import BinaryCommand

COMMAND_DIRECTORIES = ("/bin", "/usr/bin")


class CommandLayer:
    """A filesystem with every command in `/bin` and `/usr/bin`.

    The module of a command is opened when its file is: to list the names opens nothing.
    """

    def __init__(self) -> None:
        self.device = next_device()
        self.numbers = count(1)
        self._files: dict[str, Node] = {}
        binaries = LayerDirectory(self, self._files)
        self._root = LayerDirectory(self, {"bin": binaries, "usr": LayerDirectory(self, {"bin": binaries})})

    @property
    def root(self) -> LayerDirectory:
        """The directory at the top."""
        return self._root

    def add(self, name: str, load: Callable[[], BinaryCommand]) -> None:
        """Show a command; a file of the same name is replaced.

        Args:
            name: The file's name.
            load: Gives the command; called when the file is used.
        """
        self._files[name] = CommandFile(self, lambda: load().atom, load)

    def add_file(self, name: str, content: memoryview) -> None:
        """Show a file that runs as what its bytes are; a file of the same name is replaced.

        Args:
            name: The file's name.
            content: The bytes, kept and not copied.
        """
        self._files[name] = CommandFile(self, lambda: content, None)


class LayerNode(Node):
    """What every inode of a `CommandLayer` has."""

    __slots__ = ("ino", "layer")

    def __init__(self, layer: CommandLayer) -> None:
        self.layer = layer
        self.ino = next(layer.numbers)

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return Stat(self.layer.device, self.ino, self.filetype, 1, self.size(), 0, 0, 0)

    def size(self) -> int:
        """The size, in bytes."""
        return 0

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        del atim, mtim
        raise _read_only()


class CommandFile(LayerNode, File):
    """A command's module as a file."""

    __slots__ = ("_content", "_load")

    def __init__(
        self, layer: CommandLayer, content: Callable[[], memoryview], load: Callable[[], BinaryCommand] | None
    ) -> None:
        super().__init__(layer)
        self._content = content
        self._load = load

    def command(self) -> BinaryCommand | None:
        """The command; `None` for a file that is not a package's.

        Raises:
            FactoryError: the command's module is not there.
        """
        return None if self._load is None else self._load()

    @property
    def content(self) -> memoryview:
        """The module's bytes, as they lie in the mapped container; what is wrong with them is `EIO`."""
        try:
            return self._content()
        except FactoryError as error:
            raise OSError(errno.EIO, str(error)) from error

    def size(self) -> int:
        """As `LayerNode.size`."""
        return len(self.content)

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> OpenFile:
        """As `File.open`."""
        if write or truncate:
            raise _read_only()
        return OpenCommand(self, self.content, read=read)


class OpenCommand(OpenFile):
    """A command's module, open for reading."""

    __slots__ = ("_content", "_read", "node")

    node: CommandFile

    def __init__(self, node: CommandFile, content: memoryview, *, read: bool) -> None:
        self.node = node
        self._content = content
        self._read = read

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        if not self._read:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        done = 0
        for buffer in buffers:
            piece = self._content[offset + done : offset + done + len(buffer)]
            buffer[: len(piece)] = piece
            done += len(piece)
            if len(piece) < len(buffer):
                break
        return done

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: the file is not open for writing."""
        del buffers, offset
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """Refuse: the file is not open for writing."""
        del buffers
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.stat()

    def truncate(self, size: int) -> None:
        """Refuse: the file is not open for writing."""
        del size
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        self.node.set_times(atim, mtim)


class LayerDirectory(LayerNode, Directory):
    """A directory of the layer: it shows what the mapping holds at the moment."""

    __slots__ = ("_children",)

    def __init__(self, layer: CommandLayer, children: Mapping[str, Node]) -> None:
        super().__init__(layer)
        self._children = children

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        if (node := self._children.get(name)) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return node

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`."""
        children = list(self._children.items())
        return [DirEntry(name, node.ino, node.filetype) for name, node in children if isinstance(node, LayerNode)]

    def create(self, name: str) -> File:
        """Refuse, with `EROFS`."""
        raise self._refusal(name)

    def mkdir(self, name: str) -> Directory:
        """Refuse, with `EROFS`."""
        raise self._refusal(name)

    def symlink(self, name: str, target: str) -> None:
        """Refuse, with `EROFS`."""
        del target
        raise self._refusal(name)

    def link(self, name: str, node: Node) -> None:
        """Refuse, with `EROFS`."""
        del node
        raise self._refusal(name)

    def unlink(self, name: str) -> None:
        """Refuse, with `EROFS`."""
        self.lookup(name)
        raise _read_only()

    def rmdir(self, name: str) -> None:
        """Refuse, with `EROFS`."""
        self.lookup(name)
        raise _read_only()

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """Refuse, with `EROFS`."""
        del target, new_name
        self.lookup(name)
        raise _read_only()

    def _refusal(self, name: str) -> OSError:
        code = errno.EEXIST if name in self._children else errno.EROFS
        return OSError(code, os.strerror(code), name)


def _read_only() -> OSError:
    return OSError(errno.EROFS, os.strerror(errno.EROFS))
