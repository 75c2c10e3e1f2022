"""Times, as queries and answers have them (RFC 3339)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError


def moment(seconds: float) -> str:
    """The text for a time: seconds since 1970."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat()


def read_moment(value: Any) -> float:
    """The time in a query, as seconds since 1970; raises `GraphQLError` for what is none."""
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise GraphQLError("DateTime: expected a time as in 2024-01-31T12:00:00Z") from None
