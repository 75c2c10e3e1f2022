"""Removing trees whose directories may be closed to their owner."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def remove_tree(path: Path) -> None:
    """Remove a directory with all that is in it, whatever the modes of its directories.

    Raises:
        OSError: Something of it cannot be removed.
    """
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
