"""Lists in pages, as Relay has them: `edges`, each with its `node` and `cursor`, and `pageInfo`.

Source: https://relay.dev/graphql/connections.htm
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pkgmgr.server.session import refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

MOST: Final = 100
"""No page is longer, and one is as long where nothing else is asked for."""

_CURSOR: Final = "at"


def opaque(kind: str, value: str) -> str:
    """An id or a cursor: what it means is for the server only."""
    return base64.urlsafe_b64encode(f"{kind}:{value}".encode()).decode().rstrip("=")


def read_opaque(text: str) -> tuple[str, str]:
    """The kind and the value of an id or a cursor; both empty where it is none."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        kind, _, value = data.decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return kind, value


def connection(items: Sequence[T], arguments: dict[str, Any], node: Callable[[T], Any] | None = None) -> dict[str, Any]:
    """One page of a list.

    Args:
        items: All of it.
        arguments: Those of the field: `first`, `last`, `before`, `after`, `offset`.
        node: Makes an item of the list what the edge shows; None where it is that already. Items that it gives None for
            are left out.
    """
    start, end = 0, len(items)
    if (after := _position(arguments, "after")) is not None:
        start = min(max(start, after + 1), end)
    if (before := _position(arguments, "before")) is not None:
        end = max(start, min(end, before))
    start = min(start + _count(arguments, "offset", 0), end)
    if arguments.get("last") is not None and arguments.get("first") is None:
        first = max(start, end - min(_count(arguments, "last", MOST), MOST))
        last = end
    else:
        first = start
        last = min(end, start + min(_count(arguments, "first", MOST), MOST))
    edges = []
    for position in range(first, last):
        shown = items[position] if node is None else node(items[position])
        if shown is not None:
            edges.append({"node": shown, "cursor": opaque(_CURSOR, str(position))})
    return {
        "edges": edges,
        "totalCount": len(items),
        "pageInfo": {
            "hasNextPage": last < len(items),
            "hasPreviousPage": first > 0,
            "startCursor": opaque(_CURSOR, str(first)) if last > first else None,
            "endCursor": opaque(_CURSOR, str(last - 1)) if last > first else None,
        },
    }


def _count(arguments: dict[str, Any], name: str, default: int) -> int:
    value = arguments.get(name)
    if value is None:
        return default
    if value < 0:
        refuse(f"{name}: expected a number from 0")
    return int(value)


def _position(arguments: dict[str, Any], name: str) -> int | None:
    if not (text := arguments.get(name)):
        return None
    kind, value = read_opaque(text)
    if kind != _CURSOR or not value.isascii() or not value.isdigit() or len(value) > 12:
        refuse(f"{name}: not a cursor of this registry")
    return int(value)
