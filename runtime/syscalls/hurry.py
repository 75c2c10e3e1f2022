"""What the modules beside a guest ask the host for, to do without it: `front.wat` and `desk.wat`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.desk_ring import tell
from runtime.engine.shortcuts import ClockShortcut, TransferShortcut
from runtime.errors import RuntimeFault, Trap
from runtime.hostcalls import BESIDE, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread

_TRANSFERS = 0


@syscall("hurry", "i:i", BESIDE)
def hurry(thread: GuestThread, kind: int) -> None:
    """The guest has often transferred (`kind` 0) or read a clock (1): do so without the host from now on, if possible."""
    # A start function has no machine yet.
    machine = thread.__dict__.get("machine")
    if machine is None or machine.front is None:
        return
    try:
        if kind == _TRANSFERS:
            thread.shortcut = TransferShortcut(machine)
            return
        ahead = thread.env.clock.cell()
        if ahead:
            # Two stores' clocks are told apart by some nanoseconds: where threads compare them, the host reads both.
            ClockShortcut(machine, ahead, monotonic="wasi_thread_start" not in machine.module.exports)
    except (RuntimeFault, Trap):
        # Nothing has changed: the host goes on.
        return


@syscall("nudge", "ii:", BESIDE)
def nudge(thread: GuestThread, ring: int, side: int) -> None:
    """The guest has put in as much as somebody waits for who wants to read (`side` 0), or taken out (1)."""
    del thread
    tell(ring, side)
