"""What changed in a file of text, line by line, as `diff -u` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkgmgr.rootfs.comparing import Change

LARGEST_TEXT: Final = 256 << 10
"""No file of more bytes is compared by its lines."""
MOST_LINES: Final = 5000
"""Nor one of more lines: how long that takes grows faster than they do."""

_LONGEST_LINE: Final = 4096
_NOTHING: Final = "/dev/null"


def text_changes(change: Change) -> Iterator[str]:
    """The lines that differ; nothing where no bytes do.

    Characters that move the cursor of a terminal are left out: what is shown is for people, not for patch(1).

    Args:
        change: A name that is not the same in two images.

    Raises:
        WpmError: A file cannot be read.
    """
    before, after = _file(change.before), _file(change.after)
    if before is None and after is None:
        return
    if change.before is not None and change.after is not None and not {"type", "size", "bytes"} & set(change.what):
        return
    names = (
        _NOTHING if before is None else f"a/{one_line(change.path)}",
        _NOTHING if after is None else f"b/{one_line(change.path)}",
    )
    texts = _text(before), _text(after)
    if texts[0] is None or texts[1] is None:
        yield f"Binary files {names[0]} and {names[1]} differ"
        return
    from difflib import unified_diff

    for line in unified_diff(texts[0], texts[1], *names):
        yield "".join(each for each in line[:_LONGEST_LINE] if each.isprintable() or each == "\t")
        if not line.endswith("\n"):
            yield "\\ No newline at end of file"


def _file(entry: Entry | None) -> Entry | None:
    return entry if entry is not None and entry.kind is Kind.FILE else None


def _text(entry: Entry | None) -> list[str] | None:
    """The lines of a file; None for what is no text."""
    if entry is None:
        return []
    if entry.size > LARGEST_TEXT:
        return None
    data = b"".join(entry.pieces())
    if b"\0" in data:
        return None
    try:
        *lines, last = data.decode().split("\n")
    except UnicodeDecodeError:
        return None
    if len(lines) > MOST_LINES:
        return None
    return [f"{line}\n" for line in lines] + ([last] if last else [])
