"""What is in a directory of the host that others may change meanwhile: nothing below it is reached through a symbolic link.

Each directory on the way is opened in the one above it. So whoever puts a link where a directory was gets an error, and not
what lies elsewhere into an image.
"""

from __future__ import annotations

import os
import stat
from typing import Final, NamedTuple

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Below(NamedTuple):
    """A name in a directory.

    Attributes:
        name: The name.
        status: What lstat(2) says of it.
        target: What it says, if it is a symbolic link; else empty.
    """

    name: str
    status: os.stat_result
    target: str


def list_below(top: str, way: str) -> list[Below]:
    """What is in a directory, in no order.

    Args:
        top: The directory whose tree is read; links on the way to it are followed.
        way: The path of a directory below it; empty for itself.

    Raises:
        OSError: There is none, or a link is on the way to it.
    """
    folder = _open_folder(top, way)
    try:
        found = []
        with os.scandir(folder) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                # Not of a Path, which would change what it says: `./x` into `x`.
                target = os.readlink(entry.name, dir_fd=folder) if stat.S_ISLNK(status.st_mode) else ""
                found.append(Below(entry.name, status, target))
        return found
    finally:
        os.close(folder)


def _open_folder(top: str, way: str) -> int:
    here = os.open(top, _DIRECTORY & ~os.O_NOFOLLOW)
    for name in way.split("/") if way else ():
        above = here
        try:
            here = os.open(name, _DIRECTORY, dir_fd=above)
        finally:
            os.close(above)
    return here
