"""The checkpoints that a guest makes without the host: where `checkpoints.wat` keeps them.

The module's memory begins with a table of entries by the address of the guest's record; the copies come after it. The
module finds and fills entries, this room adds them and takes them away; it is asked when a record is new, or its stack
has outgrown its place.
"""

from __future__ import annotations

from operator import itemgetter
from struct import Struct

from runtime.abi.errno import Errno, GuestError
from runtime.asyncify import Frames
from runtime.engine import PAGE, Checkpointer
from runtime.engine.globals import PREFIX
from runtime.errors import RuntimeFault
from runtime.memory import GuestMemory
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from runtime.asyncify import Asyncify
    from runtime.engine import Machine

    T = TypeVar("T")


_SLOTS = 512
_ENTRY = Struct("<IIIIIIQ")
_TABLE = _SLOTS * _ENTRY.size
_ALIGNMENT = 16
MOST, LARGEST = 256, 64 << 20
"""How many checkpoints are kept at the most, and how many bytes of them."""


class _Entry(NamedTuple):
    record: int
    copy: int
    room: int
    frames: int
    stack: int
    pointer: int
    serial: int


class Arena:
    """The checkpoints of one guest thread that its store holds."""

    def __init__(self, machine: Machine, asyncify: Asyncify, serial: int) -> None:
        """Take over the guest's `stack_checkpoint`.

        Args:
            machine: the guest.
            asyncify: its stack.
            serial: a serial number that nobody has, nor any of the 2**32 above it.

        Raises:
            RuntimeFault: the guest is not made so that this is possible.
        """
        names = machine.module.asyncify_globals
        if not names or asyncify.pointer is None:
            raise RuntimeFault("the guest's stack pointer or asyncify's state is not known")
        pointer = "__stack_pointer" if machine.cell("__stack_pointer") is not None else f"{PREFIX}0"
        self._module = Checkpointer(machine, pointer, *names)
        self._asyncify = asyncify
        memory = self._module.memory_export("arena")
        moving, handling, wanted = (self._module.cell(name) for name in ("moving", "handling", "wanted"))
        assert memory is not None and moving is not None and handling is not None and wanted is not None
        self._memory = GuestMemory(*memory)
        self._moving, self._handling, self._wanted = moving, handling, wanted
        self._used = 0
        self._next = _TABLE
        self._largest = LARGEST
        self._module.set_global("record", asyncify.record)
        self._module.set_global("upper", asyncify.bounds.upper)
        self._module.set_global("serial", serial)
        self._module.call("install")
        self.run = self._module.run

    def postpones(self) -> bool:
        """Whether the guest is leaving its functions, or coming back; the host is then called when it is back."""
        if not self._moving.get():
            return False
        self._wanted.set(1)
        return True

    def set_handling(self, handling: bool) -> None:
        """Say whether the guest runs a signal handler."""
        self._handling.set(int(handling))

    def find(self, serial: int, record: int) -> Frames | None:
        """The checkpoint with this serial number, most often that of this record."""
        data = self._memory.view(0, self._next)
        entry = _Entry(*self._memory.unpack(_ENTRY, self._slot(record)))
        return _frames(data, entry) if entry.serial == serial else find_in(data, serial)

    def image(self) -> bytes:
        """All that is here, for `find_in`."""
        return self._memory.read(0, self._next)

    def make_room(self, record: int, size: int) -> None:
        """Give the checkpoint of this record a place for so many bytes.

        Raises:
            GuestError: `NOMEM`.
        """
        if size > LARGEST // 2:
            raise GuestError(Errno.NOMEM)
        # The next stack of the same record is a little larger, likely.
        room = min(-(-(size + size // 2) // _ALIGNMENT) * _ALIGNMENT, LARGEST // 2)
        known = self._memory.u32(self._slot(record)) == record
        if (not known and self._used >= MOST) or not self._has_room(room):
            self._sweep(record)
            known = False
            if not self._has_room(room):
                raise GuestError(Errno.NOMEM)
        self._insert(record, room)
        self._used += not known

    def _has_room(self, room: int) -> bool:
        """Whether there is so much room behind all copies; the memory grows, if it may, until there is."""
        end = self._next + room
        if end > self._largest:
            return False
        missing = end - self._memory.size
        if missing > 0:
            try:
                self._module.grow_export("arena", -(-missing // PAGE))
            except RuntimeFault:
                # A limit of the guest's: from now on this is all there is.
                self._largest = self._memory.size
                return False
        return True

    def _insert(self, record: int, room: int) -> tuple[int, int]:
        """Put an entry for a copy into the table: where it is, and where the copy goes."""
        slot, place = self._slot(record), self._next
        self._next += room
        self._memory.pack(_ENTRY, slot, record, place, room, 0, 0, 0, 0)
        return slot, place

    def _slot(self, record: int) -> int:
        """Where the record's entry is or will be; as `$entry` does it."""
        slot = ((record * 0x9E3779B1 & 0xFFFF_FFFF) >> 23) * _ENTRY.size
        while self._memory.u32(slot) not in (0, record):
            slot = (slot + _ENTRY.size) % _TABLE
        return slot

    def _sweep(self, record: int) -> None:
        """Keep what is worth most, but for the one that is about to be replaced."""
        data = self.image()
        entries = [(entry.serial, entry.pointer, entry) for entry in _entries(data) if entry.record != record]
        self._memory.write(0, bytes(_TABLE))
        self._used, self._next = 0, _TABLE
        for entry in by_worth(entries, self._asyncify.has_returned)[: MOST * 3 // 4]:
            size = entry.frames + entry.stack
            room = -(-size // _ALIGNMENT) * _ALIGNMENT
            if self._next + room > self._largest // 2:
                break
            slot, place = self._insert(entry.record, room)
            self._memory.write(place, data[entry.copy : entry.copy + size])
            self._memory.pack(_ENTRY, slot, *entry._replace(copy=place, room=room))
            self._used += 1


def _entries(data: bytes | memoryview) -> Iterator[_Entry]:
    for fields in _ENTRY.iter_unpack(data[:_TABLE]):
        # An entry without a serial number is one that its checkpoint has not come to use.
        if fields[0] and fields[-1]:
            yield _Entry(*fields)


def find_in(data: bytes | memoryview, serial: int) -> Frames | None:
    """The checkpoint with this serial number in the memory of an arena."""
    return next((_frames(data, entry) for entry in _entries(data) if entry.serial == serial), None)


def _frames(data: bytes | memoryview, entry: _Entry) -> Frames:
    middle = entry.copy + entry.frames
    return Frames(bytes(data[entry.copy : middle]), entry.pointer, bytes(data[middle : middle + entry.stack]))


def by_worth(checkpoints: Iterable[tuple[int, int, T]], has_returned: Callable[[int], bool]) -> list[T]:
    """Checkpoints by how likely it is that they are still gone back to, the likeliest first.

    Of those with the same stack pointer, only the newest is likely to be that of a function that still runs.

    Args:
        checkpoints: the serial number, the stack pointer, and what is sorted.
        has_returned: whether the function of a stack pointer must have returned.
    """
    likely: list[T] = []
    unlikely: list[T] = []
    hopeless: list[T] = []
    seen = set[int]()
    for _, pointer, checkpoint in sorted(checkpoints, key=itemgetter(0), reverse=True):
        place = hopeless if has_returned(pointer) else unlikely if pointer in seen else likely
        place.append(checkpoint)
        seen.add(pointer)
    return [*likely, *unlikely, *hopeless]
