"""What every descriptor can be asked: close, renumber, status, flags, rights, preopens.

Source: WASI preview 1, the functions `fd_close`, `fd_renumber`, `fd_fdstat_*`, `fd_prestat_*`; `wasi_unstable` alike.
"""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import FdFlags, Rights
from runtime.abi.layouts import FDSTAT, PRESTAT
from runtime.descriptors import NAMES_OF_ALL, Descriptor
from runtime.hostcalls import syscall
from runtime.syscalls.args import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.thread import GuestThread

_HIGHEST = 1 << 31
_SET_FLAGS = int(Rights.FD_FDSTAT_SET_FLAGS)
_KNOWN_FLAGS = int(FdFlags.APPEND | FdFlags.DSYNC | FdFlags.NONBLOCK | FdFlags.RSYNC | FdFlags.SYNC)


@syscall("fd_close", "i:i")
def fd_close(thread: GuestThread, fd: int) -> None:
    """Close a descriptor. Errors: `BADF`."""
    thread.descriptors.close(fd, hides=thread.process.module.is_wasix)


@syscall("fd_renumber", "ii:i")
def fd_renumber(thread: GuestThread, source: int, target: int) -> None:
    """Move `source` to the number `target`, closing what was there, in one step. Errors: `BADF`.

    For a WASIX module this is `dup2`, as its C library uses it: `source` stays open, `target` need not be open before
    and is not closed by exec; a preopen that was there is still found by paths (see `DescriptorTable.directory`).
    """
    descriptors = thread.descriptors
    if not thread.process.module.is_wasix:
        descriptors.renumber(source, target)
        return
    old = descriptors.get(source)
    if source == target:
        return
    if target >= _HIGHEST:
        raise GuestError(Errno.BADF)
    descriptors.replace(target, Descriptor(old.description, old.rights, old.inheriting))


@syscall("fd_fdstat_get", "ii:i")
def fd_fdstat_get(thread: GuestThread, fd: int, result: int) -> None:
    """Write an `fdstat` (24 bytes): filetype, flags, rights, inheriting rights."""
    descriptor = thread.descriptors.get(fd)
    description = descriptor.description
    filetype = int(description.filetype)
    thread.memory.pack(FDSTAT, result, filetype, description.flags, descriptor.rights, descriptor.inheriting)


@syscall("fd_fdstat_set_flags", "ii:i")
def fd_fdstat_set_flags(thread: GuestThread, fd: int, flags: int) -> None:
    """Set the `fdflags`. Errors: `INVAL` for a flag that there is not."""
    description = thread.descriptors.use(fd, _SET_FLAGS)
    if flags & ~_KNOWN_FLAGS:
        raise GuestError(Errno.INVAL)
    description.flags = flags


@syscall("fd_fdstat_set_rights", "iII:i")
def fd_fdstat_set_rights(thread: GuestThread, fd: int, rights: int, inheriting: int) -> None:
    """Give up rights. Errors: `NOTCAPABLE` for a right that the descriptor does not have."""
    descriptor = thread.descriptors.get(fd)
    if rights & ~descriptor.rights or inheriting & ~descriptor.inheriting:
        raise GuestError(Errno.NOTCAPABLE)
    thread.descriptors.hide_rings(fd)
    descriptor.rights, descriptor.inheriting = rights, inheriting


def _preopen(thread: GuestThread, fd: int) -> tuple[Descriptor, bytes]:
    # wasi-libc asks number after number until BADF: what is no preopen has to say so.
    descriptor = thread.descriptors.preopen(fd)
    name = descriptor.preopen or ""
    if name not in NAMES_OF_ALL and thread.process.module.is_wasix and thread.env.has_root:
        raise GuestError(Errno.BADF)
    return descriptor, encode(name)


@syscall("fd_prestat_get", "ii:i")
def fd_prestat_get(thread: GuestThread, fd: int, result: int) -> None:
    """Write a `prestat` (8 bytes): tag 0 for a directory, the length of its name. Errors: `BADF` when not a preopen."""
    _, name = _preopen(thread, fd)
    thread.memory.pack(PRESTAT, result, 0, len(name))


@syscall("fd_prestat_dir_name", "iii:i")
def fd_prestat_dir_name(thread: GuestThread, fd: int, path: int, length: int) -> None:
    """Write the name of a preopen, without a NUL. Errors: `NAMETOOLONG` when the buffer is shorter."""
    _, name = _preopen(thread, fd)
    if length < len(name):
        raise GuestError(Errno.NAMETOOLONG)
    thread.memory.write(path, name)
