"""Signals: what happens to a process that does not handle one.

The numbers are WASIX's (`api_wasix.h`), which are Linux's. Preview 1 counts from 16 on without `STKFLT`, so that its
`CHLD` is 16: `from_preview1` translates.
"""

from __future__ import annotations

from runtime.abi.enumeration import IntEnum


class Signal(IntEnum):
    """`signal` of WASIX."""

    NONE = 0
    HUP = 1
    INT = 2
    QUIT = 3
    ILL = 4
    TRAP = 5
    ABRT = 6
    BUS = 7
    FPE = 8
    KILL = 9
    USR1 = 10
    SEGV = 11
    USR2 = 12
    PIPE = 13
    ALRM = 14
    TERM = 15
    STKFLT = 16
    CHLD = 17
    CONT = 18
    STOP = 19
    TSTP = 20
    TTIN = 21
    TTOU = 22
    URG = 23
    XCPU = 24
    XFSZ = 25
    VTALRM = 26
    PROF = 27
    WINCH = 28
    POLL = 29
    PWR = 30
    SYS = 31


_IGNORED = frozenset({Signal.NONE, Signal.STKFLT, Signal.CHLD, Signal.CONT, Signal.URG, Signal.WINCH})
_STOPPING = frozenset({Signal.STOP, Signal.TSTP, Signal.TTIN, Signal.TTOU})

RESTARTS = _IGNORED
"""Signals after which a blocking call goes on: those that a process may never have asked to hear of."""

DEFAULT, IGNORED = range(2)
"""`disposition` of WASIX: what a process is started with for a signal."""
_FIXED = frozenset({Signal.NONE, Signal.KILL, Signal.STOP})

EXIT_SIGNAL = 128
"""What is added to a signal's number to give the exit code of a process that it ended."""


def default_is_deadly(signal: Signal) -> bool:
    """Whether the signal ends a process that does not handle it; there is no job control: nothing is ever stopped."""
    return signal not in _IGNORED and signal not in _STOPPING


def dispositions_of(pairs: bytes) -> dict[int, int]:
    """What a parent has decided for its child: pairs of a signal and its disposition, of which the last one counts.

    C libraries list every number that a set of theirs can hold: those of no signal here, and those whose disposition
    nobody can change, say nothing.

    Raises:
        ValueError: there is no such disposition.
    """
    found: dict[int, int] = {}
    for number, disposition in zip(pairs[::2], pairs[1::2], strict=True):
        if disposition not in (DEFAULT, IGNORED):
            raise ValueError(disposition)
        if number <= Signal.SYS and number not in _FIXED:
            found[number] = disposition
    return found


def from_preview1(number: int) -> Signal:
    """The signal that preview 1 means by this number.

    Raises:
        ValueError: it means none.
    """
    return Signal(number if number < Signal.STKFLT else number + 1)
