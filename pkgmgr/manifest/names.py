"""Names in a manifest that become file names, and values as an error message shows them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_FILE_NAME = 255
"""The longest module or command name, in bytes: both become file names in a guest."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def is_file_name(text: str) -> bool:
    """Whether the text can be one name in a directory, printable and on one line."""
    if text in {"", ".", ".."} or "/" in text or _CONTROL.search(text):
        return False
    return len(text.encode("utf-8", "surrogatepass")) <= MAX_FILE_NAME


def shown(value: object) -> str:
    """A value as an error message shows it: quoted, on one line, clipped to 80 characters."""
    text = value if isinstance(value, str) else repr(value)
    clipped = text if len(text) <= 80 else text[:79] + "…"
    safe = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", clipped)
    return '"' + safe.encode("utf-8", "backslashreplace").decode() + '"'


def listed(names: Iterable[str]) -> str:
    """Some names, quoted, for an error message: the first five of them and how many there are besides."""
    quoted = [shown(name) for name in names]
    if not quoted:
        return "none"
    rest = len(quoted) - 5
    return ", ".join(quoted[:5]) + (f" and {rest} more" if rest > 0 else "")
