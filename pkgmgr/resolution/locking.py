"""From requirements to a lock: resolve, and write down what was chosen."""

from __future__ import annotations

import errno
import hashlib
from typing import TYPE_CHECKING

from pkgmgr.locks.lockfile import OCI, Lockfile
from pkgmgr.resolution.candidates import HIGHEST
from pkgmgr.resolution.direct import DirectPackages
from pkgmgr.resolution.resolver import resolve
from pkgmgr.source import OciSource, parse_dependency
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.locks.lockfile import LockedPackage
    from pkgmgr.registry import Registries
    from pkgmgr.store import Store


def make_lock(
    requirements: Mapping[str, str],
    folder: Path,
    registries: Registries,
    store: Store,
    current: Lockfile | None = None,
    upgrade: frozenset[str] | None = None,
    *,
    resolution: str = HIGHEST,
    manifest: Path | None = None,
) -> Lockfile:
    """Resolve requirements to a lock.

    Args:
        requirements: A manifest's `[dependencies]`, as written.
        folder: Where relative paths start.
        registries: Where names are looked up.
        store: Where packages go that have to be fetched to be known.
        current: The lock until now, whose versions are preferred.
        upgrade: Names of packages whose newest compatible version is wanted instead; `*` is all of them.
        resolution: Which versions are wanted: one of `pkgmgr.resolution.candidates.RESOLUTIONS`.
        manifest: The file that has the requirements: errors tell its lines.

    Raises:
        WpmError: There is no resolution; lines after the first say why.
    """
    kept = {
        package.id: package
        for package in (current.packages.values() if current else ())
        if upgrade is None or not upgrade & {package.name, "*"}
    }
    chosen = resolve(
        {alias: parse_dependency(alias, text) for alias, text in requirements.items()},
        registries,
        DirectPackages(registries, store, folder, known_sources(current, kept)),
        {package.name: Version.parse(package.version) for package in kept.values() if package.name},
        resolution=resolution,
        line_of=None if manifest is None else _ManifestLines(manifest, requirements),
    )
    packages = {package: summary.locked(chosen.dependencies[package]) for package, summary in chosen.packages.items()}
    return Lockfile(dict(requirements), chosen.roots, packages)


def known_sources(lock: Lockfile | None, kept: Mapping[str, LockedPackage]) -> dict[str, LockedPackage]:
    """What sources are locked to: by the source that the lock has, and tags of OCI registries by themselves.

    Args:
        lock: The lock.
        kept: Those of its packages by their ids that may stay what they are.
    """
    known = {package.source: package for package in kept.values()}
    for alias, text in lock.requirements.items() if lock is not None else ():
        if not text.startswith(OCI):
            continue
        # The digest stands in for the tag only where it is one of the same repository.
        source, package = parse_dependency(alias, text), kept.get(lock.roots[alias] if lock is not None else "")
        if isinstance(source, OciSource) and package is not None and package.source.startswith(f"{source.repository}@"):
            known[str(source)] = package
    return known


class _ManifestLines:
    """The line of a manifest that asks for an alias, as an error shows it; the file is read when the first is wanted."""

    def __init__(self, manifest: Path, requirements: Mapping[str, str]) -> None:
        self._manifest = manifest
        self._requirements = requirements
        self._lines: dict[str, int] | None = None

    def __call__(self, alias: str) -> str:
        if self._lines is None:
            from pkgmgr.manifest.positions import dependency_lines

            self._lines = dependency_lines(self._manifest)
        number = self._lines.get(alias)
        place = self._manifest.name + (f":{number}" if number else "")
        return f'{place}: "{alias}" = "{self._requirements[alias]}"'


def hash_of_path(path: Path, store: Store) -> str:
    """The hash of the package that a path is now: of the file, or of what the directory builds to.

    Raises:
        OSError: There is nothing that can be read.
        WpmError: The directory does not build.
    """
    if path.is_dir():
        from pkgmgr.building.built import build_into_store

        return build_into_store(path, store).sha256
    if path.exists() and not path.is_file():
        # A pipe would be waited for, and a device may have no end.
        raise FileNotFoundError(errno.ENOENT, "is not a file", str(path))
    with path.open("rb") as file:
        digest: str = hashlib.file_digest(file, "sha256").hexdigest()
    return digest
