"""What a guest's standard streams are: pipes, captured, nothing, or a terminal."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import check_count, content
from pkgmgr.library.capture import Capture
from pkgmgr.library.streams import PipeReader, PipeWriter, TerminalReader, TerminalWriter
from runtime.pipes import PipeEnd, guest_pipe

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.env import WasiEnvBuilder
    from runtime.pseudo_terminal import PseudoTerminal

Input = Literal["pipe", "null", "inherit"]
"""What `spawn` takes for standard input: a pipe, nothing, or this process's own."""
Output = Literal["pipe", "capture", "null", "inherit"]
"""What `spawn` takes for the outputs: a pipe, what `wait` gives, nowhere, or this process's own."""
ErrorOutput = Literal["pipe", "capture", "null", "inherit", "stdout"]
"""As `Output`; `stdout` is where standard output goes."""

DEFAULT_LIMIT = 16 << 20
"""Bytes of each output that are kept where nothing else is said."""


class TwiceOpen(PipeEnd):
    """A guest's end of a pipe that is two of its descriptors from the start: closed with the second."""

    __slots__ = ("_left",)

    def __init__(self, end: PipeEnd) -> None:
        super().__init__(*end.channels)
        self._left = 2

    def close(self) -> None:
        """Close one of the two."""
        self._left -= 1
        if not self._left:
            super().close()


@dataclass(slots=True)
class Stdio:
    """The host's ends of a guest's standard streams.

    Attributes:
        writer: What is written to its standard input.
        reader: What is read of its standard output.
        error_reader: The same of its standard error.
        out: Where its standard output is kept.
        err: The same of its standard error.
        limit: How many bytes of each are kept.
        terminal: Its terminal.
        interrupt: Called with the number of a signal for a key that stands for one; set once the guest runs.
    """

    writer: PipeWriter | TerminalWriter | None = None
    reader: PipeReader | io.BufferedReader | None = None
    error_reader: PipeReader | None = None
    out: Capture | None = None
    err: Capture | None = None
    limit: int | None = DEFAULT_LIMIT
    terminal: PseudoTerminal | None = None
    interrupt: Callable[[int], object] | None = None

    def close(self) -> None:
        """Close every one of them."""
        for stream in (self.writer, self.reader, self.error_reader):
            if stream is not None:
                with contextlib.suppress(OSError, ValueError):
                    stream.close()
        if self.terminal is not None:
            self.terminal.close()
            self.terminal = self.interrupt = None


def captured(builder: WasiEnvBuilder, data: bytes | str | None, limit: int | None) -> Stdio:
    """Give a guest its whole input, and keep its output.

    Raises:
        TypeError: The input is neither bytes nor text, or the limit is no number.
        WpmError: The limit cannot be meant.
    """
    check_count("output_limit", limit, 0, "bytes")
    stdio = Stdio(out=Capture(limit), err=Capture(limit), limit=limit)
    builder.stdin(b"" if data is None else bytes(content("input", data))).stdout(stdio.out).stderr(stdio.err)
    return stdio


def piped(builder: WasiEnvBuilder, stdin: Input, stdout: Output, stderr: ErrorOutput, limit: int | None) -> Stdio:
    """Give a guest the streams that `spawn` was asked for.

    Raises:
        TypeError: The limit is no number.
        WpmError: One is none of them, or the limit cannot be meant.
    """
    check_count("output_limit", limit, 0, "bytes")
    stdio = Stdio(limit=limit)
    out: PipeEnd | Capture | int
    match stdin:
        case "pipe":
            host, guest = reversed(guest_pipe())
            stdio.writer = PipeWriter(host)
            builder.stdin(guest)
        case "null":
            builder.stdin(b"")
        case "inherit":
            builder.stdin(0)
        case _:
            raise WpmError(f'stdin={stdin!r}: expected "pipe", "null" or "inherit"')
    match stdout:
        case "pipe":
            host, guest = guest_pipe()
            stdio.reader = PipeReader(host)
            out = TwiceOpen(guest) if stderr == "stdout" else guest
            builder.stdout(out)
        case "capture" | "null":
            out = Capture(limit if stdout == "capture" else 0)
            stdio.out = out if stdout == "capture" else None
            builder.stdout(out)
        case "inherit":
            out = 1
            builder.stdout(1)
        case _:
            raise WpmError(f'stdout={stdout!r}: expected "pipe", "capture", "null" or "inherit"')
    match stderr:
        case "pipe":
            host, guest = guest_pipe()
            stdio.error_reader = PipeReader(host)
            builder.stderr(guest)
        case "capture":
            stdio.err = Capture(limit)
            builder.stderr(stdio.err)
        case "null":
            builder.stderr(Capture(0))
        case "inherit":
            builder.stderr(2)
        case "stdout":
            builder.stderr(out)
        case _:
            raise WpmError(f'stderr={stderr!r}: expected "pipe", "capture", "null", "inherit" or "stdout"')
    return stdio


def on_terminal(builder: WasiEnvBuilder, size: tuple[int, int]) -> Stdio:
    """Give a guest a terminal of its own.

    Args:
        builder: What the guest is given.
        size: Columns and rows.

    Raises:
        OSError: The host has no more of them.
    """
    from runtime.pseudo_terminal import PseudoTerminal

    terminal = PseudoTerminal.open(*size)
    stdio = Stdio(terminal=terminal)

    def interrupt(number: int) -> None:
        if stdio.interrupt is not None:
            stdio.interrupt(number)

    stdio.writer = TerminalWriter(terminal, interrupt)
    stdio.reader = io.BufferedReader(TerminalReader(terminal))
    for give, stream in zip((builder.stdin, builder.stdout, builder.stderr), terminal.streams, strict=True):
        give(stream)
    return stdio


def spawned(
    *, terminal: bool, size: tuple[int, int], stdin: Input, stdout: Output, stderr: ErrorOutput, limit: int | None
) -> Callable[[WasiEnvBuilder], Stdio]:
    """What gives a guest the streams that `spawn` was asked for."""
    if terminal:
        return partial(on_terminal, size=size)
    return partial(piped, stdin=stdin, stdout=stdout, stderr=stderr, limit=limit)
