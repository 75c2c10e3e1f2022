"""One name of a root filesystem: what every reader gives and every writer takes."""

from __future__ import annotations

import errno
import os
from enum import Enum
from stat import S_ISREG
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_MODE: Final = 0o644
PROGRAM_MODE: Final = 0o755
DIRECTORY_MODE: Final = 0o755
SYMLINK_MODE: Final = 0o777
"""What every symbolic link has: nobody asks for it, but tars and Linux say it."""
DEEPEST: Final = 200
"""No image nests directories deeper: who writes or removes a tree holds all of them open on the way, and macOS gives 256."""
_PIECE: Final = 1 << 20


def path_order(path: str) -> str:
    """By what the names of a layer are ordered: all that is in a directory comes right behind it.

    GNU tar gives a directory its time when it meets what is not in it: `a`, `a.b`, `a/c` would change the time of `a` again.
    """
    return path.replace("/", "\0")


def ways_to(path: str) -> list[str]:
    """The directories on the way to a path, the highest first: `usr`, `usr/bin` for `usr/bin/ls`."""
    ways = []
    at = path.find("/")
    while at > 0:
        ways.append(path[:at])
        at = path.find("/", at + 1)
    return ways


class Kind(Enum):
    """What stands at a path. The last two stand only in layers: they take something of a lower layer away."""

    FILE = "file"
    DIRECTORY = "directory"
    SYMLINK = "symlink"
    HARD_LINK = "hard link"
    WHITEOUT = "whiteout"
    """Nothing is here, whatever lower layers have."""
    OPAQUE = "opaque"
    """A directory is here, and nothing in it that lower layers have."""


class HostFile(NamedTuple):
    """A span of a file of the host: a file as it is, or a member of an archive.

    Attributes:
        path: The file.
        size: How many bytes it is.
        offset: Where it begins in the file, in bytes.
        identity: By what it is known again, `(st_dev, st_ino)`, where others may put something else in its place, as in a
            directory that was looked through; None for a file that somebody named, or that is ours.
    """

    path: Path
    size: int
    offset: int = 0
    identity: tuple[int, int] | None = None

    def open(self) -> int:
        """A descriptor of the file, which whoever asks for it closes.

        Raises:
            WpmError: It cannot be opened, or is not the file that it was: a link may lead elsewhere meanwhile.
        """
        try:
            # A pipe would be waited for.
            flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self.identity is None else os.O_NOFOLLOW)
            descriptor = os.open(self.path, flags)
        except OSError as error:
            link = error.errno == errno.ELOOP and self.identity is not None
            reason = "it became a link meanwhile" if link else error.strerror or error
            raise WpmError(f"{one_line(str(self.path))}: cannot be read: {reason}") from None
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode) or self.identity not in (None, (status.st_dev, status.st_ino)):
            os.close(descriptor)
            what = "another file than it was" if S_ISREG(status.st_mode) else "no file any more"
            raise WpmError(f"{one_line(str(self.path))}: is {what}: build again")
        return descriptor

    def pieces(self) -> Iterator[bytes]:
        """The bytes, at most 1 MiB at a time.

        Raises:
            WpmError: The file cannot be read, or is shorter than it was.
        """
        left = self.size
        descriptor = self.open()
        try:
            while left:
                piece = os.pread(descriptor, min(left, _PIECE), self.offset + self.size - left)
                if not piece:
                    raise WpmError(f"{self.path}: it became shorter while it was read: build again")
                left -= len(piece)
                yield piece
        except OSError as error:
            raise WpmError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        finally:
            os.close(descriptor)


class Entry(NamedTuple):
    """One name of a root filesystem.

    Attributes:
        path: From the root, without a slash at its start or end: `usr/bin/ls`. No part is empty, `.` or `..`.
        kind: What stands there.
        mode: The permission bits, as of chmod(2): of a symbolic link `SYMLINK_MODE`, of a hard link those of its file.
        mtime: The time of the last modification, in whole seconds since the epoch.
        size: Of a file, in bytes; else 0.
        content: Of a file, its bytes: in memory (as a rule a mapped package), or in a file of the host.
        target: Of a symbolic link what it says; of a hard link the path of the file that it is, which comes before it.
        uid: The owner's number.
        gid: The group's number.
    """

    path: str
    kind: Kind
    mode: int = FILE_MODE
    mtime: int = 0
    size: int = 0
    content: memoryview | HostFile = memoryview(b"")
    target: str = ""
    uid: int = 0
    gid: int = 0

    def pieces(self) -> Iterator[bytes | memoryview]:
        """A file's bytes, in pieces of at most 1 MiB."""
        if isinstance(self.content, HostFile):
            yield from self.content.pieces()
            return
        for start in range(0, self.size, _PIECE):
            yield self.content[start : start + _PIECE]
