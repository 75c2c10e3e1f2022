"""The file that a download grows in: locked, hashed as it grows, and seen by nobody before it is whole.

Where the hash of the package is known, the file has its name and its lock is the package's: a second wpm that wants the
same waits for the first, and then finds it in the store, or goes on where the first one died.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from pkgmgr.errors import NotAsPromised, Refused
from pkgmgr.http.turns import holds, take_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.store import Store, StoredObject

WORTH_KEEPING: Final = 8 << 20
"""How many bytes of an unfinished download are kept for the next wpm, where the download failed and was not killed."""


class Partial:
    """A package that is not whole.

    Args:
        file: Where its bytes go; it is at its end.
        path: Where that is.

    Attributes:
        count: How many bytes there are.
        settled: Whether it is in the store.
    """

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._path = path
        self._digest = hashlib.sha256()
        self.count = 0
        self.settled = False

    @property
    def sha256(self) -> str:
        """The hash of the bytes that there are."""
        return self._digest.hexdigest()

    def write(self, piece: bytes) -> None:
        """Add a piece; raises `OSError` with the file's name where the disk is full."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None
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
        stored = store.settle(self._file, self._path, self.sha256)
        self.settled = True
        return stored


@contextmanager
def open_partial(
    store: Store,
    url: str,
    sha256: str | None,
    size: int | None,
    check: Callable[[], object],
    waiting: Callable[[], object],
) -> Iterator[Partial | StoredObject]:
    """The file to download a package into, or the package where it is in the store by now.

    Args:
        store: Where the package goes.
        url: Where it comes from.
        sha256: Its hash, where that is known.
        size: Its size, where that is known.
        check: Called now and then while another process downloads the same; what it raises ends the waiting.
        waiting: Called once when that takes a while.

    Raises:
        OSError: The store cannot be written to.
    """
    store.remove_abandoned()
    opened = _by_url(store, url, check, waiting) if sha256 is None else _by_hash(store, sha256, size, check, waiting)
    with opened as partial:
        yield partial


@contextmanager
def _by_hash(
    store: Store, sha256: str, size: int | None, check: Callable[[], object], waiting: Callable[[], object]
) -> Iterator[Partial | StoredObject]:
    path = store.resumable(sha256)
    opened = take_turn(path, check, waiting)
    if opened is None:
        with store.new_file() as (file, own):
            yield Partial(file, own)
        return
    keep = False
    with opened as file:
        try:
            if store.has(sha256, size):
                yield store.object(sha256)
                return
            partial = Partial(file, path)
            partial.take_up()
            try:
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


@contextmanager
def _by_url(
    store: Store, url: str, check: Callable[[], object], waiting: Callable[[], object]
) -> Iterator[Partial | StoredObject]:
    """Who downloads a URL writes into a file with the name of the URL what came of it, for those who wait meanwhile."""
    path = store.being_fetched(url)
    found = ""

    def is_done(file: BinaryIO) -> bool:
        nonlocal found
        file.seek(0)
        found = file.read(64).decode("ascii", "replace")
        return re.fullmatch("[0-9a-f]{64}", found) is not None and store.has(found)

    turn = take_turn(path, check, waiting, is_done)
    try:
        # What one left who was killed while leaving is old news; what came of it while we waited is not.
        if turn is not None and not holds(turn, path) and is_done(turn):
            yield store.object(found)
            return
        with store.new_file() as (file, own):
            partial = Partial(file, own)
            yield partial
        if turn is not None and partial.settled:
            turn.seek(0)
            turn.truncate()
            turn.write(partial.sha256.encode())
            turn.flush()
    finally:
        if turn is not None:
            if holds(turn, path):
                path.unlink(missing_ok=True)
            turn.close()
