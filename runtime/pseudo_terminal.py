"""A terminal that this process makes for a guest, and at whose other end a program of the host types and reads."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, NamedTuple

from runtime import terminal
from runtime.stdio import HostStream

if TYPE_CHECKING:
    from collections.abc import Callable

_LFLAG, _CC = 3, 6


class PseudoTerminal(NamedTuple):
    """A terminal without a screen.

    Attributes:
        control: the descriptor at which the host types and reads; its owner closes it with `close`.
        device: the number of the guest's end.
        streams: the guest's standard streams.
    """

    control: int
    device: int
    streams: tuple[HostStream, HostStream, HostStream]

    @classmethod
    def open(cls, columns: int, rows: int) -> PseudoTerminal:
        """A terminal of that size, in characters.

        Raises:
            OSError: the host has no more of them.
        """
        control, guest = os.openpty()
        opened = [guest]
        try:
            set_size(control, columns, rows)
            terminal.made(guest)
            opened += [os.dup(guest), os.dup(guest)]
            streams = (HostStream(opened[0]), HostStream(opened[1]), HostStream(opened[2]))
            return cls(control, os.fstat(guest).st_rdev, streams)
        except BaseException:
            terminal.unmade(os.fstat(guest).st_rdev)
            for descriptor in (control, *opened):
                os.close(descriptor)
            raise

    def close(self) -> None:
        """Hang up: the guest reads no more."""
        terminal.unmade(self.device)
        with contextlib.suppress(OSError):
            os.close(self.control)


def set_size(control: int, columns: int, rows: int) -> None:
    """Set the size of a terminal, in characters."""
    import fcntl
    import struct
    import termios

    fcntl.ioctl(control, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def type_keys(control: int, keys: bytes, interrupt: Callable[[int], object]) -> None:
    """Tell of the keys that stand for signals: there is no session of the host whose processes would get them.

    Args:
        control: the host's end.
        keys: what was typed.
        interrupt: called with the number of a signal for each such key, where the terminal's mode has them.
    """
    import signal
    import termios

    attributes = termios.tcgetattr(control)
    if not attributes[_LFLAG] & termios.ISIG:
        return
    for position, number in ((termios.VINTR, signal.SIGINT), (termios.VQUIT, signal.SIGQUIT)):
        key = attributes[_CC][position]
        if key != b"\0":
            for _ in range(keys.count(key)):
                interrupt(int(number))
