"""Texts of strangers, made harmless for a terminal."""

from __future__ import annotations

from typing import Final

LONGEST_LINE: Final = 1000
"""No text of a package is shown with more characters than this."""


def one_line(text: str | None, longest: int = LONGEST_LINE) -> str:
    """A text as one line for a terminal: what could move the cursor is left out, and what is beyond the longest."""
    line = " ".join((text or "").split())
    return "".join(each for each in line if each.isprintable())[:longest]
