"""What the operating system refused, as people read it, and what to do where that was about the store."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Final

_LONGEST_NAME: Final = 300
_UNFINISHED: Final = re.compile(r"(?<![^/])\.([^/]+)\.[0-9a-f]{16}\.part(?![^/])")
"""What a file is called beside its place until it is whole, which tells nobody anything."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN: Final = (errno.EACCES, errno.EPERM, errno.EROFS)


def in_words(error: OSError) -> str:
    """One line: the file, what went wrong, and where it is the store's what may help."""
    name = _UNFINISHED.sub(r"\1", str(error.filename or ""))
    shown = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    line = f"{shown}: {error.strerror}" if shown else str(error.strerror)
    if not name or error.errno not in _FULL + _FORBIDDEN or not _is_of_store(name):
        return line
    if error.errno in _FULL:
        return f"{line}: wpm cache prune frees some, or let WPM_CACHE_DIR name a directory elsewhere"
    return f"{line}: let WPM_CACHE_DIR name a directory that you may write to"


def _is_of_store(name: str) -> bool:
    """Whether a path is in the store, or on the way to it."""
    from pkgmgr.errors import WpmError
    from pkgmgr.store import Store

    try:
        path, root = Path(name), Store.default().root
    except (WpmError, OSError):
        return False
    return path.is_relative_to(root) or (root.is_relative_to(path) and path != Path("/"))
