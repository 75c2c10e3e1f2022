"""Standard streams: the host's own, pipes, and buffers in memory."""

from __future__ import annotations

import contextlib
import os
import select
import stat as host_stat
import sys
import threading
import time

from runtime.abi.filetype import Filetype
from runtime.fs.node import OpenFile, Stat
from runtime.pipe_ring import CAPACITY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.desk_ring import DeskRing

_ATOMIC_PIPE_WRITE = select.PIPE_BUF
_IOV_MAX = 1024


def total(buffers: Sequence[memoryview]) -> int:
    """The number of bytes in the buffers together."""
    return len(buffers[0]) if len(buffers) == 1 else sum(map(len, buffers))


class Stream(OpenFile):
    """A file without a position: what it reads and writes comes and goes in order."""

    __slots__ = ()

    seekable = False

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """Write; a stream has no end to write at but its own."""
        return self.writev(buffers, 0), 0

    def truncate(self, size: int) -> None:
        """Refuse: a stream has no size."""
        raise OSError(22, f"a stream cannot be truncated to {size} bytes")

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Ignore the times of a stream, as a pipe does."""
        del atim, mtim


class HostStream(Stream):
    """A descriptor of the operating system: a terminal, a pipe, a socket, or a regular file that was redirected.

    A regular file keeps the operating system's own position, so that what runs before and after the guest on the same
    descriptor goes on where the guest stopped.
    """

    __slots__ = ("_closes", "_fd", "_nonblocking", "_regular", "filetype")

    def __init__(self, fd: int, *, closes: bool = True) -> None:
        """Serve a descriptor.

        Args:
            fd: an open descriptor of the operating system.
            closes: whether it is ours to close, and to make non-blocking; the process's own standard streams are shared
                with other processes, and get neither.
        """
        mode = os.fstat(fd).st_mode
        self._regular = host_stat.S_ISREG(mode)
        self._closes = closes
        self._fd = fd
        self._nonblocking = False
        self.filetype = _filetype(fd, mode)
        if not self._regular:
            if closes:
                os.set_blocking(fd, False)
                self._nonblocking = True
            elif host_stat.S_ISFIFO(mode) and sys.platform == "linux":
                # A second open of the same pipe has flags of its own: ours may be non-blocking, theirs is as it was.
                with contextlib.suppress(OSError):
                    access = os.O_WRONLY if _writable(fd) else os.O_RDONLY
                    self._fd = os.open(f"/proc/self/fd/{fd}", access | os.O_NONBLOCK | os.O_CLOEXEC)
                    self._nonblocking = self._closes = True

    def fileno(self) -> int | None:
        """The descriptor to wait on; a regular file never makes one wait."""
        return None if self._regular else self._fd

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Read what is there; `BlockingIOError` when that is nothing yet."""
        del offset
        if not self._nonblocking and not self._regular and not _ready(self._fd, select.POLLIN):
            raise BlockingIOError
        return os.readv(self._fd, buffers)

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Write what fits; `BlockingIOError` when nothing does."""
        del offset
        if self._nonblocking or self._regular:
            return os.writev(self._fd, buffers)
        if not _ready(self._fd, select.POLLOUT):
            raise BlockingIOError
        # A descriptor that says it is writable takes this much without blocking; more might not return at once.
        for buffer in buffers:
            if len(buffer):
                return os.write(self._fd, buffer[:_ATOMIC_PIPE_WRITE])
        return 0

    def stat(self) -> Stat:
        """The metadata that the host has."""
        found = os.fstat(self._fd)
        return Stat(
            found.st_dev & 0xFFFF_FFFF_FFFF_FFFF,
            found.st_ino,
            self.filetype,
            found.st_nlink,
            found.st_size if self._regular else 0,
            found.st_atime_ns,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )

    def close(self) -> None:
        """Close the descriptor if it is ours."""
        if self._closes:
            os.close(self._fd)


class InputBuffer(Stream):
    """Standard input from bytes in memory."""

    __slots__ = ("_data", "_lock", "_position", "filetype")

    def __init__(self, data: bytes = b"", filetype: Filetype = Filetype.UNKNOWN) -> None:
        """Serve the bytes; `filetype` is what the guest is told it reads, a pipe or a terminal."""
        self._data = memoryview(data)
        self._position = 0
        self._lock = threading.Lock()
        self.filetype = filetype

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Read the next bytes."""
        del offset
        done = 0
        with self._lock:
            for buffer in buffers:
                part = self._data[self._position : self._position + len(buffer)]
                buffer[: len(part)] = part
                self._position += len(part)
                done += len(part)
        return done

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: this is an input."""
        del buffers, offset
        raise OSError(9, "standard input cannot be written")

    def stat(self) -> Stat:
        """A pipe's metadata: nothing but its type."""
        return Stat(0, 0, self.filetype, 1, 0, 0, 0, 0)


class OutputBuffer(Stream):
    """Standard output or error captured in memory."""

    __slots__ = ("_data", "_limit", "_lock", "_ring", "filetype")

    desked = True

    def __init__(self, limit: int | None = None, filetype: Filetype = Filetype.UNKNOWN) -> None:
        """Capture at most `limit` bytes: a guest that writes more gets `ENOSPC`."""
        self._data = bytearray()
        self._limit = limit
        self._lock = threading.Lock()
        self._ring: DeskRing | None = None
        self.filetype = filetype

    @property
    def data(self) -> bytearray:
        """Everything written so far."""
        with self._lock:
            self._collect()
        return self._data

    def on_desk(self) -> tuple[DeskRing | None, DeskRing | None]:
        """As `OpenFile.on_desk`."""
        from runtime.desk_ring import DeskRing

        with self._lock:
            if self._ring is None and self._has_room():
                self._ring = DeskRing.reserve(_ignore)
                if self._ring is not None:
                    self._ring.keep_whole()
                    self._ring.unlock()
            return None, self._ring

    def _has_room(self) -> bool:
        """Whether all that fits into a ring may be captured."""
        return self._limit is None or self._limit - len(self._data) >= CAPACITY

    def _collect(self, *, last: bool = False) -> None:
        """Take what guests have written without the host; with the lock held."""
        ring = self._ring
        if ring is not None:
            ring.lock()
            self._data += ring.drain()
            if last or not self._has_room():
                ring.give_up()
                self._ring = None
            ring.unlock()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse: this is an output."""
        del buffers, offset
        raise OSError(9, "standard output cannot be read")

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Add the bytes to what was captured."""
        del offset
        count = total(buffers)
        with self._lock:
            if self._ring is not None:
                self._collect()
            if self._limit is not None and len(self._data) + count > self._limit:
                return self._overflow(buffers, self._limit - len(self._data))
            for buffer in buffers:
                self._data += buffer
        return count

    def _overflow(self, buffers: Sequence[memoryview], room: int) -> int:
        """Take what does not fit as a whole, with the lock held; how much the guest is told was taken."""
        del buffers, room
        raise OSError(28, "the captured output is full")

    def getvalue(self) -> bytes:
        """Everything written so far."""
        with self._lock:
            self._collect()
            return bytes(self._data)

    def close(self) -> None:
        """Nobody writes any more."""
        with self._lock:
            self._collect(last=True)

    def stat(self) -> Stat:
        """A pipe's metadata: nothing but its type and the time."""
        now = time.time_ns()
        return Stat(0, 0, self.filetype, 1, 0, now, now, now)


def _ignore(side: int) -> None:
    """Nobody waits for a captured output."""
    del side


def pipe() -> tuple[HostStream, HostStream]:
    """A pipe of the operating system: the end to read from and the end to write to."""
    reading, writing = os.pipe()
    return HostStream(reading), HostStream(writing)


def _filetype(fd: int, mode: int) -> Filetype:
    if host_stat.S_ISREG(mode):
        return Filetype.REGULAR_FILE
    if host_stat.S_ISSOCK(mode):
        return Filetype.SOCKET_STREAM
    if host_stat.S_ISCHR(mode):
        # A C library takes every character device without a position for a terminal: only a terminal may look like one.
        return Filetype.CHARACTER_DEVICE if os.isatty(fd) else Filetype.UNKNOWN
    return Filetype.UNKNOWN


def _writable(fd: int) -> bool:
    import fcntl

    return (fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE) == os.O_WRONLY


def _ready(fd: int, events: int) -> bool:
    poll = select.poll()
    poll.register(fd, events)
    return bool(poll.poll(0))
