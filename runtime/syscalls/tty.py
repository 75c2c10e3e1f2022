"""The terminal. Source: `api_wasix.h`, `tty_get`, `tty_set`."""

from __future__ import annotations

import os
from struct import Struct
from typing import TYPE_CHECKING

from runtime import terminal
from runtime.abi.errno import Errno, GuestError
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread

_TTY = Struct("<IIIIBBBBBxxx")
"""`tty`, 24 bytes: columns, rows, width and height in pixels u32 each; whether standard input, output and error are
terminals, whether it echoes, and whether it gives whole lines, u8 each."""


def _terminals(thread: GuestThread) -> list[int | None]:
    """For each standard stream its descriptor of the host where it is a terminal."""
    found: list[int | None] = []
    for fd in range(3):
        number = None
        if fd in thread.descriptors:
            file = thread.descriptors.get(fd).description.file
            number = file.fileno() if file is not None else None
        found.append(number if number is not None and os.isatty(number) else None)
    return found


def _first(terminals: list[int | None]) -> int | None:
    return next((number for number in terminals if number is not None), None)


@syscall("tty_get", "i:i", WASIX)
def tty_get(thread: GuestThread, result: int) -> None:
    """Write a `tty` (24 bytes): how the terminal is, or 80 by 25 characters where there is none."""
    terminals = _terminals(thread)
    known = _first(terminals)
    flags = (*(number is not None for number in terminals), *terminal.mode(known))
    thread.memory.pack(_TTY, result, *terminal.size(known), *flags)


@syscall("tty_set", "i:i", WASIX)
def tty_set(thread: GuestThread, state: int) -> None:
    """Set whether the terminal echoes and whether it gives whole lines, from a `tty`; its size is the user's.

    Errors: `NOTSUP` where there is none.
    """
    *_, echo, lines = thread.memory.unpack(_TTY, state)
    known = _first(_terminals(thread))
    if known is None:
        raise GuestError(Errno.NOTSUP)
    if terminal.set_mode(known, echo=bool(echo), lines=bool(lines)):
        thread.env.control.terminal_changed = True
