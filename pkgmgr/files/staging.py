"""Folders that are made beside their place and renamed into it when they are whole.

A folder that is being made is locked by whoever makes it. What a killed one leaves is removed by the next who makes the same.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

from pkgmgr.files.folders import sync_folder
from pkgmgr.files.holding import hold, try_hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIX: Final = ".part"
_RANDOM: Final = re.compile(r"[0-9a-f]{16}\.part")
_STALE_SECONDS: Final = 24 * 3600.0


@contextmanager
def staged_folder(target: Path) -> Iterator[Path]:
    """An empty folder beside a place, which is gone afterwards unless it was renamed away (`put_in_place`).

    Args:
        target: The place; the folder that it is in must be there.

    Raises:
        OSError: It cannot be made.
    """
    beginning = f".{target.name[:100]}."
    _remove_abandoned(target.parent, beginning)
    folder = target.with_name(f"{beginning}{os.urandom(8).hex()}{_SUFFIX}")
    folder.mkdir(mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        hold(descriptor)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(folder: Path, target: Path, mode: int = 0o755) -> None:
    """Give a folder that is whole its name; what has the name until now is moved out of the way first and then removed.

    Raises:
        OSError: It cannot be renamed; what was there is there.
    """
    folder.chmod(mode)
    away = None
    if os.path.lexists(target):
        away = target.with_name(f".{target.name[:100]}.{os.urandom(8).hex()}{_SUFFIX}")
        target.rename(away)
    try:
        folder.rename(target)
    except BaseException:
        if away is not None:
            away.rename(target)
        raise
    sync_folder(target.parent)
    if away is not None:
        if away.is_dir() and not away.is_symlink():
            shutil.rmtree(away, ignore_errors=True)
        else:
            away.unlink(missing_ok=True)


def _remove_abandoned(parent: Path, beginning: str) -> None:
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in list(entries):
            if not entry.name.startswith(beginning) or not _RANDOM.fullmatch(entry.name, len(beginning)):
                continue
            with suppress(OSError):
                descriptor = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    held = try_hold(descriptor)
                    # One that is just being made is empty, and not locked yet.
                    fresh = time.time() - os.fstat(descriptor).st_mtime < (5.0 if held else _STALE_SECONDS)
                    if held is not False and not fresh:
                        shutil.rmtree(entry.path, ignore_errors=True)
                finally:
                    os.close(descriptor)
