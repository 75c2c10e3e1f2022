"""setjmp and longjmp. Source: `api_wasix.h`, `stack_checkpoint` and `stack_restore`."""

from __future__ import annotations

from itertools import count
from struct import Struct
from typing import TYPE_CHECKING

from runtime.hostcalls import WASIX, syscall
from runtime.unwinding import Resume

if TYPE_CHECKING:
    from runtime.thread import GuestThread

_SNAPSHOT = Struct("<QQQ")
"""`stack_snapshot`, 24 bytes: the guest's own u64, and 128 bits by which we know the checkpoint."""

_MOST, _LARGEST = 256, 64 << 20
_serials = count(1)


@syscall("stack_checkpoint", "ii:i", WASIX)
def stack_checkpoint(thread: GuestThread, snapshot: int, result: int) -> None:
    """Remember the stack as it is, in `snapshot`; writes 0, and the value of `stack_restore` when it is come back to.

    Errors: `NOTSUP` for a module without asyncify.
    """
    value = thread.resumed()
    if value is not None:
        thread.memory.set_u64(result, value)
        return
    memory = thread.memory
    memory.check(result, 8)
    user = memory.unpack(_SNAPSHOT, snapshot)[0]

    def remember() -> None:
        taken = thread.asyncify.take()
        pointer = thread.asyncify.stack_pointer()
        thread.checkpoints.pop(snapshot, None)
        serial = next(_serials)
        thread.checkpoints[snapshot] = (serial, taken)
        memory.pack(_SNAPSHOT, snapshot, user, serial, pointer)
        _forget_old(thread)
        thread.rewind(0)

    thread.unwind(remember)


def _forget_old(thread: GuestThread) -> None:
    """Keep what is remembered within bounds, the newest: nobody says when a stack is not needed any more."""
    checkpoints = thread.checkpoints
    size = sum(len(frames.stack) + len(frames.frames) for _, frames in checkpoints.values())
    while len(checkpoints) > 1 and (len(checkpoints) > _MOST or size > _LARGEST):
        _, frames = checkpoints.pop(next(iter(checkpoints)))
        size -= len(frames.stack) + len(frames.frames)


@syscall("stack_restore", "iI:", WASIX)
def stack_restore(thread: GuestThread, snapshot: int, value: int) -> None:
    """Go back to a remembered stack, where `stack_checkpoint` then gives `value` (1 for 0); does not return.

    A record that names no stack of this thread ends the guest: there is nowhere to go.
    """
    from runtime.errors import RuntimeFault

    serial = thread.memory.unpack(_SNAPSHOT, snapshot)[1]
    for known, frames in thread.checkpoints.values():
        if known == serial:
            raise Resume(frames, value or 1)
    raise RuntimeFault(
        f"{thread.process.name}: stack_restore (longjmp) to a place that was never remembered, or whose function has returned"
    )
