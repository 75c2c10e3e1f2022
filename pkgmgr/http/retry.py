"""When a request is tried again, and how long that waits."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from pkgmgr.errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")

PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Replies that say that another time may go better."""

NOT_DONE: Final = frozenset({425, 429, 503})
"""Those of them that say that nothing was done."""

_TICK: Final = 0.1
_FELT: Final = 5.0
"""Seconds after which people wonder whether anything happens."""


class Patience(NamedTuple):
    """How long is waited for what.

    Attributes:
        tries: How often a request is made at most.
        connect: Seconds until a connection must stand.
        stall: Seconds in which something of a reply must arrive.
        pause: Seconds before the second try, about; each further pause is twice as long.
        longest_pause: No pause is longer than these seconds, whatever the server asks for.
        connections: How often a request is made at most where there is no connection at all.
    """

    tries: int = 4
    connect: float = 10.0
    stall: float = 30.0
    pause: float = 0.5
    longest_pause: float = 30.0
    connections: int = 4

    @classmethod
    def configured(cls, tries: int = 4) -> Patience:
        """As the user wants it: `WPM_HTTP_TIMEOUT` is the seconds for connections and for replies that stall."""
        import os

        usual = cls(tries, connections=tries)
        try:
            seconds = float(os.environ.get("WPM_HTTP_TIMEOUT") or 0)
        except ValueError:
            return usual
        return usual._replace(connect=seconds, stall=seconds) if 0 < seconds < 1e6 else usual

    def brief(self) -> Patience:
        """For who has something to fall back on: a second try at a connection after a moment, and that was it."""
        return self._replace(connections=min(2, self.tries), connect=min(3.0, self.connect), pause=min(0.2, self.pause))

    def before(self, tries: int, asked: float | None) -> float:
        """Seconds to wait after this many tries; `asked` is what the server asked for."""
        # Whoever failed together shall not come back together.
        usual = self.pause * 2.0 ** (tries - 1) * random.uniform(0.5, 1.5)
        return min(self.longest_pause, usual if asked is None else asked + usual / 4)


class TryAgain(Exception):
    """A request failed in a way that may pass.

    Args:
        reason: What happened, in a phrase.
        after: The seconds for which the server asked to be left alone.
        arrived: Whether the request may have been carried out, so that only one is made again that may be repeated.
    """

    def __init__(self, reason: str, after: float | None = None, *, arrived: bool = True) -> None:
        super().__init__(reason)
        self.after = after
        self.arrived = arrived


class NoConnection(TryAgain):
    """There was no connection, so that nobody has seen the request.

    Args:
        reason: What happened, in a phrase.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason, arrived=False)


def with_tries(
    attempt: Callable[[], _T],
    patience: Patience,
    *,
    repeatable: bool = True,
    check: Callable[[], object] | None = None,
    progressed: Callable[[], bool] | None = None,
    notice: Callable[[str], object] | None = None,
) -> _T:
    """Try until it succeeds or patience ends.

    Args:
        attempt: What is tried; it raises `TryAgain` where that may help.
        patience: How often, and how long to wait between.
        repeatable: Whether doing it twice does no harm.
        check: Called now and then while waiting; what it raises ends the waiting.
        progressed: Whether the last try brought something, so that it does not count.
        notice: Told why it takes so long, before a pause that is felt.

    Raises:
        Unreachable: The last try failed too.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return attempt()
        except TryAgain as error:
            if progressed is not None and progressed():
                tries = 1
            most = min(patience.tries, patience.connections) if isinstance(error, NoConnection) else patience.tries
            if tries >= most or (error.arrived and not repeatable):
                often = f" (tried {tries} times)" if tries > 1 else ""
                wait = f"; it asks to be left alone for {error.after:.0f} s" if error.after else ""
                raise Unreachable(f"{error}{wait}{often}") from None
            pause = patience.before(tries, error.after)
            if notice is not None and pause >= _FELT:
                notice(f"{error}; trying again in {pause:.0f} s")
            _wait(pause, check)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a `Retry-After` header asks for, given in seconds or as a date (RFC 9110, section 10.2.3)."""
    text = headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None


def _wait(seconds: float, check: Callable[[], object] | None) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if check is not None:
            check()
        time.sleep(min(left, _TICK))
