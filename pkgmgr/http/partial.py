"""The file that a download grows in: locked, hashed as it grows, and seen by nobody before it is whole.

Where the hash of the package is known, the file has its name and its lock is the package's: a second wpm that wants the
same waits for the first, and then finds it in the store, or goes on where the first one died.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from pkgmgr.errors import NotAsPromised, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.store import Store, StoredObject

WORTH_KEEPING: Final = 8 << 20
"""How many bytes of an unfinished download are kept for the next wpm, where the download failed and was not killed."""

_TICK: Final = 0.05
_SOON: Final = 1.0


class Partial:
    """A package that is not whole.

    Args:
        file: Where its bytes go; it is at its end.
        path: Where that is.

    Attributes:
        count: How many bytes there are.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._digest = hashlib.sha256()
        self.count = 0

    @property
    def sha256(self) -> str:
        """The hash of the bytes that there are."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add a piece."""
        self._file.write(piece)
        self._digest.update(piece)
        self.count += len(piece)

    def take_up(self) -> None:
        """Hash what somebody else left in the file."""
        self._file.seek(0)
        while piece := self._file.read(1 << 20):
            self._digest.update(piece)
            self.count += len(piece)

    def start_anew(self) -> None:
        """Forget the bytes."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.count = 0

    def settle(self, store: Store) -> StoredObject:
        """Put it into the store, whole and verified as the caller has seen."""
        return store.settle(self._file, self._path, self.sha256)


@contextmanager
def open_partial(
    store: Store,
    sha256: str | None,
    size: int | None,
    check: Callable[[], object],
    waiting: Callable[[], object],
) -> Iterator[Partial | StoredObject]:
    """The file to download a package into, or the package where it is in the store by now.

    Args:
        store: Where the package goes.
        sha256: Its hash, where that is known.
        size: Its size, where that is known.
        check: Called now and then while another process downloads the same package; what it raises ends the waiting.
        waiting: Called once when that takes a while.

    Raises:
        OSError: The store cannot be written to.
    """
    store.remove_abandoned()
    opened = None if sha256 is None else _open_shared(store.resumable(sha256), check, waiting)
    if opened is None:
        with store.new_file() as (file, path):
            yield Partial(file, path)
        return
    with opened as file:
        path = store.resumable(sha256 or "")
        if sha256 is not None and store.has(sha256, size):
            from pkgmgr.store import StoredObject

            path.unlink(missing_ok=True)
            found = store.path(sha256)
            yield StoredObject(found, sha256, found.stat().st_size)
            return
        partial = Partial(file, path)
        keep = False
        try:
            partial.take_up()
            yield partial
        except (NotAsPromised, Refused, OSError):
            raise
        except BaseException:
            keep = partial.count >= WORTH_KEEPING
            raise
        finally:
            # The lock is held: whoever waits for it sees that the file has gone, or is the package now.
            if not keep:
                path.unlink(missing_ok=True)


def _open_shared(path: Path, check: Callable[[], object], waiting: Callable[[], object]) -> BinaryIO | None:
    """The file at the path, locked; None where the file system has no locks."""
    patient_until = time.monotonic() + _SOON
    told = False
    while True:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")
        try:
            while (locked := _try_lock(file)) is False:
                check()
                if not told and time.monotonic() > patient_until:
                    told = True
                    waiting()
                time.sleep(_TICK)
            if locked is None:
                file.close()
                with suppress(OSError):
                    path.unlink()
                return None
            if _is_at(file, path):
                return file
        except BaseException:
            file.close()
            raise
        file.close()


def _try_lock(file: BinaryIO) -> bool | None:
    """Whether the file is ours now; None where that cannot be told."""
    import errno
    import fcntl

    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EINTR) else None
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    """Whether the file is still the one at the path: it may have been renamed into the store, or removed."""
    with suppress(OSError):
        return os.path.samestat(os.fstat(file.fileno()), path.lstat())
    return False
