"""Folders whose entries outlive a power failure."""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where nobody else may write; each is synced into the one that holds it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o755, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """See that what was renamed, linked or removed in a folder stays so."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        # Some file systems have no sync for folders: there the rename itself is all there is.
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
