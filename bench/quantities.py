"""What was measured, as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def time_text(seconds: float) -> str:
    """A time, with three digits."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{digits(seconds * factor)} {unit}"
    return f"{digits(seconds * 1e9)} ns"


def memory_text(size: float) -> str:
    """Bytes, in MiB."""
    return f"{digits(size / 2**20)} MiB"


def digits(value: float) -> str:
    """Three digits of a number that is not much less than one."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def quantity(row: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """What a row compares, of one side: memory, a rate of bytes, or the time that one of its units takes.

    Args:
        row: With `metric`, `unit` and `amount`, as `works.rows.Row` has them.
        figures: Those of the side, as `measure.Figures` has them.
    """
    if row["metric"] != "seconds":
        return memory_text(figures[row["metric"]])
    return rate(row, figures["seconds"])


def rate(row: Mapping[str, Any], seconds: float) -> str:
    """What seconds for all of it mean for one unit."""
    if row["unit"] == "byte":
        return f"{digits(row['amount'] / seconds / 2**30)} GiB/s"
    each = time_text(seconds / row["amount"])
    return each if row["amount"] == 1 else f"{each}/{row['unit']}"


def span(row: Mapping[str, Any], figures: Mapping[str, Any]) -> str:
    """The quartiles, in brackets; nothing where none are known."""
    if row["metric"] != "seconds":
        return ""
    if row["unit"] == "byte":
        low, high = (digits(row["amount"] / figures[end] / 2**30) for end in ("high", "low"))
    else:
        low, high = (time_text(figures[end] / row["amount"]) for end in ("low", "high"))
    return f" ({low} to {high})"
