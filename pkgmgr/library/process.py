"""A guest that runs."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Self

from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import content
from pkgmgr.library.ending import completed, exit_code_of, guest_signal
from pkgmgr.library.failures import WaitTimeout, converted
from pkgmgr.library.streams import PipeReader, PipeWriter, as_file, wait
from runtime.signals import EXIT_SIGNAL, Signal
from runtime.waiting import Waker

if TYPE_CHECKING:
    from pkgmgr.library.completed import Completed
    from pkgmgr.library.stdio import Stdio
    from runtime.process import WasiProcess

_KILLED = EXIT_SIGNAL + Signal.KILL


class Process:
    """A guest that runs, or has ended: what `spawn` gives.

    As a context manager it ends the guest, if that still runs, and closes the streams.

    Args:
        process: The runtime's process.
        command: What it is called.
        stdio: The host's ends of its standard streams.
    """

    def __init__(self, process: WasiProcess, command: str, stdio: Stdio) -> None:
        self._process = process
        self._command = command
        self._stdio = stdio
        self._sent = Signal.NONE
        self._stdin = None if stdio.writer is None else as_file(stdio.writer)
        self._stdout = None if stdio.reader is None else as_file(stdio.reader)
        self._stderr = None if stdio.error_reader is None else as_file(stdio.error_reader)
        self._kept: tuple[bytearray, bytearray] | None = None
        self._unwritten = memoryview(b"")

    def __repr__(self) -> str:
        code = self.poll()
        return f"<Process {self._command} {self.pid}{' runs' if code is None else f': exit code {code}'}>"

    @property
    def command(self) -> str:
        """What runs, as it was asked for."""
        return self._command

    @property
    def pid(self) -> int:
        """The guest's number, as it sees it itself: unique in its sandbox, not on the host."""
        return self._process.pid

    @property
    def stdin(self) -> BinaryIO:
        """What the guest reads: write to it, and close it. Nothing is kept back, so nothing has to be flushed.

        Raises:
            WpmError: It was not spawned with `stdin="pipe"`.
        """
        return self._stream("stdin", self._stdin)

    @property
    def stdout(self) -> BinaryIO:
        """What the guest writes: read it, or iterate over its lines.

        Raises:
            WpmError: It was not spawned with `stdout="pipe"`.
        """
        return self._stream("stdout", self._stdout)

    @property
    def stderr(self) -> BinaryIO:
        """What the guest writes to standard error.

        Raises:
            WpmError: It was not spawned with `stderr="pipe"`.
        """
        return self._stream("stderr", self._stderr)

    def poll(self) -> int | None:
        """The exit code; None while the guest runs."""
        return exit_code_of(self._process, self._sent) if self._process.ended.is_set() else None

    def wait(self, timeout: float | None = None, *, check: bool = False) -> Completed:
        """Wait for the guest's end.

        Nobody reads its pipes meanwhile: a guest that writes more than they hold waits, too. `communicate` reads them.

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
        if not self._process.wait_ended(timeout):
            raise self._still_runs(timeout)
        return self._completed(check)

    def communicate(
        self,
        input: bytes | str | None = None,
        timeout: float | None = None,
        *,
        check: bool = False,
    ) -> Completed:
        """Write the guest's input, read its output, and wait for its end.

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
        kept = self._begin_exchange(input)
        deadline = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
        with converted:
            self._exchange(kept, deadline, timeout)
        left = None if deadline is None else max(0.0, (deadline - time.monotonic_ns()) / 1e9)
        if not self._process.wait_ended(left):
            raise self._still_runs(timeout)
        return self._exchanged(kept, check)

    def send_signal(self, number: int) -> None:
        """Send the guest a signal.

        Args:
            number: One of the host's, as `signal.SIGINT`.

        Raises:
            WpmError: Guests have no such signal.
        """
        signal = guest_signal(number)
        if self.poll() is None:
            self._sent = signal
            self._process.raise_signal(signal)

    def terminate(self, grace: float = 1.0) -> Completed:
        """Ask the guest to end (`SIGTERM`), and end it where it does not.

        Args:
            grace: Seconds that it has for that.

        Returns:
            How it ended.
        """
        self._ask_to_end()
        if not self._process.wait_ended(max(0.0, grace)):
            self.kill()
            self._process.wait_ended()
        return self._completed(False)

    def _ask_to_end(self) -> None:
        """Send `SIGTERM`."""
        if self.poll() is None:
            self._sent = Signal.TERM
            self._process.raise_signal(Signal.TERM)

    def kill(self) -> None:
        """End the guest and all that it has started, at once; `wait` tells when that is done."""
        if self.poll() is None:
            self._sent = Signal.KILL
            self._process.terminate_all(_KILLED)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the guest's terminal, of which it hears by `SIGWINCH`.

        Args:
            columns: Characters in a line.
            rows: Lines.

        Raises:
            WpmError: It has no terminal, or the size is none.
        """
        terminal = self._stdio.terminal
        if terminal is None:
            raise WpmError(f"{self._command}: it has no terminal: spawn it with terminal=True")
        if not (0 < columns < 1 << 16 and 0 < rows < 1 << 16):
            raise WpmError(f"{columns} by {rows}: not the size of a terminal")
        from runtime.pseudo_terminal import set_size

        with converted:
            set_size(terminal.control, columns, rows)
        for each in self._process.env.control.running():
            each.raise_signal(Signal.WINCH)

    def close(self) -> None:
        """End the guest, if it still runs, and close the streams."""
        self.kill()
        self._process.wait_ended()
        self._stdio.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stream(self, name: str, stream: BinaryIO | None) -> BinaryIO:
        if stream is None:
            raise WpmError(f'{self._command}: its {name} is no pipe: spawn it with {name}="pipe"')
        return stream

    def _completed(self, check: bool) -> Completed:
        ended = completed(self._process, self._command, self._stdio.out, self._stdio.err, self._sent)
        return ended.check() if check else ended

    def _still_runs(self, timeout: float | None) -> WaitTimeout:
        return WaitTimeout(f"{self._command}: still runs after {timeout:g} s")

    def _begin_exchange(self, input: bytes | str | None) -> tuple[bytearray, bytearray]:
        """What of both outputs was read by `communicate` before; the input counts when it is called first.

        Raises:
            WpmError: It has a terminal.
        """
        if self._stdio.terminal is not None:
            raise WpmError(f"{self._command}: it has a terminal: read that, and wait")
        if self._kept is None:
            self._unwritten = content("input", b"" if input is None else input)
            self._kept = bytearray(), bytearray()
        return self._kept

    def _keep(self, kept: bytearray, data: bytes) -> None:
        limit = self._stdio.limit
        # One byte more than the limit tells that there was more.
        kept += data if limit is None else data[: max(0, limit + 1 - len(kept))]

    def _exchanged(self, kept: tuple[bytearray, bytearray], check: bool) -> Completed:
        """How it has ended, with what was read of its outputs."""
        ended, stdio = self._completed(False), self._stdio
        limit = max(map(len, kept)) if stdio.limit is None else stdio.limit
        out, err = kept
        if stdio.reader is not None:
            ended = replace(ended, stdout=bytes(out[:limit]), stdout_truncated=len(out) > limit)
        if stdio.error_reader is not None:
            ended = replace(ended, stderr=bytes(err[:limit]), stderr_truncated=len(err) > limit)
        return ended.check() if check else ended

    def _exchange(self, outputs: tuple[bytearray, bytearray], deadline: int | None, timeout: float | None) -> None:
        """Write all that is to be written and read to the end of both outputs, whichever can go on."""
        writer = self._stdio.writer if isinstance(self._stdio.writer, PipeWriter) else None
        streams = (self._stdio.reader, self._stdio.error_reader)
        readers = {
            stream: kept
            for stream, kept in zip(streams, outputs, strict=True)
            if isinstance(stream, PipeReader) and not stream.closed
        }
        waker = Waker()
        try:
            while readers or (writer is not None and not writer.closed):
                moved = False
                if writer is not None and not writer.closed:
                    moved = self._write_some(writer)
                for reader, kept in list(readers.items()):
                    data_read = reader.read_available()
                    if data_read is None:
                        del readers[reader]
                    elif data_read:
                        moved = True
                        self._keep(kept, data_read)
                if moved or not readers:
                    if not readers and self._process.ended.is_set() and writer is not None:
                        writer.close()
                    if moved:
                        continue
                if deadline is not None and time.monotonic_ns() >= deadline:
                    raise self._still_runs(timeout)
                ends = [(reader.end, False) for reader in readers]
                if writer is not None and not writer.closed:
                    ends.append((writer.end, True))
                if ends:
                    wait(ends, waker, deadline)
        finally:
            waker.close()

    def _write_some(self, writer: PipeWriter) -> bool:
        try:
            if self._unwritten:
                self._unwritten = self._unwritten[writer.write_some(self._unwritten) :]
        except BlockingIOError:
            return False
        except BrokenPipeError:
            self._unwritten = memoryview(b"")
        if not self._unwritten:
            writer.close()
        return True
