"""Event descriptors. Source: `api_wasix.h`, `fd_event`."""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import FdFlags
from runtime.descriptors import Description, Descriptor
from runtime.eventfd import EventFile
from runtime.hostcalls import WASIX, syscall
from runtime.syscalls.path import rights_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_SEMAPHORE = 1
_NONBLOCK = 4


@syscall("fd_event", "Iii:i", WASIX)
def fd_event(thread: GuestThread, count: int, flags: int, result: int) -> None:
    """Make an event descriptor that starts at `count`, u32 at `result`; flag 1 makes it a semaphore, 4 non-blocking.

    The second is not in the header, but what C programs pass (`EFD_NONBLOCK`); others are ignored, as upstream does.
    """
    thread.memory.check(result, 4)
    if count >= (1 << 64) - 1:
        raise GuestError(Errno.INVAL)
    file = EventFile(count, semaphore=bool(flags & _SEMAPHORE))
    description = Description(file=file, flags=int(FdFlags.NONBLOCK) if flags & _NONBLOCK else 0)
    thread.memory.set_u32(result, thread.descriptors.add(Descriptor(description, rights_of(file))))
