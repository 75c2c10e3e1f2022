"""Compression that gives the same bytes on every machine, whatever zlib it has: see `compress/`.

What comes out is a sequence of independent members (gzip) or frames (Zstandard), each of a fixed number of bytes of input, so
that several threads work on it and memory is bounded. All programs read such files as one.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.compressor import SETTINGS, Compressor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Self

    from pkgmgr.rootfs.compressor import Method

METHODS: Final = ("none", "gzip", "zstd")
"""What `compressed` knows."""

_MOST_THREADS: Final = 8


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Compressors:
    """Compressors on threads of their own, shared by whoever compresses at the same time. A context manager.

    Args:
        method: How they compress.
        jobs: How many threads there are; None takes one for each processor, at most 8.

    Raises:
        WpmError: There is no such method.
    """

    def __init__(self, method: str, jobs: int | None = None) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.method = checked_method(method)
        self.jobs = max(1, min(jobs or processors(), _MOST_THREADS))
        self._threads = ThreadPoolExecutor(self.jobs, "wpm-compress")
        self._own = threading.local()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)

    def compressed(self, pieces: Iterable[bytes | memoryview], ahead: int | None = None) -> Iterator[bytes]:
        """Compress a stream.

        Args:
            pieces: Its bytes, which stay as they are until what comes of them was given.
            ahead: How many of its members may be on the way at once: so much memory it takes. None keeps every thread busy.

        Raises:
            WpmError: A compressor failed, or whatever `pieces` raises.
        """
        ahead = self.jobs + 1 if ahead is None else ahead
        waiting: deque[Future[bytes]] = deque()
        try:
            for parts in _cut(pieces, SETTINGS[self.method].piece):
                waiting.append(self._threads.submit(self._compress, parts))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()

    def _compress(self, parts: list[bytes | memoryview]) -> bytes:
        compressor: Compressor | None = getattr(self._own, "compressor", None)
        if compressor is None:
            compressor = self._own.compressor = Compressor(self.method)
        return compressor.compress(parts)


def compressed(
    pieces: Iterable[bytes | memoryview], method: str, compressors: Compressors | None = None
) -> Iterator[bytes | memoryview]:
    """Compress a stream, on as many threads as there are processors (at most 8), a few megabytes at a time.

    Args:
        pieces: The bytes; they stay as they are until what comes of them was given.
        method: `none`, `gzip` or `zstd`.
        compressors: Compressors of this method that several streams share; None makes some for this one.

    Raises:
        WpmError: There is no such method, a compressor failed, or whatever `pieces` raises.
    """
    if method == "none":
        yield from pieces
        return
    with Compressors(method) if compressors is None else nullcontext(compressors) as those:
        yield from those.compressed(pieces)


def checked_method(method: str) -> Method:
    """A method's name, of those that compress.

    Raises:
        WpmError: There is no such method.
    """
    match method:
        case "gzip" | "zstd":
            return method
    raise WpmError(f"{method}: there is no such compression: choose one of {', '.join(METHODS)}")


def _cut(pieces: Iterable[bytes | memoryview], size: int) -> Iterator[list[bytes | memoryview]]:
    """The same bytes in runs of `size`, the last one shorter; one run without bytes where there are none."""
    run: list[bytes | memoryview] = []
    room, cut = size, False
    for piece in pieces:
        view = memoryview(piece).cast("B") if len(piece) > room else piece
        while len(view) > room:
            run.append(view[:room])
            view = view[room:]
            yield run
            run, room, cut = [], size, True
        if view:
            run.append(view)
            room -= len(view)
    if run or not cut:
        yield run
