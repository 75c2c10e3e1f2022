"""The names of a tree of several layers, as runs of the layers' tables: no entry is made before somebody looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.rootfs.table import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.rootfs.table import Table


class Run(NamedTuple):
    """Names of one layer that follow one another: from a number up to another one."""

    table: Table
    start: int
    stop: int


class Members:
    """All names of a tree, in order; each look at them makes the entries anew.

    Args:
        runs: What they are made of.
    """

    __slots__ = ("runs",)

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = runs

    def __len__(self) -> int:
        return sum([stop - start for _, start, stop in self.runs])

    def __iter__(self) -> Iterator[Entry]:
        for table, start, stop in self.runs:
            yield from table.entries(start, stop)

    def __contains__(self, entry: object) -> bool:
        return any(each == entry for each in self)

    def files(self) -> int:
        """How many of the names are no directories."""
        return len(self) - sum([table.kinds.count(DIRECTORY, start, stop) for table, start, stop in self.runs])

    def bytes(self) -> int:
        """How many bytes the files have."""
        return sum([sum(table.sizes[start:stop]) for table, start, stop in self.runs])
