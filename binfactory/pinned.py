"""Package files that somebody pinned by their sha256: opened only while they are what was pinned."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from binfactory.stamps import digest_of, is_guarded, is_stamped, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from webc_parser.container import Container

_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
_OTHER_BYTES = "its bytes are not those that the lock pins (sha256 {})"


class NotPinned(OSError):
    """A file is not the one that was pinned."""


def open_pinned(path: Path | str, sha256: str) -> Container:
    """Open a container that must have this sha256.

    What is looked at is what is opened: the file is not looked up by its name a second time.

    Args:
        path: The file; no link.
        sha256: The hash of the whole file, in hex.

    Raises:
        NotPinned: It has other bytes, or is no file.
        OSError: It cannot be opened.
        WebcError: It is no container.
    """
    from webc_parser.container import Container

    descriptor = os.open(path, _FLAGS)
    try:
        if not _matches(descriptor, bytes.fromhex(sha256)):
            raise NotPinned(None, _OTHER_BYTES.format(sha256), str(path))
        return Container.from_descriptor(descriptor, str(path))
    finally:
        os.close(descriptor)


def map_pinned(path: Path | str, sha256: str) -> memoryview:
    """The bytes of a container that must have this sha256, mapped and not looked at; as `open_pinned`, which parses them.

    Raises:
        NotPinned: It has other bytes, or is no file.
        OSError: It cannot be opened, or is empty.
    """
    from mmap import ACCESS_READ, mmap

    descriptor = os.open(path, _FLAGS)
    try:
        if not _matches(descriptor, bytes.fromhex(sha256)):
            raise NotPinned(None, _OTHER_BYTES.format(sha256), str(path))
        return memoryview(mmap(descriptor, 0, access=ACCESS_READ))
    except ValueError as error:
        raise OSError(None, str(error), str(path)) from None
    finally:
        os.close(descriptor)


def is_pinned(path: Path, sha256: str) -> bool:
    """Whether a file is there and has this sha256 (in hex); one that was hashed before is not read again.

    Raises:
        OSError: There is no such file, it is a link, or it cannot be read.
    """
    descriptor = os.open(path, _FLAGS)
    try:
        return _matches(descriptor, bytes.fromhex(sha256))
    finally:
        os.close(descriptor)


def _matches(descriptor: int, digest: bytes) -> bool:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return False
    if is_guarded(status) and is_stamped(status, digest):
        return True
    if digest_of(descriptor, status.st_size) != digest:
        return False
    # Another user's file stays as it is and is read each time.
    if is_guarded(status) and os.fstat(descriptor).st_mtime_ns == status.st_mtime_ns:
        with suppress(OSError):
            stamp(descriptor, digest)
    return True
