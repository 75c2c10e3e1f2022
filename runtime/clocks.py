"""The clocks of an environment: a guest may set the time that it sees, and only that."""

from __future__ import annotations

import time


class WallClock:
    """The time of day of one environment, shared by its processes; the host's clock is never touched.

    Attributes:
        offset: nanoseconds by which it is ahead of the host's.
    """

    __slots__ = ("offset",)

    def __init__(self) -> None:
        """Show the host's time."""
        self.offset = 0

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns() + self.offset

    def set(self, now: int) -> None:
        """Show this time from now on, in nanoseconds since the epoch."""
        self.offset = now - time.time_ns()
