"""How long a reply stays right, as its headers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


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
