"""Removing trees whose directories may be closed to their owner, and never what is mounted in them."""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")


def remove_tree(path: Path) -> None:
    """Remove a directory with all that is in it, whatever the modes of its directories.

    Raises:
        OSError: Something of it cannot be removed; `EBUSY`: something is mounted in it, and all of it stays.
    """
    if (mount := mounted_in(path)) is not None:
        raise OSError(errno.EBUSY, "something is mounted there", str(mount))
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        return
    except PermissionError:
        # Only directories decide whether what is in them can be removed. No link is followed.
        path.chmod(0o700)
        for folder, names, _ in os.walk(path):
            for name in names:
                inner = path.joinpath(folder, name)
                if not inner.is_symlink():
                    inner.chmod(0o700)
        shutil.rmtree(path)


def mounted_in(path: Path) -> Path | None:
    """A place in a directory, or that itself, where something is mounted; None where there is none.

    Raises:
        OSError: It cannot be read.
    """
    top = path.resolve()
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        # Systems without that file, as macOS, cannot mount one directory at another: all that is mounted has its own device.
        device = top.stat().st_dev
        folders = (Path(folder, name) for folder, names, _ in os.walk(top) for name in names)
        return next((each for each in folders if not each.is_symlink() and each.stat().st_dev != device), None)
    # proc(5): the fifth field, in which spaces and line ends stand as octal numbers.
    fields = (re.sub(rb"\\([0-7]{3})", lambda found: bytes([int(found[1], 8)]), line.split(b" ")[4]) for line in lines)
    mounts = (Path(os.fsdecode(field)) for field in fields)
    return next((mount for mount in mounts if mount.is_relative_to(top)), None)
