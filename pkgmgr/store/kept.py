"""What was worked out and is kept beside the store until it is out of date: JSON that may always be lost."""

from __future__ import annotations

import json
from contextlib import suppress
from os import fstat
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.store.store import Store

UNUSABLE: Final = (ValueError, KeyError, TypeError, AttributeError)
"""What taking apart a value that is not of the shape that it should have may raise."""


def read_kept(path: Path, form: int, most: int, *, guarded: bool = False) -> dict[str, Any] | None:
    """What was kept in a file; None where there is nothing that can be used.

    Args:
        path: The file.
        form: The number of the format that it must have.
        most: How many bytes are read of it.
        guarded: Whether a file that another user may have written is nothing.
    """
    from binfactory.stamps import is_guarded

    try:
        with path.open("rb") as file:
            if guarded and not is_guarded(fstat(file.fileno())):
                return None
            content = json.loads(file.read(most))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) and content.get("format") == form else None


def keep(store: Store, place: str, form: int, content: dict[str, Any]) -> None:
    """Keep something beside a store, at a place below its root; where the store cannot be written to, nothing is kept."""
    with suppress(OSError):
        store.write_beside(place, json.dumps({"format": form, **content}).encode())
