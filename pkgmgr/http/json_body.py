"""JSON from a server that may be anybody: read within bounds, and nothing but JSON."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from pkgmgr.http.body import Body

LARGEST_JSON: Final = 32 << 20
"""No JSON reply is longer than this many bytes, after decompression."""

DEEPEST: Final = 64
"""No JSON reply is nested deeper than this."""

_MOST_CONTAINERS: Final = 2_000_000


def read_json(body: Body, most: int = LARGEST_JSON) -> Any:
    """The value that a body is.

    Args:
        body: The body, read to its end, or given up at the bound.
        most: Its longest length in bytes, after decompression.

    Raises:
        TryAgain: The connection broke or stalls.
        WpmError: It is too long or too deep, or no JSON.
    """
    data = bytearray()
    while piece := body.read():
        data += piece
        if len(data) > most:
            raise WpmError(f"the reply is longer than the {most} bytes that are read of one")
    return parse_json(bytes(data))


def parse_json(data: bytes) -> Any:
    """The value of JSON text that is hostile until it is shown to be harmless; raises `WpmError` where it is not."""
    if re.match(rb"\s*<", data):
        raise WpmError("the reply is HTML, not JSON: is the URL right, or does a proxy or a login page answer instead?")
    # Two million empty lists in 6 MB would take 120 MB.
    if data.count(b"[") + data.count(b"{") > _MOST_CONTAINERS:
        raise WpmError(f"the reply has more than {_MOST_CONTAINERS} lists and objects")
    try:
        value = json.loads(data, parse_constant=_not_json)
    except RecursionError:
        raise WpmError("the reply is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise WpmError(f"the reply is not JSON: {error.msg} at character {error.pos}") from None
    except ValueError as error:
        raise WpmError(f"the reply is not JSON: {' '.join(str(error).split())[:100]}") from None
    _check_depth(value)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST + 1):
        level = (
            [
                inner
                for outer in level
                for inner in (outer.values() if isinstance(outer, dict) else outer)
                if isinstance(inner, dict | list)
            ]
            if isinstance(level[0], dict | list)
            else []
        )
        if not level:
            return
    raise WpmError("the reply is nested too deeply")


def _not_json(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON")
