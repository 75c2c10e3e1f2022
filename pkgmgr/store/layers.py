"""Layers of images as the store has them: unpacked, so that whoever runs an image a second time unpacks nothing.

    ROOT/layers/AB/CDEF…-DIGEST.tar    the archive; first the sha256 of the file that it was unpacked from, then its own

A compressed archive cannot be read from its middle, and a guest reads files in any order. What is kept is read-only, private
to the user, and carries a stamp that an edit destroys (binfactory.stamps); `wpm cache prune` removes what nobody used for long.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import NotAsPromised
from pkgmgr.files.folders import make_folder, sync_folder
from pkgmgr.source import check_sha256
from pkgmgr.store.store import LAYERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pkgmgr.store.store import Store

_SUFFIX: Final = ".tar"
_HEX: Final = 64
_DAY_SECONDS: Final = 24 * 3600.0


class UnpackedFile(NamedTuple):
    """An unpacked archive in the store: its file, and the sha256 of its bytes (OCI calls it the layer's diff id)."""

    path: Path
    sha256: str


class UnpackedLayers:
    """The unpacked layers of a store, shared by any number of processes.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.root / LAYERS

    def unpacked(
        self, packed: str, unpack: Callable[[], Iterable[bytes | memoryview]], expected: str | None = None
    ) -> UnpackedFile:
        """An archive unpacked: the one that is here, else unpacked now.

        Args:
            packed: The sha256 of the packed file, in hex, which the caller has reason to believe.
            unpack: Gives the unpacked bytes, within bounds of its own; called only where nothing is here.
            expected: The sha256 that they must have, where that is known.

        Raises:
            NotAsPromised: They have another one; nothing of them stays.
            WpmError: As `unpack` raises.
            OSError: The disk failed; nothing of them stays.
        """
        check_sha256(packed)
        for path, sha256 in self._of(packed):
            if expected in (None, sha256) and self._is_sound(path, sha256):
                return UnpackedFile(path, sha256)
        self._store.remove_abandoned()
        return self._add(packed, unpack(), expected)

    def _of(self, packed: str) -> list[tuple[Path, str]]:
        """What is here of a packed file."""
        folder = self._root / packed[:2]
        beginning = packed[2:] + "-"
        try:
            names = sorted(path.name for path in folder.iterdir() if path.name.startswith(beginning))
        except OSError:
            return []
        ends = [(name, name.removeprefix(beginning).removesuffix(_SUFFIX)) for name in names]
        return [(folder / name, end) for name, end in ends if len(end) == _HEX and name.endswith(_SUFFIX)]

    def _is_sound(self, path: Path, sha256: str) -> bool:
        """Whether a file is what its name says; that it is used is noted once a day."""
        from binfactory.pinned import is_pinned
        from binfactory.stamps import renew

        try:
            if not is_pinned(path, sha256):
                return False
        except (OSError, ValueError):
            return False
        with suppress(OSError):
            if time.time() - path.lstat().st_mtime > _DAY_SECONDS:
                renew(path)
        return True

    def _add(self, packed: str, pieces: Iterable[bytes | memoryview], expected: str | None) -> UnpackedFile:
        import hashlib

        from binfactory.stamps import stamp

        digest = hashlib.sha256()
        with self._store.new_file() as (file, temporary):
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
            sha256 = digest.hexdigest()
            if expected is not None and sha256 != expected:
                raise NotAsPromised(
                    f"its unpacked bytes have the sha256 {sha256} where {expected} was promised: do not trust its source"
                )
            target = self._root / packed[:2] / f"{packed[2:]}-{sha256}{_SUFFIX}"
            file.flush()
            os.fchmod(file.fileno(), 0o400)
            stamp(file.fileno(), digest.digest())
            os.fsync(file.fileno())
            make_folder(target.parent)
            temporary.replace(target)
            sync_folder(target.parent)
            return UnpackedFile(target, sha256)

    def files(self) -> Iterator[Path]:
        """The files that are here, in order."""
        if self._root.is_dir():
            yield from sorted(path for path in self._root.rglob("*") if path.is_symlink() or not path.is_dir())

    def prune(self, before: float, *, dry_run: bool = False) -> tuple[int, int]:
        """Remove what was not used since a moment, in seconds since the epoch; gives how many, and their bytes."""
        count = freed = 0
        for path in self.files():
            with suppress(OSError):
                status = path.lstat()
                if status.st_mtime >= before:
                    continue
                if not dry_run:
                    path.unlink()
                count += 1
                freed += status.st_size
        if not dry_run:
            self._remove_empty()
        return count, freed

    def _remove_empty(self) -> None:
        """Remove the folders below that have nothing in them any more."""
        for folder in sorted((path for path in self._root.rglob("*") if path.is_dir()), reverse=True):
            # One that somebody puts something into at this moment stays, as it is not empty.
            with suppress(OSError):
                folder.rmdir()
