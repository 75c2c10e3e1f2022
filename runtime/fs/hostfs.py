"""A directory of the host as a filesystem.

Everything is reached from the descriptor of the directory that holds it, one name at a time and never through a
symbolic link (`openat` with `O_NOFOLLOW`); `..` is never asked of the operating system. So no link, and no exchange of
a directory for a link at the wrong moment, leads out of the root: the walker follows links by itself, within the
guest's tree.
"""

from __future__ import annotations

import errno
import os
import stat as modes
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from runtime.abi.filetype import Filetype
from runtime.fs.device_numbers import next_device
from runtime.fs.failure import failure
from runtime.fs.host_descriptors import DIRECTORY_FLAGS, Descriptor, DescriptorPool
from runtime.fs.host_open_file import HostOpenFile, merged_times
from runtime.fs.names import check_name
from runtime.fs.node import Directory, DirEntry, File, Node, Stat, Symlink

if TYPE_CHECKING:
    from collections.abc import Sequence

_DESCRIPTORS_KEPT = 128
_FILE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY

_FILETYPES = {
    modes.S_IFDIR: Filetype.DIRECTORY,
    modes.S_IFREG: Filetype.REGULAR_FILE,
    modes.S_IFLNK: Filetype.SYMBOLIC_LINK,
    modes.S_IFCHR: Filetype.CHARACTER_DEVICE,
    modes.S_IFBLK: Filetype.BLOCK_DEVICE,
    modes.S_IFSOCK: Filetype.SOCKET_STREAM,
}  # a FIFO has no number in WASI: UNKNOWN


class HostFileSystem:
    """A directory of the host.

    Args:
        path: the directory; links on the way to it are followed, once.
        read_only: whether every change is `EROFS`.

    Raises:
        OSError: it cannot be opened as a directory.
    """

    def __init__(self, path: str | os.PathLike[str], read_only: bool = False) -> None:
        descriptor = Descriptor(os.open(path, DIRECTORY_FLAGS & ~os.O_NOFOLLOW))
        status = os.fstat(descriptor.number)
        key = (status.st_dev, status.st_ino)
        self._root = HostDirectory(HostTree(read_only), None, "", key, Filetype.DIRECTORY)
        self._root.pin(descriptor)

    @property
    def root(self) -> HostDirectory:
        """The directory at the top."""
        return self._root


class HostTree:
    """What all nodes of a directory of the host share.

    It does not know the root, which holds a descriptor: that is closed at once with the last who uses the filesystem.
    """

    def __init__(self, read_only: bool) -> None:
        self.read_only = read_only
        self.pool = DescriptorPool(_DESCRIPTORS_KEPT)
        self.nodes: WeakValueDictionary[tuple[int, int], HostNode] = WeakValueDictionary()
        self._devices: dict[int, int] = {}

    def check_writable(self) -> None:
        """Refuse a change of a read-only filesystem.

        Raises:
            OSError: `EROFS`.
        """
        if self.read_only:
            raise failure(errno.EROFS)

    def to_stat(self, status: os.stat_result) -> Stat:
        """The host's metadata as the guest sees them: a device number of our own for each of the host's."""
        device = self._devices.get(status.st_dev)
        if device is None:
            device = self._devices.setdefault(status.st_dev, next_device())
        return Stat(
            device,
            status.st_ino,
            _filetype(status.st_mode),
            status.st_nlink,
            status.st_size,
            max(0, status.st_atime_ns),
            max(0, status.st_mtime_ns),
            max(0, status.st_ctime_ns),
        )

    def node(self, parent: HostDirectory, name: str, status: os.stat_result) -> HostNode:
        """The node of an inode that was just seen under a name; the same object for as long as somebody has it."""
        key = (status.st_dev, status.st_ino)
        filetype = _filetype(status.st_mode)
        node = self.nodes.get(key)
        if node is not None and node.filetype is filetype:
            node.place = (parent, name)
            return node
        match filetype:
            case Filetype.DIRECTORY:
                node = HostDirectory(self, parent, name, key, filetype)
            case Filetype.SYMBOLIC_LINK:
                node = HostSymlink(self, parent, name, key, filetype)
            case _:
                node = HostFile(self, parent, name, key, filetype)
        self.nodes[key] = node
        return node


class HostNode(Node):
    """An inode of the host: which one, and the name under which it was seen last."""

    __slots__ = ("filetype", "fs", "key", "place")

    def __init__(
        self, fs: HostTree, parent: HostDirectory | None, name: str, key: tuple[int, int], filetype: Filetype
    ) -> None:
        self.fs = fs
        self.place: tuple[HostDirectory | None, str] = (parent, name)
        self.key = key
        self.filetype = filetype

    def at(self) -> tuple[Descriptor, str]:
        """The directory and name to reach the inode by; for anything but the root."""
        parent, name = self.place
        assert parent is not None
        return parent.descriptor(), name

    def status(self) -> os.stat_result:
        """The host's metadata: those of a new file, if one was moved to the name since this one was seen there.

        Raises:
            FileNotFoundError: the name is gone, or is something of another kind now.
        """
        directory, name = self.at()
        status = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
        if (status.st_dev, status.st_ino) != self.key and _filetype(status.st_mode) is not self.filetype:
            raise failure(errno.ENOENT, name)
        return status

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return self.fs.to_stat(self.status())

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`."""
        self.fs.check_writable()
        times = merged_times(self.status(), atim, mtim)
        directory, name = self.at()
        os.utime(name, ns=times, dir_fd=directory.number, follow_symlinks=False)


class HostSymlink(HostNode, Symlink):
    """A symbolic link of the host."""

    __slots__ = ()

    def readlink(self) -> str:
        """As `Symlink.readlink`."""
        directory, name = self.at()
        try:
            return os.readlink(name, dir_fd=directory.number)
        except OSError as error:
            if error.errno == errno.EINVAL:  # something else has the name by now
                raise failure(errno.ENOENT, name) from None
            raise


class HostFile(HostNode, File):
    """A regular file of the host, a FIFO, or a device or socket, which cannot be opened."""

    __slots__ = ()

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> HostOpenFile:
        """As `File.open`; never waits.

        Raises:
            OSError: `EACCES` for a device, `ENXIO` for a socket and for writing to a FIFO that nobody reads.
        """
        if write or truncate:
            self.fs.check_writable()
        directory, name = self.at()
        # Before it is opened as well: opening a device can already do something.
        if self.filetype not in (Filetype.REGULAR_FILE, Filetype.UNKNOWN):
            raise failure(errno.ENXIO if self.filetype is Filetype.SOCKET_STREAM else errno.EACCES, name)
        access = os.O_RDWR if read and write else os.O_WRONLY if write else os.O_RDONLY
        number = os.open(name, access | _FILE_FLAGS, dir_fd=directory.number)
        try:
            status = os.fstat(number)
            _check_openable(status, name)
            if truncate and modes.S_ISREG(status.st_mode):
                if write:
                    os.ftruncate(number, 0)
                else:
                    self._truncate_unwritable(directory, name)
            return HostOpenFile(self, number, status)
        except BaseException:
            os.close(number)
            raise

    def _truncate_unwritable(self, directory: Descriptor, name: str) -> None:
        number = os.open(name, os.O_WRONLY | _FILE_FLAGS, dir_fd=directory.number)
        try:
            if modes.S_ISREG(os.fstat(number).st_mode):
                os.ftruncate(number, 0)
        finally:
            os.close(number)


class HostDirectory(HostNode, Directory):
    """A directory of the host; its descriptor is opened when it is needed, and again when the pool has closed it."""

    __slots__ = ("_descriptor", "_pinned", "recently_used")

    def __init__(
        self, fs: HostTree, parent: HostDirectory | None, name: str, key: tuple[int, int], filetype: Filetype
    ) -> None:
        super().__init__(fs, parent, name, key, filetype)
        self._descriptor: Descriptor | None = None
        self._pinned = False
        self.recently_used = False

    def pin(self, descriptor: Descriptor) -> None:
        """Keep this descriptor for good."""
        self._descriptor = descriptor
        self._pinned = True

    def forget_descriptor(self) -> None:
        """Let go of the descriptor; it is closed when nobody uses it any more."""
        if not self._pinned:
            self._descriptor = None

    def descriptor(self) -> Descriptor:
        """The directory's descriptor; keep the object while using the number.

        Raises:
            FileNotFoundError: the directory was removed, or moved from outside.
        """
        descriptor = self._descriptor
        if descriptor is not None:
            self.recently_used = True
            return descriptor
        closed: list[HostDirectory] = []
        here = self
        while (descriptor := here._descriptor) is None:
            closed.append(here)
            parent, _ = here.place
            assert parent is not None  # the root is pinned
            here = parent
        for directory in reversed(closed):
            descriptor = directory._reopen(descriptor)
        return descriptor

    def _reopen(self, parent: Descriptor) -> Descriptor:
        descriptor = Descriptor(os.open(self.place[1], DIRECTORY_FLAGS, dir_fd=parent.number))
        status = os.fstat(descriptor.number)
        if (status.st_dev, status.st_ino) != self.key:
            raise failure(errno.ENOENT, self.place[1])
        self._descriptor = descriptor
        self.recently_used = True
        self.fs.pool.keep(self)
        return descriptor

    def status(self) -> os.stat_result:
        """As `HostNode.status`; of the descriptor if there is one, so that a removed directory still tells."""
        descriptor = self._descriptor
        if descriptor is not None:
            return os.fstat(descriptor.number)
        status = super().status()
        if (status.st_dev, status.st_ino) != self.key:
            raise failure(errno.ENOENT, self.place[1])
        return status

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`."""
        self.fs.check_writable()
        descriptor = self.descriptor()
        os.utime(descriptor.number, ns=merged_times(os.fstat(descriptor.number), atim, mtim))

    def _see(self, name: str) -> HostNode:
        directory = self.descriptor()
        return self.fs.node(self, name, os.stat(name, dir_fd=directory.number, follow_symlinks=False))

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        check_name(name)
        return self._see(name)

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`: in the host's order."""
        directory = self.descriptor()
        # A descriptor of its own: the position in a directory belongs to the open file, which duplicates share.
        reader = Descriptor(os.open(".", DIRECTORY_FLAGS, dir_fd=directory.number))
        found: list[DirEntry] = []
        with os.scandir(reader.number) as listing:
            for entry in listing:
                if entry.is_symlink():
                    filetype = Filetype.SYMBOLIC_LINK
                elif entry.is_file(follow_symlinks=False):
                    filetype = Filetype.REGULAR_FILE
                elif entry.is_dir(follow_symlinks=False):
                    filetype = Filetype.DIRECTORY
                else:
                    try:
                        filetype = _filetype(entry.stat(follow_symlinks=False).st_mode)
                    except FileNotFoundError:
                        continue
                found.append(DirEntry(entry.name, entry.inode(), filetype))
        return found

    def _check_change(self, name: str) -> Descriptor:
        """What every change begins with: a good name, in a writable filesystem; the descriptor to make it with."""
        check_name(name)
        if self.fs.read_only:
            self._see(name)
            raise failure(errno.EROFS, name)
        return self.descriptor()

    def _check_new(self, name: str) -> Descriptor:
        check_name(name)
        if self.fs.read_only:
            with suppress(FileNotFoundError):
                self._see(name)
                raise failure(errno.EEXIST, name)
            raise failure(errno.EROFS, name)
        return self.descriptor()

    def create(self, name: str) -> HostFile:
        """As `Directory.create`."""
        directory = self._check_new(name)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FILE_FLAGS
        number = os.open(name, flags, 0o666, dir_fd=directory.number)
        try:
            node = self.fs.node(self, name, os.fstat(number))
        finally:
            os.close(number)
        assert isinstance(node, HostFile)
        return node

    def mkdir(self, name: str) -> HostDirectory:
        """As `Directory.mkdir`."""
        directory = self._check_new(name)
        os.mkdir(name, 0o777, dir_fd=directory.number)
        node = self._see(name)
        if not isinstance(node, HostDirectory):  # somebody on the host was faster
            raise failure(errno.ENOENT, name)
        return node

    def symlink(self, name: str, target: str) -> None:
        """As `Directory.symlink`."""
        directory = self._check_new(name)
        if "\0" in target:
            raise failure(errno.EINVAL, name)
        os.symlink(target, name, dir_fd=directory.number)

    def link(self, name: str, node: Node) -> None:
        """As `Directory.link`."""
        directory = self._check_new(name)
        if not isinstance(node, HostNode) or node.fs is not self.fs:
            raise failure(errno.EXDEV, name)
        if isinstance(node, HostDirectory):
            with suppress(FileNotFoundError):
                self._see(name)
                raise failure(errno.EEXIST, name)
            raise failure(errno.EPERM, name)
        source, source_name = node.at()
        os.link(source_name, name, src_dir_fd=source.number, dst_dir_fd=directory.number, follow_symlinks=False)
        node.place = (self, name)

    def unlink(self, name: str) -> None:
        """As `Directory.unlink`."""
        directory = self._check_change(name)
        try:
            os.unlink(name, dir_fd=directory.number)
        except PermissionError:  # what macOS says of a directory
            if modes.S_ISDIR(os.stat(name, dir_fd=directory.number, follow_symlinks=False).st_mode):
                raise failure(errno.EISDIR, name) from None
            raise

    def rmdir(self, name: str) -> None:
        """As `Directory.rmdir`."""
        directory = self._check_change(name)
        open_there = self._open_there(directory, name)
        os.rmdir(name, dir_fd=directory.number)
        if open_there is not None:
            open_there[0].pin(open_there[1])

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """As `Directory.rename`."""
        target = target.rename_target(new_name)
        if not isinstance(target, HostDirectory) or target.fs is not self.fs:
            raise failure(errno.EXDEV, name)
        check_name(new_name)
        source = self._check_change(name)
        destination = target.descriptor()
        node = self._see(name)
        replaced = target._open_there(destination, new_name)
        os.rename(name, new_name, src_dir_fd=source.number, dst_dir_fd=destination.number)
        if replaced is not None and replaced[0] is not node:
            replaced[0].pin(replaced[1])
        node.place = (target, new_name)

    def _open_there(self, directory: Descriptor, name: str) -> tuple[HostDirectory, Descriptor] | None:
        """The directory of that name and its descriptor, if somebody has it open: once it is removed no name leads there."""
        with suppress(OSError):
            status = os.stat(name, dir_fd=directory.number, follow_symlinks=False)
            node = self.fs.nodes.get((status.st_dev, status.st_ino))
            if isinstance(node, HostDirectory):
                node.place = (self, name)
                return node, node.descriptor()
        return None


def _filetype(mode: int) -> Filetype:
    return _FILETYPES.get(modes.S_IFMT(mode), Filetype.UNKNOWN)


def _check_openable(status: os.stat_result, name: str) -> None:
    if modes.S_ISREG(status.st_mode) or modes.S_ISFIFO(status.st_mode):
        return
    raise failure(errno.EISDIR if modes.S_ISDIR(status.st_mode) else errno.EACCES, name)
