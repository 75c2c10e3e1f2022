"""What goes wrong in the library: everything is a `WpmError`."""

from __future__ import annotations

import os

from binfactory.errors import FactoryError
from pkgmgr.errors import WpmError
from runtime.abi.errno import GuestError
from runtime.errors import RuntimeFault
from webc_parser import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final

    from pkgmgr.library.completed import Completed

_LAST_WORDS = 512
_LONGEST = 500


def shown(text: str) -> str:
    """A text of a guest, or a path of one, as part of a line for people: escaped where it cannot be printed, and cut."""
    line = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text[:_LONGEST])
    return f"{line}..." if len(text) > _LONGEST else line


class ProcessFailed(WpmError):
    """A guest that was to succeed did not.

    Args:
        command: What ran.
        completed: How it ended.

    Attributes:
        completed: How it ended, with what it has written.
    """

    def __init__(self, command: str, completed: Completed) -> None:
        super().__init__(_described(command, completed))
        self.command = command
        self.completed = completed

    def __reduce__(self) -> tuple[type[ProcessFailed], tuple[str, Completed]]:
        return type(self), (self.command, self.completed)


class CommandNotFound(WpmError):
    """None of the packages has a command of that name, and nothing along the guest's `PATH` is one."""


class WaitTimeout(WpmError, TimeoutError):
    """Something has not happened in the time that one was willing to wait; what was waited for goes on."""


class GuestFileError(WpmError):
    """A file of a guest that cannot be read, written or removed.

    Args:
        path: The path in the guest's filesystem.
        number: The operating system's number of the error, as `errno.ENOENT`.

    Attributes:
        path: The path in the guest's filesystem.
        errno: The operating system's number of the error.
    """

    def __init__(self, path: str, number: int, reason: str = "") -> None:
        super().__init__(f"{shown(path) or repr(path)}: {reason or os.strerror(number)}")
        self.path = path
        self.errno = number
        self.reason = reason

    def __reduce__(self) -> tuple[type[GuestFileError], tuple[str, int, str]]:
        return type(self), (self.path, self.errno, self.reason)


class _Converted:
    """Makes errors of the floors below those of this one."""

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, WpmError):
            return
        if isinstance(error, FactoryError | RuntimeFault | WebcError):
            raise WpmError(str(error)) from error
        if isinstance(error, GuestError):
            raise WpmError(
                f"the guest cannot be started: {error}: there are as many processes or threads as there may be"
            ) from error
        if isinstance(error, OSError):
            place = f"{error.filename}: " if error.filename else ""
            raise WpmError(f"{place}{error.strerror or error}") from error


converted: Final = _Converted()
"""`with converted:` what is done there fails with a `WpmError` or not at all. It has no state: any thread may use it."""


def _described(command: str, completed: Completed) -> str:
    match completed.reason:
        case "timeout":
            text = f"{command}: its time was up"
        case "terminated":
            text = f"{command}: ended from outside" + (f" by signal {completed.signal}" if completed.signal else "")
        case "trapped":
            text = f"{command}: trapped: {(completed.trap or '').partition(chr(10))[0]}"
        case _:
            text = f"{command}: exit code {completed.exit_code}"
    words = completed.stderr[-_LAST_WORDS:].decode("utf-8", "replace").strip()
    last = words.rpartition("\n")[2].strip()
    last = "".join(each if each.isprintable() else " " for each in last)
    return f"{text}: {last}" if last else text
