"""Bytes on their way through a pipe, in memory: a ring of fixed size, first in, first out."""

from __future__ import annotations

import mmap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CAPACITY = 1 << 21
"""Bytes in a ring: so much its ends can do before they have to take turns."""

_MOST, _MOST_SPARE = 32, 4
_places: list[memoryview | None] = [None] * _MOST
"""One for each ring that there may be and is not, of all guests together: with the memory of one that there was, or without.

A list and no lock: a ring may be collected amid anything.
"""


class Ring:
    """A ring; whoever uses it takes care that one thread at a time does.

    Attributes:
        filled: how many bytes are in it.
    """

    __slots__ = ("_data", "_start", "filled")

    def __init__(self, data: memoryview) -> None:
        """Make an empty ring: for `Ring.make`, which counts them."""
        self._data = data
        self._start = 0
        self.filled = 0

    @classmethod
    def make(cls) -> Ring | None:
        """A ring; `None` when there are as many as there may be, or the host has no memory for it."""
        try:
            data = _places.pop()
        except IndexError:
            return None
        try:
            # Pages of it that were never written are not there: a pipe of a few bytes is small.
            return cls(data or memoryview(mmap.mmap(-1, CAPACITY, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)))
        except OSError:
            _places.insert(0, None)
            return None

    def __del__(self) -> None:
        # Its pages serve the next pipe, which gives nobody a byte that was not written to it: to be given them anew took a
        # third of the time of 100 MB.
        if sum(place is not None for place in tuple(_places)) < _MOST_SPARE:
            _places.append(self._data)
        else:
            _places.insert(0, None)

    def put(self, buffers: Sequence[memoryview]) -> int:
        """Add what fits; how many bytes that were."""
        before = self.filled
        for buffer in buffers:
            size = min(len(buffer), CAPACITY - self.filled)
            at = (self._start + self.filled) % CAPACITY
            first = min(size, CAPACITY - at)
            self._data[at : at + first] = buffer[:first]
            if first < size:
                self._data[: size - first] = buffer[first:size]
            self.filled += size
        return self.filled - before

    def take(self, buffers: Sequence[memoryview]) -> int:
        """Give the oldest bytes, as many as there are; how many that were."""
        before = self.filled
        for buffer in buffers:
            size = min(len(buffer), self.filled)
            first = min(size, CAPACITY - self._start)
            buffer[:first] = self._data[self._start : self._start + first]
            if first < size:
                buffer[first:size] = self._data[: size - first]
            self._start = (self._start + size) % CAPACITY
            self.filled -= size
        if not self.filled:
            # Few bytes at a time stay in the same few pages.
            self._start = 0
        return before - self.filled

    def drain(self) -> memoryview:
        """Everything that is in it."""
        found = memoryview(bytearray(self.filled))
        self.take([found])
        return found
