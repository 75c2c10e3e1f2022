"""What verbs print."""

from __future__ import annotations

import sys


def print_json(value: object) -> None:
    """Print a value as JSON, in the order in which it was made."""
    import json

    print(json.dumps(value, indent=2))


def print_text(text: str) -> None:
    """Print a line; characters that standard output cannot take are written as escapes."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def can_draw() -> bool:
    """Whether standard output takes box-drawing characters."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return encoding in {"utf8", "utf16", "utf32"}


def bytes_for_people(count: int) -> str:
    """A number of bytes as one reads it: `1.4 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
