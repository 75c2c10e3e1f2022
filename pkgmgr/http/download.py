"""Fetching a package's file over http(s): bounded, never half, tried again where trying again may help."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final, cast

from pkgmgr.http.body import Body
from pkgmgr.http.retry import with_tries

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.http.client import HttpClient
    from pkgmgr.store import Store, StoredObject

_HEADERS: Final = {"Accept": "application/webc, application/octet-stream, */*", "Accept-Encoding": "identity"}


def download(
    url: str,
    store: Store,
    sha256: str | None,
    size: int | None,
    progress: Callable[[int], object] | None,
    client: HttpClient,
) -> StoredObject:
    """Fetch a package into the store.

    Args:
        url: An http(s) URL.
        store: Where it goes.
        sha256: The hash that it must have, where that is known.
        size: Its size in bytes, where that is known; nothing beyond it is read.
        progress: Called with the number of bytes after each piece.
        client: What asks.

    Raises:
        WpmError: It cannot be fetched, or is not what it should be.
    """
    taken = 0

    def count(number: int) -> None:
        nonlocal taken
        taken += number
        if progress is not None:
            progress(number)

    def attempt() -> StoredObject:
        count(-taken)
        with client.send("GET", url, _HEADERS) as reply:
            return store.add(cast("BinaryIO", Body(reply, client.patience.stall)), sha256, size, count)

    return client.told(url, lambda: with_tries(attempt, client.patience, check=lambda: count(0)))
