"""From requirements to a lock: resolve, and write down what was chosen."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pkgmgr.direct import DirectPackages
from pkgmgr.lockfile import Lockfile
from pkgmgr.resolver import resolve
from pkgmgr.source import parse_dependency
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.registry import Registries
    from pkgmgr.store import Store


def make_lock(
    requirements: Mapping[str, str],
    folder: Path,
    registries: Registries,
    store: Store,
    current: Lockfile | None = None,
    upgrade: frozenset[str] | None = None,
) -> Lockfile:
    """Resolve requirements to a lock.

    Args:
        requirements: A manifest's `[dependencies]`, as written.
        folder: Where relative paths start.
        registries: Where names are looked up.
        store: Where packages go that have to be fetched to be known.
        current: The lock until now, whose versions are preferred.
        upgrade: Names of packages whose newest compatible version is wanted instead; `*` is all of them.

    Raises:
        WpmError: There is no resolution; lines after the first say why.
    """
    kept = {
        package.id: package
        for package in (current.packages.values() if current else ())
        if upgrade is None or not upgrade & {package.name, "*"}
    }
    resolution = resolve(
        {alias: parse_dependency(alias, text) for alias, text in requirements.items()},
        registries,
        DirectPackages(registries, store, folder, {package.source: package for package in kept.values()}),
        {package.name: Version.parse(package.version) for package in kept.values() if package.name},
    )
    packages = {
        package: summary.locked(resolution.dependencies[package]) for package, summary in resolution.packages.items()
    }
    return Lockfile(dict(requirements), resolution.roots, packages)


def hash_of_path(path: Path, store: Store) -> str:
    """The hash of the package that a path is now: of the file, or of what the directory builds to.

    Raises:
        OSError: There is nothing that can be read.
        WpmError: The directory does not build.
    """
    if path.is_dir():
        from pkgmgr.built import build_into_store

        return build_into_store(path, store).sha256
    with path.open("rb") as file:
        digest: str = hashlib.file_digest(file, "sha256").hexdigest()
    return digest
