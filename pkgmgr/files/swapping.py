"""Two names that change places in one step, where the system has one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_AT_FDCWD: Final = -100 if sys.platform == "linux" else -2
_EXCHANGE: Final = 2
"""`RENAME_EXCHANGE` of Linux's renameat2(2), and `RENAME_SWAP` of macOS's renameatx_np(2)."""


def swap(one: Path, other: Path) -> None:
    """Let two names, files or directories, of one file system change places.

    Where neither the system nor the file system does so in one step there is a moment in which `other` has no name.

    Raises:
        OSError: They cannot be renamed; then they are as they were.
    """
    if _exchange(one, other):
        return
    aside = other.with_name(f".{os.urandom(8).hex()}.aside")
    other.rename(aside)
    try:
        one.rename(other)
    except BaseException:
        aside.rename(other)
        raise
    aside.rename(one)


def _exchange(one: Path, other: Path) -> bool:
    """Whether the system did it."""
    import ctypes

    try:
        library = ctypes.CDLL(None, use_errno=True)
        rename = library.renameat2 if sys.platform == "linux" else library.renameatx_np
    except (OSError, AttributeError):
        return False
    failed: int = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), ctypes.c_uint(_EXCHANGE))
    return failed == 0
