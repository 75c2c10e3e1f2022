"""Reading directories. Source: WASI preview 1, `fd_readdir`."""

from __future__ import annotations

from itertools import islice

from runtime.abi.errno import Errno, GuestError
from runtime.abi.filetype import Filetype
from runtime.abi.flags import Rights
from runtime.abi.layouts import DIRENT
from runtime.fs.node import Directory, DirEntry
from runtime.hostcalls import syscall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.descriptors import Description
    from runtime.thread import GuestThread

_READDIR = int(Rights.FD_READDIR)


def _listing(description: Description, cookie: int) -> list[DirEntry]:
    """The names as they were when the guest began to read; beginning again looks again."""
    location = description.location
    if location is None or not isinstance(location.node, Directory):
        raise GuestError(Errno.NOTDIR)
    if description.listing is None or cookie == 0:
        parent = location.parent or location
        dots = [
            DirEntry(".", location.node.stat().ino, Filetype.DIRECTORY),
            DirEntry("..", parent.node.stat().ino, Filetype.DIRECTORY),
        ]
        description.listing = dots + list(location.node.entries())
    return description.listing


@syscall("fd_readdir", "iiiIi:i")
def fd_readdir(thread: GuestThread, fd: int, buffer: int, length: int, cookie: int, result: int) -> None:
    """Fill the buffer with `dirent` records (24 bytes, then the name) from the entry `cookie` on.

    The last record is cut off where the buffer ends; fewer bytes than the buffer holds mean the end of the directory.
    The number of bytes used is written as a u32.
    """
    description = thread.descriptors.use(fd, _READDIR)
    with description.lock:
        listing = _listing(description, cookie)
    thread.memory.check(buffer, length)
    records: list[bytes] = []
    pack, size = DIRENT.pack, 0
    for index, (text, ino, filetype) in enumerate(islice(listing, min(cookie, len(listing)), None), cookie + 1):
        name = text.encode("utf-8", "surrogateescape")
        records += pack(index, ino & 0xFFFF_FFFF_FFFF_FFFF, len(name), filetype), name
        size += 24 + len(name)
        if size >= length:
            break
    used = min(size, length)
    thread.memory.write(buffer, memoryview(b"".join(records))[:used])
    thread.memory.set_u32(result, used)
