"""An open file of the host: the kernel reads and writes the guest's memory directly."""

from __future__ import annotations

import errno
import os
import threading
from fcntl import F_GETFL, F_SETFL, fcntl
from stat import S_ISREG
from typing import TYPE_CHECKING

from runtime.fs.failure import failure
from runtime.fs.node import OpenFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.fs.hostfs import HostFile
    from runtime.fs.node import Stat

_BUFFERS_MAX = 1024  # IOV_MAX of Linux and macOS
_OFFSET_MAX = (1 << 63) - 1
_POSITIONED = hasattr(os, "preadv") and hasattr(os, "pwritev")


class HostOpenFile(OpenFile):
    """A regular file, or a FIFO as a stream.

    Args:
        node: the inode.
        number: the descriptor, from now on this object's.
        status: what `fstat` says of it.
    """

    __slots__ = ("_append_mode", "_lock", "_number", "filetype", "node", "seekable")

    node: HostFile

    def __init__(self, node: HostFile, number: int, status: os.stat_result) -> None:
        self.node = node
        self.filetype = node.filetype
        self.seekable = S_ISREG(status.st_mode)
        self._number = number
        self._append_mode = False
        self._lock = threading.Lock()

    def fileno(self) -> int | None:
        """As `OpenFile.fileno`."""
        return self._open_number()

    def _open_number(self) -> int:
        if self._number < 0:
            raise failure(errno.EBADF)
        return self._number

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        number, buffers = self._open_number(), buffers[:_BUFFERS_MAX]
        if not self.seekable:
            return os.readv(number, buffers)
        if offset > _OFFSET_MAX:
            return 0
        if _POSITIONED:
            return os.preadv(number, buffers, offset)
        return self._read_singly(number, buffers, offset)

    def _read_singly(self, number: int, buffers: Sequence[memoryview], offset: int) -> int:
        total = 0
        for buffer in buffers:
            data = os.pread(number, len(buffer), offset + total)
            buffer[: len(data)] = data
            total += len(data)
            if len(data) < len(buffer):
                break
        return total

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.writev`."""
        number, buffers = self._open_number(), buffers[:_BUFFERS_MAX]
        if not self.seekable:
            return os.writev(number, buffers)
        if offset > _OFFSET_MAX:
            raise failure(errno.EFBIG)
        with self._lock:
            self._set_append_mode(False)
            if _POSITIONED:
                return os.pwritev(number, buffers, offset)
            return self._write_singly(number, buffers, offset)

    def _write_singly(self, number: int, buffers: Sequence[memoryview], offset: int) -> int:
        total = 0
        for buffer in buffers:
            done = os.pwrite(number, buffer, offset + total)
            total += done
            if done < len(buffer):
                break
        return total

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """As `OpenFile.append`: in one step for other processes of the host too, with `O_APPEND`."""
        number, buffers = self._open_number(), buffers[:_BUFFERS_MAX]
        if not self.seekable:
            return os.writev(number, buffers), 0
        with self._lock:
            self._set_append_mode(True)
            done = os.writev(number, buffers)
            if not done:
                return 0, os.fstat(number).st_size
            return done, os.lseek(number, 0, os.SEEK_CUR)

    def _set_append_mode(self, append: bool) -> None:
        # Linux ignores the offset of pwritev while O_APPEND is on, so it is on only from an append to the next write.
        if append is not self._append_mode:
            flags = fcntl(self._number, F_GETFL)
            fcntl(self._number, F_SETFL, flags | os.O_APPEND if append else flags & ~os.O_APPEND)
            self._append_mode = append

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.fs.to_stat(os.fstat(self._open_number()))

    def truncate(self, size: int) -> None:
        """As `OpenFile.truncate`."""
        if size > _OFFSET_MAX:
            raise failure(errno.EFBIG)
        os.ftruncate(self._open_number(), size)

    def allocate(self, offset: int, length: int) -> None:
        """As `OpenFile.allocate`: really takes up the space where the host can do that."""
        if offset + length > _OFFSET_MAX:
            raise failure(errno.EFBIG)
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(self._open_number(), offset, length)
                return
            except OSError as error:
                if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
                    raise
        super().allocate(offset, length)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `OpenFile.set_times`."""
        self.node.fs.check_writable()
        number = self._open_number()
        os.utime(number, ns=merged_times(os.fstat(number), atim, mtim))

    def sync(self, *, data_only: bool) -> None:
        """As `OpenFile.sync`."""
        if data_only and hasattr(os, "fdatasync"):
            os.fdatasync(self._open_number())
        else:
            os.fsync(self._open_number())

    def close(self) -> None:
        """As `OpenFile.close`."""
        number, self._number = self._number, -1
        if number >= 0:
            os.close(number)

    def __del__(self) -> None:
        if getattr(self, "_number", -1) >= 0:
            self.close()


def merged_times(status: os.stat_result, atim: int | None, mtim: int | None) -> tuple[int, int]:
    """The two times to set, the present ones where there is no new one.

    Raises:
        OSError: `EINVAL` for a time that the host cannot hold.
    """
    if (atim or 0) > _OFFSET_MAX or (mtim or 0) > _OFFSET_MAX:
        raise failure(errno.EINVAL)
    return (
        status.st_atime_ns if atim is None else atim,
        status.st_mtime_ns if mtim is None else mtim,
    )
