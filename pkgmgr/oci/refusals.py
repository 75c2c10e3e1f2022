"""What an OCI registry says with an error, as one line that says what to do.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import Refused, WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    import requests

_MOST_BYTES: Final = 1 << 16
_MOST_SECONDS: Final = 5.0
_LONGEST: Final = 200
_WORDS: Final = {
    "BLOB_UNKNOWN": "the registry has no such blob",
    "BLOB_UPLOAD_INVALID": "the registry takes no upload like this",
    "BLOB_UPLOAD_UNKNOWN": "the registry knows nothing of the upload any more",
    "DIGEST_INVALID": "the registry received other bytes than were sent",
    "MANIFEST_BLOB_UNKNOWN": "the registry does not have all that the manifest names",
    "MANIFEST_INVALID": "the registry does not take the manifest",
    "MANIFEST_UNKNOWN": "the repository has no such tag or manifest",
    "NAME_INVALID": "the registry takes no repository of this name",
    "NAME_UNKNOWN": "the registry has no such repository",
    "SIZE_INVALID": "the registry received another number of bytes than was sent",
    "UNSUPPORTED": "the registry does not do this",
}


class Challenged(Exception):
    """A registry wants to know who asks (401).

    Args:
        challenge: Its header `WWW-Authenticate`.
        said: What it says, in a phrase.
    """

    def __init__(self, challenge: str, said: str) -> None:
        super().__init__(said)
        self.challenge = challenge


class OciRefused(Refused):
    """A registry that said no.

    Attributes:
        code: Its error code, as `MANIFEST_UNKNOWN`; empty where it gave none.
    """

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message, status)
        self.code = code


class Said(NamedTuple):
    """The first error in a reply: its code and its message, either may be empty."""

    code: str
    message: str

    def __str__(self) -> str:
        words = ", ".join(part for part in (self.code, self.message) if part)
        return f": {words}" if words else ""


def judged(reply: requests.Response, login: str) -> requests.Response:
    """The reply, where it is a success.

    Args:
        reply: What a registry answered.
        login: What to do where the registry wants to know who asks, or does not allow it.

    Raises:
        Challenged: It wants to know who asks.
        TryAgain: It says that another time may go better.
        OciRefused: It says no.
    """
    from pkgmgr.http.exchange import raise_passing

    status = reply.status_code
    if 200 <= status < 300:
        return reply
    try:
        said = said_in(reply)
        raise_passing(reply, str(said))
        match status:
            case 401:
                raise Challenged(reply.headers.get("WWW-Authenticate", ""), str(said))
            case 403:
                raise OciRefused(f"not allowed ({status}){said}{login}", status, said.code or "DENIED")
            case 407:
                raise OciRefused("the proxy of the environment wants a name and a password (407)", status)
            case 404 | 410 if not said.code:
                raise OciRefused(f"not found ({status})", status)
        words = _WORDS.get(said.code, f"the registry replied {status}")
        raise OciRefused(f"{words} ({status}){said}", status, said.code)
    finally:
        reply.close()


def said_in(reply: requests.Response) -> Said:
    """What the body of an error says."""
    import json

    from pkgmgr.http.body import Body
    from pkgmgr.http.retry import TryAgain

    with suppress(WpmError, TryAgain, ValueError, RecursionError):
        body = Body(reply, _MOST_SECONDS, _MOST_SECONDS)
        data = b""
        while len(data) <= _MOST_BYTES and (piece := body.read(_MOST_BYTES)):
            data += piece
        match json.loads(data):
            case {"errors": [{"code": str(code), **rest}, *_]}:
                message = rest.get("message")
                return Said(one_line(code, 40), one_line(message, _LONGEST) if isinstance(message, str) else "")
            case {"message": str(text)} | {"details": str(text)} | {"error_description": str(text)}:
                return Said("", one_line(text, _LONGEST))
            case {"error": str(text)}:
                return Said("", one_line(text, _LONGEST))
    return Said("", "")
