"""Making a store smaller: removing what was not used for long.

The store does not know which projects there are. So it notes when a package was last used (`Store.last_used`), and what
nobody used for so many days goes, with its compiled modules; who needs it after all fetches it again. What an installed
tool runs on always stays.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.store import METADATA, WORDS
from pkgmgr.store.layers import UnpackedLayers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from pkgmgr.store import Store

DAYS: Final = 30
_DAY_SECONDS: Final = 24 * 3600.0
_LARGEST: Final = 16 << 20


class PrunedPackage(NamedTuple):
    """A package that went: its id, its sha256, and its size in bytes."""

    id: str
    sha256: str
    size: int


class PruneReport(NamedTuple):
    """What went, or would.

    Attributes:
        packages: The packages.
        modules: How many compiled modules.
        module_bytes: And their bytes.
        resolutions: How many resolutions of packages that somebody named, and notes.
        metadata: How many replies of registries.
        temporaries: How many unfinished files of writers that are dead.
        layers: How many layers of images, unpacked ones and tables of packages' ones.
        layer_bytes: And their bytes.
    """

    packages: tuple[PrunedPackage, ...]
    modules: int
    module_bytes: int
    resolutions: int
    metadata: int
    temporaries: int
    layers: int
    layer_bytes: int

    @property
    def freed_bytes(self) -> int:
        """The bytes of the packages, modules and layers; the rest is small."""
        return sum(package.size for package in self.packages) + self.module_bytes + self.layer_bytes


def prune_store(store: Store, days: float, keep: Collection[str], *, dry_run: bool = False) -> PruneReport:
    """Remove what was not used for some days.

    Args:
        store: The store.
        days: For how many.
        keep: The sha256 of packages that stay, used or not.
        dry_run: Only tell what would go.
    """
    before = time.time() - days * _DAY_SECONDS
    names = _names(store)
    old = [path for path in store.objects() if _digest(path) not in keep and _is_older(store, path, before)]
    gone = _modules_of(old)
    packages = []
    for path in old:
        with suppress(OSError):
            size = path.lstat().st_size
            # Somebody may have come to use it since.
            if not _is_older(store, path, before):
                continue
            if not dry_run:
                path.unlink()
            packages.append(PrunedPackage(names.get(_digest(path)) or f"sha256:{_digest(path)}", _digest(path), size))
    removed = {package.sha256 for package in packages}
    left = [path for path in store.objects() if _digest(path) not in removed]
    modules, module_bytes = _prune_modules(store, left, gone, before, dry_run)
    resolutions = _prune_resolutions(store, {_digest(path) for path in left}, dry_run)
    resolutions += _remove(_notes(store, before, everything=bool(modules)), dry_run)
    temporaries = len(store.abandoned())
    if not dry_run:
        store.remove_abandoned()
    temporaries += _remove_folders(store, dry_run)
    layers, layer_bytes = UnpackedLayers(store).prune(before, dry_run=dry_run)
    metadata = _prune_metadata(store, days, dry_run)
    return PruneReport(tuple(packages), modules, module_bytes, resolutions, metadata, temporaries, layers, layer_bytes)


def _names(store: Store) -> dict[str, str]:
    from pkgmgr.store.names import stored_names

    return stored_names(store)


def _digest(path: Path) -> str:
    return path.parent.name + path.stem


def _is_older(store: Store, path: Path, moment: float) -> bool:
    try:
        return store.last_used(path) < moment
    except OSError:
        return False


def _modules_of(packages: Iterable[Path]) -> set[str]:
    """The sha256 of each module in some packages of the store."""
    from binfactory.errors import FactoryError
    from binfactory.node import PackageNode
    from binfactory.opened import OpenPackage

    found = set()
    for path in packages:
        opened = OpenPackage(PackageNode(str(path), path, sha256=_digest(path)))
        with suppress(FactoryError):
            found |= {opened.atom_sha256(name) for name in opened.atom_names}
    return found


def _prune_modules(
    store: Store, left: Iterable[Path], gone: Collection[str], before: float, dry_run: bool
) -> tuple[int, int]:
    """Compiled modules of packages that are gone, of other engines, and old ones that are of no package at all."""
    if not store.modules.is_dir():
        return 0, 0
    from binfactory.modules import ModuleCache

    if (artifacts := ModuleCache(store.modules).artifacts) is None:
        return 0, 0
    keep = _modules_of(left)
    if not dry_run:
        artifacts.sweep(time.time() - _DAY_SECONDS)
    return artifacts.prune(keep, gone=set(gone) - keep, unknown_before=before, dry_run=dry_run)


def _prune_resolutions(store: Store, left: Collection[str], dry_run: bool) -> int:
    """What packages that somebody named were resolved to, where one of these is not here any more."""
    from pkgmgr.locks.reader import parse_lock

    stale = []
    for path in sorted((store.root / "adhoc").glob("*.json")):
        try:
            with path.open("rb") as file:
                lock = parse_lock(json.loads(file.read(_LARGEST))["lock"].encode())
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, WpmError):
            stale.append(path)
            continue
        if any(package.sha256 not in left for package in lock.packages.values()):
            stale.append(path)
    return _remove(stale, dry_run)


def _notes(store: Store, before: float, *, everything: bool) -> list[Path]:
    """Notes of whose modules are compiled: old ones, or all where modules went, as a note does not say which are its own."""
    notes = []
    for path in (store.root / "compiled").glob("*"):
        with suppress(OSError):
            if everything or path.lstat().st_mtime < before:
                notes.append(path)
    for path in (store.root / WORDS).glob("*"):
        with suppress(OSError):
            if path.lstat().st_mtime < before:
                notes.append(path)
    return notes


def _remove(paths: Iterable[Path], dry_run: bool) -> int:
    count = 0
    for path in paths:
        with suppress(OSError):
            if not dry_run:
                path.unlink()
            count += 1
    return count


def _remove_folders(store: Store, dry_run: bool) -> int:
    """Metadata that was damaged and put aside by somebody who did not live to remove it."""
    import shutil

    count = 0
    for folder in store.root.glob(f"{METADATA}-*.part"):
        with suppress(OSError):
            if time.time() - folder.lstat().st_mtime > _DAY_SECONDS:
                count += 1
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
    return count


def _prune_metadata(store: Store, days: float, dry_run: bool) -> int:
    from pkgmgr.http.cache import MetadataCache

    metadata = MetadataCache(store.root / METADATA)
    try:
        return metadata.prune(days * _DAY_SECONDS, dry_run=dry_run)
    finally:
        metadata.close()
