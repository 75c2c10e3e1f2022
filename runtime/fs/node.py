"""The inodes of a guest's filesystem, and what an open file does.

A filesystem is a tree of nodes. A node never knows a path: names are looked up one at a time in a `Directory`, and
`runtime.fs.walk` is the only place that takes a path apart, follows symbolic links and meets `..`. Every failure is an
`OSError` with an `errno`; the host-call layer turns it into the guest's number.

Names are `str`, decoded from the guest's bytes with `surrogateescape`, so that any host name survives the round trip.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from runtime.abi.filetype import Filetype
from runtime.typed import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.desk_ring import DeskRing
    from runtime.waiting import Waker


class Stat(NamedTuple):
    """What `fd_filestat_get` reports; times are nanoseconds since the epoch."""

    dev: int
    ino: int
    filetype: Filetype
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


class DirEntry(NamedTuple):
    """One name in a directory."""

    name: str
    ino: int
    filetype: Filetype


class FileSystem(Protocol):
    """A tree of nodes that can be mounted."""

    @property
    def root(self) -> Directory:
        """The directory at the top."""


class Node(ABC):
    """An inode: a directory, a file, a symbolic link or a device."""

    __slots__ = ("__weakref__",)

    filetype: Filetype

    @abstractmethod
    def stat(self) -> Stat:
        """Size, link count and times of this inode."""

    @abstractmethod
    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Set the access and modification times, in nanoseconds since the epoch; `None` leaves one as it is."""


class Directory(Node):
    """A directory: names, each bound to an inode of the same filesystem."""

    __slots__ = ()

    filetype = Filetype.DIRECTORY

    @abstractmethod
    def lookup(self, name: str) -> Node:
        """The inode bound to `name`, a symbolic link unfollowed; never called with `""`, `"."` or `".."`.

        Raises:
            FileNotFoundError: there is no such name.
        """

    @abstractmethod
    def entries(self) -> Sequence[DirEntry]:
        """Every name as it is now, `.` and `..` left out, in an order that is stable while nothing changes."""

    @abstractmethod
    def create(self, name: str) -> File:
        """Make an empty regular file.

        Raises:
            FileExistsError: the name is taken.
        """

    @abstractmethod
    def mkdir(self, name: str) -> Directory:
        """Make an empty directory.

        Raises:
            FileExistsError: the name is taken.
        """

    @abstractmethod
    def symlink(self, name: str, target: str) -> None:
        """Bind `name` to a new symbolic link to `target`, which is kept as it is.

        Raises:
            FileExistsError: the name is taken.
        """

    @abstractmethod
    def link(self, name: str, node: Node) -> None:
        """Bind `name` to an inode that exists already (a hard link).

        Raises:
            FileExistsError: the name is taken.
            OSError: `EXDEV` when `node` is of another filesystem, `EPERM` when it is a directory.
        """

    @abstractmethod
    def unlink(self, name: str) -> None:
        """Remove a name that is not a directory; an open file lives on until it is closed.

        Raises:
            IsADirectoryError: the name is a directory.
        """

    @abstractmethod
    def rmdir(self, name: str) -> None:
        """Remove an empty directory.

        Raises:
            NotADirectoryError: the name is not a directory.
            OSError: `ENOTEMPTY`.
        """

    @abstractmethod
    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """Move `name` to `new_name` in `target`, replacing what is there as POSIX `rename` does, in one step.

        Raises:
            OSError: `EXDEV` when `target` is of another filesystem, `EINVAL` when it lies below `name`, `ENOTEMPTY`,
                `EISDIR`, `ENOTDIR` as POSIX says.
        """

    def rename_target(self, new_name: str) -> Directory:
        """The directory in which a `rename` into this one really binds `new_name`.

        Itself, unless it stands in front of a directory of another filesystem (a directory on the way to a mount
        point): every `rename` asks its target first.

        Raises:
            OSError: `EBUSY` when `new_name` is a mount point.
        """
        del new_name
        return self


class Symlink(Node):
    """A symbolic link."""

    __slots__ = ()

    filetype = Filetype.SYMBOLIC_LINK

    @abstractmethod
    def readlink(self) -> str:
        """The target, as it was given."""


class File(Node):
    """A regular file or a device."""

    __slots__ = ()

    filetype = Filetype.REGULAR_FILE

    @abstractmethod
    def open(self, *, read: bool, write: bool, truncate: bool = False) -> OpenFile:
        """Open the file; a writable open of a read-only file raises `EROFS` or `EACCES`."""


class OpenFile(ABC):
    """What a file descriptor reads and writes: the data side of an open file.

    A seekable file is told where (`offset`, in bytes); a stream (pipe, terminal, socket, character device) has
    `seekable = False` and ignores the offset. The position itself belongs to the descriptor table, not to this object.

    Transfers are scattered and gathered straight into the guest's memory: `buffers` are writable views for a read and
    views for a write; a short count is allowed, 0 from a read is the end of the file.
    """

    __slots__ = ("__weakref__",)

    node: Node | None = None
    seekable: bool = True
    filetype: Filetype = Filetype.REGULAR_FILE
    lender: OpenFile | None = None
    """Whose file this really is, when it is only lent (`/dev/stdin`)."""

    stable: bool = False
    """Whether what it reads never changes, so that it may be read before it is asked for."""
    desked: bool = False
    """Whether it may lie on the desk (`runtime.engine.desk`), where guests transfer without the host."""

    def on_desk(self) -> tuple[DeskRing | None, DeskRing | None]:
        """The rings on the desk that are read and written here, from now on if not before; None where there is none."""
        return None, None

    def fileno(self) -> int | None:
        """The operating system's descriptor behind this file, when waiting for readiness has to go through it."""
        return None

    def write_fileno(self) -> int | None:
        """The descriptor behind this file when waiting to write, where that is another one."""
        return self.fileno()

    def patience(self, waker: Waker, *, writing: bool) -> int | None:
        """How long to wait before the next try to read or write, for what has no descriptor as long as nobody polls it.

        Args:
            waker: is woken when it is time, before the time is over.
            writing: whether to write, not to read.

        Returns:
            Nanoseconds, 0 when it is time now, -1 without end; `None` where there is a descriptor to wait on.
        """
        del waker, writing
        return None

    def timeout(self, *, writing: bool) -> int | None:
        """How long a transfer may wait, in nanoseconds; `None` for as long as it takes."""
        del writing
        return None

    @abstractmethod
    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Read into the buffers, in order; the number of bytes read.

        Raises:
            BlockingIOError: a stream has nothing yet and would block.
        """

    @abstractmethod
    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Write the buffers, in order; the number of bytes written. Writing past the end fills the gap with zeros."""

    @abstractmethod
    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """Write at the end in one step; the number of bytes written and the position after them."""

    @abstractmethod
    def stat(self) -> Stat:
        """The inode's metadata; works after the name is gone."""

    @abstractmethod
    def truncate(self, size: int) -> None:
        """Set the size, in bytes, filling with zeros."""

    def allocate(self, offset: int, length: int) -> None:
        """Make sure that the bytes up to `offset + length` exist; never shrinks."""
        if self.stat().size < offset + length:
            self.truncate(offset + length)

    @abstractmethod
    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`."""

    def sync(self, *, data_only: bool) -> None:
        """Wait until what was written is safe on disk, where there is a disk."""
        del data_only

    def close(self) -> None:
        """Let go of the operating system's resources; called once, by the last descriptor."""
