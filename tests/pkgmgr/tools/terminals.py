"""Shells on a terminal, into which one types."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][A-Z0-9]?|\x1b\][^\x07]*\x07|\r|\x07")
_SECONDS = 20.0


class Terminal:
    """An interactive program on a terminal of its own.

    Args:
        command: The program and its arguments.
        cwd: Where it starts.
        env: Its variables.
    """

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> None:
        self._pid, self._descriptor = pty.fork()
        if self._pid == 0:
            os.chdir(cwd)
            os.execvpe(command[0], list(command), dict(env))
        self.seen = ""

    def type(self, text: str) -> None:
        """Type something."""
        os.write(self._descriptor, text.encode())

    def until(self, pattern: str, seconds: float = _SECONDS) -> str:
        """Wait for a pattern in what is new on the screen; gives that."""
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            ready, _, _ = select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            try:
                data = os.read(self._descriptor, 65536)
            except OSError:
                data = b""
            if not data:
                raise AssertionError(f"it ended without {pattern!r}: {self.seen!r}")
            self.seen = _rubbed_out(self.seen + _ESCAPES.sub("", data.decode("utf-8", "replace")))
        seen, self.seen = self.seen, ""
        return seen

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._descriptor)


def _rubbed_out(text: str) -> str:
    """The text without what was written over: each backspace takes a character away."""
    kept: list[str] = []
    for char in text:
        if char != "\x08":
            kept.append(char)
        elif kept:
            kept.pop()
    return "".join(kept)
