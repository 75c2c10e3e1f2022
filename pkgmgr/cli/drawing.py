"""Drawing trees with lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def drawn(
    roots: list[tuple[str, str]],
    below: Callable[[str], list[tuple[str, str]]],
    *,
    drawing: bool,
    depth: int | None = None,
) -> Iterator[str]:
    """The lines of a tree, in which what was unfolded before is marked `(*)` instead.

    Args:
        roots: What is at the top: a key and a label each.
        below: What is below a key, likewise; an empty key has nothing below it.
        drawing: Whether box-drawing characters may be used.
        depth: How many levels to show; None is all.
    """
    branch, last, bar = ("├── ", "└── ", "│   ") if drawing else ("|-- ", "`-- ", "|   ")
    unfolded: dict[str, int] = {}
    levels = [("", iter(roots), len(roots))] if depth is None or depth > 0 else []
    while levels:
        indent, entries, left = levels.pop()
        entry = next(entries, None)
        if entry is None:
            continue
        left -= 1
        levels.append((indent, entries, left))
        key, label = entry
        level = len(levels)
        following = below(key) if key else []
        # What was cut off by the depth is unfolded again where there is more room for it.
        again = bool(following) and key in unfolded and (depth is None or unfolded[key] <= level)
        shows = bool(following) and not again and (depth is None or level < depth)
        yield f"{indent}{branch if left else last}{label}{' (*)' if again else ''}"
        if shows:
            unfolded[key] = level
            levels.append((indent + (bar if left else "    "), iter(following), len(following)))
