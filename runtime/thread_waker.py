"""How a guest's thread waits: while it does it does not compute, and leaves its turn to others."""

from __future__ import annotations

from runtime.hostcalls import current
from runtime.same_processor import rests
from runtime.turns import turns
from runtime.waiting import Waker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class ThreadWaker(Waker):
    """Interrupts the waits of a guest thread, which does not compute while it waits."""

    __slots__ = ()

    def wait(self, interests: Sequence[tuple[int, int]], deadline: int | None) -> list[tuple[int, int]] | None:
        """As `Waker.wait`."""
        # Not kept by the waker: the two would keep each other.
        thread = current.thread
        turns.give_up(thread)
        rests()
        ready = super().wait(interests, deadline)
        turns.take(thread)
        return ready
