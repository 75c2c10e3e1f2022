"""Writing a tree into a new directory of the host: fast, and never out of it.

Every name is made in the open directory that it lies in, anew (`O_EXCL`) and without following a link, and only where a
directory was made before: whatever the names and links of an image say, nothing is written elsewhere.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, HostFile, Kind
from pkgmgr.rootfs.mapped_pages import MappedPages

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENTER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NS: Final = 1_000_000_000
_LARGE: Final = 128 << 10
_NO_COPY: Final = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.EIO}


class _Folder(NamedTuple):
    """A directory that is being filled."""

    prefix: str
    descriptor: int
    entry: Entry | None


class DirectoryWriter:
    """Writes entries into a directory that is there, and empty, and nobody else's.

    Args:
        folder: The directory.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = os.open(folder, _ENTER & ~os.O_NOFOLLOW)
        self._open = [_Folder("", self._root, None)]
        self._files: set[str] = set()
        self._created_as: dict[int, bool] = {}
        self._pages = MappedPages(())
        self._owns = os.geteuid() == 0

    def write(self, entries: Collection[Entry]) -> None:
        """Write a whole tree.

        Args:
            entries: Its names, ordered by `path_order`; a directory comes before what is in it, a file before its hard links.

        Raises:
            WpmError: A file of the host cannot be read, or an entry cannot stand in a tree.
            OSError: The directory cannot be written to; its `filename` tells the path.
        """
        self._pages = MappedPages(entries)
        try:
            for entry in entries:
                folder, _, name = entry.path.rpartition("/")
                here = self._enter(folder, entry)
                try:
                    self._make(entry, name, here)
                except OSError as error:
                    raise self._told(error, entry) from None
                except (ValueError, OverflowError) as error:
                    raise WpmError(f"{one_line(entry.path)}: cannot be written: {error}") from None
            while len(self._open) > 1:
                self._leave()
        finally:
            self._pages.release()
            for each in reversed(self._open):
                os.close(each.descriptor)
            self._open.clear()

    def _enter(self, folder: str, entry: Entry) -> int:
        """The descriptor of a directory that was made before; those that are done are left."""
        prefix = folder + "/" if folder else ""
        while self._open[-1].prefix != prefix:
            if len(self._open) == 1 or prefix.startswith(self._open[-1].prefix):
                raise WpmError(f"{one_line(entry.path)}: the directory that it lies in is not there, or comes twice")
            self._leave()
        return self._open[-1].descriptor

    def _leave(self) -> None:
        """Give a directory that is full its mode and its time."""
        _, descriptor, entry = self._open.pop()
        assert entry is not None
        try:
            if self._owns and (entry.uid or entry.gid):
                os.fchown(descriptor, entry.uid, entry.gid)
            os.fchmod(descriptor, entry.mode & 0o7777)
            os.utime(descriptor, ns=(entry.mtime * _NS, entry.mtime * _NS))
        except OSError as error:
            raise self._told(error, entry) from None
        finally:
            os.close(descriptor)

    def _make(self, entry: Entry, name: str, here: int) -> None:
        match entry.kind:
            case Kind.FILE:
                self._make_file(entry, name, here)
            case Kind.DIRECTORY:
                os.mkdir(name, 0o700, dir_fd=here)
                self._open.append(_Folder(entry.path + "/", os.open(name, _ENTER, dir_fd=here), entry))
            case Kind.SYMLINK:
                os.symlink(entry.target, name, dir_fd=here)
                self._finish_link(entry, name, here)
                self._files.add(entry.path)
            case Kind.HARD_LINK:
                if entry.target not in self._files:
                    raise WpmError(
                        f"{one_line(entry.path)}: the hard link's target {one_line(entry.target)} is no file"
                    )
                os.link(entry.target, name, src_dir_fd=self._root, dst_dir_fd=here, follow_symlinks=False)
                self._files.add(entry.path)
            case _:
                raise WpmError(f"{one_line(entry.path)}: a {entry.kind.value} stands only in a layer")

    def _make_file(self, entry: Entry, name: str, here: int) -> None:
        mode = entry.mode & 0o7777
        file = os.open(name, _CREATE, mode & 0o777, dir_fd=here)
        try:
            content = entry.content
            if isinstance(content, HostFile):
                _copy(content, file)
            elif entry.size:
                written = os.write(file, content)
                while written < entry.size:
                    written += os.write(file, content[written:])
                self._pages.read(entry.size)
            if self._owns and (entry.uid or entry.gid):
                os.fchown(file, entry.uid, entry.gid)
            if self._needs_mode(mode, file):
                os.fchmod(file, mode)
            os.utime(file, ns=(entry.mtime * _NS, entry.mtime * _NS))
        finally:
            os.close(file)
        self._files.add(entry.path)

    def _needs_mode(self, mode: int, file: int) -> bool:
        """Whether files that are created with a mode do not have it: the umask and the file system have a say.

        The umask can be asked for only by changing it, for all threads: so the first file of each mode tells.
        """
        needs = self._created_as.get(mode)
        if needs is None:
            needs = self._created_as[mode] = mode > 0o777 or os.fstat(file).st_mode & 0o7777 != mode
        return needs

    def _finish_link(self, entry: Entry, name: str, here: int) -> None:
        """Give a symbolic link its owner and its time, where the system can."""
        if self._owns and (entry.uid or entry.gid):
            os.chown(name, entry.uid, entry.gid, dir_fd=here, follow_symlinks=False)
        with suppress(NotImplementedError):
            os.utime(name, ns=(entry.mtime * _NS, entry.mtime * _NS), dir_fd=here, follow_symlinks=False)

    def _told(self, error: OSError, entry: Entry) -> Exception:
        """The error with the path that it is about."""
        path = self._folder / entry.path
        if error.errno == errno.EEXIST:
            return WpmError(
                f"{one_line(entry.path)}: there is such a name already: does this file system tell a from A? "
                "Choose another format, or another file system"
            )
        return OSError(error.errno, error.strerror, str(path))


def write_directory(entries: Collection[Entry], folder: Path) -> None:
    """Write a whole tree into an empty directory; see `DirectoryWriter.write`."""
    DirectoryWriter(folder).write(entries)


def _copy(content: HostFile, file: int) -> None:
    """Copy a span of a file of the host, by the kernel where that can: it may share the blocks."""
    if content.size >= _LARGE and hasattr(os, "copy_file_range"):
        copied = _copy_by_kernel(content, file)
        content = content._replace(size=content.size - copied, offset=content.offset + copied)
    for piece in content.pieces():
        view = memoryview(piece)
        while view:
            view = view[os.write(file, view) :]


def _copy_by_kernel(content: HostFile, file: int) -> int:
    """How many bytes the kernel copied: all of them, or fewer where it cannot."""
    copied = 0
    source = content.open()
    try:
        while copied < content.size:
            count = os.copy_file_range(source, file, content.size - copied, content.offset + copied)
            if not count:
                break
            copied += count
    except OSError as error:
        if error.errno not in _NO_COPY:
            raise
    finally:
        os.close(source)
    return copied
