"""Writing a container's files into a new folder that nobody else can reach yet.

The folder is empty and private and every file is created anew. Symbolic links are made after all of the files, so that
nothing is ever written through one, and only those stay that lead to a place inside their own volume.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from webc_parser.tree import VolumeDirectory, VolumeSymlink

if TYPE_CHECKING:
    from pathlib import Path

    from webc_parser.tree import VolumeFile

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


class FolderWriter:
    """Writes files below one folder.

    Args:
        folder: The folder; it must not be reachable for others.
        most: The most bytes to write: spans of a container may overlap, and a small one must not fill a disk.
    """

    __slots__ = ("_folder", "_left", "_links")

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._left = most
        self._links: list[tuple[Path, Path, str]] = []

    def write_file(self, relative: str, content: bytes | memoryview) -> None:
        """Create one file; the directories on the way are created too.

        Raises:
            WpmError: The file exists already, under this name or one that differs in case, or the budget is used up.
        """
        path = self._path(relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._create(path, content)

    def write_tree(self, relative: str, root: VolumeDirectory) -> None:
        """Write everything below a directory of a volume, its links excepted: `finish` makes those."""
        top = self._path(relative)
        top.mkdir(parents=True, exist_ok=True)
        left: list[tuple[Path, VolumeDirectory]] = [(top, root)]
        while left:
            directory, node = left.pop()
            for name, entry in node.entries.items():
                path = directory / _checked(name)
                if isinstance(entry, VolumeDirectory):
                    self._make_directory(path)
                    left.append((path, entry))
                elif isinstance(entry, VolumeSymlink):
                    self._links.append((top, path, entry.target))
                else:
                    self._write_entry(path, entry)

    def finish(self) -> list[str]:
        """Make the links; the path and target of each that was left out, as it leads out of its volume."""
        for _, path, target in self._links:
            try:
                path.symlink_to(target)
            except FileExistsError:
                raise self._twice(path) from None
        out = [link for link in self._links if self._leads_out(*link)]
        for _, path, _ in out:
            path.unlink()
        return [f"{path.relative_to(self._folder)} -> {target}" for _, path, target in out]

    @staticmethod
    def _leads_out(top: Path, path: Path, target: str) -> bool:
        if target.startswith("/"):
            return True
        root, real = os.path.realpath(top), os.path.realpath(path)
        return os.path.commonpath([root, real]) != root

    def _write_entry(self, path: Path, entry: VolumeFile) -> None:
        self._create(path, entry.content)
        if entry.modified_ns is not None and 0 < entry.modified_ns < 2**62:
            os.utime(path, ns=(entry.modified_ns, entry.modified_ns))

    def _path(self, relative: str) -> Path:
        path = self._folder
        for name in relative.split("/") if relative else ():
            path /= _checked(name)
        return path

    def _make_directory(self, path: Path) -> None:
        try:
            path.mkdir()
        except FileExistsError:
            raise self._twice(path) from None

    def _create(self, path: Path, content: bytes | memoryview) -> None:
        self._left -= len(content)
        if self._left < 0:
            raise WpmError(f"{path.name}: the package's files share their bytes to fill the disk: do not trust it")
        try:
            descriptor = os.open(path, _CREATE, 0o666)
        except FileExistsError:
            raise self._twice(path) from None
        with open(descriptor, "wb", buffering=0) as file:
            view = memoryview(content)
            while len(view):
                view = view[file.write(view) :]

    def _twice(self, path: Path) -> WpmError:
        relative = shown(str(path.relative_to(self._folder)))
        return WpmError(f"{relative} is in the package twice, perhaps in another case: unpack it on another filesystem")


def _checked(name: str) -> str:
    """A name that came from a container; the reader checks names too, and this is where they would do harm."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise WpmError(f"{shown(name)} is not the name of a file: do not trust the package")
    return name
