"""Moving bytes between guest memory and what is open: positions, appending, blocking, broken pipes."""

from __future__ import annotations

import time

from runtime.abi.errno import Errno, GuestError
from runtime.abi.flags import FdFlags
from runtime.descriptors import in_use
from runtime.signals import Signal
from runtime.waiting import READABLE, WRITABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime.descriptors import Description
    from runtime.fs.node import OpenFile
    from runtime.thread import GuestThread

_APPEND = int(FdFlags.APPEND)
_NONBLOCK = int(FdFlags.NONBLOCK)
_SYNC = int(FdFlags.SYNC | FdFlags.RSYNC)
_DSYNC = int(FdFlags.DSYNC)


def opened(description: Description) -> OpenFile:
    """The file of a description.

    Raises:
        GuestError: `ISDIR` when a directory is open.
    """
    if description.file is None:
        raise GuestError(Errno.ISDIR)
    return description.file


def read(thread: GuestThread, description: Description, buffers: Sequence[memoryview]) -> int:
    """Read at the description's position and move it; a stream blocks until there is something."""
    if len(thread.process.threads) == 1:
        # Nobody can close it but a signal's handler, which runs in a wait: what does not wait is spared the count.
        try:
            return _read(description, opened(description), buffers)
        except BlockingIOError:
            # From here on somebody can.
            pass
    return _patiently(thread, description, _read, buffers, READABLE)


def _read(description: Description, file: OpenFile, buffers: Sequence[memoryview]) -> int:
    if file.seekable:
        with description.lock:
            count = file.readv(buffers, description.position)
            description.position += count
        return count
    return file.readv(buffers, 0)


def write(thread: GuestThread, description: Description, buffers: Sequence[memoryview]) -> int:
    """Write at the description's position, or at the end when it appends, and move it; a stream blocks until it takes some."""
    try:
        if len(thread.process.threads) == 1:
            try:
                return _write(description, opened(description), buffers)
            except BlockingIOError:
                # As in `read`: a wait begins.
                pass
        return _patiently(thread, description, _write, buffers, WRITABLE)
    except BrokenPipeError:
        thread.process.raise_signal(Signal.PIPE)
        # Now, not at the next call: a guest that dies of it must not first complain that it could not write.
        thread.deliver()
        raise


def _patiently(
    thread: GuestThread,
    description: Description,
    transfer: Callable[[Description, OpenFile, Sequence[memoryview]], int],
    buffers: Sequence[memoryview],
    readiness: int,
) -> int:
    """Try until it does not block, with the file kept open meanwhile, whoever closes it."""
    with in_use(description) as file:
        while True:
            try:
                return transfer(description, file, buffers)
            except BlockingIOError:
                _wait(thread, description, file, readiness)


def _write(description: Description, file: OpenFile, buffers: Sequence[memoryview]) -> int:
    if file.seekable:
        flags = description.flags
        with description.lock:
            if flags & _APPEND:
                count, description.position = file.append(buffers)
            else:
                count = file.writev(buffers, description.position)
                description.position += count
        if flags & (_SYNC | _DSYNC):
            file.sync(data_only=not flags & _SYNC)
        return count
    return file.writev(buffers, 0)


def _wait(thread: GuestThread, description: Description, file: OpenFile, event: int) -> None:
    if description.flags & _NONBLOCK:
        raise GuestError(Errno.AGAIN)
    writing = event == WRITABLE
    if file.patience(thread.waker, writing=writing) is not None:
        _wait_in_memory(thread, file, writing=writing)
        return
    descriptor = file.write_fileno() if writing else file.fileno()
    if descriptor is None:
        raise GuestError(Errno.AGAIN)
    patience = file.timeout(writing=writing)
    deadline = None if patience is None else time.monotonic_ns() + patience
    if not thread.block([(descriptor, event)], deadline):
        raise GuestError(Errno.TIMEDOUT)


def _wait_in_memory(thread: GuestThread, file: OpenFile, *, writing: bool) -> None:
    """Wait for what has no descriptor as long as nobody polls it."""
    end: int | None = None
    while moment := file.patience(thread.waker, writing=writing):
        if moment > 0:
            end = end or time.monotonic_ns() + moment
        if thread.waker.wait((), end if moment > 0 else None) is not None:
            return
        if thread.deliver():
            raise GuestError(Errno.INTR)
