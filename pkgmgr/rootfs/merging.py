"""Laying tables over one another where nothing hides anything: directory by directory, and only those that are shared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.rootfs.entry import DEEPEST
from pkgmgr.rootfs.members import Members, Run
from pkgmgr.rootfs.table import DIRECTORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.rootfs.table import Table


def merged(tables: Sequence[Table]) -> Members | None:
    """The tree of some layers, of which only directories lie over directories; None where anything else does, or too deep.

    What only one layer has comes as it stands in its table, a whole directory at a time: packages share few directories, and
    nothing is done for each of the files in others.

    Args:
        tables: Of the layers, the lowest first.
    """
    merging = _Merging(tables)
    if not merging.lay([(number, 0, len(table.paths)) for number, table in enumerate(tables)]):
        return None
    return Members([Run(tables[number], start, stop) for number, start, stop in merging.runs])


class _Merging:
    """The tree so far, in runs: the number of a table, and from which of its names up to which."""

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = tables
        self.runs: list[tuple[int, int, int]] = []

    def lay(self, shared: list[tuple[int, int, int]], depth: int = 0) -> bool:
        """Add what is in a directory that some layers have; False where a layer hides something.

        Args:
            shared: Of each of these layers the number, and where in its table that begins and ends.
            depth: How deep the directory lies.
        """
        if depth > DEEPEST:
            return False
        found: dict[str, list[tuple[int, int]]] = {}
        for number, start, stop in shared:
            table = self._tables[number]
            paths, ends = table.paths, table.ends
            while start < stop:
                found.setdefault(paths[start], []).append((number, start))
                start = ends[start]
        for path in sorted(found):
            places = found[path]
            number, start = places[-1]
            if len(places) == 1:
                self._add(number, start, self._tables[number].ends[start])
                continue
            if any(self._tables[each].kinds[place] != DIRECTORY for each, place in places):
                return False
            # The highest gives the directory its mode and its time.
            self._add(number, start, start + 1)
            if not self.lay([(each, place + 1, self._tables[each].ends[place]) for each, place in places], depth + 1):
                return False
        return True

    def _add(self, number: int, start: int, stop: int) -> None:
        if self.runs and self.runs[-1][0] == number and self.runs[-1][2] == start:
            start = self.runs.pop()[1]
        self.runs.append((number, start, stop))
