"""What a measurement is called in the table, and what of it is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from measure import Side

OURS = "wpm"
THEIRS = "wasmer-sdk"


class Row(NamedTuple):
    """A line of the table.

    Attributes:
        id: The issue's name of it, and what of that it is.
        title: What is done.
        aim: What the ratio, ours to theirs, is to be at most; None where there is nobody to compare with.
        metric: What is compared: `seconds`, `memory` (the peak) or `printed` (the number that the run writes last).
        amount: How much one round does, in units.
        unit: Of what.
        note: What to know of how it is measured.
    """

    id: str
    title: str
    aim: float | None
    metric: str = "seconds"
    amount: int = 1
    unit: str = "run"
    note: str = ""


class Work(NamedTuple):
    """One measurement, and the rows that it gives.

    Attributes:
        rows: The lines of the table.
        sides: What does the work, by the names of the sides; each makes it when it is about to be measured.
        rounds: How often each side does it, of the rounds that are asked for: a part of 1.
        warm_up: How often before that, without being counted.
        missing: Why it cannot be measured here, if so.
    """

    rows: tuple[Row, ...]
    sides: Mapping[str, Callable[[], Side]]
    rounds: float = 1.0
    warm_up: int = 1
    missing: str = ""
