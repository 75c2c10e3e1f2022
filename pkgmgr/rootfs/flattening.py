"""Layers as one tree: what somebody sees who looks at the image, and what layers hide of one another."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.making_tables import make_tables
from pkgmgr.rootfs.merging import merged
from pkgmgr.rootfs.modes import directory_mode
from pkgmgr.rootfs.package_layer import PackageLayer
from pkgmgr.rootfs.path_tree import PathTree
from pkgmgr.rootfs.table import PlainTable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pkgmgr.rootfs.layer import Layer
    from pkgmgr.rootfs.members import Members
    from pkgmgr.rootfs.table import Table

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

    entries: Collection[Entry]
    conflicts: list[Conflict]


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
    layers = list(layers)
    if (members := _merged(layers)) is not None:
        return Flattened(members, [])
    flattening = _Flattening()
    for layer in layers:
        flattening.lay(layer)
    conflicts = flattening.conflicts
    return Flattened(list(flattening.named()), [conflicts[path] for path in sorted(conflicts, key=path_order)])


def _merged(layers: Sequence[Layer]) -> Members | None:
    """The tree of layers that hide nothing of one another, where that is known from tables that the store has."""
    make_tables([layer for layer in layers if isinstance(layer, PackageLayer)])
    tables: list[Table] = []
    packed = [layer.table() if isinstance(layer, PackageLayer) else None for layer in layers]
    if not any(packed):
        return None
    for layer, known in zip(layers, packed, strict=True):
        table = known or PlainTable.of(layer.entries(), links=isinstance(layer, PackageLayer))
        if table is None:
            return None
        tables.append(table)
    return merged(tables)


class _Flattening:
    """The layers so far: at each name an entry, which is the same object at all the names of a file, and the layer's title."""

    def __init__(self) -> None:
        self.conflicts: dict[str, Conflict] = {}
        self._tree: PathTree[Entry] = PathTree()
        self._titles: dict[str, str] = {}
        self._linked: set[int] = set()
        self._compared: dict[tuple[int, int], tuple[bool, Entry, Entry]] = {}

    def lay(self, layer: Layer) -> None:
        """Lay a layer over what is there."""
        entries, title = list(layer.entries()), layer.title
        found = {entry.path: entry for entry in entries}
        if len(found) == len(entries) and self._hides_nothing(found):
            # Nearly all layers are so, and this is much faster than name by name.
            self._tree.put_all(found)
            self._titles.update(dict.fromkeys(found, title))
        else:
            self._lay_each(entries, title)

    def named(self) -> Iterator[Entry]:
        """Every name in order; the first of a file's names has its bytes."""
        if not self._linked:
            yield from self._tree.ordered().values()
            return
        firsts: dict[int, str] = {}
        for path, entry in self._tree.ordered().items():
            if id(entry) not in self._linked:
                yield entry
            elif (first := firsts.setdefault(id(entry), path)) == path:
                yield entry if entry.path == path else entry._replace(path=path)
            else:
                yield entry._replace(path=path, kind=Kind.HARD_LINK, size=0, content=_EMPTY, target=first)

    def _hides_nothing(self, found: Mapping[str, Entry]) -> bool:
        """Whether a layer only adds to what is there: it has no links and deletions, and shares only directories."""
        last = ""
        file, directory, symlink = Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK
        for path, entry in found.items():
            kind = entry.kind
            if kind is not file and kind is not directory and kind is not symlink:
                return False
            folder = path.rpartition("/")[0]
            if folder != last:
                above = found.get(folder)
                if folder and (above is None or above.kind is not Kind.DIRECTORY):
                    return False
                last = folder
        shared = ((found[path], self._tree.get(path)) for path in self._tree.shared(found))
        return all(one.kind is Kind.DIRECTORY and two and two.kind is Kind.DIRECTORY for one, two in shared)

    def _lay_each(self, entries: Iterable[Entry], title: str) -> None:
        tree = self._tree
        last = ""
        for entry in entries:
            path = entry.path
            kind = entry.kind
            folder = path.rpartition("/")[0]
            if kind is Kind.WHITEOUT:
                tree.remove(path)
                last = ""
                continue
            if folder != last:
                self._make_ways(path, folder, title)
                last = folder
            if kind is Kind.OPAQUE:
                tree.remove_below(path)
                last = ""
                entry = entry._replace(kind=Kind.DIRECTORY)
            elif kind is Kind.HARD_LINK:
                entry = self._link(entry, title)
            there = tree.get(path)
            if there is not None:
                last = ""
                self._hide(path, there, entry, title)
            self._put(path, entry, title)

    def _put(self, path: str, entry: Entry, title: str) -> None:
        self._tree.put(path, entry)
        self._titles[path] = title

    def _make_ways(self, path: str, folder: str, title: str) -> None:
        """Make the directories on the way to a path that no layer has, or has something else in their place."""
        tree = self._tree
        if not folder or ((above := tree.get(folder)) is not None and above.kind is Kind.DIRECTORY):
            return
        for way in ways_to(path):
            there = tree.get(way)
            if there is None or there.kind is not Kind.DIRECTORY:
                entry = Entry(way, Kind.DIRECTORY, directory_mode(way))
                if there is not None:
                    self._hide(way, there, entry, title)
                self._put(way, entry, title)

    def _hide(self, path: str, there: Entry, entry: Entry, title: str) -> None:
        """Take away what is below a path that gets something else, and see whether anybody misses it."""
        if there.kind is Kind.DIRECTORY and entry.kind is Kind.DIRECTORY:
            return
        whose = self._titles[path]
        if whose != title and not self._alike(there, entry):
            self.conflicts[path] = Conflict(path, whose, title)
        self._tree.remove_below(path)

    def _link(self, entry: Entry, title: str) -> Entry:
        """The file that a hard link is one more name of."""
        found = self._tree.get(entry.target)
        if found is None or found.kind is Kind.DIRECTORY:
            what = "is not there" if found is None else "is a directory"
            raise WpmError(
                f"{one_line(title)}: {one_line(entry.path)}: the hard link's target {one_line(entry.target)} {what}"
            )
        self._linked.add(id(found))
        return found

    def _alike(self, one: Entry, other: Entry) -> bool:
        """Whether nobody who reads them can tell two things from each other; a file of many names is read once."""
        if one is other:
            return True
        found = self._compared.get((id(one), id(other)))
        if found is None:
            # Kept with what was compared: a number is another thing's once a thing is gone.
            found = self._compared[id(one), id(other)] = (_same(one, other), one, other)
        return found[0]


def _same(one: Entry, other: Entry) -> bool:
    """Whether two things are of one kind and have the same bytes; modes and times do not count."""
    if one.kind is not other.kind or one.size != other.size or one.target != other.target:
        return False
    if one.content is other.content:
        return True
    return all(first == second for first, second in zip_longest(one.pieces(), other.pieces()))
