"""Taking a guest's stack apart and putting it together again, for fork and longjmp.

A module that `wasm-opt --asyncify` has transformed can leave all its functions from within a host call (unwind), writing
what it needs to come back into its own memory, and come back later (rewind) into the same host call. The protocol is in
the header comment of Binaryen's `Asyncify.cpp`: a record of two u32, the current and the last position of the buffer,
stands before the frames. The buffer here is the part of the guest's stack that is not in use.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from runtime.abi.errno import Errno, GuestError
from runtime.engine.globals import PREFIX

if TYPE_CHECKING:
    from runtime.engine import Machine
    from runtime.memory import GuestMemory

_RECORD = Struct("<II")
_ALIGNMENT = 16
_SMALLEST_BUFFER = 64


class StackBounds(NamedTuple):
    """Where a guest thread's stack lies in its memory: it grows from `upper` down to `lower`."""

    lower: int
    upper: int


class Frames(NamedTuple):
    """A stack taken apart: what asyncify wrote, the values of the mutable globals, and the stack in linear memory."""

    frames: bytes
    values: tuple[int, ...]
    stack: bytes


def stack_of(machine: Machine) -> StackBounds:
    """The main thread's stack, before the module has run: what lies between its data and its first stack pointer.

    The linker puts the data before the stack, or the stack first of all; `__data_end` tells which.
    """
    upper = machine.global_value("__stack_pointer") or machine.global_value(f"{PREFIX}0") or 0
    data_end = machine.global_value("__data_end") or 0
    return StackBounds(data_end if data_end < upper else 0, upper)


class Asyncify:
    """The stack of one guest thread, as asyncify handles it."""

    def __init__(self, machine: Machine, memory: GuestMemory, bounds: StackBounds) -> None:
        """Handle the stack within `bounds` of a thread that runs `machine`."""
        self._machine = machine
        self._memory = memory
        self.bounds = bounds
        # The lowest 16 bytes of memory are never used: a null pointer is there.
        self._record = max(-(-bounds.lower // _ALIGNMENT) * _ALIGNMENT, _ALIGNMENT)
        self._globals = machine.module.mutable_globals

    @staticmethod
    def available(machine: Machine) -> bool:
        """Whether the module was transformed."""
        return "asyncify_start_unwind" in machine.module.exports

    def stack_pointer(self) -> int:
        """The stack pointer now."""
        return self._machine.global_value("__stack_pointer") or self._machine.global_value(f"{PREFIX}0") or 0

    def start_unwind(self) -> None:
        """Make the guest leave its functions when the host call returns.

        Raises:
            GuestError: `NOMEM` when no room is left on the stack.
        """
        start = self._record + _RECORD.size
        end = self.stack_pointer() // _ALIGNMENT * _ALIGNMENT
        if end - start < _SMALLEST_BUFFER:
            raise GuestError(Errno.NOMEM)
        self._memory.pack(_RECORD, self._record, start, end)
        self._machine.call("asyncify_start_unwind", self._record)

    def stop_unwind(self) -> None:
        """Say that the guest has left."""
        self._machine.call("asyncify_stop_unwind")

    def globals(self) -> tuple[int, ...]:
        """The values of the mutable globals."""
        return tuple(self._machine.global_value(name) or 0 for name in self._globals)

    def set_globals(self, values: tuple[int, ...]) -> None:
        """Set the mutable globals."""
        for name, value in zip(self._globals, values, strict=True):
            self._machine.set_global(name, value)

    def take(self) -> Frames:
        """What is needed to come back later, after an unwind."""
        start = self._record + _RECORD.size
        current, _ = self._memory.unpack(_RECORD, self._record)
        pointer = self.stack_pointer()
        stack = self._memory.read(pointer, max(0, self.bounds.upper - pointer))
        return Frames(self._memory.read(start, current - start), self.globals(), stack)

    def put(self, taken: Frames) -> None:
        """Put a stack back as it was taken, to be rewound."""
        self.set_globals(taken.values)
        self._memory.write(self.stack_pointer(), taken.stack)
        start = self._record + _RECORD.size
        self._memory.write(start, taken.frames)
        end = start + len(taken.frames)
        self._memory.pack(_RECORD, self._record, end, end)

    def start_rewind(self) -> None:
        """Make the guest come back when its entry function is called again."""
        self._machine.call("asyncify_start_rewind", self._record)

    def stop_rewind(self) -> None:
        """Say, from within the host call, that the guest is back."""
        self._machine.call("asyncify_stop_rewind")
