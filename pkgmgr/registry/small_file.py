"""Read a file that may be anything."""

from __future__ import annotations

import os
from stat import S_ISREG
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_small_file(path: Path, most: int) -> bytes:
    """The first bytes of a regular file: one more than `most` where there are more.

    Raises:
        OSError: It cannot be read, or is a pipe, a device or a directory.
    """
    # A pipe would be waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(f"{path}: not a file")
        return file.read(most + 1)
