"""The session of `requests` that all threads share."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter

from pkgmgr import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator


class PlainSession(requests.Session):
    """Keeps connections, and nothing else: no cookies (which is also all of it that would not be safe between threads)."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = HTTPAdapter(pool_connections=16, pool_maxsize=16)
        self.mount("https://", adapter)
        self.mount("http://", adapter)
        self.headers["User-Agent"] = f"wpm/{__version__}"

    def resolve_redirects(self, *_: Any, **__: Any) -> Iterator[requests.Response]:
        """None: `requests` would read the whole body of a redirect, however long, even where it is not to follow it."""
        return iter(())
