"""Reading on ahead of a guest: the next bytes of a file that never changes lie on the desk before the guest asks for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from runtime.desk_ring import DeskRing

if TYPE_CHECKING:
    from runtime.fs.node import OpenFile

_FIRST, _MOST, _LEAST = 1 << 15, 1 << 19, 1 << 13


class ReadAhead:
    """The bytes of an open file from its position on, as far as they lie on the desk.

    A guest that reads one piece after another is given more at a time, one that goes elsewhere before it has read them less,
    and none at all in the end.

    Attributes:
        lock: of who asks what was taken, and keeps the position.
    """

    __slots__ = ("_given", "_size", "lock", "ring")

    def __init__(self, ring: DeskRing) -> None:
        """Use this ring, which is locked."""
        self.ring = ring
        self.lock = threading.Lock()
        self._size = _FIRST
        self._given = 0
        ring.keep_whole()
        ring.unlock()

    @classmethod
    def make(cls) -> ReadAhead | None:
        """With nothing on the desk yet; None when there is no room for another."""
        ring = DeskRing.reserve(_ignore, spare=8)
        return None if ring is None else cls(ring)

    def taken(self) -> int:
        """How many bytes guests have read since this was last asked; the others are taken away. With the lock held."""
        ring = self.ring
        ring.lock()
        taken = ring.taken()
        ring.empty()
        ring.unlock()
        if 2 * taken < self._given:
            self._size //= 2
        elif 4 * taken > 3 * self._given:
            self._size = min(_MOST, self._size * 2)
        self._given = 0
        return taken

    def give(self, file: OpenFile, position: int) -> bool:
        """Put the bytes from this position on there, where none are; whether that is still worth it. With the lock held."""
        ring = self.ring
        ring.lock()
        if self._size >= _LEAST:
            self._given = ring.put_from(file, position, self._size)
        else:
            ring.give_up()
        ring.unlock()
        return not ring.given_up


def _ignore(side: int) -> None:
    """Nobody waits for a file."""
    del side
