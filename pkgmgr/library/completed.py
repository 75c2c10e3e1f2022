"""How a guest has ended, and what it has written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ExitReason(StrEnum):
    """Why a guest runs no more."""

    EXITED = "exited"
    """It ended by itself; `Completed.exit_code` is its own."""
    TRAPPED = "trapped"
    """It crashed: WebAssembly's way of doing so is a trap."""
    TERMINATED = "terminated"
    """Somebody ended it: a signal, `terminate`, `kill`, or the end of its sandbox."""
    TIMEOUT = "timeout"
    """Its time was up."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a guest has ended.

    Attributes:
        command: What ran, as it was asked for.
        exit_code: The guest's own, from 0; 124 where its time was up, 134 where it trapped, 128 and a signal's number
            where that ended it.
        reason: Why it ended.
        stdout: What it has written to standard output, where that was captured.
        stderr: The same for standard error.
        stdout_truncated: Whether it has written more than was to be kept; `stdout` is the beginning.
        stderr_truncated: The same for standard error.
        trap: Where it trapped: why, and the guest's call stack, a line for each function, the innermost first.
        signal: The number of the signal that ended it; 0 where none did.
    """

    command: str
    exit_code: int
    reason: ExitReason
    stdout: bytes = b""
    stderr: bytes = b""
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    trap: str | None = None
    signal: int = 0

    @property
    def ok(self) -> bool:
        """Whether it ended by itself, with 0."""
        return self.exit_code == 0 and self.reason is ExitReason.EXITED

    @property
    def timed_out(self) -> bool:
        """Whether its time was up."""
        return self.reason is ExitReason.TIMEOUT

    def check(self) -> Completed:
        """This very object, where the guest has succeeded.

        Raises:
            ProcessFailed: It has not.
        """
        if not self.ok:
            from pkgmgr.library.failures import ProcessFailed

            raise ProcessFailed(self.command, self)
        return self

    def text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """The standard output of a guest that has succeeded, as text.

        Args:
            encoding: How it is encoded.
            errors: What to do about bytes that are not, as `bytes.decode` takes it.

        Raises:
            ProcessFailed: The guest has not succeeded.
            UnicodeDecodeError: The output is not so encoded.
        """
        return self.check().stdout.decode(encoding, errors)
