"""Stamps: how a file that was hashed once is known again without reading it.

The time of a file's last write carries a part of the digest of its contents, where times have nanoseconds: while it is
there, nobody wrote since; where it is not (an edit, a copy, damage that was repaired), the contents have to be read and
compared. It is a guard against accidents and other users, not against somebody who may write as this user: that one
could replace this program, too.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SECOND = 10**9


def stamp(where: int | Path, digest: bytes) -> None:
    """Note on a file that its contents have this digest.

    Args:
        where: Its descriptor or path.
        digest: The sha256 of its contents.

    Raises:
        OSError: It is not ours.
    """
    from time import time

    moment = int(time()) * _SECOND + _nanoseconds(digest)
    os.utime(where, ns=(moment, moment))


def renew(path: Path) -> None:
    """Note on a file that it is in use now; whether it has a stamp stays as it is.

    Raises:
        OSError: It is not ours.
    """
    from time import time

    moment = int(time()) * _SECOND + path.lstat().st_mtime_ns % _SECOND
    os.utime(path, ns=(moment, moment), follow_symlinks=False)


def is_stamped(status: os.stat_result, digest: bytes) -> bool:
    """Whether a file's status has the stamp of this digest."""
    return status.st_mtime_ns % _SECOND == _nanoseconds(digest)


def is_guarded(status: os.stat_result) -> bool:
    """Whether nobody but this user and the superuser can have written a file since it was stamped."""
    return status.st_uid in (os.geteuid(), 0) and not status.st_mode & OTHERS_WRITE


def digest_of(descriptor: int, size: int) -> bytes:
    """The sha256 of the first `size` bytes of an open file; its position is left alone."""
    from hashlib import sha256

    digest = sha256()
    offset = 0
    while offset < size and (data := os.pread(descriptor, min(1 << 18, size - offset), offset)):
        digest.update(data)
        offset += len(data)
    return digest.digest()


def _nanoseconds(digest: bytes) -> int:
    return int.from_bytes(digest[:4], "little") % _SECOND
