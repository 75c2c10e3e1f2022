"""URLs: whose they are, and how they are shown."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from pkgmgr.errors import WpmError

_PORTS: Final = {"http": 80, "https": 443}
_LONGEST: Final = 300


def origin_of(url: str) -> str:
    """The origin of a URL as browsers write it (RFC 6454): `https://host`, with `:port` where that is not the usual one.

    Args:
        url: An http(s) URL.

    Raises:
        WpmError: It is none.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise WpmError(f"not a URL: {shown(url)}: {error}") from None
    if scheme not in _PORTS or not host:
        raise WpmError(f"not a URL: {shown(url)}: expected https:// or http:// and a host")
    if ":" in host:
        host = f"[{host}]"
    return f"{scheme}://{host}" if port in (None, _PORTS[scheme]) else f"{scheme}://{host}:{port}"


def shown(url: str) -> str:
    """A URL as messages show it: on one line, without names, passwords, and what signs a query."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    path, question, _ = path.partition("?")
    text = f"{scheme}{separator}{authority.rpartition('@')[2].partition('?')[0]}{slash}{path}{'?…' if question else ''}"
    text = "".join(character if character.isprintable() else "�" for character in text)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
