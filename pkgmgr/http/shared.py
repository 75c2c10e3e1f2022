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
        tokens: The token for an origin, for a client from now on that is as patient as the last; None keeps the last, whose
            tokens are none at first.
    """
    global _client
    with _lock:
        if _client is None or tokens is not None:
            from pkgmgr.http.client import HttpClient, no_tokens

            _client = HttpClient(tokens or no_tokens, patience=None if _client is None else _client.patience)
        return _client
