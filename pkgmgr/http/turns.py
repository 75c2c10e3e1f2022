"""Taking turns: of all processes and threads that want the same, one does it while the others wait.

The turn is a file that is locked (flock), so that it ends with its holder, however that ends. Who has had it removes the
file, or renames it into what it has become, while the lock is held: those who waited see it and look again.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from pkgmgr.files.holding import try_hold

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TICK: Final = 0.05
_A_WHILE: Final = 1.0


def take_turn(
    path: Path,
    check: Callable[[], object],
    waiting: Callable[[], object],
    is_done: Callable[[BinaryIO], bool] | None = None,
) -> BinaryIO | None:
    """Wait for one's turn.

    Args:
        path: The file; it is made where it is not there.
        check: Called now and then while waiting; what it raises ends it.
        waiting: Called once when it takes a while.
        is_done: Asked of the file of one who has had the turn and removed it: whether nothing is left to do.

    Returns:
        The file, locked until it is closed, for reading and writing; None where the file system has no locks.

    Raises:
        OSError: The file cannot be made.
    """
    a_while = time.monotonic() + _A_WHILE
    told = False
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")
        try:
            while (locked := try_hold(file.fileno())) is False:
                check()
                if not told and time.monotonic() > a_while:
                    told = True
                    waiting()
                time.sleep(_TICK)
            if locked and (holds(file, path) or (is_done is not None and is_done(file))):
                return file
        except BaseException:
            file.close()
            raise
        file.close()
        if locked is None:
            path.unlink(missing_ok=True)
            return None


def holds(file: BinaryIO, path: Path) -> bool:
    """Whether the file is still the one at the path: it may have been renamed or removed."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    return False
