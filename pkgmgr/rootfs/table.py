"""The names of a layer in columns: what trees are put together of without looking at every file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from typing import TYPE_CHECKING, Final

from pkgmgr.rootfs.entry import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pkgmgr.rootfs.entry import HostFile

KINDS: Final = (Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.HARD_LINK)
"""What may stand in a table; a kind's place here is its number there."""
NUMBERS: Final = {kind: number for number, kind in enumerate(KINDS)}
"""The number of each kind."""
DIRECTORY: Final = NUMBERS[Kind.DIRECTORY]
"""The number of a directory."""
_HARD_LINK: Final = NUMBERS[Kind.HARD_LINK]


class Table(ABC):
    """The names of a layer, ordered by `path_order`, each once, with every directory on the way to it.

    Attributes:
        paths: Each name's path.
        kinds: Each name's kind, a byte of `NUMBERS`.
        sizes: Each name's size, in bytes.
        ends: Behind which of the names all that is below each one ends: its own number and one more where nothing is.
    """

    __slots__ = ("ends", "kinds", "paths", "sizes")

    def __init__(self, paths: Sequence[str], kinds: bytes, sizes: Sequence[int], ends: Sequence[int]) -> None:
        self.paths: Sequence[str] = paths
        self.kinds: bytes = kinds
        self.sizes: Sequence[int] = sizes
        self.ends: Sequence[int] = ends

    @abstractmethod
    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """The names from a number up to another one."""

    @abstractmethod
    def contents(self) -> Iterable[memoryview | HostFile]:
        """What the bytes of files are taken from."""


class PlainTable(Table):
    """The table of entries that are there anyway."""

    __slots__ = ("_entries",)

    def __init__(self, entries: Sequence[Entry], paths: Sequence[str], kinds: bytes, ends: Sequence[int]) -> None:
        super().__init__(paths, kinds, [entry.size for entry in entries], ends)
        self._entries = entries

    @classmethod
    def of(cls, entries: Iterable[Entry], *, links: bool = False) -> PlainTable | None:
        """The table of a layer; None where it takes something of others away, or is not as a table must be.

        Args:
            entries: All of the layer.
            links: Whether hard links are known to be to files of the layer itself that come before them; else it has no table
                if there are any.
        """
        found = list(entries)
        kinds = kind_numbers(found)
        if kinds is None or (_HARD_LINK in kinds and not links):
            return None
        paths = [entry.path for entry in found]
        ends = subtree_ends(paths, kinds)
        return None if ends is None else cls(found, paths, kinds, ends)

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """As `Table.entries`."""
        return iter(self._entries[start:stop])

    def contents(self) -> Iterable[memoryview | HostFile]:
        """As `Table.contents`."""
        return [entry.content for entry in self._entries]


def kind_numbers(entries: Iterable[Entry]) -> bytes | None:
    """The kinds of a layer; None where one is of layers only."""
    try:
        return bytes([NUMBERS[entry.kind] for entry in entries])
    except KeyError:
        return None


def subtree_ends(paths: Sequence[str], kinds: bytes | bytearray) -> array[int] | None:
    """Where all that is below each name ends; None where the names are not in order, or a directory is missing."""
    ends = array("I", range(1, len(paths) + 1))
    # The directories that a name is in: the number and the path of each, and the last name in it.
    way: list[tuple[int, str]] = []
    lasts: list[str] = []
    here = last = ""
    for number, path in enumerate(paths):
        folder, _, name = path.rpartition("/")
        while folder != here:
            if not way:
                return None
            ends[way.pop()[0]] = number
            here = way[-1][1] if way else ""
            last = lasts.pop()
        if name <= last:
            return None
        last = name
        if kinds[number] == DIRECTORY:
            way.append((number, path))
            lasts.append(last)
            here, last = path, ""
    for number, _ in way:
        ends[number] = len(paths)
    return ends
