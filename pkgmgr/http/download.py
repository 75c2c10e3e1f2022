"""Fetching a package over http(s) into the store.

What arrives is hashed and counted as it arrives, and what breaks is continued where it broke (RFC 9110, section 14): the
next piece is asked for with the ETag of the first, and a server that has something else by now, or that does not know
ranges, is asked for the whole. Nothing is in the store before it is whole and what was promised.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from pkgmgr.errors import NotAsPromised, Refused, WpmError
from pkgmgr.http.body import PIECE, Body
from pkgmgr.http.freshness import etag_of
from pkgmgr.http.partial import Partial, open_partial
from pkgmgr.http.retry import TryAgain
from pkgmgr.store import LARGEST, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from pkgmgr.http.retry import Patience
    from pkgmgr.store import Store

_T = TypeVar("_T")

_HEADERS: Final = {"Accept": "application/webc, application/octet-stream, */*", "Accept-Encoding": "identity"}
_CONTENT_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_PROGRESS: Final = 1 << 20


class Sender(Protocol):
    """What asks: `HttpClient`, or what knows how to ask a certain server."""

    @property
    def patience(self) -> Patience:
        """How long is waited for what."""

    def send(self, method: str, url: str, headers: Mapping[str, str]) -> requests.Response:
        """Make a request once; gives a success whose body was not read."""

    def told(
        self,
        url: str,
        attempt: Callable[[], _T],
        *,
        check: Callable[[], object] | None,
        progressed: Callable[[], bool] | None,
    ) -> _T:
        """Try until it succeeds or patience ends, and say of what goes wrong where it did."""


def download(
    url: str,
    store: Store,
    sha256: str | None,
    size: int | None,
    progress: Callable[[int], object] | None,
    client: Sender,
    waiting: Callable[[], object] | None = None,
) -> StoredObject:
    """Fetch a package into the store.

    Args:
        url: An http(s) URL.
        store: Where it goes.
        sha256: The hash that it must have, where that is known: then it is downloaded once, however many processes want it.
        size: Its size in bytes, where that is known; nothing beyond it is read.
        progress: Called with the number of bytes after each piece, with a negative one where they must come again, and
            with 0 now and then; what it raises ends the download.
        client: What asks.
        waiting: Called once where another process downloads the package and that takes a while.

    Raises:
        Unreachable: The server cannot be asked.
        NotAsPromised: It is not what it should be.
        WpmError: It cannot be fetched.
        OSError: The store cannot be written to.
    """
    count = progress or _nobody
    with open_partial(store, url, sha256, size, lambda: count(0), waiting or _no_matter) as partial:
        if isinstance(partial, StoredObject):
            return partial
        fill(partial, url, sha256, size, count, client)
        return partial.settle(store)


def fill(
    partial: Partial,
    url: str,
    sha256: str | None,
    size: int | None,
    progress: Callable[[int], object] | None,
    client: Sender,
    most: int = LARGEST,
) -> None:
    """Fetch a file into one that is not whole, however many tries that takes.

    Arguments and errors are those of `download`; nothing of more than `most` bytes is fetched.
    """
    count = progress or _nobody
    transfer = _Transfer(client, url, partial, sha256, size, count, most)
    client.told(url, transfer.attempt, check=lambda: count(0), progressed=transfer.progressed)


class _NoRange(Exception):
    """The server does not go on where it was asked to."""


class _Transfer:
    """The tries that it takes to bring one package."""

    def __init__(
        self,
        client: Sender,
        url: str,
        partial: Partial,
        sha256: str | None,
        size: int | None,
        count: Callable[[int], object],
        most: int,
    ) -> None:
        self._client = client
        self._most = most
        self._too_large = (
            f"it is larger than the {most} bytes that a {'package' if most == LARGEST else 'file'} may have"
        )
        self._url = url
        self._partial = partial
        self._sha256 = sha256
        self._size = size
        self._count = count
        self._validator: str | None = None
        self._resumable = sha256 is not None
        # What was there before is nobody's: even where it is all, it must not be what is judged.
        self._pieces = 2 if partial.count else 0
        self._restarts = 0
        self._furthest = partial.count
        count(partial.count)

    def attempt(self) -> None:
        """Bring what is missing, and see that the whole is right."""
        while problem := self._bring():
            # What came in pieces may be of several files, or somebody else's: then it is fetched whole once more.
            if self._pieces <= 1 or self._restarts >= self._client.patience.tries:
                raise NotAsPromised(f"{problem}: do not trust its source")
            self._restarts += 1
            self._start_anew()

    def progressed(self) -> bool:
        """Whether there is notably more than there ever was: such a try failed, but was not in vain."""
        if self._partial.count < self._furthest + _PROGRESS:
            return False
        self._furthest = self._partial.count
        return True

    def _bring(self) -> str:
        """Bring what is missing; gives in a phrase what is wrong with the whole, or nothing."""
        if self._partial.count and (not self._resumable or self._partial.count > (self._size or self._most)):
            self._start_anew()
        if self._partial.count and self._partial.sha256 == self._sha256:
            return ""
        problem = "" if self._partial.count == self._size else self._ask()
        if not problem and self._sha256 is not None and self._partial.sha256 != self._sha256:
            return f"its sha256 is {self._partial.sha256} where {self._sha256} was promised"
        return problem

    def _ask(self) -> str:
        """Ask for what is missing; for everything, where that is not to be had."""
        if start := self._partial.count:
            with suppress(_NoRange), self._reply(start) as reply:
                return self._receive(reply)
            self._start_anew()
        with self._reply(0) as reply:
            return self._receive(reply)

    def _reply(self, start: int) -> requests.Response:
        """The reply that goes on at this byte, or that begins at the first; raises `_NoRange` where it does neither."""
        headers = dict(_HEADERS)
        if start:
            headers["Range"] = f"bytes={start}-"
            if self._validator:
                headers["If-Range"] = self._validator
        try:
            reply = self._client.send("GET", self._url, headers)
        except Refused as error:
            raise _NoRange if error.status == 416 and start else error from None
        match reply.status_code:
            case 200:
                if start:
                    self._start_anew()
                self._remember(reply.headers)
                return reply
            case 206 if start and self._continues(reply):
                return reply
        reply.close()
        if start:
            raise _NoRange
        raise Refused(f"the server replied {reply.status_code} where 200 was expected", reply.status_code)

    def _receive(self, reply: requests.Response) -> str:
        """Take the body; gives what is wrong with it, as `_bring` does."""
        body = Body(reply, self._client.patience.stall)
        self._resumable = self._resumable and not body.encoded
        self._pieces += 1
        # Of a reply that goes on, the length was looked at already.
        whole = reply.status_code == 200
        total = _length(reply.headers) if whole and not body.encoded else None
        if total is not None and total > self._most:
            raise WpmError(self._too_large)
        if self._size is not None and total is not None and total != self._size:
            return f"it has {total} bytes where {self._size} were promised"
        # Where the size is known the hash tells whether that was all; else one byte more tells an endless body.
        stop = self._most + 1 if self._size is None else self._size
        while self._partial.count < stop and (piece := body.read(min(PIECE, stop - self._partial.count))):
            self._partial.write(piece)
            self._count(len(piece))
        if self._partial.count > self._most:
            raise WpmError(self._too_large)
        if self._size is None:
            return ""
        if self._partial.count < self._size:
            if whole and (body.encoded or "chunked" in reply.headers.get("Transfer-Encoding", "").lower()):
                return f"it has {self._partial.count} bytes where {self._size} were promised"
            raise TryAgain(f"the connection broke after {self._partial.count} of {self._size} bytes")
        if self._partial.sha256 != self._sha256 and total is None and _goes_on(body):
            return f"it has more bytes where {self._size} were promised"
        return ""

    def _start_anew(self) -> None:
        self._count(-self._partial.count)
        self._partial.start_anew()
        self._validator, self._pieces, self._resumable = None, 0, self._sha256 is not None

    def _remember(self, headers: Mapping[str, str]) -> None:
        """Keep what tells this file from a later one: a strong ETag, which is the only one that ranges are asked by."""
        tag = etag_of(headers)
        self._validator = tag if tag is not None and not tag.startswith("W/") else None
        accepts = headers.get("Accept-Ranges", "").strip().lower() != "none"
        self._resumable = accepts and (self._sha256 is not None or self._validator is not None)

    def _continues(self, reply: requests.Response) -> bool:
        """Whether a partial reply goes on exactly where the last one ended."""
        found = _CONTENT_RANGE.fullmatch(reply.headers.get("Content-Range", "").strip())
        if found is None or reply.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            return False
        if int(found[1]) != self._partial.count:
            return False
        if self._size is not None and found[3] != "*" and int(found[3]) != self._size:
            return False
        tag = etag_of(reply.headers)
        if self._sha256 is None:
            # Nothing else would tell that the pieces are of one file.
            return tag is not None and tag == self._validator
        return tag is None or self._validator is None or tag == self._validator


def _goes_on(body: Body) -> bool:
    with suppress(TryAgain, WpmError):
        return bool(body.read(1))
    return False


def _length(headers: Mapping[str, str]) -> int | None:
    text = headers.get("Content-Length", "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _nobody(_: int) -> None:
    """For progress that nobody watches."""


def _no_matter() -> None:
    """For waiting that nobody is told of."""
