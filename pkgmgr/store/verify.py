"""Checking a store: everything in it is read and hashed again."""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pkgmgr.store import Store


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What is in a store.

    Attributes:
        sound: How many packages are what their name says.
        corrupt: Files whose bytes have another hash than their name says, or cannot be read.
        foreign: Files that nobody but the store should put there and that the store did not.
        abandoned: Unfinished files of writers that are dead: no fault, the next install removes them.
    """

    sound: int
    corrupt: tuple[Path, ...]
    foreign: tuple[Path, ...]
    abandoned: tuple[Path, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.corrupt and not self.foreign


def verify_store(store: Store) -> StoreReport:
    """Hash every package of the store again and look for files that do not belong there."""
    sound = 0
    corrupt: list[Path] = []
    foreign: list[Path] = []
    for path in store.objects():
        digest = path.parent.name + path.stem
        try:
            belongs = path == store.path(digest) and stat.S_ISREG(path.lstat().st_mode)
        except (OSError, WpmError):
            belongs = False
        if not belongs:
            foreign.append(path)
        elif _sha256_of(path) == digest:
            sound += 1
        else:
            corrupt.append(path)
    return StoreReport(sound, tuple(corrupt), tuple(foreign), tuple(store.abandoned()))


def damaged_modules(store: Store) -> Iterator[tuple[Path, str]]:
    """Compiled modules that are not what was written, each with the reason; those of other machines are not judged."""
    if not store.modules.is_dir():
        return
    from binfactory.modules import ModuleCache

    if (artifacts := ModuleCache(store.modules).artifacts) is not None:
        yield from artifacts.verify()


def _sha256_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
