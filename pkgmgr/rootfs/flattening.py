"""Layers as one tree: what somebody sees who looks at the image, and what layers hide of one another."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.modes import directory_mode
from pkgmgr.rootfs.path_tree import PathTree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.rootfs.layer import Layer

_EMPTY = memoryview(b"")


class Conflict(NamedTuple):
    """A path at which two layers have different things, not both of them directories.

    Attributes:
        path: The path.
        hidden: The title of the lower layer, whose thing is not seen.
        seen: The title of the upper layer.
    """

    path: str
    hidden: str
    seen: str


class Flattened(NamedTuple):
    """The tree of an image.

    Attributes:
        entries: Every name, ordered by `path_order`; no whiteouts. Of names of one file the first has its bytes, and the
            others are hard links to it.
        conflicts: What layers hide of others, ordered by path.
    """

    entries: list[Entry]
    conflicts: list[Conflict]


class _Inode:
    """A file, a link or a directory that may have many names; the entry is that of one of them."""

    __slots__ = ("entry",)

    def __init__(self, entry: Entry) -> None:
        self.entry = entry


class _Name:
    """A name: what it is of, and by whom."""

    __slots__ = ("inode", "title")

    def __init__(self, inode: _Inode, title: str) -> None:
        self.inode = inode
        self.title = title


def flatten(layers: Iterable[Layer]) -> Flattened:
    """Lay layers over one another.

    A directory over a directory gives it its own mode and time, and hides nothing in it. Anything else hides what is at its
    path, and all that is below. A whiteout takes a path away, an opaque directory all that lower layers have in it. A hard
    link is another name of the file that its target is at that moment, whatever becomes of the target later.

    Args:
        layers: The lowest first.

    Raises:
        WpmError: A hard link is to what is not there, or to a directory; or a layer cannot be read.
    """
    flattening = _Flattening()
    for layer in layers:
        title = layer.title
        for entry in layer.entries():
            flattening.lay(entry, title)
    conflicts = flattening.conflicts
    return Flattened(list(_named(flattening.tree)), [conflicts[path] for path in sorted(conflicts, key=path_order)])


class _Flattening:
    """The layers so far."""

    def __init__(self) -> None:
        self.tree: PathTree[_Name] = PathTree()
        self.conflicts: dict[str, Conflict] = {}
        self._compared: dict[tuple[_Inode, _Inode], bool] = {}

    def lay(self, entry: Entry, title: str) -> None:
        """Lay an entry over what is there."""
        tree, path = self.tree, entry.path
        if entry.kind is Kind.WHITEOUT:
            tree.remove(path)
            return
        folder = path.rpartition("/")[0]
        if folder and ((above := tree.get(folder)) is None or above.inode.entry.kind is not Kind.DIRECTORY):
            _make_ways(tree, path, title)
        if entry.kind is Kind.OPAQUE:
            tree.remove_below(path)
            entry = entry._replace(kind=Kind.DIRECTORY)
        inode = _Inode(entry) if entry.kind is not Kind.HARD_LINK else _linked(tree, entry, title)
        there = tree.get(path)
        if there is not None and not (entry.kind is there.inode.entry.kind is Kind.DIRECTORY):
            if there.title != title and not self._alike(there.inode, inode):
                self.conflicts[path] = Conflict(path, there.title, title)
            tree.remove_below(path)
        tree.put(path, _Name(inode, title))

    def _alike(self, one: _Inode, other: _Inode) -> bool:
        """Whether nobody who reads them can tell two things from each other; a file of many names is read once."""
        if one is other:
            return True
        if (found := self._compared.get((one, other))) is None:
            found = self._compared[one, other] = _same(one.entry, other.entry)
        return found


def _make_ways(tree: PathTree[_Name], path: str, title: str) -> None:
    """Make the directories on the way to a path that no layer has, or has something else in their place."""
    for way in ways_to(path):
        there = tree.get(way)
        if there is None or there.inode.entry.kind is not Kind.DIRECTORY:
            tree.remove(way)
            tree.put(way, _Name(_Inode(Entry(way, Kind.DIRECTORY, directory_mode(way))), title))


def _linked(tree: PathTree[_Name], entry: Entry, title: str) -> _Inode:
    """The file that a hard link is one more name of."""
    target = tree.get(entry.target)
    if target is None or target.inode.entry.kind is Kind.DIRECTORY:
        what = "is not there" if target is None else "is a directory"
        raise WpmError(
            f"{one_line(title)}: {one_line(entry.path)}: the hard link's target {one_line(entry.target)} {what}"
        )
    return target.inode


def _named(tree: PathTree[_Name]) -> Iterator[Entry]:
    """Every name in order; the first of a file's names has its bytes."""
    firsts: dict[_Inode, str] = {}
    for path, name in tree.ordered():
        entry = name.inode.entry
        if entry.kind is Kind.DIRECTORY:
            yield entry
        elif (first := firsts.setdefault(name.inode, path)) is path:
            yield entry if entry.path == path else entry._replace(path=path)
        else:
            yield entry._replace(path=path, kind=Kind.HARD_LINK, size=0, content=_EMPTY, target=first)


def _same(one: Entry, other: Entry) -> bool:
    """Whether two things are of one kind and have the same bytes; modes and times do not count."""
    if one.kind is not other.kind or one.size != other.size or one.target != other.target:
        return False
    if one.content is other.content:
        return True
    return all(first == second for first, second in zip_longest(one.pieces(), other.pieces()))
