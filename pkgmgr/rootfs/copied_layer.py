"""Files of the host as a layer: what `--copy` names."""

from __future__ import annotations

from stat import S_ISDIR, S_ISLNK, S_ISREG
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.files.below import list_below
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import DEEPEST, SYMLINK_MODE, Entry, HostFile, Kind, ways_to
from pkgmgr.rootfs.modes import directory_mode, file_mode
from pkgmgr.rootfs.output import is_unfinished
from pkgmgr.rootfs.path_tree import PathTree
from runtime.fs.names import check_name

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from pathlib import Path

FILES: Final = "files"
"""What the layer is called."""
MOST_COPIED: Final = 4_000_000
"""How many files and directories are taken; more are the wrong directory."""


class Copy(NamedTuple):
    """A file or a directory of the host, and where it goes.

    Attributes:
        host: The file or directory; a symbolic link is followed here, and nowhere below.
        guest: From the root, without a slash at its start; `""` is the root itself. A directory's contents go there; a file
            goes there under this name, or, where this ends in a slash or is the root, under its own.
    """

    host: Path
    guest: str


class CopiedLayer:
    """Files and directories of the host, those that are named later over those before.

    Owners, times and most of the modes are not taken: see `modes`. Symbolic links stay as they are; each name of a file
    with several becomes a file of its own, as nothing tells a copy of the tree that they were one.

    Args:
        copies: What goes where.
        mtime: The time of everything, in seconds since the epoch.
        keep_out: What is left out, with what is unfinished of it: the image itself may lie in a directory that is copied.
    """

    title = FILES

    def __init__(self, copies: Iterable[Copy], mtime: int = 0, keep_out: Path | None = None) -> None:
        """Look at everything now; the bytes are read when they are written.

        Raises:
            WpmError: Something cannot be read, or is neither a file, nor a directory, nor a symbolic link.
        """
        self._mtime = mtime
        self._keep_out = None if keep_out is None else keep_out.parent.resolve() / keep_out.name
        self._tree: PathTree[Entry] = PathTree()
        for copy in copies:
            self._add(copy)

    def entries(self) -> Iterator[Entry]:
        """As `Layer.entries`."""
        yield from self._tree.ordered().values()

    def _add(self, copy: Copy) -> None:
        try:
            real = copy.host.resolve(strict=True)
            found = real.stat()
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "a link that goes round"
            raise WpmError(f"{one_line(str(copy.host))}: cannot be copied: {reason}") from None
        guest = copy.guest
        if not S_ISDIR(found.st_mode) and (not guest or guest.endswith("/")):
            guest += copy.host.absolute().name
        guest = guest.rstrip("/")
        for name in guest.split("/") if guest else ():
            try:
                check_name(name)
            except OSError:
                raise WpmError(
                    f"--copy {one_line(str(copy.host))}:/{one_line(guest)}: not a path below the root"
                ) from None
        for way in ways_to(guest):
            self._put(Entry(way, Kind.DIRECTORY, directory_mode(way), self._mtime))
        if S_ISDIR(found.st_mode):
            if guest:
                self._put(Entry(guest, Kind.DIRECTORY, directory_mode(guest), self._mtime))
            self._add_directory(real, guest)
        else:
            self._put(self._entry(real, guest, found))

    def _add_directory(self, top: Path, guest: str) -> None:
        left = [("", 1)]
        while left:
            way, depth = left.pop()
            folder = top / way
            if depth > DEEPEST:
                raise WpmError(f"{one_line(str(folder), 200)}: nested deeper than {DEEPEST} directories: flatten it")
            try:
                children = list_below(str(top), way)
            except OSError as error:
                raise WpmError(f"{one_line(str(folder))}: cannot be copied: {error.strerror}") from None
            inside = self._keep_out is not None and folder == self._keep_out.parent
            for child in children:
                if inside and self._is_kept_out(child.name):
                    continue
                below = f"{way}/{child.name}" if way else child.name
                path = f"{guest}/{below}" if guest else below
                if S_ISDIR(child.status.st_mode):
                    self._put(Entry(path, Kind.DIRECTORY, directory_mode(path), self._mtime))
                    left.append((below, depth + 1))
                else:
                    self._put(self._entry(folder / child.name, path, child.status, child.target))
            if len(self._tree) > MOST_COPIED:
                raise WpmError(f"{one_line(str(top))}: more than {MOST_COPIED:,} files: copy a smaller directory")

    def _is_kept_out(self, name: str) -> bool:
        """Whether a name beside the image is the image's, or of something unfinished for it."""
        out = self._keep_out
        return out is not None and (name == out.name or is_unfinished(out, name))

    def _entry(self, host: Path, path: str, status: os.stat_result, target: str = "") -> Entry:
        """A file of the host, or a symbolic link and what it says."""
        if S_ISREG(status.st_mode):
            size = status.st_size
            content = HostFile(host, size, identity=(status.st_dev, status.st_ino))
            return Entry(path, Kind.FILE, file_mode(status.st_mode), self._mtime, size, content)
        if S_ISLNK(status.st_mode):
            return Entry(path, Kind.SYMLINK, SYMLINK_MODE, self._mtime, target=target)
        raise WpmError(
            f"{one_line(str(host))}: is a device, a socket or a pipe: only files, directories and symbolic links can be copied"
        )

    def _put(self, entry: Entry) -> None:
        """Let an entry stand at its path; directories that meet become one."""
        there = self._tree.get(entry.path)
        if there is not None and not (there.kind is Kind.DIRECTORY and entry.kind is Kind.DIRECTORY):
            self._tree.remove(entry.path)
        self._tree.put(entry.path, entry)
