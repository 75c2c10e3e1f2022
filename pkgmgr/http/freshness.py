"""Which version of something a reply is, and how long it stays right, as its headers say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


_LONGEST_ETAG: Final = 1000


def etag_of(headers: Mapping[str, str]) -> str | None:
    """The `ETag` of a reply, where it is one that can be sent back (RFC 9110, section 8.8.3)."""
    text = headers.get("ETag", "").strip()
    return text if len(text) <= _LONGEST_ETAG and re.fullmatch(r'(W/)?"[!#-~]*"', text) else None


def max_age(headers: Mapping[str, str]) -> float | None:
    """The seconds of `Cache-Control: max-age`, less those that the reply is old already (RFC 9111, section 4.2).

    Returns:
        0 where the reply must be asked for again each time; None where the headers say nothing.
    """
    found: float | None = None
    for part in headers.get("Cache-Control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        value = value.strip(' "')
        if name in ("no-store", "no-cache"):
            return 0.0
        if name == "max-age" and value.isascii() and value.isdigit():
            found = float(value[:10])
    age = headers.get("Age", "").strip()
    if found is not None and age.isascii() and age.isdigit():
        found = max(0.0, found - float(age[:10]))
    return found
