"""Locks of packages that no project asks for, but somebody on the command line.

Such a lock is kept beside the store, with what would show that it is out of date: which versions the registries had
of its packages, and the size and time of the files that answered. Those of this machine are looked at every time; what
came over the network counts for a day, and longer where it cannot be asked again.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import EMBEDDED, REGISTRY, Lockfile, format_lock
from pkgmgr.locks.reader import parse_lock
from pkgmgr.notices import notice
from pkgmgr.registry import open_registries
from pkgmgr.short_digest import short_sha256
from pkgmgr.source import NamedSource, PathSource, parse_source
from pkgmgr.store.kept import UNUSABLE, keep, read_kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.lockfile import LockedPackage
    from pkgmgr.registry import Registries
    from pkgmgr.store import Store

_FORMAT: Final = 1
_LARGEST: Final = 16 << 20
_NETWORK_SECONDS: Final = 24 * 3600.0

Evidence = dict[str, list[Any]]
"""For each package of a registry on this machine: its versions, and the size and time of its file."""


def adhoc_lock(specs: Mapping[str, str], store: Store, options: InstallOptions) -> Lockfile:
    """A lock for package sources, with all of its packages in the store.

    Args:
        specs: Alias to package source.
        store: Where packages are and go, and where the lock is kept.
        options: The registry, and whether the network may be used.

    Raises:
        WpmError: They cannot be resolved or fetched.
    """
    registries = open_registries(
        options.registry, offline=options.offline, include=options.include, store=store, refresh=options.refresh
    )
    requirements = {alias: _canonical(spec) for alias, spec in specs.items()}
    place = f"adhoc/{_key(requirements, registries, options)}.json"
    kept = _read(store.root / place)
    if kept is not None and kept[0].is_for(requirements) and not options.refresh and _is_current(*kept, registries):
        lock = kept[0]
    else:
        lock = _resolve(requirements, registries, store, kept[0] if kept else None)
        if kept is None or lock is not kept[0]:
            _write(place, lock, registries, store)
    missing = store.missing(lock.packages.values())
    if missing:
        from pkgmgr.installing.fetch import fetch_packages

        fetch_packages(missing, registries, Path.cwd(), store, options.jobs or 4)
    return lock


def _canonical(spec: str) -> str:
    """The source in the one form that is a whole package source even where it is a bare name."""
    source = parse_source(spec)
    if isinstance(source, PathSource):
        raise WpmError(f"{spec}: a path is opened where it is, not resolved")
    if isinstance(source, NamedSource) and "/" not in source.name and source.registry is None:
        return f"_/{source}"
    return str(source)


def _key(requirements: Mapping[str, str], registries: Registries, options: InstallOptions) -> str:
    included = [str(path.absolute()) for path in options.include]
    known = [list(requirements.items()), sorted(registries.places.items()), included]
    return short_sha256(json.dumps(known).encode())[:40]


def _read(path: Path) -> tuple[Lockfile, Evidence, float] | None:
    """What was kept: the lock, the evidence and when; None where there is nothing that can be used.

    A file that another user may have written is nothing: it would say which package a name is.
    """
    if (content := read_kept(path, _FORMAT, _LARGEST, guarded=True)) is None:
        return None
    try:
        lock = parse_lock(content["lock"].encode())
        evidence, moment = content["evidence"], content["time"]
    except (*UNUSABLE, WpmError):
        return None
    return (lock, evidence, moment) if isinstance(evidence, dict) and isinstance(moment, float) else None


def _write(place: str, lock: Lockfile, registries: Registries, store: Store) -> None:
    content = {
        "time": time.time(),
        "evidence": _evidence(lock, registries),
        "lock": format_lock(lock),
    }
    keep(store, place, _FORMAT, content)


def _is_current(lock: Lockfile, evidence: Evidence, moment: float, registries: Registries) -> bool:
    """Whether resolving again would most likely give the same."""
    if registries.offline:
        return True
    if any(_came_over_network(package, registries) for package in lock.packages.values()):
        age = time.time() - moment
        if not 0 <= age < _NETWORK_SECONDS:
            return False
    return evidence == _evidence(lock, registries)


def _came_over_network(package: LockedPackage, registries: Registries) -> bool:
    if package.source in (EMBEDDED, REGISTRY) and package.name:
        return registries.answering(package.name).needs_network
    return "://" in package.source


def _evidence(lock: Lockfile, registries: Registries) -> Evidence:
    found: Evidence = {}
    for package in lock.packages.values():
        if package.source not in (EMBEDDED, REGISTRY) or not package.name or _came_over_network(package, registries):
            continue
        location = registries.location(package, Path())
        versions = sorted(str(version) for version in registries.versions(package.name))
        try:
            status = Path(location).stat()
            found[package.id] = [versions, status.st_size, status.st_mtime_ns]
        except OSError:
            found[package.id] = [versions, -1, -1]
    return found


def _resolve(requirements: Mapping[str, str], registries: Registries, store: Store, kept: Lockfile | None) -> Lockfile:
    from pkgmgr.resolution.locking import make_lock

    try:
        return make_lock(requirements, Path.cwd(), registries, store)
    except WpmError as error:
        # Without the network, what was there before is better than nothing, and nobody is left to wonder.
        over_network = kept is not None and any(_came_over_network(each, registries) for each in kept.packages.values())
        if (
            kept is None
            or not over_network
            or not all(store.has(package.sha256, package.size) for package in kept.packages.values())
        ):
            raise
        notice(f"{str(error).splitlines()[0]}; running what was fetched before")
        return kept
