"""The scalars of the schema that are more than text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from graphql import GraphQLError

if TYPE_CHECKING:
    from collections.abc import Callable


def _same(value: Any) -> Any:
    return value


def _moment(value: Any) -> float:
    """A time of RFC 3339 as seconds since 1970."""
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise GraphQLError("DateTime: expected a time as in 2024-01-31T12:00:00Z") from None


SCALARS: Final[dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    "DateTime": (_same, _moment),
    "BigInt": (int, int),
    "JSONString": (_same, _same),
    "URL": (_same, _same),
}
