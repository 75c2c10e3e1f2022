"""The kernel's own lists of descriptors to wait for: epoll where there is one, kqueue elsewhere.

Both tell levels and edges, and both have a descriptor that is readable while something is ready: so an edge is never
guessed, and a wait for the list itself is a wait like any other.
"""

from __future__ import annotations

import contextlib
import select
import sys
from typing import Protocol

IN, OUT, RDHUP, PRI, ERR, HUP = 1, 2, 4, 8, 16, 32
"""`epoll_type` of WASIX: what is waited for and what has happened."""
EDGE, ONESHOT = 64, 128
"""`epoll_type` of WASIX: how it is told."""
ALWAYS = ERR | HUP
"""What is told whether it was asked for or not."""


class KernelList(Protocol):
    """Descriptors of the operating system, each with `epoll_type` bits."""

    def fileno(self) -> int:
        """The list's own descriptor."""
        ...

    def set(self, descriptor: int, events: int, before: int | None) -> None:
        """Wait for these events of a descriptor; `before` is what was waited for, `None` for nothing.

        Raises:
            PermissionError: the descriptor cannot be waited for: it is that of a regular file.
        """
        ...

    def forget(self, descriptor: int, before: int) -> None:
        """Do not wait for a descriptor any more; it may be closed already."""
        ...

    def ready(self, most: int) -> list[tuple[int, int]]:
        """What is ready now: descriptors with events."""
        ...

    def close(self) -> None:
        """Give the list back."""
        ...


if sys.platform == "linux":
    _PAIRS = (
        (IN, select.EPOLLIN),
        (OUT, select.EPOLLOUT),
        (RDHUP, select.EPOLLRDHUP),
        (PRI, select.EPOLLPRI),
        (ERR, select.EPOLLERR),
        (HUP, select.EPOLLHUP),
        (EDGE, select.EPOLLET),
        (ONESHOT, select.EPOLLONESHOT),
    )

    class _Epoll:
        """The list of Linux."""

        def __init__(self) -> None:
            self._list = select.epoll(flags=select.EPOLL_CLOEXEC)

        def fileno(self) -> int:
            return self._list.fileno()

        def set(self, descriptor: int, events: int, before: int | None) -> None:
            mask = sum(host for bit, host in _PAIRS if events & bit)
            if before is None:
                self._list.register(descriptor, mask)
            else:
                self._list.modify(descriptor, mask)

        def forget(self, descriptor: int, before: int) -> None:
            del before
            with contextlib.suppress(OSError):
                self._list.unregister(descriptor)

        def ready(self, most: int) -> list[tuple[int, int]]:
            found = self._list.poll(0, most)
            return [(descriptor, sum(bit for bit, host in _PAIRS if mask & host)) for descriptor, mask in found]

        def close(self) -> None:
            self._list.close()

    def kernel_list() -> KernelList:
        """A new list."""
        return _Epoll()

else:

    class _Queue:
        """The list of macOS and the BSDs: a filter for each direction."""

        def __init__(self) -> None:
            self._queue = select.kqueue()
            self._events: dict[int, int] = {}

        def fileno(self) -> int:
            return self._queue.fileno()

        def set(self, descriptor: int, events: int, before: int | None) -> None:
            if before is not None:
                self.forget(descriptor, before)
            how = select.KQ_EV_ADD
            how |= select.KQ_EV_CLEAR if events & EDGE else 0
            how |= select.KQ_EV_ONESHOT if events & ONESHOT else 0
            changes = [select.kevent(descriptor, filter_, how) for filter_ in self._filters(events)]
            if changes:
                self._queue.control(changes, 0)
            self._events[descriptor] = events

        def forget(self, descriptor: int, before: int) -> None:
            self._events.pop(descriptor, None)
            for filter_ in self._filters(before):
                with contextlib.suppress(OSError):
                    self._queue.control([select.kevent(descriptor, filter_, select.KQ_EV_DELETE)], 0)

        def ready(self, most: int) -> list[tuple[int, int]]:
            found: dict[int, int] = {}
            for event in self._queue.control(None, most, 0):
                bits = IN if event.filter == select.KQ_FILTER_READ else OUT
                if event.flags & select.KQ_EV_EOF:
                    bits |= RDHUP | (HUP if event.filter == select.KQ_FILTER_WRITE else 0)
                    bits |= ERR if event.fflags else 0
                found[event.ident] = found.get(event.ident, 0) | bits
            return list(found.items())

        def close(self) -> None:
            self._queue.close()

        @staticmethod
        def _filters(events: int) -> list[int]:
            filters = [select.KQ_FILTER_READ] if events & (IN | RDHUP | PRI) else []
            return filters + ([select.KQ_FILTER_WRITE] if events & OUT else [])

    def kernel_list() -> KernelList:
        """A new list."""
        return _Queue()
