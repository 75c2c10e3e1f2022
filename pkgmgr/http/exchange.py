"""One request, its redirects, and whether its reply is a success.

Redirects are followed here and not by `requests`, so that a token stays with its own origin, https stays https, and nobody
is sent in circles.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from pkgmgr.errors import Refused, WpmError
from pkgmgr.http.failures import failure, low_errors
from pkgmgr.http.origin import origin_of, shown
from pkgmgr.http.refusal import refusal
from pkgmgr.http.retry import NOT_DONE, PASSING, TryAgain, retry_after
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import requests

    from pkgmgr.http.retry import Patience

CA_VARIABLES: Final = ("WPM_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
"""Where the environment may name the certificate authorities to trust instead of the usual ones: the first that is set."""

_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SUCCESSES: Final = frozenset({200, 201, 204, 206, 304})
_STAYS: Final = ("accept", "accept-encoding", "content-type", "if-none-match", "if-range", "range")
"""The headers that go along to another origin: the others may say something that only the first may know."""


def exchange(
    session: requests.Session,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: Callable[[], object] | None,
    tokens: Callable[[str], str | None],
    patience: Patience,
    *,
    judge: Callable[[requests.Response], requests.Response] | None = None,
    stay: bool = False,
) -> requests.Response:
    """Send a request and follow its redirects.

    Args:
        session: What sends it.
        method: `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
        url: Where to.
        headers: What goes with it; a redirect to another origin takes only what says nothing of who asks.
        body: Gives its body, anew for each time that it is sent; None where it has none.
        tokens: The token for an origin.
        patience: The timeouts.
        judge: Looks at the reply instead of us: gives it, or raises what is wrong with it.
        stay: Whether a redirect to another origin is an error, as the body has a secret in it.

    Returns:
        A reply with status 200, 201, 204, 206 or 304, or what the judge lets pass, whose body was not read.

    Raises:
        TryAgain: It failed in a way that may pass.
        Refused: The server says no.
        WpmError: There is something wrong with the URL, the certificate or the redirects.
    """
    origin = home = origin_of(url)
    asked, sent = url, dict(headers)
    for _ in range(_MOST_REDIRECTS + 1):
        token = tokens(home) if home else None
        if token:
            sent["Authorization"] = f"Bearer {token}"
        try:
            reply = _send(session, method, url, sent, body() if body else None, patience)
            location = reply.headers.get("Location")
            if reply.status_code not in _REDIRECTS or not location:
                if judge is not None:
                    return judge(reply)
                return _successful(reply, origin, with_token=bool(token))
        except (TryAgain, WpmError) as error:
            if url != asked:
                error.args = (f"it redirects to {shown(url)}: {error}", *error.args[1:])
            raise
        reply.close()
        url = _redirected(url, location)
        if reply.status_code == 303 and method == "POST":
            method, body = "GET", None
            sent.pop("Content-Type", None)
        if origin_of(url) != origin:
            if stay:
                raise WpmError(f"the server redirects to {shown(url)}, which must not see what is sent")
            # Once away it stays away: a way back is as little to be trusted as the one that led here.
            origin, home = origin_of(url), ""
            sent = {name: value for name, value in sent.items() if name.lower() in _STAYS}
    raise WpmError(f"the server redirects again and again, at last to {shown(url)}")


def _send(
    session: requests.Session, method: str, url: str, headers: Mapping[str, str], body: object, patience: Patience
) -> requests.Response:
    try:
        return session.request(
            method,
            url,
            data=body,  # type: ignore[arg-type]
            headers=dict(headers),
            timeout=(patience.connect, patience.stall),
            verify=_authorities(),
            auth=_as_it_is,
            allow_redirects=False,
            stream=True,
        )
    except low_errors() as error:
        raise failure(error) from None
    except UnicodeError as error:
        # A host name that cannot be encoded is found out only deep below.
        raise WpmError(f"not a URL that can be asked: {error}") from None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send the request's own credentials: without this, requests would take those of the user's .netrc or of the URL."""
    return request


def _authorities() -> str | bool:
    for name in CA_VARIABLES:
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise WpmError(f"{name}: {path}: there is no such file with certificate authorities")
            return path
    return True


def _redirected(url: str, location: str) -> str:
    """The URL that a redirect leads to."""
    with suppress(UnicodeError):
        # Servers send UTF-8, which HTTP libraries read as Latin-1.
        location = location.encode("latin-1").decode()
    try:
        target = urljoin(url, location)
        origin_of(target)
    except (ValueError, WpmError):
        raise WpmError(f"the server redirects to {shown(location)}, which is not http(s)") from None
    if url.lower().startswith("https:") and not target.lower().startswith("https:"):
        raise WpmError(f"the server redirects to {shown(target)}, which is not https")
    return target


def _successful(reply: requests.Response, origin: str, *, with_token: bool) -> requests.Response:
    status = reply.status_code
    if status in _SUCCESSES:
        return reply
    try:
        raise_passing(reply)
        said = refusal(reply)
        said = f": {said}" if said else ""
        match status:
            case 401 | 403 if with_token:
                raise Refused(f"the token for {origin} is not accepted ({status}){said}: run wpm login", status)
            case 401 | 403:
                raise Refused(f"it needs a token ({status}){said}: run wpm login", status)
            case 404 | 410:
                raise Refused(f"not found ({status}){said}", status)
            case 407:
                raise Refused("the proxy of the environment wants a name and a password (407)", status)
            case _:
                raise Refused(f"the server replied {status} {_reason(reply)}".rstrip() + said, status)
    finally:
        reply.close()


def raise_passing(reply: requests.Response, said: str = "") -> None:
    """Raise `TryAgain` where a reply says that another time may go better; `said` is what else it says."""
    if reply.status_code in PASSING:
        what = f"the server replied {reply.status_code} {_reason(reply)}".rstrip() + said
        raise TryAgain(what, retry_after(reply.headers), arrived=reply.status_code not in NOT_DONE)


def _reason(reply: requests.Response) -> str:
    return one_line(str(reply.reason or ""), 60)
