"""The files behind an `[fs]` entry, as the tree that becomes a volume.

A symbolic link stays one where the format has links (version 3) and its target is relative and inside the mapped
directory. Any other is packed as what it points to, which has to be in the package: a link that leaves the package,
dangles or loops is an error, and so is a device, a socket or a pipe.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown
from pkgmgr.manifest.paths import inside, resolve_inside

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pkgmgr.building.ignore import Ignored


class Link(NamedTuple):
    """A symbolic link that is packed as one."""

    target: str


Tree: TypeAlias = "dict[str, Path | Link | Tree]"

MAX_ENTRIES = 1_000_000
"""Files and directories in one volume."""

MAX_DEPTH = 200
"""How deep a volume's directories may nest; readers refuse deeper ones."""


class _Place(NamedTuple):
    """A directory that is being read."""

    directory: Path
    names: tuple[str, ...]
    """Its path from the package's root as the guest's files are named, which differs once a link was followed."""
    volume_depth: int | None
    """How many of the names are the volume's own; `None` when links do not stay links here."""
    above: tuple[tuple[int, int], ...]
    """It and the directories that it lies in, to see a link that loops."""

    def entering(self, path: Path, name: str) -> _Place:
        """The place of an entry, `path` being where it really is."""
        identity = _identity(path)
        if identity in self.above:
            raise WpmError(f"{self.directory / name}: is a link to a directory that it lies in: remove the link")
        # In a directory that a link led to, a relative link means another place than it will in the volume.
        depth = self.volume_depth if path == self.directory / name else None
        return _Place(path, (*self.names, name), depth, (*self.above, identity))


class TreeReader:
    """Reads directories of one package.

    Args:
        root: The package's directory, resolved.
        skip: Files that are never packed: the package that is being written.
        links: Whether symbolic links may stay links.
    """

    __slots__ = ("_left", "_links", "_root", "_skip")

    def __init__(self, root: Path, skip: Iterable[Path] = (), *, links: bool = True) -> None:
        self._root = root
        self._links = links
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
        self._fill(tree, _Place(top, names, len(names) if self._links else None, (_identity(top),)), ignored)
        return tree

    def _fill(self, tree: Tree, place: _Place, ignored: Ignored | None) -> None:
        """Add a directory's entries."""
        directory = place.directory
        if len(place.above) > MAX_DEPTH:
            raise WpmError(f"{directory}: nested deeper than {MAX_DEPTH} directories: flatten it")
        try:
            found = sorted(path.name for path in directory.iterdir())
        except OSError as error:
            raise WpmError(f"{directory}: cannot be listed: {error.strerror}") from None
        for name in found:
            below = (*place.names, name)
            path = directory / name
            _checked_name(name, path)
            link = self._link(path, place)
            if link is None:
                path = self._target(path)
            mode = _mode(path)
            is_directory = stat.S_ISDIR(mode)
            if path in self._skip or (ignored is not None and ignored.ignores(below, is_directory)):
                continue
            self._left -= 1
            if self._left < 0:
                raise WpmError(f"{directory}: more than {MAX_ENTRIES} files: map a smaller directory")
            if link is not None:
                tree[name] = link
            elif is_directory:
                subtree: Tree = {}
                tree[name] = subtree
                inner = None if ignored is None else ignored.entering(path, len(below))
                self._fill(subtree, place.entering(path, name), inner)
            elif stat.S_ISREG(mode):
                tree[name] = path
            else:
                raise WpmError(f"{path}: is a device, socket or pipe: only files and directories can be packed")

    def _link(self, path: Path, place: _Place) -> Link | None:
        """The link at a path, when it is one that stays."""
        if place.volume_depth is None or not path.is_symlink():
            return None
        target = str(path.readlink())
        from_volume = "/".join((*place.names[place.volume_depth :], target))
        if target.startswith("/") or inside(from_volume) is None:
            return None
        return Link(_checked_name(target, path))

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
