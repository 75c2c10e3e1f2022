"""A root filesystem in a directory of the host, as an image of one layer.

Nothing is followed: a symbolic link is what it says, wherever that leads. What we own counts as root's, as whoever is not
root can make nothing else; other owners keep their numbers.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.files.below import list_below
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import DEEPEST, SYMLINK_MODE, Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.read_config import config_of_entry
from pkgmgr.rootfs.settings_layer import IMAGE_SETTINGS
from runtime.fs.whiteout import PREFIX as WHITEOUT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.files.below import Below

_MOST_ENTRIES: Final = 10_000_000


class DirectoryLayer:
    """What is in a directory of the host, as it is at each reading.

    Args:
        path: The directory; links on the way to it are followed.
        warn: Told in one line of each thing that is left out: devices, sockets, pipes, names that mean deletions.

    Attributes:
        path: The directory.
        title: What it is of.
    """

    def __init__(self, path: Path, warn: Callable[[str], object]) -> None:
        self.path = path
        self._warn = warn
        self._warned: set[str] = set()

    @property
    def title(self) -> str:
        """What it is of."""
        return "files"

    def entries(self) -> Iterator[Entry]:
        """Every name in it, ordered by path; of several names of one file the first is the file, the others link to it.

        Raises:
            WpmError: It cannot be read.
        """
        names: dict[tuple[int, int], str] = {}
        for path, found in sorted(self._walk(), key=_by_path):
            yield self._entry(path, found, names)

    def _walk(self) -> Iterator[tuple[str, Below]]:
        pending = [""]
        count = 0
        while pending:
            folder = pending.pop()
            for found in self._list(folder):
                name, mode = found.name, found.status.st_mode
                path = f"{folder}/{name}" if folder else name
                count += 1
                if count > _MOST_ENTRIES:
                    raise WpmError(f"{self.path}: more than {_MOST_ENTRIES} names: no root filesystem")
                if reason := _why_not(name, mode):
                    self._leave_out(path, reason)
                    continue
                if stat.S_ISDIR(mode):
                    if path.count("/") >= DEEPEST:
                        where = one_line(str(self.path / path), 200)
                        raise WpmError(f"{where}: nested deeper than {DEEPEST} directories: no root filesystem")
                    pending.append(path)
                yield path, found

    def _list(self, folder: str) -> list[Below]:
        try:
            return list_below(str(self.path), folder)
        except OSError as error:
            raise WpmError(f"{one_line(str(self.path / folder))}: cannot be read: {error.strerror or error}") from None

    def _entry(self, path: str, found: Below, names: dict[tuple[int, int], str]) -> Entry:
        status = found.status
        mode, mtime = stat.S_IMODE(status.st_mode), max(0, int(status.st_mtime_ns // 1_000_000_000))
        uid = 0 if status.st_uid == os.geteuid() else status.st_uid
        gid = 0 if status.st_gid == os.getegid() else status.st_gid
        if stat.S_ISDIR(status.st_mode):
            return Entry(path, Kind.DIRECTORY, mode, mtime, uid=uid, gid=gid)
        if stat.S_ISLNK(status.st_mode):
            # Its own mode says nothing, and is not the same everywhere.
            return Entry(path, Kind.SYMLINK, SYMLINK_MODE, mtime, target=found.target, uid=uid, gid=gid)
        if status.st_nlink > 1:
            first = names.setdefault((status.st_dev, status.st_ino), path)
            if first != path:
                return Entry(path, Kind.HARD_LINK, mode, mtime, target=first, uid=uid, gid=gid)
        content = HostFile(self.path / path, status.st_size, identity=(status.st_dev, status.st_ino))
        return Entry(path, Kind.FILE, mode, mtime, status.st_size, content, uid=uid, gid=gid)

    def _leave_out(self, path: str, reason: str) -> None:
        if path not in self._warned:
            self._warned.add(path)
            self._warn(f"{one_line(str(self.path / path))}: {reason}: left out")


def read_directory(path: Path, warn: Callable[[str], object] = lambda _: None) -> RootfsImage:
    """A directory of the host as an image.

    Args:
        path: The root filesystem.
        warn: Told in one line of each thing that is left out.

    Raises:
        WpmError: It is no directory, or what it says of how it wants to be run is not as it should be.
    """
    if not path.is_dir():
        raise WpmError(f"{path}: no directory")
    return RootfsImage((DirectoryLayer(path, warn),), config_of_entry(_settings(path), str(path)))


def _settings(path: Path) -> Entry | None:
    """The file that says how the image wants to be run, reached without a link."""
    folder, _, name = IMAGE_SETTINGS.rpartition("/")
    try:
        status = next((found.status for found in list_below(str(path), folder) if found.name == name), None)
    except OSError:
        return None
    if status is None or not stat.S_ISREG(status.st_mode):
        return None
    content = HostFile(path / IMAGE_SETTINGS, status.st_size, identity=(status.st_dev, status.st_ino))
    return Entry(IMAGE_SETTINGS, Kind.FILE, size=status.st_size, content=content)


def _by_path(found: tuple[str, Below]) -> str:
    return path_order(found[0])


def _why_not(name: str, mode: int) -> str:
    """Why a name cannot be in an image; an empty text for those that can."""
    if name.startswith(WHITEOUT_PREFIX):
        return f'a name that begins with "{WHITEOUT_PREFIX}" means a deletion in layers of images'
    match stat.S_IFMT(mode):
        case stat.S_IFREG | stat.S_IFDIR | stat.S_IFLNK:
            return ""
        case stat.S_IFCHR | stat.S_IFBLK:
            return "a device"
        case stat.S_IFSOCK:
            return "a socket"
        case stat.S_IFIFO:
            return "a named pipe"
    return "neither a file nor a directory nor a link"
