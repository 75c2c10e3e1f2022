"""The stacks to which a guest thread can go back: those that the host took, and those in the arena."""

from __future__ import annotations

from itertools import count
from struct import Struct

from runtime.arena import LARGEST, MOST, Arena, by_worth, find_in
from runtime.asyncify import Asyncify
from runtime.engine import Checkpointer, Machine, beside
from runtime.errors import RuntimeFault, Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.asyncify import Frames
    from runtime.thread import GuestThread

_NEVER = 1 << 62
_RECORD = Struct("<QQ")
"""What `stack_snapshot` (24 bytes) has behind the guest's own u64: 128 bits by which we know the checkpoint."""
_FIRST = 32
"""So many checkpoints the host makes before the module beside the guest does: most threads never make as many."""
_GENERATIONS = 32
"""So many ancestors leave a process their arenas, the nearest ones."""
_serials = count(1)
_ARENA_SERIALS = 32
"""The serial numbers of an arena begin at a number of ours, shifted so far."""


class Checkpoints:
    """What one guest thread has remembered with `stack_checkpoint`."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget all, with the arena: its guest is gone."""
        self._taken: dict[int, tuple[int, Frames]] = {}
        self._size = 0
        self._images: list[bytes] = []
        self._until_arena = _FIRST
        self._arena: Arena | None = None
        self._opening = False
        self.level = 0
        """How many signal handlers run within each other."""

    def remember(self, thread: GuestThread, record: int) -> None:
        """Keep the stack of a guest that has left its functions, by its record of 24 bytes, which is filled in.

        Nobody says when a stack is not needed any more: when there are too many, what is worth least is forgotten.
        """
        serial = next(_serials)
        # The record first: it is on the stack itself, most often, and has to be the same after each time it is gone back to.
        thread.memory.pack(_RECORD, record + 8, serial, thread.asyncify.stack_pointer())
        taken = thread.asyncify.take(self.level)
        self._forget(record)
        self._taken[record] = serial, taken
        self._size += _size(taken)
        if len(self._taken) > MOST or self._size > LARGEST:
            self._sweep(thread.asyncify)
        self._until_arena -= 1
        if self._until_arena <= 0 and self.level == 0:
            if not beside.fits(thread.machine.module) or not Checkpointer.serves(thread.entry, thread.arguments):
                self._until_arena = _NEVER
            elif beside.ready():
                self._until_arena = _NEVER
                self._open_arena(thread)
            else:
                self._until_arena = _FIRST

    def _open_arena(self, thread: GuestThread) -> None:
        """Give the guest, which is out of its functions, another instance on the same memory, with an arena beside it.

        That is what it would have in a forked child; most threads never need it.
        """
        old, stack = thread.machine, thread.asyncify
        self._opening = True
        try:
            machine = Machine(old.store, thread.process.linker, old.module, old.shared, old.unwinding, replaceable=True)
            asyncify = Asyncify(machine, thread.memory, stack.bounds)
            asyncify.set_globals(stack.globals())
            self._arena = Arena(machine, asyncify, next(_serials) << _ARENA_SERIALS)
        except (RuntimeFault, Trap):
            # Nothing has changed: the host goes on to make them.
            return
        finally:
            self._opening = False
        thread.machine, thread.asyncify = machine, asyncify

    def _sweep(self, asyncify: Asyncify) -> None:
        taken = [(serial, frames.pointer, record) for record, (serial, frames) in self._taken.items()]
        worth = by_worth(taken, asyncify.has_returned)
        while len(worth) > 1 and (len(worth) > MOST * 3 // 4 or self._size > LARGEST // 2):
            self._forget(worth.pop())

    def _forget(self, record: int) -> None:
        old = self._taken.pop(record, None)
        if old is not None:
            self._size -= _size(old[1])

    def make_room(self, record: int, size: int) -> bool:
        """Make room in the arena, if there is one."""
        if self._arena is not None:
            self._arena.make_room(record, size)
        return self._arena is not None

    def find(self, serial: int, record: int) -> Frames | None:
        """The stack with this serial number, which the guest has in this record, where it can be gone back to."""
        if self._arena is not None and serial >> _ARENA_SERIALS:
            frames = self._arena.find(serial, record)
            if frames is not None:
                return frames
        for known, frames in self._taken.values():
            if known == serial and frames.level <= self.level:
                return frames
        found = (find_in(image, serial) for image in reversed(self._images))
        return next((frames for frames in found if frames is not None), None)

    def inherited(self) -> Checkpoints:
        """What a forked child has of them."""
        copy = Checkpoints()
        copy._taken, copy._size = dict(self._taken), self._size
        copy._images = self._images
        if self._arena is not None:
            # As it is: to take it apart is for the few that jump to a place of their parent's.
            copy._images = [*self._images, self._arena.image()][-_GENERATIONS:]
            while len(copy._images) > 1 and sum(map(len, copy._images)) > LARGEST:
                del copy._images[0]
        return copy

    def enter(self, thread: GuestThread) -> None:
        """Run the guest's code from its entry function, until it leaves it for a reason that is the host's.

        Raises:
            Trap: as `Machine.call`.
        """
        if self._arena is not None:
            self._arena.run(thread.entry, thread.arguments)
        else:
            thread.machine.call(thread.entry, *thread.arguments)

    def postpones(self) -> bool:
        """Whether a signal has to wait: the guest leaves its functions, or comes back, without the host.

        A host call follows when it is back: there may be no other.
        """
        return self._opening or (self._arena is not None and self._arena.postpones())

    def set_level(self, level: int) -> None:
        """Say how many signal handlers run within each other."""
        self.level = level
        if self._arena is not None:
            self._arena.set_handling(level > 0)


def _size(frames: Frames) -> int:
    return len(frames.frames) + len(frames.stack)
