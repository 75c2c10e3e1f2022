"""Where a registry is, as people write it and in the one form in which registries are compared.

| text | what it is |
| --- | --- |
| `embedded` | the registry that wpm carries |
| `./dir`, `/dir`, `~/dir`, `dir`, `file:///dir` | a directory registry of this machine |
| `https://host/graphql`, `http://host:port/graphql` | a registry that is asked over the network |
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pkgmgr.errors import WpmError

EMBEDDED_PLACE: Final = "embedded"
EVERYTHING: Final = "*"
"""The pattern of every namespace that has no line of its own in a configuration."""
DEFAULT_URL: Final = "https://registry.wasmer.io/graphql"
"""The registry for every name that nobody said anything else about."""

_ENDPOINT: Final = "/graphql"
_LONGEST: Final = 2048
_PORTS: Final = {"http": 80, "https": 443}


def parse_place(text: str, folder: Path) -> str:
    """The place of a registry in its one form: `embedded`, an absolute path, or a URL.

    Args:
        text: One of the forms of the table above.
        folder: Where a relative path starts.

    Raises:
        WpmError: It is none of them.
    """
    if not text or len(text) > _LONGEST or not text.isprintable():
        raise WpmError(f"not a registry: {text[:60]!r}: expected a directory, file:///… or https://…/graphql")
    if text == EMBEDDED_PLACE:
        return text
    if "://" not in text:
        return _directory(text, folder)
    if text.lower().startswith(("http://", "https://")):
        return parse_url(text)
    from pkgmgr.source import PathSource, parse_source

    if text.lower().startswith("file:") and isinstance(source := parse_source(text), PathSource):
        return _directory(source.path, folder)
    raise WpmError(f"not a registry: {text[:200]}: expected a directory, file:///… or https://…/graphql")


def parse_url(text: str) -> str:
    """The URL of a registry in its one form: no name or password, no query, the path `/graphql` where it has none.

    Raises:
        WpmError: It is no http(s) URL.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise WpmError(f"not the URL of a registry: {text[:200]!r}: {error}") from None
    if parts.username is not None or parts.password is not None:
        raise WpmError(f"not the URL of a registry: {host}: it has a name or a password in it: use wpm login instead")
    good = all("!" <= each <= "~" and each not in '"<>\\^`{|}' for each in text) and len(text) <= _LONGEST
    if scheme not in _PORTS or not host or not good:
        raise WpmError(f"not the URL of a registry: {text[:200]!r}: expected https://HOST/graphql")
    if parts.query or parts.fragment:
        raise WpmError(f"not the URL of a registry: {text[:200]!r}: it has a query or a fragment")
    shown = f"[{host}]" if ":" in host else host
    authority = shown if port in (None, _PORTS[scheme]) else f"{shown}:{port}"
    path = parts.path.rstrip("/") or _ENDPOINT
    return f"{scheme}://{authority}{path}"


def is_network(place: str) -> bool:
    """Whether a place in its one form is asked over the network."""
    return "://" in place


def is_host_of(host: str, url: str) -> bool:
    """Whether people mean this registry when they write `host:ns/name`.

    As everywhere in Wasmer's world `wasmer.io` is short for `registry.wasmer.io`.

    Args:
        host: A host, with a port where it is not the usual one.
        url: The URL of a registry, in its one form.
    """
    authority = url.partition("://")[2].partition("/")[0]
    return authority in (host.lower(), f"registry.{host.lower()}")


def _directory(text: str, folder: Path) -> str:
    from os.path import normpath

    try:
        return normpath(folder.absolute() / Path(text).expanduser())
    except RuntimeError as error:
        raise WpmError(f"{text}: {error}") from None
