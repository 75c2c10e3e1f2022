"""The terminal that a guest may put into another mode, and its way back.

A terminal belongs to the user and not to the guest: whatever way the guest ends, the terminal is as it was before. So the
first change of a terminal keeps how it was, and that is restored when the environment's first process ends, when Python
exits, and before a signal ends this process (`protect` sees to the last two).
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

_LFLAG, _CC = 3, 6
_DEFAULT_COLUMNS, _DEFAULT_ROWS = 80, 25
_DEFAULT_WIDTH, _DEFAULT_HEIGHT = 800, 600

_before: dict[int, tuple[int, list[int | list[bytes | int]]]] = {}
"""For each terminal that was changed, by device: a descriptor of ours for it, and how it was."""
_made: set[int] = set()
"""The terminals that this process has made itself (`runtime.pseudo_terminal`), by device: there is no user behind them."""
_lock = threading.Lock()
_protected = False


class Size(NamedTuple):
    """What a terminal shows: characters, and pixels."""

    columns: int = _DEFAULT_COLUMNS
    rows: int = _DEFAULT_ROWS
    width: int = _DEFAULT_WIDTH
    height: int = _DEFAULT_HEIGHT


def size(fd: int | None) -> Size:
    """The size of the terminal behind a descriptor; a usual one where there is none."""
    if fd is None:
        return Size()
    import fcntl
    import struct
    import termios

    try:
        rows, columns, width, height = struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        return Size()
    if not rows or not columns:
        return Size()
    return Size(columns, rows, width or _DEFAULT_WIDTH, height or _DEFAULT_HEIGHT)


def mode(fd: int | None) -> tuple[bool, bool]:
    """Whether the terminal echoes what is typed, and whether it gives it line by line; both where there is none."""
    if fd is None:
        return True, True
    import termios

    flags = termios.tcgetattr(fd)[_LFLAG]
    return bool(flags & termios.ECHO), bool(flags & termios.ICANON)


def is_users(fd: int | None) -> bool:
    """Whether a terminal is the user's, and not one that this process has made."""
    return fd is None or os.fstat(fd).st_rdev not in _made


def made(fd: int) -> None:
    """Take note that this process has made a terminal: whatever a guest does to it is not undone."""
    _made.add(os.fstat(fd).st_rdev)


def unmade(device: int) -> None:
    """Take note that such a terminal is gone: its number may be that of the next one."""
    _made.discard(device)


def set_mode(fd: int, *, echo: bool, lines: bool) -> bool:
    """Set both; how the terminal of a user was is kept for `restore`.

    Ctrl-C stays what it is: the terminal's interrupt.

    Returns:
        Whether there is something to restore.

    Raises:
        OSError: the descriptor is no terminal.
    """
    import termios

    try:
        attributes = termios.tcgetattr(fd)
        kept = is_users(fd)
        if kept:
            _keep(fd, attributes)
        flags = attributes[_LFLAG] & ~(termios.ECHO | termios.ICANON)
        flags |= (termios.ECHO if echo else 0) | (termios.ICANON if lines else 0)
        attributes[_LFLAG] = flags
        if not lines:
            characters = list(attributes[_CC])
            characters[termios.VMIN], characters[termios.VTIME] = 1, 0
            attributes[_CC] = characters
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    except termios.error as error:
        raise OSError(error.args[0], "not a terminal") from None
    return kept


def _keep(fd: int, attributes: list[int | list[bytes | int]]) -> None:
    device = os.fstat(fd).st_rdev
    with _lock:
        if device not in _before:
            copy = [list(part) if isinstance(part, list) else part for part in attributes]
            _before[device] = os.dup(fd), copy


def restore() -> None:
    """Put every terminal that was changed back to how it was."""
    # A signal handler calls this too: it must not wait for a lock that the thread below it holds.
    with contextlib.ExitStack() as stack:
        if _lock.acquire(timeout=1):
            stack.callback(_lock.release)
        while _before:
            import termios

            _, (fd, attributes) = _before.popitem()
            # The terminal may be gone: its window was closed.
            with contextlib.suppress(termios.error, OSError):
                _put_back(fd, attributes)
            with contextlib.suppress(OSError):
                os.close(fd)


def _put_back(fd: int, attributes: list[int | list[bytes | int]]) -> None:
    """Set the mode, also from the background, where the terminal would stop us for it."""
    import signal
    import termios

    stopping = {signal.SIGTTOU}
    old = signal.pthread_sigmask(signal.SIG_BLOCK, stopping)
    try:
        termios.tcsetattr(fd, termios.TCSANOW, attributes)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def protect() -> None:
    """Have terminals restored at the exit of Python and before a signal that ends this process.

    Signals are taken only from the main thread and only where nobody else takes them.
    """
    global _protected
    if _protected or threading.current_thread() is not threading.main_thread():
        return
    _protected = True
    import atexit
    import signal

    atexit.register(restore)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def _end(number: int, frame: FrameType | None) -> None:
    """Restore the terminals and end as the signal would have ended us."""
    del frame
    import signal

    restore()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
