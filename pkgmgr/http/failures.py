"""What goes wrong on the way to a server and back, in words, and whether trying again may help."""

from __future__ import annotations

import re
from typing import Final

from pkgmgr.errors import WpmError
from pkgmgr.http.retry import NoConnection, TryAgain
from pkgmgr.plain_text import one_line

_CERTIFICATES: Final = (
    (
        "certificate has expired",
        "its certificate has expired: tell whoever runs the server, and check this machine's clock",
    ),
    ("not yet valid", "its certificate is not valid yet: check this machine's clock"),
    ("self-signed", "its certificate is self-signed"),
    ("self signed", "its certificate is self-signed"),
    ("unable to get local issuer", "its certificate is of an authority that this machine does not know"),
    ("hostname mismatch", "its certificate is for another host"),
    ("doesn't match", "its certificate is for another host"),
    ("certificate is not valid for", "its certificate is for another host"),
    ("certificate revoked", "its certificate was revoked"),
)
_PRIVATE: Final = ("self-signed", "self signed", "unable to get local issuer")


def failure(error: Exception) -> TryAgain | WpmError:
    """The error of the HTTP libraries as one of ours, without the URL.

    Args:
        error: What `requests`, `urllib3` or the sockets below them raised.
    """
    import socket
    from http.client import BadStatusLine, IncompleteRead, RemoteDisconnected

    import requests
    import urllib3.exceptions as low

    chain = _chain(error)
    text = _phrase(chain)

    def has(*types: type[BaseException]) -> bool:
        return any(isinstance(each, types) for each in chain)

    if has(requests.exceptions.SSLError, low.SSLError):
        return _tls(" ".join(str(each) for each in chain), text)
    if has(requests.exceptions.ProxyError, low.ProxyError):
        return NoConnection(f"the proxy of the environment cannot be used: {text}")
    if has(socket.gaierror, low.NameResolutionError):
        return NoConnection("the name of the host is not found: is it right, and is there a network?")
    if has(ConnectionRefusedError):
        return NoConnection("the connection was refused: nothing listens there")
    if has(low.ConnectTimeoutError) and not has(ConnectionResetError):
        # A connection that is refused in other ways is one of these, too.
        new = has(low.NewConnectionError)
        return NoConnection(f"no connection: {text}" if new else "no connection in time")
    if has(low.NewConnectionError):
        return NoConnection(f"no connection: {text}")
    if has(low.ReadTimeoutError, TimeoutError):
        return TryAgain("the server stopped sending")
    if has(low.IncompleteRead, IncompleteRead):
        return TryAgain("the connection broke before the end")
    if has(requests.exceptions.InvalidURL):
        return WpmError(f"not a URL that can be asked: {text}")
    if has(BadStatusLine) and not has(RemoteDisconnected):
        return WpmError("what answers there does not speak HTTP")
    if has(ConnectionResetError):
        return TryAgain("the connection was reset")
    if has(ConnectionError, low.ProtocolError, requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
        return TryAgain(f"the connection broke: {text}")
    return WpmError(text)


def low_errors() -> tuple[type[Exception], ...]:
    """What the HTTP libraries raise; imported only where there is HTTP."""
    from http.client import HTTPException

    import requests
    import urllib3.exceptions

    return requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError


def _tls(whole: str, text: str) -> TryAgain | WpmError:
    lowered = whole.lower()
    if "certificate" not in lowered:
        if "unexpected_eof" in lowered or "eof occurred" in lowered:
            return TryAgain("the connection broke in the TLS handshake")
        if "wrong_version_number" in lowered or "record layer" in lowered:
            return WpmError("it does not speak TLS there: is http:// meant?")
        return WpmError(f"TLS failed: {text}")
    for phrase, words in _CERTIFICATES:
        if phrase in lowered:
            trust = "; if it can be trusted, name its CA file in WPM_CA_BUNDLE" if phrase in _PRIVATE else ""
            return WpmError(f"{words}{trust}")
    return WpmError(f"its certificate is not accepted: {text}")


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what caused it, outermost first: these libraries wrap one another's in several ways."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or any(each is known for known in found):
            continue
        found.append(each)
        waiting += [getattr(each, "reason", None), each.__cause__, each.__context__, *each.args]
    return found


def _phrase(chain: list[BaseException]) -> str:
    innermost = next((each for each in reversed(chain) if str(each)), chain[0])
    text = " ".join(str(innermost).split()) or type(innermost).__name__
    # People read neither errno nor the name of a C file.
    text = re.sub(r"^.*?\[Errno -?\d+\]\s*", "", text)
    text = re.sub(r"\s*\(_ssl\.c:\d+\)", "", text)
    return one_line(text, 200)
