"""A ring that lies on the desk, where guests read and write it without the host, and what tells a guest's desk of it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from runtime.engine.desk import DESCRIPTORS, desk
from runtime.errors import RuntimeFault
from runtime.pipe_ring import Ring

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.descriptors import Description
    from runtime.fs.node import OpenFile

_START, _FILLED, _GIVEN_UP, _TELL_READER, _TELL_WRITER, _TAKEN, _, _WHOLE = range(1, 9)
_NEVER = 0xFFFF_FFFF

_rings: WeakValueDictionary[int, DeskRing] = WeakValueDictionary()


class DeskRing(Ring):
    """A ring on the desk; whoever uses it has it locked.

    Attributes:
        place: where it is on the desk.
        told: called when a guest has written or read as much as somebody waits for; with 0 for who wants to read, 1 for
            who wants to write.
    """

    __slots__ = ("__weakref__", "_at", "_seen", "_words", "place", "told")

    def __init__(self, place: int, told: Callable[[int], None]) -> None:
        """Use the new ring at this place."""
        self.place = place
        self.told = told
        self._words = desk().words
        self._at = place >> 2
        self._seen = 0
        super().__init__(desk().data(place))
        _rings[place] = self

    @classmethod
    def reserve(cls, told: Callable[[int], None], spare: int = 0) -> DeskRing | None:
        """An empty ring on the desk, locked; None when there is no room, or would then be none for so many others."""
        try:
            place = desk().new_ring(spare)
        except RuntimeFault:
            return None
        if not place:
            return None
        ring = cls(place, told)
        ring.lock()
        return ring

    @classmethod
    def of(cls, ring: Ring, told: Callable[[int], None]) -> DeskRing | None:
        """A ring on the desk with what was in another, locked; None when there is no room."""
        new = cls.reserve(told)
        if new is not None and (rest := ring.drain()):
            new.put([rest])
        return new

    @property
    def _start(self) -> int:
        return self._words[self._at + _START]

    @_start.setter
    def _start(self, value: int) -> None:
        self._words[self._at + _START] = value

    @property
    def filled(self) -> int:
        """How many bytes are in it."""
        return self._words[self._at + _FILLED]

    @filled.setter
    def filled(self, value: int) -> None:
        self._words[self._at + _FILLED] = value

    def lock(self) -> None:
        """Keep guests from it."""
        desk().lock(self.place)

    def unlock(self) -> None:
        """Let guests go on."""
        desk().unlock(self.place)

    def give_up(self) -> None:
        """Send guests that read or write it to the host from now on."""
        self._words[self._at + _GIVEN_UP] = 1

    @property
    def given_up(self) -> bool:
        """Whether guests are sent to the host."""
        return self._words[self._at + _GIVEN_UP] != 0

    def keep_whole(self) -> None:
        """Send a guest that would transfer only a part to the host: files and what is captured are not used to that."""
        self._words[self._at + _WHOLE] = 1

    def empty(self) -> None:
        """Have nothing in it."""
        self._start = self.filled = 0

    def put_from(self, file: OpenFile, position: int, size: int) -> int:
        """Have at most so many bytes of a file in it, from a position on; how many that are."""
        self._start = 0
        count = self.filled = file.readv([self._data[:size]], position)
        return count

    def tell(self, reader: int | None, writer: int | None) -> None:
        """From how many bytes on who wants to read is to be told, and down to how many who wants to write."""
        self._words[self._at + _TELL_READER] = _NEVER if reader is None else reader
        self._words[self._at + _TELL_WRITER] = _NEVER if writer is None else writer

    def taken(self) -> int:
        """How many bytes guests have taken since this was last asked."""
        now = self._words[self._at + _TAKEN]
        new, self._seen = (now - self._seen) & 0xFFFF_FFFF, now
        return new

    def __del__(self) -> None:
        if hasattr(self, "_seen"):
            self.give_up()
            desk().free_ring(self.place)


def tell(place: int, side: int) -> None:
    """A guest has written (side 0) or read (1) as much as somebody waits for at this ring."""
    ring = _rings.get(place)
    if ring is not None:
        ring.told(side)


class DescriptorRings:
    """Which rings are behind the descriptors of a process, as its guests' desks look it up."""

    __slots__ = ("_shown", "_words", "place")

    def __init__(self, place: int) -> None:
        """Use the new table at this place."""
        self.place = place
        # With the rings: as long as a guest may look a ring up, its place is nobody else's.
        self._shown: dict[int, tuple[Description, DeskRing | None, DeskRing | None]] = {}
        self._words = desk().words

    @classmethod
    def make(cls) -> DescriptorRings | None:
        """An empty table; None when there is no room."""
        place = desk().new_table()
        return cls(place) if place else None

    def shows(self, fd: int, description: Description, rings: tuple[DeskRing | None, DeskRing | None]) -> bool:
        """Whether this is what it says of a descriptor."""
        shown = self._shown.get(fd)
        return shown is not None and shown[0] is description and shown[1] is rings[0] and shown[2] is rings[1]

    def show(self, fd: int, description: Description, read: DeskRing | None, written: DeskRing | None) -> None:
        """Say which rings are read and written by a descriptor."""
        if fd < DESCRIPTORS:
            before = self._shown.get(fd)
            self._set(fd, read.place if read is not None else 0, written.place if written is not None else 0)
            self._shown[fd] = description, read, written
            del before  # not freed before nobody looks it up

    def hide(self, fd: int) -> None:
        """Say no more of a descriptor."""
        if fd in self._shown:
            self._set(fd, 0, 0)
            del self._shown[fd]

    def hide_all(self) -> None:
        """Say nothing more."""
        for fd in list(self._shown):
            self.hide(fd)

    def _set(self, fd: int, read: int, written: int) -> None:
        at = (self.place >> 2) + 2 * fd
        self._words[at], self._words[at + 1] = read, written

    def __del__(self) -> None:
        desk().free_table(self.place)
