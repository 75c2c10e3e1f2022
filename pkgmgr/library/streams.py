"""The host's ends of a guest's standard streams, as files of Python.

What lies between is a pipe of the runtime: in memory, without a descriptor of the operating system, unless somebody asks
for one (`fileno`, or a guest that polls).
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import threading
import time
from typing import TYPE_CHECKING, BinaryIO, cast

from runtime.waiting import READABLE, WRITABLE, Waker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import ReadableBuffer, WriteableBuffer

    from runtime.pipes import PipeEnd
    from runtime.pseudo_terminal import PseudoTerminal

_BUFFER = 1 << 16
_MOST_PIECES = 4
_pieces: list[memoryview] = []
"""Buffers that nobody reads into just now."""


class PipeReader(io.BufferedIOBase):
    """Reads what a guest writes.

    Args:
        end: The host's end of the pipe.
    """

    def __init__(self, end: PipeEnd) -> None:
        super().__init__()
        self.end = end
        self._buffer = bytearray()
        self._lock = threading.RLock()
        self._waker = Waker()

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def fileno(self) -> int:
        """A descriptor to wait on; it does not block."""
        descriptor = self.end.fileno()
        if descriptor is None:
            raise OSError(errno.EBADF, "there is no descriptor")
        return descriptor

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or to the end."""
        with self._lock:
            wanted = -1 if size is None else size
            while (wanted < 0 or len(self._buffer) < wanted) and self._fill():
                pass
            return self._take(len(self._buffer) if wanted < 0 else wanted)

    def read1(self, size: int = -1, /) -> bytes:
        """Read what is there, so many bytes at the most, and wait only where nothing is."""
        with self._lock:
            if not self._buffer and size:
                self._fill()
            return self._take(len(self._buffer) if size < 0 else size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Read a line with its end, or what there is before the end of all, so many bytes at the most."""
        with self._lock:
            most = -1 if size is None else size
            seen = 0
            while (found := self._buffer.find(b"\n", seen)) < 0:
                seen = len(self._buffer)
                if 0 <= most <= seen or not self._fill():
                    break
            length = found + 1 if found >= 0 else len(self._buffer)
            return self._take(length if most < 0 else min(length, most))

    def read_available(self) -> bytes | None:
        """What can be read without waiting; None at the end."""
        with self._lock:
            try:
                ended = not self._fill_now()
            except BlockingIOError:
                ended = False
            return None if ended and not self._buffer else self._take(len(self._buffer))

    def close(self) -> None:
        """Read no more: a guest that writes gets `EPIPE`, and the signal that comes with it."""
        if not self.closed:
            super().close()
            self._waker.wake()
            self.end.close()
            self._waker.close()

    def _take(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken

    def _fill_now(self) -> bool:
        if self.closed:
            raise ValueError("read of closed file")
        # What a read fills is anybody's: of its own, each reader would hold more memory than the guest that it reads.
        try:
            piece = _pieces.pop()
        except IndexError:
            piece = memoryview(bytearray(_BUFFER))
        try:
            count = self.end.readv([piece], 0)
            self._buffer += piece[:count]
        finally:
            if len(_pieces) < _MOST_PIECES:
                _pieces.append(piece)
        return count > 0

    def _fill(self) -> bool:
        while True:
            try:
                return self._fill_now()
            except BlockingIOError:
                wait([(self.end, False)], self._waker, None)


class PipeWriter(io.RawIOBase):
    """Writes what a guest reads; nothing is kept back.

    Args:
        end: The host's end of the pipe.
    """

    def __init__(self, end: PipeEnd) -> None:
        super().__init__()
        self.end = end
        self._waker = Waker()

    def writable(self) -> bool:
        """Whether it can be written: it can."""
        return True

    def fileno(self) -> int:
        """A descriptor to wait on; it does not block."""
        descriptor = self.end.write_fileno()
        if descriptor is None:
            raise OSError(errno.EBADF, "there is no descriptor")
        return descriptor

    def write(self, data: ReadableBuffer) -> int:
        """Write all of it, and wait where the guest does not read.

        Raises:
            BrokenPipeError: The guest reads no more.
        """
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            try:
                done += self.write_some(view[done:])
            except BlockingIOError:
                wait([(self.end, True)], self._waker, None)
        return done

    def write_some(self, data: memoryview) -> int:
        """Write what the guest takes now; gives how much that was.

        Raises:
            BlockingIOError: It takes nothing now.
            BrokenPipeError: It reads no more.
        """
        if self.closed:
            raise ValueError("write to closed file")
        return self.end.writev([data], 0)

    def close(self) -> None:
        """Write no more: the guest reads to the end of what was written."""
        if not self.closed:
            super().close()
            self._waker.wake()
            self.end.close()
            self._waker.close()


class TerminalReader(io.RawIOBase):
    """Reads what a guest shows on its terminal.

    Args:
        terminal: The terminal.
    """

    def __init__(self, terminal: PseudoTerminal) -> None:
        super().__init__()
        self._terminal = terminal

    def readable(self) -> bool:
        """Whether it can be read: it can."""
        return True

    def isatty(self) -> bool:
        """Whether a terminal is behind it: there is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._terminal.control

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read what is there; 0 once the guest has ended."""
        try:
            while True:
                try:
                    return os.readv(self._terminal.control, [buffer])
                except BlockingIOError:
                    _ready(self._terminal.control, select.POLLIN)
        except OSError as error:
            if error.errno == errno.EIO:
                # Linux's way of telling that nobody has the other end any more.
                return 0
            raise


class TerminalWriter(io.RawIOBase):
    """Types on a guest's terminal: the keys that stand for signals, as Ctrl-C, send them.

    Args:
        terminal: The terminal.
        interrupt: Called with the number of a signal.
    """

    def __init__(self, terminal: PseudoTerminal, interrupt: Callable[[int], object]) -> None:
        super().__init__()
        self._terminal = terminal
        self._interrupt = interrupt

    def writable(self) -> bool:
        """Whether it can be written: it can."""
        return True

    def isatty(self) -> bool:
        """Whether a terminal is behind it: there is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._terminal.control

    def write(self, data: ReadableBuffer) -> int:
        """Type all of it."""
        keys = memoryview(data).cast("B")
        left = keys
        while left:
            try:
                left = left[self.write_some(left) :]
            except BlockingIOError:
                _ready(self._terminal.control, select.POLLOUT)
        return len(keys)

    def write_some(self, data: memoryview) -> int:
        """Type what the terminal takes now; gives how much that was.

        Raises:
            BlockingIOError: It takes nothing now.
        """
        from runtime.pseudo_terminal import type_keys

        count = os.write(self._terminal.control, data)
        type_keys(self._terminal.control, bytes(data[:count]), self._interrupt)
        return count


def as_file(stream: io.IOBase) -> BinaryIO:
    """A stream as the type that Python has for binary files."""
    return cast("BinaryIO", stream)


def wait(ends: Sequence[tuple[PipeEnd, bool]], waker: Waker, deadline: int | None) -> None:
    """Wait until it is worth to try again to read or write one of some pipes, or a moment has passed.

    Args:
        ends: The host's ends, each with whether to write to it.
        waker: Who waits.
        deadline: Nanoseconds of `time.monotonic_ns`; None waits without end.
    """
    interests: list[tuple[int, int]] = []
    for end, writing in ends:
        patience = end.patience(waker, writing=writing)
        if patience == 0:
            return
        if patience is None:
            descriptor = end.write_fileno() if writing else end.fileno()
            if descriptor is not None:
                interests.append((descriptor, WRITABLE if writing else READABLE))
        elif patience > 0:
            soon = time.monotonic_ns() + patience
            deadline = soon if deadline is None else min(deadline, soon)
    with contextlib.suppress(OSError, ValueError):
        # A pipe that is closed meanwhile has no descriptor: whoever tries again hears of it.
        waker.wait(interests, deadline)


def _ready(descriptor: int, events: int) -> None:
    poll = select.poll()
    poll.register(descriptor, events)
    poll.poll()
