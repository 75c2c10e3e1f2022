"""A guest's standard streams, to be awaited."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import errno
import os
from typing import TYPE_CHECKING, Protocol

from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from pkgmgr.library.streams import PipeReader, PipeWriter, TerminalWriter
    from runtime.pipes import PipeEnd
    from runtime.pseudo_terminal import PseudoTerminal

_PIECE = 1 << 16


class _Waker:
    """Wakes a task from any thread."""

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def wake(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.event.set)


async def _until(register: Callable[[int, Callable[[], None]], None], remove: Callable[[int], object], fd: int) -> None:
    """Wait until a descriptor is ready."""
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def ready() -> None:
        if not future.done():
            future.set_result(None)

    register(fd, ready)
    try:
        await future
    finally:
        remove(fd)


async def _readable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _until(loop.add_reader, loop.remove_reader, fd)


async def _writable(fd: int) -> None:
    loop = asyncio.get_running_loop()
    await _until(loop.add_writer, loop.remove_writer, fd)


async def _pipe_ready(end: PipeEnd, waker: _Waker, *, writing: bool) -> None:
    waker.event.clear()
    patience = end.patience(waker, writing=writing)
    if patience is None:
        descriptor = end.write_fileno() if writing else end.fileno()
        if descriptor is not None:
            await (_writable(descriptor) if writing else _readable(descriptor))
    elif patience < 0:
        await waker.event.wait()
    elif patience:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(waker.event.wait(), patience / 1e9)
    else:
        # Others have their turn, too.
        await asyncio.sleep(0)


class Source(Protocol):
    """Where a `Reader` reads."""

    def take(self) -> bytes | None:
        """What is there now; None at the end."""
        ...

    async def ready(self) -> None:
        """Wait until it is worth to look again."""
        ...


class PipeSource:
    """Reads a pipe.

    Args:
        reader: The pipe.
    """

    def __init__(self, reader: PipeReader) -> None:
        self._reader = reader
        self._waker = _Waker()

    def take(self) -> bytes | None:
        """As `Source.take`."""
        return None if self._reader.closed else self._reader.read_available()

    async def ready(self) -> None:
        """As `Source.ready`."""
        await _pipe_ready(self._reader.end, self._waker, writing=False)


class TerminalSource:
    """Reads a terminal.

    Args:
        terminal: The terminal.
    """

    def __init__(self, terminal: PseudoTerminal) -> None:
        self._terminal = terminal
        os.set_blocking(terminal.control, False)

    def take(self) -> bytes | None:
        """As `Source.take`."""
        try:
            return os.read(self._terminal.control, _PIECE) or None
        except BlockingIOError:
            return b""
        except OSError as error:
            if error.errno in (errno.EIO, errno.EBADF):
                return None
            raise

    async def ready(self) -> None:
        """As `Source.ready`."""
        await _readable(self._terminal.control)


class Reader:
    """Reads what a guest writes (`Process.stdout`); iterating gives its lines, as bytes with their ends.

    One task at a time reads.

    Args:
        source: Where from.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._buffer = bytearray()
        self._ended = False

    def __repr__(self) -> str:
        return f"<Reader: {len(self._buffer)} bytes at hand{', and no more' if self._ended else ''}>"

    async def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or to the end.

        Args:
            size: How many bytes; fewer come at the end. Negative is all.
        """
        while (size < 0 or len(self._buffer) < size) and await self._fill():
            pass
        return self._take(len(self._buffer) if size < 0 else size)

    async def read1(self, size: int = -1) -> bytes:
        """Read what is there, and wait only where nothing is; empty at the end.

        Args:
            size: How many bytes at the most; negative is all that is there.
        """
        if not self._buffer and size:
            await self._fill()
        return self._take(len(self._buffer) if size < 0 else size)

    async def readline(self, size: int = -1) -> bytes:
        """Read a line with its end; what there is before the end of all; empty at the end.

        Args:
            size: How many bytes at the most: a guest may write a line without an end. Negative is no limit.
        """
        seen = 0
        while (found := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if 0 <= size <= seen or not await self._fill():
                break
        length = found + 1 if found >= 0 else len(self._buffer)
        return self._take(length if size < 0 else min(length, size))

    async def lines(self, encoding: str = "utf-8", errors: str = "strict") -> AsyncIterator[str]:
        """Iterate over the lines as text, without their ends.

        Args:
            encoding: How they are encoded.
            errors: What to do about bytes that are not, as `bytes.decode` takes it.
        """
        decoder = codecs.getincrementaldecoder(encoding)(errors)
        pending = ""
        while piece := await self.read1():
            pending += decoder.decode(piece)
            *whole, pending = pending.split("\n")
            for line in whole:
                yield line.removesuffix("\r")
        pending += decoder.decode(b"", final=True)
        if pending:
            yield pending

    async def chunks(self) -> AsyncIterator[bytes]:
        """Iterate over what comes, as it comes."""
        while piece := await self.read1():
            yield piece

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._each_line()

    async def _each_line(self) -> AsyncIterator[bytes]:
        while line := await self.readline():
            yield line

    def _take(self, count: int) -> bytes:
        taken = bytes(memoryview(self._buffer)[:count])
        del self._buffer[:count]
        return taken

    async def _fill(self) -> bool:
        while not self._ended:
            piece = self._source.take()
            if piece is None:
                self._ended = True
            elif piece:
                self._buffer += piece
                return True
            else:
                await self._source.ready()
        return False


class Writer:
    """Writes what a guest reads (`Process.stdin`). One task at a time writes.

    Args:
        stream: The pipe or terminal.
    """

    def __init__(self, stream: PipeWriter | TerminalWriter) -> None:
        self._stream = stream
        self._waker = _Waker()

    def __repr__(self) -> str:
        return f"<Writer: {'closed' if self._stream.closed else 'open'}>"

    async def write(self, data: bytes | bytearray | memoryview | str) -> None:
        """Write all of it, and wait where the guest does not read.

        Args:
            data: The bytes; text is encoded as UTF-8.

        Raises:
            WpmError: The guest reads no more, or it was closed.
        """
        view = content("data", data)
        while view:
            view = await self._left_of(view)

    async def _left_of(self, view: memoryview) -> memoryview:
        """What is left to be written: after it was tried, and waited for where the guest takes nothing."""
        if self._stream.closed:
            raise WpmError("the guest's standard input is closed")
        try:
            return view[self._stream.write_some(view) :]
        except BlockingIOError:
            await self._ready()
            return view
        except OSError as error:
            raise WpmError(f"the guest reads no more: {error.strerror or error}") from None

    async def close(self) -> None:
        """Write no more: the guest reads to the end of what was written."""
        with contextlib.suppress(OSError):
            self._stream.close()

    async def _ready(self) -> None:
        end = getattr(self._stream, "end", None)
        if end is not None:
            await _pipe_ready(end, self._waker, writing=True)
        else:
            await _writable(self._stream.fileno())
