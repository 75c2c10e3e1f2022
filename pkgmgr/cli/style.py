"""Colours, where somebody looks: on a terminal that has them, unless `NO_COLOR` asks for none (https://no-color.org)."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


class Style(NamedTuple):
    """How texts are made to stand out; without colours they stay as they are.

    Attributes:
        coloured: Whether escape sequences may be printed.
    """

    coloured: bool

    @classmethod
    def of_output(cls) -> Style:
        """The style for standard output."""
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        return cls(not plain and sys.stdout is not None and sys.stdout.isatty())

    def bold(self, text: str) -> str:
        """A heading."""
        return self._with("1", text)

    def dim(self, text: str) -> str:
        """What matters less."""
        return self._with("2", text)

    def red(self, text: str) -> str:
        """What went away."""
        return self._with("31", text)

    def green(self, text: str) -> str:
        """What is new."""
        return self._with("32", text)

    def yellow(self, text: str) -> str:
        """What should be looked at."""
        return self._with("33", text)

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured and text else text
