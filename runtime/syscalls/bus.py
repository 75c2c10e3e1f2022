"""The bus between processes: what C libraries and crates of 2022 and 2023 import of it.

Source: the WASIX functions of that time, `bus_*` and `call_*`. The system that they come from took the bus out in 2023 and let
its functions answer that it is unsupported from then on: programs that can live without it do. They had three generations:
topics by name; by the hash of their name; and without the flag that keeps a call alive, with handles of 64 bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime.abi.bus import BusErrno
from runtime.hostcalls import WASIX, syscall

if TYPE_CHECKING:
    from runtime.thread import GuestThread

GENERATIONS = {
    "bus_open_local": ("iiii:i",),
    "bus_open_remote": ("iiiiiiii:i",),
    "bus_close": ("i:i",),
    "bus_call": ("iiiiiiii:i", "iiiiiii:i", "iiiiii:i"),
    "bus_subcall": ("iiiiiiii:i", "iiiiiii:i", "Iiiiiii:i", "Iiiiii:i"),
    "bus_poll": ("Iiiiii:i", "Iiii:i"),
    "call_reply": ("iiii:i", "Iiii:i"),
    "call_fault": ("ii:i", "Ii:"),
    "call_close": ("i:i", "I:"),
}
"""The signatures of each function that were published, the oldest first."""


def _declare(name: str, signatures: tuple[str, ...]) -> None:
    def answer(thread: GuestThread, *_arguments: int) -> BusErrno:
        """Of the bus between processes, which there is no more. Errors: `Unsupported` (11, a `bus_errno`), always."""
        thread.process.log_once(f"called {name}: there is no bus between processes any more (unsupported)")
        return BusErrno.UNSUPPORTED

    for signature in signatures:
        syscall(name, signature, WASIX)(answer)


for _name, _signatures in GENERATIONS.items():
    _declare(_name, _signatures)
