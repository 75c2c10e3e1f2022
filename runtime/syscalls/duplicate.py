"""Pipes and duplicates of descriptors. Source: `api_wasix.h`, `fd_dup`, `fd_dup2`, `fd_pipe`, `fd_fdflags_*`."""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.descriptors import Description, Descriptor
from runtime.hostcalls import WASIX, syscall
from runtime.pipes import guest_pipe
from runtime.syscalls.path import rights_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_CLOEXEC = 1


def _copy(thread: GuestThread, fd: int) -> Descriptor:
    old = thread.descriptors.get(fd)
    return Descriptor(old.description, old.rights, old.inheriting)


@syscall("fd_dup", "ii:i", WASIX)
def fd_dup(thread: GuestThread, fd: int, result: int) -> None:
    """Give what is open another descriptor, u32 at `result`: the lowest free one."""
    thread.memory.check(result, 4)
    thread.memory.set_u32(result, thread.descriptors.add(_copy(thread, fd)))


@syscall("fd_dup2", "iiii:i", WASIX)
def fd_dup2(thread: GuestThread, fd: int, at_least: int, cloexec: int, result: int) -> None:
    """As `fd_dup`, the lowest free one from `at_least` on, closed on exec if `cloexec`."""
    thread.memory.check(result, 4)
    copy = _copy(thread, fd)
    copy.close_on_exec = bool(cloexec)
    thread.memory.set_u32(result, thread.descriptors.add(copy, at_least))


@syscall("fd_pipe", "ii:i", WASIX)
def fd_pipe(thread: GuestThread, reading: int, writing: int) -> None:
    """Make a pipe; writes the descriptor of the end to read from, and of the end to write to, u32 each."""
    memory, descriptors = thread.memory, thread.descriptors
    memory.check(reading, 4)
    memory.check(writing, 4)
    first, second = (Descriptor(Description(file=end), rights_of(end)) for end in guest_pipe())
    # What finds no room in the table is closed by it.
    try:
        number = descriptors.add(first)
    except GuestError:
        second.description.file.close()  # type: ignore[union-attr]
        raise
    try:
        memory.set_u32(writing, descriptors.add(second))
    except GuestError:
        descriptors.close(number)
        raise
    memory.set_u32(reading, number)


@syscall("fd_fdflags_get", "ii:i", WASIX)
def fd_fdflags_get(thread: GuestThread, fd: int, result: int) -> None:
    """Write the `fdflagsext` of a descriptor, u16: 1 when exec closes it."""
    thread.memory.set_u16(result, _CLOEXEC if thread.descriptors.get(fd).close_on_exec else 0)


@syscall("fd_fdflags_set", "ii:i", WASIX)
def fd_fdflags_set(thread: GuestThread, fd: int, flags: int) -> None:
    """Set the `fdflagsext` of a descriptor. Errors: `INVAL` for a flag that there is not."""
    if flags & ~_CLOEXEC:
        raise GuestError(Errno.INVAL)
    thread.descriptors.get(fd).close_on_exec = bool(flags & _CLOEXEC)
