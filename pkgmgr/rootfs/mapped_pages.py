"""Keeping the pages of mapped packages out of this process once they were written: they stay in the system's cache."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING, Final

from pkgmgr.rootfs.members import Members

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.rootfs.entry import Entry

_AT_MOST: Final = 64 << 20


class MappedPages:
    """Counts what was read of mapped files, and lets their pages go from time to time.

    What is mapped counts as memory of this process once it was looked at, so that writing an image of a gigabyte would take
    one.

    Args:
        entries: What is read.
    """

    __slots__ = ("_maps", "_read")

    def __init__(self, entries: Iterable[Entry]) -> None:
        if isinstance(entries, Members):
            contents = (content for run in entries.runs for content in run.table.contents())
        else:
            contents = (entry.content for entry in entries)
        found: dict[int, object] = {}
        last: object = None
        for content in contents:
            # The files of a package follow one another.
            if type(content) is memoryview and content.obj is not last:
                last = content.obj
                found[id(last)] = last
        self._maps = [each for each in found.values() if isinstance(each, mmap.mmap)]
        self._read = 0

    def counted(self, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        """The same pieces, each counted as read when the next is asked for."""
        for piece in pieces:
            yield piece
            self.read(len(piece))

    def read(self, size: int) -> None:
        """Say that so many bytes were read, and are not looked at again soon."""
        self._read += size
        if self._read > _AT_MOST:
            self.release()

    def release(self) -> None:
        """Let go of all that was read."""
        self._read = 0
        if hasattr(mmap, "MADV_DONTNEED"):
            for mapped in self._maps:
                mapped.madvise(mmap.MADV_DONTNEED)
