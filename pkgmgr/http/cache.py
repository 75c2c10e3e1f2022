"""What servers said of packages, kept on disk: whole values by key, with their ETag and for how long they stay right.

The cache may always be lost: what is damaged, cannot be written to or was made by something else is as an empty one, and
nothing of it is ever unpickled. Any number of processes and threads may share it (SQLite).
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import diskcache

LARGEST_CACHE: Final = 256 << 20
"""The cache holds about this many bytes at most; what was stored first goes first."""

_FORMAT: Final = 1
_BUSY_SECONDS: Final = 5.0
_DAMAGED: Final = frozenset({1, 11, 26})
"""SQLite's codes for a table or column that is not there, for a malformed file and for a file that is no database."""


class Cached(NamedTuple):
    """What is known under a key.

    Attributes:
        value: The JSON value.
        etag: Its ETag, where the server gave one.
        age_seconds: How long ago it was put there or renewed.
        fresh: Whether the server said that it stays right for longer than that.
    """

    value: Any
    etag: str | None
    age_seconds: float
    fresh: bool


class MetadataCache:
    """A folder of JSON values; it is made when something is first put there.

    Args:
        folder: Where it is; nothing else may be there.
        most_bytes: How much it holds, about.
    """

    def __init__(self, folder: Path, most_bytes: int = LARGEST_CACHE) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._opened: diskcache.Cache | None = None
        self._broken = False

    def get(self, key: str) -> Cached | None:
        """What is known under a key; None where that is nothing."""
        if self._opened is None and not (self._folder / "cache.db").exists():
            return None
        entry = self._do(lambda cache: cache.get(key))
        match entry:
            case {"format": 1, "value": value, "etag": str() | None as etag, "time": int() | float() as moment, **rest}:
                age = time.time() - moment
                most = rest.get("max_age")
                # A clock that was set back makes nothing fresh.
                fresh = isinstance(most, int | float) and 0 <= age < most
                return Cached(value, etag, max(0.0, age), fresh)
        return None

    def put(self, key: str, value: object, etag: str | None, max_age: float | None) -> None:
        """Keep a value.

        Args:
            key: What it is asked for by.
            value: Anything that JSON can say.
            etag: Its ETag, where it has one.
            max_age: The seconds for which it stays right without asking again; None is none.
        """
        entry = {"format": _FORMAT, "value": value, "etag": etag, "max_age": max_age, "time": time.time()}
        self._do(lambda cache: cache.set(key, entry))

    def put_all(self, entries: Iterable[tuple[str, object, str | None, float | None]]) -> None:
        """Keep several values at once, which takes much less time than one after another: the arguments of `put` of each."""
        now = time.time()
        values = {
            key: {"format": _FORMAT, "value": value, "etag": etag, "max_age": max_age, "time": now}
            for key, value, etag, max_age in entries
        }

        def keep(cache: diskcache.Cache) -> None:
            with cache.transact():
                for key, entry in values.items():
                    cache.set(key, entry)

        if values:
            self._do(keep)

    def renew(self, key: str, max_age: float | None = None) -> None:
        """Note that what is kept was found to be right just now; `max_age` replaces what was said before, where it is given."""
        self.renew_all((key,), max_age)

    def renew_all(self, keys: Iterable[str], max_age: float | None = None) -> None:
        """The same for several keys at once."""

        def again(cache: diskcache.Cache) -> None:
            with cache.transact():
                for key in keys:
                    entry = cache.get(key)
                    if isinstance(entry, dict):
                        age = entry.get("max_age") if max_age is None else max_age
                        cache.set(key, entry | {"time": time.time(), "max_age": age})

        self._do(again)

    def prune(self, seconds: float, *, dry_run: bool = False) -> int:
        """Forget what was put there or renewed longer ago than that; gives how many values these are."""

        def forget(cache: diskcache.Cache) -> int:
            count = 0
            for key in list(cache):
                entry = cache.get(key)
                moment = entry.get("time") if isinstance(entry, dict) else None
                if isinstance(moment, int | float) and time.time() - moment <= seconds:
                    continue
                count += 1
                if not dry_run:
                    cache.delete(key)
            return count

        return self._do(forget) or 0 if (self._folder / "cache.db").exists() else 0

    def clear(self) -> None:
        """Forget everything."""
        if (self._folder / "cache.db").exists():
            self._do(lambda cache: cache.clear())

    def close(self) -> None:
        """Close the files."""
        with self._lock:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _do(self, action: Callable[[diskcache.Cache], object]) -> Any:
        """Do something with the cache, where there is one that works."""
        import sqlite3
        import zlib

        import diskcache

        try:
            cache = self._open()
            return None if cache is None else action(cache)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                self._discard()
        except (OSError, diskcache.Timeout, zlib.error, ValueError, TypeError, KeyError, RecursionError):
            # The disk is full, somebody else writes for long, or one value is damaged: it is asked for again.
            pass
        return None

    def _open(self) -> diskcache.Cache | None:
        """The cache; None where it cannot be opened, which is not tried twice."""
        with self._lock:
            if self._opened is not None or self._broken:
                return self._opened
            self._broken = True
            import sqlite3

            import diskcache

            from pkgmgr.http.json_disk import PlainJsonDisk

            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._opened = diskcache.Cache(
                    str(self._folder),
                    timeout=_BUSY_SECONDS,
                    disk=PlainJsonDisk,
                    size_limit=self._most_bytes,
                    eviction_policy="least-recently-stored",
                )
            except (sqlite3.OperationalError, OSError, diskcache.Timeout) as error:
                # No right to write there, or the disk is full: another wpm may be better off with it.
                if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                    self._discard()
            except Exception:
                # Whatever this database is, diskcache did not make it.
                self._discard()
            else:
                self._broken = False
            return self._opened

    def _discard(self) -> None:
        """Take the folder away, whole: whoever has it open goes on with files that nobody else sees."""
        import os
        import shutil

        self._opened, self._broken = None, True
        away = self._folder.with_name(f"{self._folder.name}-{os.urandom(8).hex()}.part")
        with suppress(OSError):
            self._folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)
