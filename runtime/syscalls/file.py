"""Open files: reading, writing, seeking, sizes, times.

Source: WASI preview 1, `fd_advise` .. `fd_write`; `wasi_unstable` numbers `whence` otherwise and has a shorter `filestat`.
"""

from __future__ import annotations

import time

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import UNSTABLE_WHENCE, FdFlags, FstFlags, Rights, Whence
from runtime.abi.layouts import FILESTAT, UNSTABLE_FILESTAT
from runtime.descriptors import Uses, in_use
from runtime.hostcalls import BESIDE, EVERYWHERE, PREVIEW1, UNSTABLE, WASIX, syscall
from runtime.syscalls.transfer import opened, read, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.descriptors import Description
    from runtime.fs.node import Stat
    from runtime.thread import GuestThread

_READ, _WRITE, _SEEK, _TELL = int(Rights.FD_READ), int(Rights.FD_WRITE), int(Rights.FD_SEEK), int(Rights.FD_TELL)
_APPEND = int(FdFlags.APPEND)
_MAX = (1 << 63) - 1
_U32 = 0xFFFF_FFFF
_TIME_MAX = (1 << 64) - 1


@syscall("fd_read", "iiii:i", *EVERYWHERE, BESIDE)
def fd_read(thread: GuestThread, fd: int, iovs: int, count: int, result: int) -> None:
    """Read into `count` buffers at the position and move it; writes the number of bytes, u32."""
    memory = thread.memory
    description = thread.descriptors.use(fd, _READ)
    memory.set_u32(result, read(thread, description, memory.iovecs(iovs, count)))
    if thread.shortcut is not None:
        thread.shorten(fd, description)


@syscall("fd_write", "iiii:i", *EVERYWHERE, BESIDE)
def fd_write(thread: GuestThread, fd: int, iovs: int, count: int, result: int) -> None:
    """Write from `count` buffers at the position and move it; writes the number of bytes, u32."""
    memory = thread.memory
    description = thread.descriptors.use(fd, _WRITE)
    memory.set_u32(result, write(thread, description, memory.iovecs(iovs, count)))
    if thread.shortcut is not None:
        thread.shorten(fd, description)


def _seekable(thread: GuestThread, fd: int, rights: int) -> Description:
    # A stream has no right to seek, by which a C library knows a terminal; yet it is told that it is a stream.
    description = thread.descriptors.use(fd, 0)
    if not opened(description).seekable:
        raise GuestError(Errno.SPIPE)
    return thread.descriptors.use(fd, rights)


@syscall("fd_pread", "iiiIi:i")
def fd_pread(thread: GuestThread, fd: int, iovs: int, count: int, offset: int, result: int) -> None:
    """Read at `offset` without moving the position. Errors: `SPIPE` for a stream."""
    description = _seekable(thread, fd, _READ | _SEEK)
    if offset > _MAX:
        raise GuestError(Errno.INVAL)
    with in_use(description) as file:
        done = file.readv(thread.memory.iovecs(iovs, count), offset)
    thread.memory.set_u32(result, done)


@syscall("fd_pwrite", "iiiIi:i")
def fd_pwrite(thread: GuestThread, fd: int, iovs: int, count: int, offset: int, result: int) -> None:
    """Write at `offset` without moving the position; at the end where the file appends. Errors: `SPIPE` for a stream."""
    description = _seekable(thread, fd, _WRITE | _SEEK)
    if offset > _MAX:
        raise GuestError(Errno.INVAL)
    buffers = thread.memory.iovecs(iovs, count)
    with in_use(description) as file:
        written = file.append(buffers)[0] if description.flags & _APPEND else file.writev(buffers, offset)
    thread.memory.set_u32(result, written)


def _seek(thread: GuestThread, fd: int, offset: int, whence: Whence, result: int) -> None:
    # Asking where one is takes the right to tell only.
    rights = _TELL if whence is Whence.CUR and offset == 0 else _SEEK | _TELL
    description = _seekable(thread, fd, rights)
    if offset > _MAX:
        offset -= 1 << 64
    with description.lock:
        if whence is Whence.CUR:
            offset += description.position
        elif whence is Whence.END:
            with in_use(description) as file:
                offset += file.stat().size
        if not 0 <= offset <= _MAX:
            raise GuestError(Errno.INVAL)
        description.position = offset
    thread.memory.set_u64(result, offset)


@syscall("fd_seek", "iIii:i", PREVIEW1, WASIX)
def fd_seek(thread: GuestThread, fd: int, offset: int, whence: int, result: int) -> None:
    """Move the position by a signed offset from the start, from itself or from the end; writes the new one, u64."""
    if whence > Whence.END:
        raise GuestError(Errno.INVAL)
    _seek(thread, fd, offset, Whence(whence), result)


@syscall("fd_seek", "iIii:i", UNSTABLE)
def fd_seek_unstable(thread: GuestThread, fd: int, offset: int, whence: int, result: int) -> None:
    """As `fd_seek`, with the older numbers of `whence`."""
    if whence >= len(UNSTABLE_WHENCE):
        raise GuestError(Errno.INVAL)
    _seek(thread, fd, offset, UNSTABLE_WHENCE[whence], result)


@syscall("fd_tell", "ii:i")
def fd_tell(thread: GuestThread, fd: int, result: int) -> None:
    """Write the position, u64. Errors: `SPIPE` for a stream."""
    thread.memory.set_u64(result, _seekable(thread, fd, _TELL).position)


@syscall("fd_advise", "iIIi:i")
def fd_advise(thread: GuestThread, fd: int, offset: int, length: int, advice: int) -> None:
    """Take note of how a file will be read; nothing here depends on it. Errors: `INVAL`, `SPIPE`."""
    _seekable(thread, fd, int(Rights.FD_ADVISE))
    if advice > 5 or offset > _MAX or length > _MAX:
        raise GuestError(Errno.INVAL)


@syscall("fd_allocate", "iII:i")
def fd_allocate(thread: GuestThread, fd: int, offset: int, length: int) -> None:
    """Make sure that the bytes exist; never shrinks. Errors: `INVAL`, `FBIG`, `SPIPE`."""
    description = _seekable(thread, fd, int(Rights.FD_ALLOCATE))
    if length == 0 or offset > _MAX:
        raise GuestError(Errno.INVAL)
    if offset + length > _MAX:
        raise GuestError(Errno.FBIG)
    with in_use(description) as file:
        file.allocate(offset, length)


@syscall("fd_datasync", "i:i")
def fd_datasync(thread: GuestThread, fd: int) -> None:
    """Wait until a file's data is on disk."""
    description = thread.descriptors.use(fd, int(Rights.FD_DATASYNC))
    if description.file is not None:
        with in_use(description) as file:
            file.sync(data_only=True)


@syscall("fd_sync", "i:i")
def fd_sync(thread: GuestThread, fd: int) -> None:
    """Wait until a file's data and metadata are on disk."""
    description = thread.descriptors.use(fd, int(Rights.FD_SYNC))
    if description.file is not None:
        with in_use(description) as file:
            file.sync(data_only=False)


def put_filestat(thread: GuestThread, result: int, stat: Stat) -> None:
    """Write a `filestat` of preview 1 (64 bytes)."""
    if not 0 <= stat.atim | stat.mtim | stat.ctim <= _TIME_MAX:
        stat = stat._replace(atim=_time(stat.atim), mtim=_time(stat.mtim), ctim=_time(stat.ctim))
    thread.memory.pack(FILESTAT, result, *stat)


def put_unstable_filestat(thread: GuestThread, result: int, stat: Stat) -> None:
    """Write a `filestat` of `wasi_unstable` (56 bytes)."""
    dev, ino, filetype, nlink, size, atim, mtim, ctim = stat
    times = _time(atim), _time(mtim), _time(ctim)
    thread.memory.pack(UNSTABLE_FILESTAT, result, dev, ino, filetype, min(nlink, _U32), size, *times)


def _stat(thread: GuestThread, fd: int) -> Stat:
    description = thread.descriptors.use(fd, int(Rights.FD_FILESTAT_GET))
    with Uses() as uses:
        uses.keep(description)
        return description.stat()


def _time(nanoseconds: int) -> int:
    """A timestamp as the guest can have it: it knows nothing before 1970."""
    return min(max(0, nanoseconds), _TIME_MAX)


@syscall("fd_filestat_get", "ii:i", PREVIEW1, WASIX)
def fd_filestat_get(thread: GuestThread, fd: int, result: int) -> None:
    """Write the `filestat` of what is open."""
    put_filestat(thread, result, _stat(thread, fd))


@syscall("fd_filestat_get", "ii:i", UNSTABLE)
def fd_filestat_get_unstable(thread: GuestThread, fd: int, result: int) -> None:
    """As `fd_filestat_get`, with the older structure."""
    put_unstable_filestat(thread, result, _stat(thread, fd))


@syscall("fd_filestat_set_size", "iI:i")
def fd_filestat_set_size(thread: GuestThread, fd: int, size: int) -> None:
    """Cut a file off or fill it up with zeros. Errors: `INVAL` for a stream."""
    with in_use(thread.descriptors.use(fd, int(Rights.FD_FILESTAT_SET_SIZE))) as file:
        if size > _MAX or not file.seekable:
            raise GuestError(Errno.INVAL)
        file.truncate(size)


def chosen_times(atim: int, mtim: int, flags: int) -> tuple[int | None, int | None]:
    """The times that `fstflags` choose, in nanoseconds; `None` leaves one as it is.

    Raises:
        GuestError: `INVAL` for flags that contradict each other.
    """
    both_atim, both_mtim = FstFlags.ATIM | FstFlags.ATIM_NOW, FstFlags.MTIM | FstFlags.MTIM_NOW
    if flags > 15 or flags & both_atim == both_atim or flags & both_mtim == both_mtim:
        raise GuestError(Errno.INVAL)
    now = time.time_ns()
    return (
        atim if flags & FstFlags.ATIM else now if flags & FstFlags.ATIM_NOW else None,
        mtim if flags & FstFlags.MTIM else now if flags & FstFlags.MTIM_NOW else None,
    )


@syscall("fd_filestat_set_times", "iIIi:i")
def fd_filestat_set_times(thread: GuestThread, fd: int, atim: int, mtim: int, flags: int) -> None:
    """Set the times of what is open, in nanoseconds, as `fstflags` choose."""
    description = thread.descriptors.use(fd, int(Rights.FD_FILESTAT_SET_TIMES))
    times = chosen_times(atim, mtim, flags)
    if description.file is not None:
        with in_use(description) as file:
            file.set_times(*times)
    elif description.node is not None:
        description.node.set_times(*times)
