"""The one HTTP client of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.http.client import HttpClient

_lock = threading.Lock()
_client: HttpClient | None = None


def shared_client(tokens: Callable[[str], str | None] | None = None) -> HttpClient:
    """The client that everything in this process uses.

    Args:
        tokens: The token for an origin, from now on; None leaves it as it was, which is none at first.
    """
    global _client
    with _lock:
        if _client is None:
            from pkgmgr.http.client import HttpClient

            _client = HttpClient()
        if tokens is not None:
            _client.tokens = tokens
        return _client
