"""Packages that are asked for by a path, a URL or a hash: which package is there?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.installing.fetch import fetch_url
from pkgmgr.locks.lockfile import BY_HASH, PATH, LockedPackage
from pkgmgr.source import HashSource, OciSource, PathSource, UrlSource
from pkgmgr.summary import PackageSummary, summarize

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.registry import Registries
    from pkgmgr.source import PackageSource
    from pkgmgr.store import Store


class DirectPackages:
    """Finds the package of a source that is not a name.

    Args:
        registries: Asked for hashes.
        store: Where downloads go.
        folder: Where relative paths start.
        known: Packages of the lock by their source: a URL that is locked and in the store is not fetched again, and a tag of
            an OCI registry means what it meant when it was locked.
    """

    def __init__(
        self, registries: Registries, store: Store, folder: Path, known: Mapping[str, LockedPackage] | None = None
    ) -> None:
        self._registries = registries
        self._store = store
        self._folder = folder
        self._known = known or {}

    def __call__(self, source: PackageSource) -> PackageSummary:
        """The package of the source; raises `WpmError` where it cannot be had."""
        match source:
            case PathSource():
                return self._at_path(source)
            case UrlSource(url):
                return self._at_url(url)
            case OciSource():
                return self._of_oci(source)
            case HashSource(sha256):
                return self._with_hash(sha256)
            case _:
                raise WpmError(f"{source}: names are looked up in a registry")

    def _at_path(self, source: PathSource) -> PackageSummary:
        path = source.below(self._folder)
        if path.is_dir():
            from pkgmgr.building.built import build_into_store

            built = build_into_store(path, self._store).path
            return summarize(built, PATH + str(source), folder=source.path)
        return summarize(path, PATH + str(source))

    def _at_url(self, url: str) -> PackageSummary:
        known = self._known.get(url)
        if known is not None and self._store.has(known.sha256, known.size):
            return summarize(self._store.path(known.sha256), url)
        if self._registries.offline:
            raise WpmError(f"{url}: not in the store, and --offline forbids to fetch it")
        stored = fetch_url(url, self._store)
        try:
            return summarize(stored.path, url)
        except WpmError as error:
            # The path of the store tells nobody anything, and what is no package has no business there.
            stored.path.unlink(missing_ok=True)
            reason = str(error).rpartition(f"{stored.path}: ")[2]
            raise WpmError(f"{url}: what is there is no package: {reason}") from None

    def _of_oci(self, source: OciSource) -> PackageSummary:
        from pkgmgr.oci.known import Known
        from pkgmgr.oci.reference import parse_reference

        known = self._known.get(str(source))
        if known is not None and self._store.has(known.sha256, known.size):
            return summarize(self._store.path(known.sha256), known.source)
        reference = parse_reference(known.source if known is not None else str(source))
        if self._registries.offline:
            with Known(self._store) as memory:
                found = memory.package(reference)
            if found is None:
                raise WpmError(f"{source}: not in the store, and --offline forbids to fetch it")
        else:
            from pkgmgr.oci.artifact import fetch_package

            found = fetch_package(reference, self._store)
            with Known(self._store) as memory:
                memory.note_package(reference, found)
        try:
            return summarize(found.stored.path, str(found.reference))
        except WpmError as error:
            reason = str(error).rpartition(f"{found.stored.path}: ")[2]
            raise WpmError(f"{source}: the package there cannot be used: {reason}") from None

    def _with_hash(self, sha256: str) -> PackageSummary:
        if (found := self._registries.by_hash(sha256)) is not None:
            return found
        if self._store.has(sha256):
            return summarize(self._store.path(sha256), BY_HASH)
        raise WpmError(f"sha256:{sha256}: neither the store nor a registry has a package with this hash")
