"""The body of a reply, read as it arrives: decoded within bounds, and given up where it stalls."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.http.failures import failure, low_errors
from pkgmgr.http.retry import TryAgain

if TYPE_CHECKING:
    import requests

PIECE: Final = 1 << 18
"""No piece of a body is larger than this many bytes."""

_SLOWEST: Final = 100.0
_GZIP: Final = 16 + zlib.MAX_WBITS


class Body:
    """The body of a reply as pieces.

    Args:
        reply: A reply whose body was not read.
        stall: In this many seconds something must arrive, and 100 bytes for each: one now and then is a stall too.
        most_seconds: The body must be here in this many seconds of waiting; None lets it take its time.

    Raises:
        WpmError: It is encoded in a way that was not asked for.
    """

    def __init__(self, reply: requests.Response, stall: float, most_seconds: float | None = None) -> None:
        self._raw = reply.raw
        self._stall = stall
        self._most_seconds = most_seconds
        self._waited = 0.0
        self._window = 0.0
        self._window_bytes = 0
        self._decoder = None
        match reply.headers.get("Content-Encoding", "").strip().lower():
            case "" | "identity":
                pass
            case "gzip" | "x-gzip":
                self._decoder = zlib.decompressobj(_GZIP)
            case other:
                raise WpmError(f"the reply is encoded as {other[:40]!r}, which was not asked for")
        self._pending = b""

    @property
    def encoded(self) -> bool:
        """Whether the body is compressed on its way, so that its length says nothing of what comes out."""
        return self._decoder is not None

    def read(self, most: int = PIECE) -> bytes:
        """The next piece, of at most so many bytes; nothing at the end.

        Raises:
            TryAgain: The connection broke or stalls.
            WpmError: What was compressed is damaged.
        """
        most = min(most, PIECE)
        if self._decoder is None:
            return self._receive(most)
        while True:
            received = self._pending or self._receive(PIECE)
            try:
                piece = self._decoder.decompress(received, most)
            except zlib.error as error:
                raise WpmError(f"the reply is not the gzip that it says it is: {error}") from None
            self._pending = self._decoder.unconsumed_tail
            if piece or self._decoder.eof:
                return piece
            if not received:
                raise TryAgain("the connection broke before the end")

    def _receive(self, most: int) -> bytes:
        began = time.monotonic()
        try:
            piece: bytes = self._raw.read1(most, decode_content=False) or b""
        except low_errors() as error:
            raise failure(error) from None
        self._pace(time.monotonic() - began, len(piece))
        return piece

    def _pace(self, seconds: float, count: int) -> None:
        """See that something arrives; only waiting for the server counts, not what is done with its bytes."""
        self._waited += seconds
        self._window += seconds
        self._window_bytes += count
        if count and self._most_seconds is not None and self._waited > self._most_seconds:
            raise TryAgain(f"the reply was not whole after {self._waited:.0f} s")
        if self._window > self._stall:
            if count and self._window_bytes < _SLOWEST * self._window:
                raise TryAgain(f"the server sent only {self._window_bytes} bytes in {self._window:.0f} s")
            self._window, self._window_bytes = 0.0, 0
