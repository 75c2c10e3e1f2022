"""What guests write, kept in memory."""

from __future__ import annotations

from runtime.stdio import OutputBuffer, total

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Capture(OutputBuffer):
    """Keeps the beginning of what is written, and lets the rest go: the guest is told that all of it was taken.

    Args:
        limit: How many bytes to keep; None keeps all.

    Attributes:
        truncated: Whether something was let go.
    """

    __slots__ = ("truncated",)

    def __init__(self, limit: int | None) -> None:
        super().__init__(limit)
        self.truncated: bool = False

    def _overflow(self, buffers: Sequence[memoryview], room: int) -> int:
        self.truncated = self.truncated or any(buffers)
        for buffer in buffers:
            self._data += buffer[:room]
            room = max(0, room - len(buffer))
        return total(buffers)
