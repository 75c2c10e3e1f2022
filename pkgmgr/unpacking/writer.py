"""Writing a container's files into a new folder that nobody else can reach yet.

The folder is empty and private and every file is created anew. Symbolic links are made after all of the files, so that
nothing is ever written through one, and only those stay that lead to a place inside their own volume.
"""

from __future__ import annotations

import os
from pathlib import Path

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from pkgmgr.unpacking.new_files import make_file, make_files
from webc_parser.tree import VolumeDirectory, VolumeFile


class FolderWriter:
    """Writes files below one folder.

    Args:
        folder: The folder; it must not be reachable for others.
        most: The most bytes to write: spans of a container may overlap, and a small one must not fill a disk.
    """

    __slots__ = ("_files", "_folder", "_left", "_links")

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._left = most
        self._files: list[tuple[str, list[tuple[str, VolumeFile]]]] = []
        self._links: list[tuple[Path, Path, str]] = []

    def write_file(self, relative: str, content: bytes | memoryview) -> None:
        """Create one file; the directories on the way are created too.

        Raises:
            WpmError: The file exists already, under this name or one that differs in case, or the budget is used up.
        """
        path = self._path(relative)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._spend(relative, len(content))
        try:
            make_file(str(path), content)
        except FileExistsError:
            raise self._twice(path) from None

    def write_tree(self, relative: str, root: VolumeDirectory) -> None:
        """Make the directories below a directory of a volume; `finish` makes its files and links."""
        top = self._path(relative)
        top.mkdir(parents=True, exist_ok=True)
        left: list[tuple[Path, VolumeDirectory]] = [(top, root)]
        while left:
            directory, node = left.pop()
            files: list[tuple[str, VolumeFile]] = []
            for name, entry in node.entries.items():
                _checked(name)
                if isinstance(entry, VolumeFile):
                    self._spend(name, entry.size)
                    files.append((name, entry))
                elif isinstance(entry, VolumeDirectory):
                    path = directory / name
                    self._make_directory(path)
                    left.append((path, entry))
                else:
                    self._links.append((top, directory / name, entry.target))
            if files:
                self._files.append((str(directory), files))

    def finish(self) -> list[str]:
        """Make the files and the links; the path and target of each link that was left out, as it leads out of its volume."""
        try:
            make_files(self._files)
        except FileExistsError as error:
            raise self._twice(Path(error.filename)) from None
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

    def _path(self, relative: str) -> Path:
        return self._folder.joinpath(*[_checked(name) for name in relative.split("/") if relative])

    def _make_directory(self, path: Path) -> None:
        try:
            path.mkdir()
        except FileExistsError:
            raise self._twice(path) from None

    def _spend(self, name: str, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise WpmError(f"{name}: the package's files share their bytes to fill the disk: do not trust it")

    def _twice(self, path: Path) -> WpmError:
        relative = shown(str(path.relative_to(self._folder)))
        return WpmError(f"{relative} is in the package twice, perhaps in another case: unpack it on another filesystem")


def _checked(name: str) -> str:
    """A name that came from a container; the reader checks names too, and this is where they would do harm."""
    if name in {"", ".", ".."} or "/" in name or "\0" in name:
        raise WpmError(f"{shown(name)} is not the name of a file: do not trust the package")
    return name
