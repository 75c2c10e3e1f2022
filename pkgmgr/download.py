"""Fetching a package's file over http(s): bounded, never half, tried again where trying again may help."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests

    from pkgmgr.store import Store, StoredObject

_TIMEOUT: Final = (10.0, 60.0)
_TRIES: Final = 3
_PAUSE: Final = 0.5
_MOST_REDIRECTS: Final = 5
_PIECE: Final = 1 << 18


class _TryAgain(Exception):
    """The fetch failed in a way that may pass."""


def download(
    url: str,
    store: Store,
    sha256: str | None = None,
    size: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> StoredObject:
    """Fetch a package into the store.

    Args:
        url: An http(s) URL.
        store: Where it goes.
        sha256: The hash that it must have, where that is known.
        size: Its size in bytes, where that is known; nothing beyond it is read.
        progress: Called with the number of bytes after each piece.

    Raises:
        WpmError: It cannot be fetched, or is not what it should be.
    """
    for attempt in range(1, _TRIES + 1):
        taken = 0

        def count(number: int) -> None:
            nonlocal taken
            taken += number
            if progress is not None:
                progress(number)

        try:
            with _stream(url) as stream:
                return store.add(stream, sha256, size, count)
        except _TryAgain as error:
            if progress is not None:
                progress(-taken)
            if attempt == _TRIES:
                raise WpmError(f"{url}: cannot be fetched: {error} (tried {_TRIES} times)") from None
            time.sleep(_PAUSE * attempt)
        except WpmError as error:
            raise type(error)(f"{url}: {error}") from None
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _stream(url: str) -> Iterator[BinaryIO]:
    """The body of a successful reply."""
    import requests

    with requests.Session() as session:
        session.max_redirects = _MOST_REDIRECTS
        try:
            with session.get(url, stream=True, timeout=_TIMEOUT, headers=_HEADERS, auth=_no_auth) as reply:
                _check(url, reply)
                yield cast("BinaryIO", _Body(reply))
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _TryAgain(_reason(error)) from None
        except requests.RequestException as error:
            raise WpmError(f"cannot be fetched: {_reason(error)}") from None


_HEADERS: Final = {"Accept": "application/webc, application/octet-stream, */*", "Accept-Encoding": "identity"}


def _no_auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials: without this, requests would take those of the user's .netrc."""
    return request


def _check(url: str, reply: requests.Response) -> None:
    if reply.status_code >= 500 or reply.status_code == 429:
        raise _TryAgain(f"the server replied {reply.status_code}")
    if reply.status_code != 200:
        raise WpmError(f"cannot be fetched: the server replied {reply.status_code} {reply.reason or ''}".rstrip())
    if url.startswith("https:"):
        for step in (*reply.history[1:], reply):
            if not step.url.startswith("https:"):
                raise WpmError(f"cannot be fetched: the server redirects to {step.url}, which is not https")


class _Body:
    """The body of a reply as a stream that notices when it is cut short."""

    def __init__(self, reply: requests.Response) -> None:
        self._pieces = reply.iter_content(_PIECE)
        length = reply.headers.get("Content-Length", "")
        encoded = reply.headers.get("Content-Encoding", "identity") != "identity"
        self._promised = int(length) if length.isascii() and length.isdigit() and not encoded else None
        self._count = 0

    def read(self, _: int) -> bytes:
        piece: bytes = next(self._pieces, b"")
        self._count += len(piece)
        if not piece and self._promised is not None and self._count < self._promised:
            raise _TryAgain(f"the connection broke after {self._count} of {self._promised} bytes")
        return piece


def _reason(error: Exception) -> str:
    """The innermost cause in one line: what requests prints itself runs over several."""
    while isinstance(error.args[0] if error.args else None, Exception):
        error = error.args[0]
    reason = getattr(error, "reason", None)
    return " ".join(str(reason or error).split())[:200]
