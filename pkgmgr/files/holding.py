"""Holding files and folders against others (flock), so that the hold ends with its holder, however that ends."""

from __future__ import annotations

import errno
import fcntl
import os
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def hold(descriptor: int) -> None:
    """Wait until a file is ours, and keep it until it is closed.

    Where the file system has no locks, as some network ones, nothing is held, and the caller's own care must do.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def try_hold(descriptor: int) -> bool | None:
    """Whether a file is ours now, until it is closed; None where the file system has no locks, so that nobody can tell."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR) else None
    return True


@contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Keep everybody else who asks for it out of a folder; see `hold`."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        hold(descriptor)
        yield
    finally:
        os.close(descriptor)
