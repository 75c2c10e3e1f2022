"""What a server says with an error: the one sentence of it that helps."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.http.body import Body
from pkgmgr.http.retry import TryAgain
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    import requests

_MOST_BYTES: Final = 1 << 16
_MOST_SECONDS: Final = 5.0
_LONGEST: Final = 300


def refusal(reply: requests.Response) -> str:
    """The message in the JSON body of a failed request; empty where there is none."""
    if "json" not in reply.headers.get("Content-Type", "").lower():
        return ""
    with suppress(WpmError, TryAgain, ValueError, RecursionError):
        body = Body(reply, _MOST_SECONDS, _MOST_SECONDS)
        data = b""
        while len(data) <= _MOST_BYTES and (piece := body.read(_MOST_BYTES)):
            data += piece
        return _message(json.loads(data))
    return ""


def _message(value: object) -> str:
    match value:
        case {"errors": [{"message": str(text)}, *_]} | {"errors": [str(text), *_]}:
            pass
        case {"message": str(text)} | {"error": str(text)} | {"error": {"message": str(text)}} | {"detail": str(text)}:
            pass
        case _:
            return ""
    text = one_line(text, _LONGEST + 1)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
