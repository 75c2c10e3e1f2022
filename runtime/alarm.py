"""A clock that rings: what a process's interval timer and its time limit wait on."""

from __future__ import annotations

import threading

from runtime.abi.errno import Errno, GuestError
from runtime.host_threads import leave_signals_to_main
from runtime.same_processor import same_processor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_SHORTEST = 0.001
"""Seconds between two rings at the least: a guest that asks for more gets no more of the host's time."""


class Alarm:
    """Rings once, or again and again, on a thread of its own until it is cancelled."""

    def __init__(self, seconds: float, ring: Callable[[], None], *, repeat: bool = False) -> None:
        """Ring in so many seconds.

        Args:
            seconds: how long until it rings, and between rings; a thousandth at the least.
            ring: what to do then.
            repeat: whether to go on.

        Raises:
            GuestError: `AGAIN`: the host gives no more threads.
        """
        self._seconds = min(max(seconds, _SHORTEST), threading.TIMEOUT_MAX)
        self._ring = ring
        self._repeat = repeat
        self._cancelled = threading.Event()
        try:
            threading.Thread(target=self._run, name="alarm", daemon=True).start()
        except RuntimeError:
            raise GuestError(Errno.AGAIN) from None

    def cancel(self) -> None:
        """Ring no more; a ring that is under way goes on."""
        self._cancelled.set()

    def _run(self) -> None:
        leave_signals_to_main()
        same_processor.leave()
        while not self._cancelled.wait(self._seconds):
            self._ring()
            if not self._repeat:
                return
