"""Tables of packages' layers, as the store has them: who builds an image of a package a second time does not parse it again.

    ROOT/layers/AB/CDEF….table    the sha256 of the key and of what follows; the table (pkgmgr.rootfs.packed_table)

The key is the name of the file. What is damaged, or somebody else may have written, counts as not there, and is replaced when
it is worked out again. So nothing need be synced, which would take longer than what it saves; `wpm cache prune` removes what
nobody used for long.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pkgmgr.source import check_sha256
from pkgmgr.store.store import LAYERS

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.store.store import Store

_SUFFIX: Final = ".table"
_DIGEST: Final = 32
_LARGEST: Final = 1 << 30
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DAY_SECONDS: Final = 24 * 3600.0


class LayerTables:
    """The tables of a store, shared by any number of processes.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._root = store.root / LAYERS

    def get(self, key: str) -> memoryview | None:
        """A table that is here, and is what was kept; that it is used is noted once a day.

        Args:
            key: A sha256 of all that it depends on, in hex.
        """
        from binfactory.stamps import is_guarded

        path = self.path(key)
        try:
            descriptor = os.open(path, _FLAGS)
            try:
                status = os.fstat(descriptor)
                if not is_guarded(status) or status.st_size > _LARGEST:
                    return None
                found = memoryview(os.read(descriptor, status.st_size))
            finally:
                os.close(descriptor)
        except OSError:
            return None
        table = found[_DIGEST:]
        if found[:_DIGEST] != _digest(key, table):
            return None
        if time.time() - status.st_mtime > _DAY_SECONDS:
            with suppress(OSError):
                os.utime(path, follow_symlinks=False)
        return table

    def keep(self, key: str, table: bytes) -> None:
        """Keep a table; where the store cannot be written to, nothing is kept."""
        path = self.path(key)
        with suppress(OSError), self._store.new_file() as (file, temporary):
            file.write(_digest(key, table))
            file.write(table)
            file.flush()
            os.fchmod(file.fileno(), 0o400)
            try:
                temporary.replace(path)
            except FileNotFoundError:
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                temporary.replace(path)

    def path(self, key: str) -> Path:
        """Where the table of a key is, or would be."""
        check_sha256(key)
        return self._root / key[:2] / (key[2:] + _SUFFIX)


def _digest(key: str, table: bytes | memoryview) -> bytes:
    digest = sha256(bytes.fromhex(key))
    digest.update(table)
    return digest.digest()
