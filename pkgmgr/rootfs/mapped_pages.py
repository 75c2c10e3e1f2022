"""Keeping the pages of mapped packages out of this process once they were written: they stay in the system's cache."""

from __future__ import annotations

import mmap
from typing import Final

_AT_MOST: Final = 32 << 20


class MappedPages:
    """Counts what was read of mapped files, and lets their pages go from time to time.

    What is mapped counts as memory of this process once it was looked at, so that writing an image of a gigabyte would take
    one.
    """

    __slots__ = ("_last", "_maps", "_read")

    def __init__(self) -> None:
        self._read = 0
        self._last: object = None
        self._maps: list[mmap.mmap] = []

    def read(self, content: memoryview) -> None:
        """Say that some bytes were read and are not looked at again soon."""
        mapped = content.obj
        if mapped is not self._last:
            self._last = mapped
            if isinstance(mapped, mmap.mmap):
                self._maps.append(mapped)
        self._read += len(content)
        if self._read > _AT_MOST:
            self.release()

    def release(self) -> None:
        """Let go of all that was read."""
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)
        self._maps.clear()
        self._last = None
        self._read = 0
