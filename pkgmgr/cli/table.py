"""Tables that fit the terminal: columns as wide as what is in them, the last one cut where the line would be too long.

Widths are those of a terminal: a Chinese character takes two places, an accent that is put on a letter none.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from pkgmgr.cli.output import print_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_GAP: Final = "  "
_NARROWEST: Final = 20


def terminal_width() -> int | None:
    """How many places a line of standard output has; None where it is no terminal, and lines may be any length."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    try:
        return int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(sys.stdout.fileno()).columns or None
    except (ValueError, OSError):
        return 80


def print_table(
    rows: Sequence[Sequence[str]],
    header: Sequence[str] | None = None,
    *,
    paint: Callable[[int, int, str], str] | None = None,
    width: int | None = None,
) -> None:
    """Print rows of cells.

    Args:
        rows: The cells, each of one line that moves no cursor, as `one_line` makes them.
        header: A line of titles above them.
        paint: Gives a cell its colour: it is called with the number of the row (-1 is the header), of the column, and the
            cell as wide as its column.
        width: How many places a line has; None does not cut.
    """
    lines = [*([header] if header else []), *rows]
    if not lines:
        return
    widths = [max(map(display_width, column)) for column in zip(*lines, strict=True)]
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    last = None if width is None else max(width - before, _NARROWEST)
    for number, cells in enumerate(lines, -1 if header else 0):
        shown = [cell + " " * (wide - display_width(cell)) for cell, wide in zip(cells[:-1], widths, strict=False)]
        shown.append(cells[-1] if last is None else shortened(cells[-1], last))
        painted = shown if paint is None else [paint(number, column, cell) for column, cell in enumerate(shown)]
        print_text(_GAP.join(painted).rstrip())


def display_width(text: str) -> int:
    """How many places a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(each) else 2 if east_asian_width(each) in "WF" else 1 for each in text)


def shortened(text: str, width: int) -> str:
    """A text that takes no more places than this; `…` stands for what was cut off."""
    if display_width(text) <= width:
        return text
    kept, taken = [], 0
    for each in text:
        taken += display_width(each)
        if taken > width - 1:
            break
        kept.append(each)
    return "".join(kept).rstrip() + "…"
