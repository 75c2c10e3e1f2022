"""The clocks of an environment: a guest may set the time that it sees, and only that."""

from __future__ import annotations

import time
from _thread import allocate_lock

_lock = allocate_lock()


class WallClock:
    """The time of day of one environment, shared by its processes; the host's clock is never touched.

    Attributes:
        offset: nanoseconds by which it is ahead of the host's.
    """

    __slots__ = ("_cell", "offset")

    def __init__(self) -> None:
        """Show the host's time."""
        self.offset = 0
        self._cell = 0

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns() + self.offset

    def set(self, now: int) -> None:
        """Show this time from now on, in nanoseconds since the epoch."""
        self.offset = now - time.time_ns()
        self._show()

    def cell(self) -> int:
        """Where on the desk the offset stands (`runtime.engine.desk`), for who reads the clock there; 0 for nowhere."""
        from runtime.engine.desk import desk

        with _lock:
            if not self._cell:
                self._cell = desk().new_cell()
        self._show()
        return self._cell

    def _show(self) -> None:
        if self._cell:
            from runtime.engine.desk import desk

            desk().longs[self._cell >> 3] = self.offset & 0xFFFF_FFFF_FFFF_FFFF

    def __del__(self) -> None:
        if self._cell:
            from runtime.engine.desk import desk

            desk().free_cell(self._cell)
