"""From a guest's process to how it has ended."""

from __future__ import annotations

import signal as host_signals
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.library.completed import Completed, ExitReason
from runtime.limits import EXIT_TIMEOUT
from runtime.signals import EXIT_SIGNAL, Signal

if TYPE_CHECKING:
    from pkgmgr.library.capture import Capture
    from runtime.process import WasiProcess

_DEFAULT_HANDLER: Final = 127
"""How a guest of wasix-libc exits that took a signal for which it has no handler."""


def guest_signal(number: int) -> Signal:
    """The guest's number for a signal of the host: Linux's, whatever the host's is.

    Raises:
        WpmError: There is no such signal.
    """
    try:
        return Signal[host_signals.Signals(number).name.removeprefix("SIG")]
    except (ValueError, KeyError):
        raise WpmError(f"{number}: guests have no such signal") from None


def exit_code_of(process: WasiProcess, sent: Signal) -> int:
    """The exit code of a process that has ended.

    Args:
        process: The process.
        sent: The last signal that the host has sent it.
    """
    code = process.exit_code or 0
    return EXIT_SIGNAL + sent if sent and code == _DEFAULT_HANDLER else code


def completed(process: WasiProcess, command: str, out: Capture | None, err: Capture | None, sent: Signal) -> Completed:
    """How a process has ended.

    Args:
        process: The process.
        command: What it is called.
        out: Where its standard output was kept, if it was.
        err: The same of its standard error.
        sent: The last signal that the host has sent it.

    Raises:
        WpmError: It could not be run: that is the fault of its module, or ours.
    """
    if process.fault is not None:
        if isinstance(process.fault, Exception):
            raise WpmError(f"{command}: {str(process.fault) or type(process.fault).__name__}") from process.fault
        raise process.fault
    code = exit_code_of(process, sent)
    signal = process.signal or (sent if code == EXIT_SIGNAL + sent else 0)
    trap = None
    if process.trap is not None:
        reason = ExitReason.TRAPPED
        trap = "\n".join(filter(None, (process.trap.reason, process.trap.backtrace())))
    elif process.timed_out and code == EXIT_TIMEOUT:
        reason = ExitReason.TIMEOUT
    else:
        reason = ExitReason.TERMINATED if signal else ExitReason.EXITED
    return Completed(
        command,
        code,
        reason,
        b"" if out is None else out.getvalue(),
        b"" if err is None else err.getvalue(),
        out is not None and out.truncated,
        err is not None and err is not out and err.truncated,
        trap,
        int(signal),
    )
