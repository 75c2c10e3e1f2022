"""A folder for files that are about to take their places: gone afterwards, or when the next one finds it abandoned."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pkgmgr.environments.folder import make_folder
from pkgmgr.files.holding import hold, try_hold
from pkgmgr.files.removing import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX: Final = "import-"


@contextmanager
def staged_folder(folder: Path) -> Iterator[Path]:
    """A new folder below the given one, which is made where it is not there.

    Raises:
        OSError: It cannot be made.
    """
    make_folder(folder)
    for leftover in folder.glob(f"{_PREFIX}*"):
        _remove_abandoned(leftover)
    stage = folder / f"{_PREFIX}{os.urandom(8).hex()}"
    stage.mkdir(0o700)
    descriptor = os.open(stage, os.O_RDONLY | os.O_CLOEXEC)
    try:
        hold(descriptor)
        yield stage
    finally:
        remove_tree(stage)
        os.close(descriptor)


def _remove_abandoned(stage: Path) -> None:
    """Remove a folder whose maker is dead, which ended its hold."""
    try:
        descriptor = os.open(stage, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if try_hold(descriptor):
            remove_tree(stage)
    finally:
        os.close(descriptor)
