"""Interest lists (`epoll(7)`) over whatever a guest can open.

A registration is a guest's descriptor number together with what was open there when it was added. Behind it lie one or
two descriptors of the host: a pipe may have another one for writing. Several registrations may share one, as duplicates
of a descriptor do. What has no descriptor of the host, or one that the kernel cannot wait for (a regular file, bytes in
memory), is always ready: a pipe that is always ready stands in for it, so that edges and one-shot hold for it too.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from runtime.abi.filetype import Filetype
from runtime.fs.node import Stat
from runtime.readiness import ALWAYS, EDGE, IN, ONESHOT, OUT, PRI, RDHUP, kernel_list
from runtime.stdio import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.descriptors import Description

_READING = IN | RDHUP | PRI
_WANTED = _READING | OUT
_MOST_NESTED = 5
_FEW = 64


class Event(NamedTuple):
    """What has happened: `epoll_type` bits, and the words that the guest gave with its interest."""

    events: int
    data: tuple[int, ...]


class _Interest:
    """A registration."""

    __slots__ = ("data", "description", "events", "fd", "places", "stand_in")

    def __init__(self, fd: int, description: Description, events: int, data: tuple[int, ...]) -> None:
        self.fd = fd
        self.description = description
        self.events = events
        self.data = data
        self.places: dict[int, int] = {}
        self.stand_in: tuple[int, int] | None = None

    def gone(self) -> bool:
        """Whether what was open is closed: every descriptor of it, in every process."""
        return self.description.references == 0


class EpollFile(Stream):
    """An interest list."""

    __slots__ = ("_enough", "_interests", "_list", "_lock", "_places", "_waiting")

    filetype = Filetype.UNKNOWN

    def __init__(self) -> None:
        """An empty list.

        Raises:
            OSError: the host has no more descriptors.
        """
        self._list = kernel_list()
        self._interests: dict[tuple[int, int], _Interest] = {}
        self._places: dict[int, list[_Interest]] = {}
        self._waiting: deque[Event] = deque()
        self._enough = _FEW
        self._lock = threading.Lock()

    def fileno(self) -> int | None:
        """The list's descriptor: it is readable while something is ready."""
        return self._list.fileno()

    def add(self, fd: int, description: Description, events: int, data: tuple[int, ...]) -> None:
        """Take an interest in what is open as `fd`.

        Raises:
            FileExistsError: there is one already.
            OSError: `ELOOP` when lists would hold each other; the host has no more descriptors.
        """
        if isinstance(description.file, EpollFile) and description.file.depth(self) >= _MOST_NESTED:
            raise OSError(40, "interest lists hold each other")
        with self._lock:
            if len(self._interests) >= self._enough:
                self._drop_gone()
                self._enough = 2 * len(self._interests) + _FEW
            key = (fd, id(description))
            if key in self._interests:
                raise FileExistsError(17, "the descriptor is in the list")
            interest = _Interest(fd, description, events, data)
            try:
                self._place(interest)
            except BaseException:
                self._remove(interest)
                raise
            self._interests[key] = interest

    def modify(self, fd: int, description: Description, events: int, data: tuple[int, ...]) -> None:
        """Change an interest; a one-shot that has fired is armed again.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._lock:
            interest = self._find(fd, description)
            self._remove(interest)
            interest.events, interest.data = events, data
            self._place(interest)

    def delete(self, fd: int, description: Description) -> None:
        """Take an interest back.

        Raises:
            FileNotFoundError: there is none.
        """
        with self._lock:
            interest = self._find(fd, description)
            self._remove(interest)
            del self._interests[fd, id(description)]

    def ready(self, most: int) -> list[Event]:
        """What has happened, at most so many; nothing when nothing has."""
        with self._lock:
            happened: dict[_Interest, int] = {}
            if len(self._waiting) < most:
                for place, events in self._list.ready(most - len(self._waiting)):
                    self._spread(place, events, happened)
            for interest, events in happened.items():
                self._waiting.append(Event(events, interest.data))
                if interest.events & ONESHOT:
                    self._remove(interest)
            return [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]

    def depth(self, target: EpollFile, seen: int = 0) -> int:
        """How many lists lie within each other below this one; very many when `target` is among them."""
        if self is target or seen > _MOST_NESTED:
            return _MOST_NESTED + 1
        with self._lock:
            files = [interest.description.file for interest in self._interests.values()]
        return 1 + max((file.depth(target, seen + 1) for file in files if isinstance(file, EpollFile)), default=0)

    def _find(self, fd: int, description: Description) -> _Interest:
        try:
            return self._interests[fd, id(description)]
        except KeyError:
            raise FileNotFoundError(2, "the descriptor is not in the list") from None

    def _spread(self, place: int, events: int, happened: dict[_Interest, int]) -> None:
        """Tell everybody who shares a descriptor of the host."""
        self._drop_gone_at(place)
        for interest in self._places.get(place, ()):
            mine = events & (interest.places[place] | ALWAYS)
            if mine:
                happened[interest] = happened.get(interest, 0) | mine

    # The kernel's list

    def _place(self, interest: _Interest) -> None:
        wanted = interest.events & _WANTED
        file = interest.description.file
        if file is not None:
            reading = file.fileno() if wanted & _READING or not wanted & OUT else None
            writing = file.write_fileno() if wanted & OUT else None
            try:
                if reading is not None:
                    self._add_place(interest, reading, wanted & _READING | (wanted & OUT if reading == writing else 0))
                if writing is not None and writing != reading:
                    self._add_place(interest, writing, OUT)
            except PermissionError:
                self._remove(interest)
            if interest.places:
                return
        # A directory, a regular file, bytes in memory.
        interest.stand_in = os.pipe()
        os.write(interest.stand_in[1], b"\0")
        if wanted & _READING:
            self._add_place(interest, interest.stand_in[0], IN)
        if wanted & OUT:
            self._add_place(interest, interest.stand_in[1], OUT)

    def _add_place(self, interest: _Interest, place: int, events: int) -> None:
        # The number may have been that of something that is closed now.
        self._drop_gone_at(place)
        sharing = self._places.setdefault(place, [])
        before = self._union(place, sharing) if sharing else None
        interest.places[place] = events
        sharing.append(interest)
        try:
            self._list.set(place, self._union(place, sharing), before)
        except OSError:
            sharing.remove(interest)
            del interest.places[place]
            if not sharing:
                del self._places[place]
            raise

    def _remove(self, interest: _Interest) -> None:
        for place in list(interest.places):
            sharing = self._places[place]
            before = self._union(place, sharing)
            sharing.remove(interest)
            del interest.places[place]
            if sharing:
                self._list.set(place, self._union(place, sharing), before)
            else:
                del self._places[place]
                self._list.forget(place, before)
        if interest.stand_in is not None:
            for descriptor in interest.stand_in:
                os.close(descriptor)
            interest.stand_in = None

    @staticmethod
    def _union(place: int, sharing: list[_Interest]) -> int:
        """What the kernel is asked for on behalf of all: edges only when nobody wants levels."""
        events = 0
        for interest in sharing:
            events |= interest.places[place]
        if all(interest.events & EDGE for interest in sharing):
            events |= EDGE
        return events

    def _drop_gone(self) -> None:
        for key, interest in list(self._interests.items()):
            if interest.gone():
                self._remove(interest)
                del self._interests[key]

    def _drop_gone_at(self, place: int) -> None:
        for interest in list(self._places.get(place, ())):
            if interest.gone():
                self._remove(interest)
                self._interests.pop((interest.fd, id(interest.description)), None)

    # As an open file

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: events are waited for."""
        del buffers, offset
        raise OSError(22, "an interest list cannot be read")

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: interests are registered."""
        del buffers, offset
        raise OSError(22, "an interest list cannot be written")

    def stat(self) -> Stat:
        """Nothing but the type."""
        return Stat(0, 0, self.filetype, 1, 0, 0, 0, 0)

    def close(self) -> None:
        """Give everything back."""
        with self._lock:
            for interest in self._interests.values():
                self._remove(interest)
            self._interests.clear()
            self._list.close()
