"""The files behind an `[fs]` entry, as the tree that becomes a volume.

A WEBC has directories and files and nothing else. A symbolic link is packed as what it points to, which has to be in
the package too; a link that leaves the package, dangles or loops is an error, and so is a device, a socket or a pipe.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from pkgmgr.manifest.paths import resolve_inside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkgmgr.building.ignore import Ignored

Tree: TypeAlias = "dict[str, Path | Tree]"

MAX_ENTRIES = 1_000_000
"""Files and directories in one volume."""

MAX_DEPTH = 200
"""How deep a volume's directories may nest; readers refuse deeper ones."""


class TreeReader:
    """Reads directories of one package.

    Args:
        root: The package's directory, resolved.
        skip: Files that are never packed: the package that is being written.
    """

    __slots__ = ("_left", "_root", "_skip")

    def __init__(self, root: Path, skip: Iterable[Path] = ()) -> None:
        self._root = root
        self._skip = frozenset(skip)
        self._left = MAX_ENTRIES

    def read(self, relative: str, where: str, ignored: Ignored | None) -> Tree:
        """The tree of a mapped directory; a mapped file gives a directory with that file in it, as upstream does.

        Args:
            relative: The path below the package's directory, as the manifest gives it.
            where: The manifest's file and key, for errors.
            ignored: What is left out, or `None` to take everything.

        Raises:
            WpmError: Something is missing, leads out of the package or cannot be packed.
        """
        self._left = MAX_ENTRIES
        top = resolve_inside(self._root, relative, where)
        if top.is_file():
            return {_checked_name(Path(relative).name or top.name, top): top}
        if not top.is_dir():
            raise WpmError(f"{where}: {shown(relative)} is neither a directory nor a file: map a directory")
        names = tuple(part for part in relative.split("/") if part)
        if ignored is not None:
            directory = self._root
            for depth, name in enumerate((*names, None)):
                ignored = ignored.entering(directory, depth)
                directory = directory / (name or "")
            ignored = ignored.or_git()
        tree: Tree = {}
        self._fill(tree, top, names, ignored, (_identity(top),))
        return tree

    def _fill(
        self,
        tree: Tree,
        directory: Path,
        names: tuple[str, ...],
        ignored: Ignored | None,
        above: tuple[tuple[int, int], ...],
    ) -> None:
        """Add a directory's entries; `above` are the directories that it lies in, to see a link that loops."""
        if len(above) > MAX_DEPTH:
            raise WpmError(f"{directory}: nested deeper than {MAX_DEPTH} directories: flatten it")
        try:
            found = sorted(path.name for path in directory.iterdir())
        except OSError as error:
            raise WpmError(f"{directory}: cannot be listed: {error.strerror}") from None
        for name in found:
            path = directory / name
            _checked_name(name, path)
            path = self._target(path)
            mode = _mode(path)
            is_directory = stat.S_ISDIR(mode)
            if path in self._skip or (ignored is not None and ignored.ignores((*names, name), is_directory)):
                continue
            self._left -= 1
            if self._left < 0:
                raise WpmError(f"{directory}: more than {MAX_ENTRIES} files: map a smaller directory")
            if is_directory:
                identity = _identity(path)
                if identity in above:
                    raise WpmError(f"{directory / name}: is a link to a directory that it lies in: remove the link")
                subtree: Tree = {}
                tree[name] = subtree
                below = (*names, name)
                inner = None if ignored is None else ignored.entering(path, len(below))
                self._fill(subtree, path, below, inner, (*above, identity))
            elif stat.S_ISREG(mode):
                tree[name] = path
            else:
                raise WpmError(f"{path}: is a device, socket or pipe: only files and directories can be packed")

    def _target(self, path: Path) -> Path:
        """The path itself, or what it links to."""
        if not path.is_symlink():
            return path
        return resolve_inside(self._root, str(path.relative_to(self._root)), str(path))


def _checked_name(name: str, path: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise WpmError(f"{shown(str(path))}: the file's name is not UTF-8: rename the file") from None
    return name


def _mode(path: Path) -> int:
    try:
        return path.lstat().st_mode
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror}") from None


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
