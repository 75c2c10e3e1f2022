"""setjmp and longjmp. Source: `api_wasix.h`, `stack_checkpoint` and `stack_restore`.

A thread that makes many checkpoints makes them without the host after the first ones: see `runtime.checkpoints`.
"""

from __future__ import annotations

from struct import Struct

from runtime.abi.errno import Errno, GuestError
from runtime.errors import RuntimeFault
from runtime.hostcalls import BESIDE, WASIX, syscall
from runtime.unwinding import Resume

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_SNAPSHOT = Struct("<QQQ")
"""`stack_snapshot`, 24 bytes: the guest's own u64, and 128 bits by which we know the checkpoint."""


@syscall("stack_checkpoint", "ii:i", WASIX, BESIDE)
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
    memory.check(snapshot, _SNAPSHOT.size)

    def remember() -> None:
        thread.checkpoints.remember(thread, snapshot)
        thread.rewind(0)

    thread.unwind(remember)


@syscall("checkpoint_room", "ii:i", BESIDE)
def checkpoint_room(thread: GuestThread, snapshot: int, size: int) -> None:
    """Make room for a stack of so many bytes where the module beside the guest keeps its own.

    Errors: `NOMEM`; `NOSYS` when that module is not there.
    """
    if not snapshot or not thread.checkpoints.make_room(snapshot, size):
        raise GuestError(Errno.NOSYS)


@syscall("stack_restore", "iI:", WASIX)
def stack_restore(thread: GuestThread, snapshot: int, value: int) -> None:
    """Go back to a remembered stack, where `stack_checkpoint` then gives `value` (1 for 0); does not return.

    A record that names no stack of this thread ends the guest: there is nowhere to go.
    """
    frames = thread.checkpoints.find(thread.memory.unpack(_SNAPSHOT, snapshot)[1], snapshot)
    if frames is not None:
        raise Resume(frames, value or 1)
    raise RuntimeFault(
        f"{thread.process.name}: stack_restore (longjmp) to a place that was never remembered, or whose function has returned"
    )
