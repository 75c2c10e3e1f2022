"""Device numbers: `Stat.dev` tells filesystems apart, so every one of them takes its number here."""

from __future__ import annotations

from itertools import count

_numbers = count(1)


def next_device() -> int:
    """A device number that no other filesystem of this process has (`count` is atomic in CPython)."""
    return next(_numbers)
