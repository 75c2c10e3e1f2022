"""The files of a sandbox, for the program that has it.

Every path is resolved in the guest's filesystem, with the guest's own rules: `..` ends at its root, and no link of it leads
to a file of the host but those of its volumes.
"""

from __future__ import annotations

import contextlib
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from binfactory.copying import make_path
from pkgmgr.library.arguments import check_texts, content
from pkgmgr.library.failures import GuestFileError
from runtime.abi.errno import GuestError
from runtime.abi.filetype import Filetype
from runtime.fs import naming
from runtime.fs.node import Directory, File
from runtime.fs.walk import Location, Walked, top, walk

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from runtime.fs.node import FileSystem, Node

Kind = Literal["file", "directory", "symlink", "other"]
"""What stands at a path."""

DEFAULT_LARGEST = 256 << 20
"""Bytes of the largest file that `read` reads where nothing else is said: a hole of a terabyte costs a guest nothing."""

_PIECE = 1 << 20
_KINDS: dict[Filetype, Kind] = {
    Filetype.REGULAR_FILE: "file",
    Filetype.DIRECTORY: "directory",
    Filetype.SYMBOLIC_LINK: "symlink",
}


@dataclass(frozen=True, slots=True)
class FileStat:
    """What stands at a path.

    Attributes:
        name: The last part of its path.
        kind: `file`, `directory`, `symlink` or `other` (a device, say).
        size: Of a file, in bytes.
        modified: When it was last modified, in seconds since the epoch.
    """

    name: str
    kind: Kind
    size: int
    modified: float


class GuestFiles:
    """The files of a sandbox (`Sandbox.fs`). Paths are the guest's; a relative one starts at its workspace.

    Args:
        filesystem: The sandbox's filesystem.
        start: Where relative paths start.
        allowed: Raises where the sandbox is closed.
    """

    def __init__(self, filesystem: FileSystem, start: str, allowed: Callable[[], None]) -> None:
        self._filesystem = filesystem
        self._start = start
        self._allowed = allowed

    def __repr__(self) -> str:
        return f"<GuestFiles: relative paths start at {self._start}>"

    def write(self, path: str, data: bytes | bytearray | memoryview | str) -> None:
        """Write a file whole, in the place of what it held; directories on the way are made.

        Args:
            path: Where.
            data: The bytes; text is encoded as UTF-8.

        Raises:
            GuestFileError: It is a directory, or there is no room.
        """
        view = content(path, data)
        with self._failing(path):
            parent = self._full(path).rpartition("/")[0]
            make_path(self._filesystem.root, parent)
            found = self._walk(path)
            node = found.node
            if node is None:
                node = naming.create_file(found)
            file = _regular(node).open(read=False, write=True, truncate=True)
            try:
                offset = 0
                while offset < len(view):
                    count = file.writev([view[offset : offset + _PIECE]], offset)
                    if not count:
                        raise OSError(errno.ENOSPC, "there is no room")
                    offset += count
            finally:
                file.close()

    def write_text(self, path: str, text: str, encoding: str = "utf-8") -> None:
        """As `write`, for text.

        Args:
            path: Where.
            text: What.
            encoding: How it is encoded.

        Raises:
            GuestFileError: As for `write`.
        """
        self.write(path, text.encode(encoding))

    def read(self, path: str, *, limit: int | None = DEFAULT_LARGEST) -> bytes:
        """Read a file whole.

        Args:
            path: Which.
            limit: How many bytes it may have; None reads however many there are.

        Raises:
            GuestFileError: There is none, it is no file, or it is larger.
        """
        with self._failing(path):
            file = _regular(self._walk(path).found().node).open(read=True, write=False)
            try:
                size = file.stat().size
                if limit is not None and size > limit:
                    raise OSError(errno.EFBIG, f"it has {size} bytes, more than limit={limit}")
                data = bytearray()
                buffer = memoryview(bytearray(min(_PIECE, size + 1)))
                while count := file.readv([buffer], len(data)):
                    data += buffer[:count]
                    if limit is not None and len(data) > limit:
                        raise OSError(errno.EFBIG, f"it has more bytes than limit={limit}")
                return bytes(data)
            finally:
                file.close()

    def read_text(
        self, path: str, encoding: str = "utf-8", errors: str = "strict", *, limit: int | None = DEFAULT_LARGEST
    ) -> str:
        """Read a file whole, as text.

        Args:
            path: Which.
            encoding: How it is encoded.
            errors: What to do about bytes that are not, as `bytes.decode` takes it.
            limit: How many bytes it may have.

        Raises:
            GuestFileError: As for `read`.
            UnicodeDecodeError: It is not so encoded.
        """
        return self.read(path, limit=limit).decode(encoding, errors)

    def list(self, path: str = ".") -> list[FileStat]:
        """What is in a directory, by name; links are not followed.

        Args:
            path: The directory.

        Raises:
            GuestFileError: There is none.
        """
        with self._failing(path):
            directory = self._walk(path).found().directory
            found = []
            for entry in sorted(directory.entries()):
                try:
                    found.append(_stat(entry.name, directory.lookup(entry.name)))
                except FileNotFoundError:
                    # A guest has removed it meanwhile.
                    continue
            return found

    def mkdir(self, path: str, *, parents: bool = False, exist_ok: bool = False) -> None:
        """Make a directory.

        Args:
            path: Where.
            parents: Whether to make those on the way, too.
            exist_ok: Whether it may be there already.

        Raises:
            GuestFileError: It is there already, or the one that it would be in is not.
        """
        with self._failing(path):
            full = self._full(path).rstrip("/")
            if parents:
                make_path(self._filesystem.root, full.rpartition("/")[0])
            found = self._walk(path, naming_it=True)
            if exist_ok and isinstance(self._walk(path).node, Directory):
                return
            naming.make_directory(found)

    def stat(self, path: str, *, follow: bool = True) -> FileStat:
        """What stands at a path.

        Args:
            path: Which.
            follow: Whether a link at its end is followed.

        Raises:
            GuestFileError: Nothing.
        """
        with self._failing(path):
            found = self._walk(path, follow=follow)
            return _stat(self._full(path).rstrip("/").rpartition("/")[2], found.found().node)

    def exists(self, path: str) -> bool:
        """Whether something stands at a path; a link that leads nowhere is nothing.

        Args:
            path: Which.

        Raises:
            GuestFileError: It is too long, or no path.
        """
        with self._failing(path):
            try:
                return self._walk(path).node is not None
            except (FileNotFoundError, NotADirectoryError):
                return False

    def remove(self, path: str, *, recursive: bool = False) -> None:
        """Remove a file, a link, or an empty directory.

        Args:
            path: Which.
            recursive: Whether to remove a directory with all that is in it.

        Raises:
            GuestFileError: There is none, or it is a directory that is not empty.
        """
        with self._failing(path):
            found = self._walk(path, naming_it=True)
            node = found.found().node
            if not isinstance(node, Directory):
                naming.remove_file(found)
                return
            if recursive and found.named:
                _empty(node)
            naming.remove_directory(found)

    def rename(self, path: str, new: str) -> None:
        """Move a file or a directory, in the place of what is there.

        Args:
            path: Which.
            new: Where to.

        Raises:
            GuestFileError: There is none, or it cannot be moved there, as into another volume.
        """
        with self._failing(path):
            check_texts("a path in the guest", [new])
            naming.rename(self._walk(path, naming_it=True), self._walk(new, naming_it=True))

    def _full(self, path: str) -> str:
        return path if path.startswith("/") else f"{self._start}/{path}"

    def _walk(self, path: str, *, follow: bool = True, naming_it: bool = False) -> Walked:
        if not path:
            raise FileNotFoundError(errno.ENOENT, "the path is empty")
        root: Location = top(self._filesystem)
        return walk(root, root, self._full(path), follow=follow and not naming_it, naming=naming_it)

    def _failing(self, path: str) -> _Failing:
        check_texts("a path in the guest", [path])
        self._allowed()
        return _Failing(path)


class _Failing:
    """Tells of errors with the path that somebody has asked for."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            number = error.errno or errno.EIO
            raise GuestFileError(self._path, number, error.strerror or "") from None
        if isinstance(error, GuestError):
            raise GuestFileError(self._path, errno.EIO, str(error)) from None


def _regular(node: Node) -> File:
    if isinstance(node, Directory):
        raise IsADirectoryError(errno.EISDIR, "it is a directory")
    if not isinstance(node, File) or node.filetype is not Filetype.REGULAR_FILE:
        raise OSError(errno.EINVAL, "it is no regular file")
    return node


def _stat(name: str, node: Node) -> FileStat:
    known = node.stat()
    return FileStat(name, _KINDS.get(known.filetype, "other"), known.size, known.mtim / 1e9)


def _empty(directory: Directory) -> None:
    """Remove all that is below a directory; without recursion, as guests nest as deep as they like.

    What a guest removes meanwhile is removed.
    """
    waiting = [directory]
    names: list[tuple[Directory, str]] = []
    while waiting:
        here = waiting.pop()
        for entry in here.entries():
            with contextlib.suppress(FileNotFoundError):
                node = here.lookup(entry.name)
                if isinstance(node, Directory):
                    names.append((here, entry.name))
                    waiting.append(node)
                else:
                    here.unlink(entry.name)
    for here, name in reversed(names):
        with contextlib.suppress(FileNotFoundError):
            here.rmdir(name)
