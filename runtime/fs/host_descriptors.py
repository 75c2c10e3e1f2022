"""Directory descriptors of the host: opened when needed, a bounded number kept, closed when nobody uses them."""

from __future__ import annotations

import os
import threading
from collections import deque
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from runtime.fs.hostfs import HostDirectory

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Descriptor:
    """A descriptor that is closed with the last reference to it.

    Whoever uses the number keeps the object in a local variable meanwhile: so no other thread can close it, and the
    operating system cannot give the number to something else.
    """

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __del__(self) -> None:
        os.close(self.number)


class DescriptorPool:
    """Which directories keep their descriptor: the most recently used ones ("second chance" order).

    Args:
        size: how many descriptors are kept.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: deque[ref[HostDirectory]] = deque()
        self._lock = threading.Lock()

    def keep(self, directory: HostDirectory) -> None:
        """Count a directory that has just been opened, and let go of others if they are too many."""
        with self._lock:
            self._kept.append(ref(directory))
            chances = len(self._kept)
            while len(self._kept) > self._size:
                other = self._kept.popleft()()
                if other is None:
                    continue
                if other.recently_used and chances:
                    other.recently_used = False
                    chances -= 1
                    self._kept.append(ref(other))
                else:
                    other.forget_descriptor()
