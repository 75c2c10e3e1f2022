"""Taking a guest's stack apart and putting it together again, for fork and longjmp.

A module that `wasm-opt --asyncify` has transformed can leave all its functions from within a host call (unwind), writing
what it needs to come back into its own memory, and come back later (rewind) into the same host call. The protocol is in
the header comment of Binaryen's `Asyncify.cpp`: a record of two u32, the current and the last position of the buffer,
stands before the frames. The buffer here is the part of the guest's stack that is not in use.
"""

from __future__ import annotations

from struct import Struct

from runtime.abi.errno import Errno, GuestError
from runtime.engine.globals import PREFIX
from runtime.errors import Trap
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.engine import Cell, Machine
    from runtime.memory import GuestMemory

_RECORD = Struct("<II")
_ALIGNMENT = 16
SMALLEST_BUFFER = 64
"""Bytes that must be left for the frames for an unwind to begin."""
_SETJMP = 1024
"""More bytes than the C library's `setjmp` has on the stack itself, which has always returned."""
NORMAL, UNWINDING, REWINDING = range(3)
"""What a transformed module is doing: the values of asyncify's state."""


class StackBounds(NamedTuple):
    """Where a guest thread's stack lies in its memory: it grows from `upper` down to `lower`."""

    lower: int
    upper: int


class Frames(NamedTuple):
    """A stack taken apart: what asyncify wrote, the stack pointer, and the stack in linear memory above it.

    `level` counts the signal handlers within which it was taken: their frames begin anew.
    """

    frames: bytes
    pointer: int
    stack: bytes
    level: int = 0


def stack_of(machine: Machine) -> StackBounds:
    """The main thread's stack, before the module has run: what lies between its data and its first stack pointer.

    The linker puts the data before the stack, or the stack first of all; `__data_end` tells which.
    """
    pointer = stack_pointer_of(machine)
    upper = pointer.get() if pointer is not None else 0
    data_end = machine.global_value("__data_end") or 0
    return StackBounds(data_end if data_end < upper else 0, upper)


def stack_pointer_of(machine: Machine) -> Cell | None:
    """The stack pointer: exported by its name, or the first mutable global, where the linker puts it."""
    return machine.cell("__stack_pointer") or machine.cell(f"{PREFIX}0")


class Cells(NamedTuple):
    """The two globals that asyncify added: what the module is doing, and where the record is."""

    state: Cell
    data: Cell


class Asyncify:
    """The stack of one guest thread, as asyncify handles it.

    Attributes:
        bounds: where the stack is.
        record: where the record is that goes before the frames: at the far end of the stack.
        pointer: the stack pointer.
        cells: asyncify's own globals, as soon as they are known.
    """

    def __init__(self, machine: Machine, memory: GuestMemory, bounds: StackBounds) -> None:
        """Handle the stack within `bounds` of a thread that runs `machine`."""
        self._machine = machine
        self._memory = memory
        self.bounds = bounds
        # The lowest 16 bytes of memory are never used: a null pointer is there.
        self.record = max(-(-bounds.lower // _ALIGNMENT) * _ALIGNMENT, _ALIGNMENT)
        self.pointer = stack_pointer_of(machine)
        self.cells = self._known_cells()
        self._globals = machine.module.mutable_globals

    @staticmethod
    def available(machine: Machine) -> bool:
        """Whether the module was transformed."""
        return "asyncify_start_unwind" in machine.module.exports

    def stack_pointer(self) -> int:
        """The stack pointer now."""
        return self.pointer.get() if self.pointer is not None else 0

    def has_returned(self, pointer: int) -> bool:
        """Whether the function that made a checkpoint, with this stack pointer, must have returned since.

        Of a stack that the guest made for itself nothing is known.
        """
        return self.bounds.lower <= pointer < self.stack_pointer() - _SETJMP and pointer <= self.bounds.upper

    def start_unwind(self) -> None:
        """Make the guest leave its functions when the host call returns.

        Raises:
            GuestError: `NOMEM` when no room is left on the stack.
        """
        record = self.record
        end = self.stack_pointer() // _ALIGNMENT * _ALIGNMENT
        if end - record - _RECORD.size < SMALLEST_BUFFER:
            raise GuestError(Errno.NOMEM)
        self._memory.pack(_RECORD, record, record + _RECORD.size, end)
        if self.cells is not None:
            self.cells.data.set(record)
            self.cells.state.set(UNWINDING)
        elif self._machine.module.asyncify_globals is None:
            self._find_cells(end)
        else:
            self._machine.call("asyncify_start_unwind", record)

    def _known_cells(self) -> Cells | None:
        if names := self._machine.module.asyncify_globals:
            state, data = (self._machine.cell(name) for name in names)
            if state is not None and data is not None:
                return Cells(state, data)
        return None

    def _find_cells(self, end: int) -> None:
        """Start the unwind, and see which globals that changes: to set them is all that asyncify's functions do."""
        other = self.record + _RECORD.size
        self._memory.pack(_RECORD, other, other, end)
        before = self.globals()
        self._machine.call("asyncify_start_unwind", other)
        between = self.globals()
        self._machine.call("asyncify_stop_unwind")
        self._memory.pack(_RECORD, self.record, other, end)
        self._machine.call("asyncify_start_unwind", self.record)
        values = list(zip(self._globals, before, between, self.globals(), strict=True))
        states = [name for name, *seen in values if seen == [NORMAL, UNWINDING, UNWINDING]]
        datas = [name for name, _, *seen in values if seen == [other, self.record]]
        unique = len(states) == len(datas) == 1
        self._machine.module.asyncify_globals = (states[0], datas[0]) if unique else ()
        self.cells = self._known_cells()

    def stop_unwind(self) -> None:
        """Say that the guest has left.

        Raises:
            Trap: it wrote more frames than the buffer holds.
        """
        if self.cells is None:
            self._machine.call("asyncify_stop_unwind")
            return
        current, end = self._memory.unpack(_RECORD, self.record)
        if current > end:
            raise Trap("the stack has no room for its frames", None, ())
        self.cells.state.set(NORMAL)

    def globals(self) -> tuple[int, ...]:
        """The values of the mutable globals."""
        return tuple(self._machine.global_value(name) or 0 for name in self._globals)

    def set_globals(self, values: tuple[int, ...]) -> None:
        """Set the mutable globals."""
        for name, value in zip(self._globals, values, strict=True):
            self._machine.set_global(name, value)

    def take(self, level: int = 0) -> Frames:
        """What is needed to come back later, after an unwind.

        Raises:
            Trap: the guest has spoilt the record.
        """
        start, pointer = self.record + _RECORD.size, self.stack_pointer()
        try:
            current, _ = self._memory.unpack(_RECORD, self.record)
            stack = self._memory.read(pointer, max(0, self.bounds.upper - pointer))
            return Frames(self._memory.read(start, max(0, current - start)), pointer, stack, level)
        except GuestError:
            raise Trap("the record of the stack's frames is spoilt", None, ()) from None

    def put(self, taken: Frames) -> None:
        """Put a stack back as it was taken, to be rewound."""
        if self.pointer is not None:
            self.pointer.set(taken.pointer)
        self._memory.write(taken.pointer, taken.stack)
        start = self.record + _RECORD.size
        self._memory.write(start, taken.frames)
        end = start + len(taken.frames)
        self._memory.pack(_RECORD, self.record, end, end)

    def start_rewind(self) -> None:
        """Make the guest come back when its entry function is called again."""
        if self.cells is None:
            self._machine.call("asyncify_start_rewind", self.record)
            return
        self.cells.data.set(self.record)
        self.cells.state.set(REWINDING)

    def stop_rewind(self) -> None:
        """Say, from within the host call, that the guest is back."""
        if self.cells is None:
            self._machine.call("asyncify_stop_rewind")
        else:
            self.cells.state.set(NORMAL)
