"""Filesystems mounted into one another.

Only the directories on the way to a mount point are wrapped; a lookup that leaves that way returns the filesystem's own
node, and from there on nothing is in between.
"""

from __future__ import annotations

import errno
import threading
from contextlib import suppress
from itertools import count
from time import time_ns

from runtime.abi.filetype import Filetype
from runtime.fs.device_numbers import next_device
from runtime.fs.failure import failure
from runtime.fs.names import check_name
from runtime.fs.node import Directory, DirEntry, File, FileSystem, Node, Stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class MountTable:
    """A filesystem in which others are mounted.

    Args:
        root: the filesystem at the top.
    """

    def __init__(self, root: FileSystem) -> None:
        self.device = next_device()
        self.lock = threading.RLock()
        self._numbers = count(1)
        self._root = self._directory(_Place(None, ""))
        self._root.place.mounted = root

    @property
    def root(self) -> Directory:
        """The directory at the top."""
        return self._root

    def mount(self, path: str, filesystem: FileSystem) -> None:
        """Show a filesystem at a path; what the path named before is hidden.

        Directories on the way that do not exist appear with the mount point. Mount before the guest holds directories
        on the way other than the root: a directory that was already looked up does not see the mount.

        Args:
            path: absolute, of plain names.
            filesystem: what to mount; the one mounted last wins.

        Raises:
            OSError: `EINVAL` for a path that is not absolute or has `.` or `..` in it.
        """
        if not path.startswith("/"):
            raise failure(errno.EINVAL, path)
        names = [name for name in path.split("/") if name]
        for name in names:
            check_name(name)
        with self.lock:
            here = self._root
            for name in names:
                child = here.mounts.get(name)
                if child is None:
                    child = self._directory(_Place(here.place, name))
                    here.mounts = {**here.mounts, name: child}
                here = child
            here.place.mounted = filesystem

    def _directory(self, place: _Place) -> MountDirectory:
        return MountDirectory(place, self.device, next(self._numbers))


class _Place:
    """Where a mount point or a directory on the way to one is, seen from below: what is mounted there, and what is above.

    Nothing here knows what is below it: so a table goes at once with the last who uses it.
    """

    __slots__ = ("above", "mounted", "name")

    def __init__(self, above: _Place | None, name: str) -> None:
        self.above = above
        self.name = name
        self.mounted: FileSystem | None = None

    def base(self) -> Directory | None:
        """The directory underneath, if there is one."""
        if self.mounted is not None:
            return self.mounted.root
        assert self.above is not None  # the root is mounted
        above = self.above.base()
        if above is None:
            return None
        try:
            node = above.lookup(self.name)
        except FileNotFoundError:
            return None
        return node if isinstance(node, Directory) else None

    def make_base(self) -> Directory:
        """The directory underneath, made if it is missing."""
        base = self.base()
        if base is not None:
            return base
        assert self.above is not None
        above = self.above.make_base()
        with suppress(FileExistsError):
            return above.mkdir(self.name)
        node = above.lookup(self.name)
        if not isinstance(node, Directory):
            raise failure(errno.EROFS, self.name)  # a file is hidden here: nowhere to put anything
        return node


class MountDirectory(Directory):
    """A mount point or a directory on the way to one.

    `mounts` are the names below that are mount points or lead to one; everything else is asked of the directory
    underneath, if there is one.
    """

    __slots__ = ("_device", "_ino", "_time", "mounts", "place")

    def __init__(self, place: _Place, device: int, ino: int) -> None:
        self.place = place
        self._device = device
        self._ino = ino
        self._time = time_ns()
        self.mounts: dict[str, MountDirectory] = {}  # replaced, never changed: read without a lock

    @property
    def mounted(self) -> FileSystem | None:
        """What is mounted here."""
        return self.place.mounted

    def node(self) -> Directory:
        """What a lookup of this name returns: the mounted filesystem's own root unless other mounts lie below."""
        mounted = self.place.mounted
        return self if self.mounts or mounted is None else mounted.root

    def _base_having(self, name: str) -> Directory:
        base = self.place.base()
        if base is None:
            raise failure(errno.ENOENT, name)
        return base

    def _check_unmounted(self, name: str, code: int) -> None:
        if name in self.mounts:
            raise failure(code, name)

    def stat(self) -> Stat:
        """As `Node.stat`: of the directory underneath, if there is one."""
        base = self.place.base()
        if base is not None:
            return base.stat()
        return Stat(
            self._device, self._ino, Filetype.DIRECTORY, 2 + len(self.mounts), 0, *(self._time,) * 3
        )  # fmt: skip

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`."""
        self.place.make_base().set_times(atim, mtim)

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`: a mount point wins."""
        mount = self.mounts.get(name)
        if mount is not None:
            return mount.node()
        return self._base_having(name).lookup(name)

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`: what is underneath and the mount points."""
        base = self.place.base()
        mounts = self.mounts
        found = [entry for entry in base.entries() if entry.name not in mounts] if base is not None else []
        for name, mount in mounts.items():
            found.append(DirEntry(name, mount.node().stat().ino, Filetype.DIRECTORY))
        return found

    def create(self, name: str) -> File:
        """As `Directory.create`."""
        self._check_unmounted(name, errno.EEXIST)
        return self.place.make_base().create(name)

    def mkdir(self, name: str) -> Directory:
        """As `Directory.mkdir`."""
        self._check_unmounted(name, errno.EEXIST)
        return self.place.make_base().mkdir(name)

    def symlink(self, name: str, target: str) -> None:
        """As `Directory.symlink`."""
        self._check_unmounted(name, errno.EEXIST)
        self.place.make_base().symlink(name, target)

    def link(self, name: str, node: Node) -> None:
        """As `Directory.link`."""
        self._check_unmounted(name, errno.EEXIST)
        self.place.make_base().link(name, node)

    def unlink(self, name: str) -> None:
        """As `Directory.unlink`; a mount point is `EISDIR`, as it is a directory."""
        self._check_unmounted(name, errno.EISDIR)
        self._base_having(name).unlink(name)

    def rmdir(self, name: str) -> None:
        """As `Directory.rmdir`; a mount point is `EBUSY`."""
        self._check_unmounted(name, errno.EBUSY)
        self._base_having(name).rmdir(name)

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """As `Directory.rename`; a mount point is `EBUSY`."""
        self._check_unmounted(name, errno.EBUSY)
        self._base_having(name).rename(name, target, new_name)

    def rename_target(self, new_name: str) -> Directory:
        """As `Directory.rename_target`: the directory underneath."""
        self._check_unmounted(new_name, errno.EBUSY)
        return self.place.make_base().rename_target(new_name)
