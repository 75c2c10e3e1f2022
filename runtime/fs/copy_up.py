"""Copying an inode of a lower layer into the upper one, seen by nobody until it is whole.

The directory that it is copied into keeps its times: nothing changed in it for the guest. A copy is an inode of its own,
so hard links among files of a lower layer end there, as with Linux's overlayfs.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from itertools import count

from runtime.fs.failure import failure
from runtime.fs.whiteout import WORK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import Directory, File, Node, OpenFile, Symlink

_PIECE = 1 << 20
_works = count()


def work_name(directory: Directory) -> str:
    """A reserved name that is free in the directory; what a killed process left behind is stepped over."""
    while True:
        name = f"{WORK}{next(_works)}"
        try:
            directory.lookup(name)
        except FileNotFoundError:
            return name


def copy_file(source: File, directory: Directory, name: str, *, content: bool) -> Node:
    """Bind `name` in the directory to a copy of a file.

    Args:
        source: the file of the lower layer.
        directory: where in the upper layer.
        name: what to bind; it is free.
        content: whether the bytes are copied too; times always are.

    Returns:
        The copy.

    Raises:
        OSError: what reading or writing failed with; nothing is left behind then.
    """
    before = directory.stat()
    work = work_name(directory)
    copy = directory.create(work)
    try:
        if content:
            _copy_content(source, copy)
        _copy_times(source, copy)
        directory.rename(work, directory, name)
    except BaseException:
        with suppress(OSError):
            directory.unlink(work)
        raise
    finally:
        directory.set_times(before.atim, before.mtim)
    return directory.lookup(name)


def copy_symlink(source: Symlink, directory: Directory, name: str) -> Node:
    """Bind `name` in the directory to a copy of a symbolic link."""
    before = directory.stat()
    directory.symlink(name, source.readlink())
    directory.set_times(before.atim, before.mtim)
    copy = directory.lookup(name)
    _copy_times(source, copy)
    return copy


def copy_directory(source: Directory, directory: Directory, name: str) -> Directory:
    """Bind `name` in the directory to an empty directory with the times of `source`."""
    before = directory.stat()
    copy = directory.mkdir(name)
    directory.set_times(before.atim, before.mtim)
    _copy_times(source, copy)
    return copy


def _copy_content(source: File, copy: File) -> None:
    reader = source.open(read=True, write=False)
    try:
        writer = copy.open(read=False, write=True)
        try:
            _copy_bytes(reader, writer)
        finally:
            writer.close()
    finally:
        reader.close()


def _copy_bytes(reader: OpenFile, writer: OpenFile) -> None:
    if not reader.seekable:
        raise failure(errno.EROFS)  # a device or a FIFO of a lower layer stays where it is
    piece = memoryview(bytearray(min(_PIECE, max(1, reader.stat().size))))
    offset = 0
    while got := reader.readv([piece], offset):
        done = 0
        while done < got:
            done += writer.writev([piece[done:got]], offset + done)
        offset += got


def _copy_times(source: Node, copy: Node) -> None:
    stat = source.stat()
    copy.set_times(stat.atim, stat.mtim)
