"""`/bin` and `/usr/bin` as the factory has them: a read-only layer whose files are the modules of commands."""

from __future__ import annotations

from errno import ENOENT
from os import strerror

from runtime.fs.node import DirEntry, Node, Stat
from runtime.fs.readonly import ReadOnlyFile, ReadOnlyFileSystem
from runtime.fs.sealed import SealedDirectory
from runtime.fs.static_tree import LazyFile, StaticDirectory, StaticFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from binfactory.command import BinaryCommand

COMMAND_DIRECTORIES = ("/bin", "/usr/bin")


class CommandLayer:
    """A filesystem with every command in `/bin` and `/usr/bin`.

    The module of a command is opened when its file is: to list the names opens nothing.
    """

    def __init__(self) -> None:
        self._numbering = ReadOnlyFileSystem(StaticDirectory({}))
        self._files: dict[str, CommandFile] = {}
        binaries = LayerDirectory(self._numbering, self._files)
        user = LayerDirectory(self._numbering, {"bin": binaries})
        self._root = LayerDirectory(self._numbering, {"bin": binaries, "usr": user})

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
        self._files[name] = CommandFile(self._numbering, lambda: load().atom, load)

    def add_file(self, name: str, content: memoryview) -> None:
        """Show a file that runs as what its bytes are; a file of the same name is replaced.

        Args:
            name: The file's name.
            content: The bytes, kept and not copied.
        """
        self._files[name] = CommandFile(self._numbering, lambda: content, None)


class CommandFile(ReadOnlyFile):
    """A command's module as a file: its bytes as they lie in the mapped container."""

    __slots__ = ("_load", "ino")

    def __init__(
        self, fs: ReadOnlyFileSystem, content: Callable[[], memoryview], load: Callable[[], BinaryCommand] | None
    ) -> None:
        self.ino = fs.new_inode()
        super().__init__(fs, self.ino, LazyFile(lambda: StaticFile(content())))
        self._load = load

    def command(self) -> BinaryCommand | None:
        """The command; `None` for a file that is not a package's.

        Raises:
            FactoryError: the command's module is not there.
        """
        return None if self._load is None else self._load()


class LayerDirectory(SealedDirectory):
    """A directory of the layer: it shows what the mapping holds at the moment."""

    __slots__ = ("_children", "_fs", "ino")

    def __init__(self, fs: ReadOnlyFileSystem, children: Mapping[str, CommandFile | LayerDirectory]) -> None:
        self.ino = fs.new_inode()
        self._fs = fs
        self._children = children

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return Stat(self._fs.device, self.ino, self.filetype, 2, 0, 0, 0, 0)

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        if (node := self._children.get(name)) is None:
            raise FileNotFoundError(ENOENT, strerror(ENOENT), name)
        return node

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`."""
        return [DirEntry(name, node.ino, node.filetype) for name, node in list(self._children.items())]
