"""A guest that runs, to be awaited."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from pkgmgr.errors import WpmError
from pkgmgr.library.aio.streams import PipeSource, Reader, TerminalSource, Writer
from pkgmgr.library.aio.waiting import Ended, in_thread, to_the_end
from pkgmgr.library.streams import PipeReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.library.completed import Completed
    from pkgmgr.library.process import Process as Guest


class Process:
    """A guest that runs, or has ended: what `spawn` gives.

    As an asynchronous context manager it ends the guest, if that still runs, and closes the streams.

    Args:
        guest: The same for programs that do not await.
    """

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._ended = Ended(guest)
        stdio = guest._stdio
        self._stdin = None if stdio.writer is None else Writer(stdio.writer)
        self._stdout: Reader | None = None
        if stdio.terminal is not None:
            self._stdout = Reader(TerminalSource(stdio.terminal))
        elif isinstance(stdio.reader, PipeReader):
            self._stdout = Reader(PipeSource(stdio.reader))
        self._stderr = None if stdio.error_reader is None else Reader(PipeSource(stdio.error_reader))

    def __repr__(self) -> str:
        return repr(self._guest)

    @property
    def command(self) -> str:
        """What runs, as it was asked for."""
        return self._guest.command

    @property
    def pid(self) -> int:
        """The guest's number, as it sees it itself: unique in its sandbox, not on the host."""
        return self._guest.pid

    @property
    def stdin(self) -> Writer:
        """What the guest reads: write to it, and close it.

        Raises:
            WpmError: It was not spawned with `stdin="pipe"`.
        """
        if self._stdin is None:
            raise self._no_pipe("stdin")
        return self._stdin

    @property
    def stdout(self) -> Reader:
        """What the guest writes: read it, or iterate over its lines.

        Raises:
            WpmError: It was not spawned with `stdout="pipe"`.
        """
        if self._stdout is None:
            raise self._no_pipe("stdout")
        return self._stdout

    @property
    def stderr(self) -> Reader:
        """What the guest writes to standard error.

        Raises:
            WpmError: It was not spawned with `stderr="pipe"`.
        """
        if self._stderr is None:
            raise self._no_pipe("stderr")
        return self._stderr

    def poll(self) -> int | None:
        """The exit code; None while the guest runs."""
        return self._guest.poll()

    async def wait(self, timeout: float | None = None, *, check: bool = False) -> Completed:
        """Wait for the guest's end. To cancel this leaves the guest alone.

        Args:
            timeout: Seconds to wait at the most; the guest goes on.
            check: Whether to raise where the guest has not succeeded.

        Returns:
            How it ended; with its output where that is captured.

        Raises:
            WaitTimeout: It still runs.
            ProcessFailed: It has not succeeded, and `check` asks for that.
            WpmError: It could not be run.
        """
        if timeout is None:
            await self._ended.wait()
        else:
            try:
                async with asyncio.timeout(timeout):
                    await self._ended.wait()
            except TimeoutError:
                raise self._guest._still_runs(timeout) from None
        return self._guest.wait(check=check)

    async def communicate(
        self, input: bytes | str | None = None, timeout: float | None = None, *, check: bool = False
    ) -> Completed:
        """Write the guest's input, read its output, and wait for its end.

        To cancel this leaves the guest alone: it goes on when it is called again.

        Args:
            input: What it reads; text is encoded as UTF-8.
            timeout: Seconds to wait at the most; the guest goes on, and so does this when it is called again.
            check: Whether to raise where the guest has not succeeded.

        Returns:
            How it ended, and what of its output was not read before.

        Raises:
            WaitTimeout: It still runs.
            ProcessFailed: It has not succeeded, and `check` asks for that.
            WpmError: It could not be run, or has a terminal.
        """
        out, err = kept = self._guest._begin_exchange(input)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.gather(self._all_of(self._stdout, out), self._all_of(self._stderr, err), self._give())
                await self._ended.wait()
        except TimeoutError:
            raise self._guest._still_runs(timeout) from None
        return self._guest._exchanged(kept, check)

    def send_signal(self, number: int) -> None:
        """Send the guest a signal.

        Args:
            number: One of the host's, as `signal.SIGINT`.

        Raises:
            WpmError: Guests have no such signal.
        """
        self._guest.send_signal(number)

    async def terminate(self, grace: float = 1.0) -> Completed:
        """Ask the guest to end (`SIGTERM`), and end it where it does not.

        Args:
            grace: Seconds that it has for that.

        Returns:
            How it ended.
        """
        self._guest._ask_to_end()
        try:
            async with asyncio.timeout(max(0.0, grace)):
                await self._ended.wait()
        except TimeoutError:
            self.kill()
            await self._ended.wait()
        return self._guest.wait()

    def kill(self) -> None:
        """End the guest and all that it has started, at once; `wait` tells when that is done."""
        self._guest.kill()

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the guest's terminal, of which it hears by `SIGWINCH`.

        Args:
            columns: Characters in a line.
            rows: Lines.

        Raises:
            WpmError: It has no terminal, or the size is none.
        """
        self._guest.resize(columns, rows)

    async def close(self) -> None:
        """End the guest, if it still runs, and close the streams."""
        if self._guest.poll() is None:
            await to_the_end(self._close())
        else:
            self._guest.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _close(self) -> None:
        self.kill()
        await self._ended.wait()
        self._guest.close()

    async def _all_of(self, reader: Reader | None, kept: bytearray) -> None:
        if reader is not None:
            async for piece in reader.chunks():
                self._guest._keep(kept, piece)

    async def _give(self) -> None:
        if self._stdin is None:
            return
        try:
            while self._guest._unwritten:
                self._guest._unwritten = await self._stdin._left_of(self._guest._unwritten)
        except WpmError:
            # It reads no more: that is its business.
            self._guest._unwritten = memoryview(b"")
        await self._stdin.close()

    def _no_pipe(self, name: str) -> WpmError:
        return WpmError(f'{self.command}: its {name} is no pipe: spawn it with {name}="pipe"')


async def started(start: Callable[[], Guest], *, at_hand: bool = False) -> Process:
    """A guest that a thread of the loop's pool has started; ended where the task is cancelled meanwhile.

    Args:
        start: Starts it.
        at_hand: Whether that takes no time: it is done here then, as to have a thread do it takes longer (0.3 ms).
    """
    return Process(start() if at_hand else await in_thread(start, _end))


async def run_to_end(start: Callable[[], Guest], *, check: bool, at_hand: bool = False) -> Completed:
    """Run a guest to its end: ended, and gone, before a cancellation leaves this."""
    async with await started(start, at_hand=at_hand) as process:
        return await process.wait(check=check)


async def _end(guest: Guest) -> None:
    await Process(guest).close()
