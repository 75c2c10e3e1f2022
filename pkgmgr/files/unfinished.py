"""Files that are being written, in a folder of their own, each locked by its writer: whose writer is dead is removed by others.

The lock ends with its holder, so that no process has to be looked for; where the file system has no locks, age tells.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress

from pkgmgr.files.holding import hold, try_hold
from pkgmgr.files.replacing import finish

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO, Final

PARTIAL: Final = ".part"
"""How the names of such files end."""

_STALE_SECONDS: Final = 24 * 3600.0


@contextmanager
def unfinished_file(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A temporary file that is locked while it is ours and gone afterwards, unless it was renamed away.

    Args:
        folder: The folder of such files, which is there.

    Raises:
        OSError: It cannot be made.
    """
    while True:
        path = folder / f"{os.getpid()}-{os.urandom(8).hex()}{PARTIAL}"
        with open(path, "x+b", opener=_open_private) as file:
            hold(file.fileno())
            # Someone who was clearing up may have seen the file before it was locked: then take another.
            if os.fstat(file.fileno()).st_nlink == 0:
                continue
            try:
                yield file, path
            finally:
                path.unlink(missing_ok=True)
            return


def replace_from(folder: Path, target: Path, data: bytes) -> None:
    """Replace a small file whole or not at all, its unfinished bytes in the folder of such files; everybody may read it."""
    with unfinished_file(folder) as (file, temporary):
        file.write(data)
        finish(file, 0o644)
        temporary.replace(target)


def is_abandoned(path: Path, *, remove: bool, at_once: bool = True) -> bool:
    """Whether no living process writes a file.

    Args:
        path: The file.
        remove: Delete it then, while nobody can start to write it.
        at_once: Whether a dead writer is enough; else it must have been dead for a day, as somebody may want to go on.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        held = try_hold(descriptor)
        if held is False:
            return False
        if not (held and at_once) and time.time() - os.fstat(descriptor).st_mtime < _STALE_SECONDS:
            return False
        if remove:
            with suppress(OSError):
                path.unlink()
        return True
    finally:
        os.close(descriptor)


def _open_private(path: str, flags: int) -> int:
    """Open a new file that nobody else can open to write into it later, whatever the umask."""
    return os.open(path, flags | os.O_CLOEXEC, 0o600)
