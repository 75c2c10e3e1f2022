"""The HTTP client of wpm: JSON questions and answers, uploads, downloads.

Everything that it raises is a `WpmError` in one line that begins with the URL; `Unreachable` where the server could not be
asked at all, so that the caller may make do with what it has.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pkgmgr.errors import Refused, WpmError
from pkgmgr.http.json_body import LARGEST_JSON
from pkgmgr.http.origin import shown
from pkgmgr.http.retry import Patience, with_tries
from pkgmgr.notices import notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import requests

    from pkgmgr.store import Store, StoredObject

_T = TypeVar("_T")


class JsonReply(NamedTuple):
    """An answer.

    Attributes:
        status: 200, or 304 where what has the ETag that was sent is still right.
        value: The JSON value; None with 304.
        etag: The ETag of the value, where the server gave one.
        max_age: The seconds for which the server says that it stays right; None where it says nothing.
    """

    status: int
    value: Any
    etag: str | None
    max_age: float | None


def no_tokens(_: str) -> None:
    """For `HttpClient`: there is no token for anybody."""


class HttpClient:
    """One for each wpm process; any number of threads may use it.

    Args:
        tokens: The token for an origin (`origin_of`), None where there is none. It goes to that origin only, never to
            where a redirect leads.
        tries: How often a request is made that fails in a way that may pass.
        patience: Timeouts and pauses; None takes the usual ones, or what `WPM_HTTP_TIMEOUT` says.

    Attributes:
        tokens: As given.
        patience: As given, or what is configured.
    """

    def __init__(
        self,
        tokens: Callable[[str], str | None] = no_tokens,
        *,
        tries: int = 4,
        patience: Patience | None = None,
    ) -> None:
        self.patience = Patience.configured(tries) if patience is None else patience
        self.tokens = tokens
        self._lock = threading.Lock()
        self._session: requests.Session | None = None

    def get_json(self, url: str, *, most: int = LARGEST_JSON, etag: str | None = None) -> JsonReply:
        """Ask for JSON.

        Args:
            url: An http(s) URL.
            most: The longest answer in bytes that is read.
            etag: That of the value that is known: where it is still right, the answer is 304 and empty.

        Raises:
            Unreachable: The server cannot be asked.
            WpmError: It says no, or answers something else than such JSON.
        """
        return self._json("GET", url, None, most, etag, repeatable=True)

    def post_json(
        self,
        url: str,
        body: object,
        *,
        most: int = LARGEST_JSON,
        etag: str | None = None,
        repeatable: bool = True,
        brief: bool = False,
    ) -> JsonReply:
        """Ask for JSON with a JSON body.

        Args:
            url: An http(s) URL.
            body: The JSON that is sent.
            most: As for `get_json`.
            etag: As for `get_json`.
            repeatable: Whether it does no harm to carry it out twice.
            brief: Whether to give up soon where there is no connection: who asks has an older answer to fall back on.

        Raises:
            Unreachable: The server cannot be asked.
            WpmError: It says no, or answers something else than such JSON.
        """
        import json

        data = json.dumps(body, separators=(",", ":")).encode()
        return self._json("POST", url, data, most, etag, repeatable=repeatable, brief=brief)

    def put(
        self,
        url: str,
        path: Path,
        *,
        headers: Mapping[str, str] = {},
        progress: Callable[[int], object] | None = None,
    ) -> None:
        """Send a file.

        Args:
            url: Where it goes; signed URLs need no token.
            path: The file.
            headers: What goes with it.
            progress: Called with the number of bytes after each piece; a negative number takes back what must be sent again.

        Raises:
            Unreachable: The server cannot be asked.
            WpmError: It says no.
            OSError: The file cannot be read.
        """
        from pkgmgr.http.upload import Upload

        with Upload(path, progress) as upload:
            self.told(url, lambda: self.send("PUT", url, headers, upload.start).close())

    def download(
        self,
        url: str,
        store: Store,
        sha256: str | None = None,
        size: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> StoredObject:
        """Fetch a package into the store: see `pkgmgr.http.download.download`."""
        from pkgmgr.http.download import download

        return download(url, store, sha256, size, progress, self)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Callable[[], object] | None = None,
        patience: Patience | None = None,
        *,
        judge: Callable[[requests.Response], requests.Response] | None = None,
        stay: bool = False,
    ) -> requests.Response:
        """Make a request once: see `pkgmgr.http.exchange.exchange`."""
        from pkgmgr.http.exchange import exchange

        connections, patience = self._connections(), patience or self.patience
        return exchange(connections, method, url, headers, body, self.tokens, patience, judge=judge, stay=stay)

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._lock:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _connections(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                from pkgmgr.http.session import PlainSession

                self._session = PlainSession()
            return self._session

    def _json(
        self,
        method: str,
        url: str,
        data: bytes | None,
        most: int,
        etag: str | None,
        *,
        repeatable: bool,
        brief: bool = False,
    ) -> JsonReply:
        from pkgmgr.http.body import Body
        from pkgmgr.http.freshness import etag_of, max_age
        from pkgmgr.http.json_body import read_json

        patience = self.patience.brief() if brief else self.patience
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if etag is not None:
            headers["If-None-Match"] = etag

        def attempt() -> JsonReply:
            with self.send(method, url, headers, None if data is None else lambda: data, patience) as reply:
                age, tag = max_age(reply.headers), etag_of(reply.headers)
                if reply.status_code == 304 and etag is not None:
                    return JsonReply(304, None, tag or etag, age)
                if reply.status_code != 200:
                    raise Refused(f"the server replied {reply.status_code} where 200 was expected", reply.status_code)
                body = Body(reply, self.patience.stall, 10 * self.patience.stall)
                return JsonReply(200, read_json(body, most), tag, age)

        return self.told(url, attempt, repeatable=repeatable, patience=patience)

    def told(
        self,
        url: str,
        attempt: Callable[[], _T],
        *,
        repeatable: bool = True,
        check: Callable[[], object] | None = None,
        progressed: Callable[[], bool] | None = None,
        patience: Patience | None = None,
    ) -> _T:
        """Try until it succeeds or patience ends, as `with_tries` does, and say of what goes wrong where it did."""
        try:
            return with_tries(
                attempt,
                patience or self.patience,
                repeatable=repeatable,
                check=check,
                progressed=progressed,
                notice=lambda text: notice(f"{shown(url)}: {text}"),
            )
        except WpmError as error:
            error.args = (f"{shown(url)}: {error}",)
            raise
