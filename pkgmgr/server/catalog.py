"""What the server knows of its registry: packages, their versions and releases, as they are in the directory right now."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import REGISTRY
from pkgmgr.registry.directory import SUFFIX, DirectoryRegistry, FileIdentity
from pkgmgr.source import GLOBAL_NAMESPACE, check_sha256
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pkgmgr.registry.record import PackageRecord
    from webc_parser.manifest import Manifest

LATEST: Final = "latest"
HASH: Final = "sha256:"


_PLACES_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 2.0


class Place(NamedTuple):
    """A version, and when its file was written: seconds since 1970."""

    seconds: float
    name: str
    version: Version


class Packaged:
    """One file of the registry.

    Attributes:
        identity: What file it is.
        path: Where it is.
    """

    identity: FileIdentity

    @property
    def path(self) -> Path:
        """Where it is."""
        raise NotImplementedError

    @property
    def record(self) -> PackageRecord:
        """What is in it; raises `WpmError` where it cannot be read any more."""
        raise NotImplementedError

    @cached_property
    def manifest(self) -> Manifest:
        """The container's manifest, typed."""
        import json

        from webc_parser import parse_manifest

        return parse_manifest(json.loads(self.record.manifest))

    @property
    def sha256(self) -> str:
        """The hash of the file."""
        return self.identity.sha256

    @property
    def webc(self) -> str:
        """The version of the container format: `v1`, `v2` or `v3`."""
        return self.identity.webc

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.identity.size

    @property
    def seconds(self) -> float:
        """When the file was written: seconds since 1970."""
        return self.identity.mtime_ns / 1e9


class VersionEntry(Packaged):
    """One version of a package, and whether it is withdrawn."""

    def __init__(self, package: PackageEntry, version: Version, identity: FileIdentity) -> None:
        self.package = package
        self.version = version
        self.identity = identity
        self.yanked = version in package.yanked

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.package.registry.location(self.package.name, self.version)

    @cached_property
    def record(self) -> PackageRecord:
        """What is in it; raises `WpmError` where it cannot be read any more."""
        return self.package.registry.record(self.package.name, self.version)


class ReleaseEntry(Packaged):
    """A package that was pushed and has no name, or has not got it here yet."""

    def __init__(self, record: PackageRecord, path: Path) -> None:
        self._record = record
        self._path = path
        self.identity = FileIdentity(record.summary.sha256, record.webc, record.summary.size, record.mtime_ns)

    @property
    def path(self) -> Path:
        """Where it is."""
        return self._path

    @property
    def record(self) -> PackageRecord:
        """What is in it."""
        return self._record


class PackageEntry:
    """A package: its name in one form, and its versions."""

    def __init__(self, registry: DirectoryRegistry, name: str, found: list[Version]) -> None:
        self.registry = registry
        self.name = name
        self.yanked = registry.yanked(name)
        self._seen = (found, self.yanked)
        namespace, _, self.package_name = name.rpartition("/")
        self.namespace = namespace or GLOBAL_NAMESPACE

    def is_current(self) -> bool:
        """Whether these are still the versions that there are."""
        return self._seen == (self.registry.versions(self.name), self.registry.yanked(self.name))

    @cached_property
    def found(self) -> list[Version]:
        """Every version that is there, the newest first."""
        return sorted(self._seen[0], key=Version.order, reverse=True)

    @cached_property
    def versions(self) -> list[VersionEntry]:
        """Those that can be read; what is no package is not offered."""
        identities = self.registry.identities(self.name, self.found)
        return [VersionEntry(self, version, identity) for version, identity in identities.items()]

    def version(self, version: Version) -> VersionEntry | None:
        """One of the versions."""
        if version not in self._seen[0]:
            return None
        identity = self.registry.identities(self.name, (version,)).get(version)
        return None if identity is None else VersionEntry(self, version, identity)

    @cached_property
    def last(self) -> VersionEntry | None:
        """The newest version that is neither yanked nor a pre-release, else the newest that there is."""
        order = sorted(self.found, key=lambda version: (version in self.yanked, bool(version.pre)))
        return next((entry for version in order if (entry := self.version(version)) is not None), None)


class Catalog:
    """The registry in a directory.

    Args:
        root: The directory; `packages` is in it.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = DirectoryRegistry(root, REGISTRY, str(root))
        self._places: tuple[float, list[Place]] | None = None
        self._lock = threading.Lock()
        self._by_hash: dict[str, tuple[str, Version]] = {}
        self._hashed: dict[str, Sequence[Version]] = {}
        self._looked = 0.0
        self._newest: dict[str, VersionEntry] = {}

    def package(self, name: str) -> PackageEntry | None:
        """The package with this name; None where there is none, or it cannot be one."""
        from pkgmgr.source import check_name

        try:
            name = check_name(name)
            versions = self.registry.versions(name)
        except WpmError:
            return None
        return PackageEntry(self.registry, name, list(versions)) if versions else None

    def version(self, name: str, version: str) -> VersionEntry | None:
        """One version: exactly, by a requirement (the newest that satisfies it), or `latest`."""
        from pkgmgr.version import Requirement

        if (package := self.package(name)) is None:
            return None
        if version in ("", LATEST):
            return package.last
        try:
            exact = Version.parse(version)
        except WpmError:
            exact = None
        if exact is not None:
            return package.version(exact)
        try:
            wanted = Requirement.parse(version)
        except WpmError:
            return None
        candidates = (each for each in package.found if wanted.matches(each) and each not in package.yanked)
        return next((entry for each in candidates if (entry := package.version(each)) is not None), None)

    def packages(self) -> Iterator[PackageEntry]:
        """All of them, in the order of their names."""
        for name in self.registry.names():
            if (package := self.package(name)) is not None:
                yield package

    def namespaces(self) -> set[str]:
        """Where there are packages."""
        from pkgmgr.registry.directory import is_name

        with suppress(OSError):
            return {path.name for path in (self.root / "packages").iterdir() if is_name(path.name)} - {GLOBAL_NAMESPACE}
        return set()

    def newest(self) -> Iterator[VersionEntry]:
        """What speaks for each package, in the order of their names. It is read again where its versions have changed."""
        for name in self.registry.names():
            known = self._newest.get(name)
            if known is not None and known.package.is_current():
                yield known
            elif (package := self.package(name)) is not None and (entry := package.last) is not None:
                self._newest[name] = entry
                yield entry

    def places(self) -> list[Place]:
        """Every version of every package, the one that was written first before the others; a few seconds old at most."""
        now = time.monotonic()
        if self._places is None or now - self._places[0] > _PLACES_SECONDS:
            self._places = (now, sorted(self._find_places()))
        return list(self._places[1])

    def forget(self) -> None:
        """Look again: something was published."""
        self._places = None
        self._looked = 0.0

    def _with_hash(self, sha256: str) -> VersionEntry | None:
        """The version whose file has this hash."""
        with self._lock:
            if sha256 not in self._by_hash and time.monotonic() - self._looked > _LOOK_SECONDS:
                self._look_for_hashes()
        if (place := self._by_hash.get(sha256)) is None:
            return None
        entry = self.version(place[0], str(place[1]))
        return entry if entry is not None and entry.sha256 == sha256 else None

    def _look_for_hashes(self) -> None:
        """Look through the packages whose versions are not those of the last time."""
        for name in self.registry.names():
            versions = self.registry.versions(name)
            if self._hashed.get(name) == versions:
                continue
            for version in versions:
                try:
                    self._by_hash[self.registry.record(name, version).summary.sha256] = (name, version)
                except WpmError:
                    continue
            self._hashed[name] = versions
        self._looked = time.monotonic()

    def _find_places(self) -> Iterator[Place]:
        for name in self.registry.names():
            for version in self.registry.versions(name):
                try:
                    yield Place(self.registry.location(name, version).stat().st_mtime, name, version)
                except OSError:
                    continue

    def by_hash(self, text: str) -> VersionEntry | ReleaseEntry | None:
        """The package whose file has this sha256, written with or without `sha256:` before it."""
        try:
            sha256 = check_sha256(text.strip().lower().removeprefix(HASH))
        except WpmError:
            return None
        if (entry := self._with_hash(sha256)) is not None:
            return entry
        try:
            record = self.registry.release(sha256)
        except WpmError:
            return None
        return None if record is None else ReleaseEntry(record, self.registry.release_path(sha256))


def download_path(entry: Packaged) -> str:
    """The path of a file's URL on the server."""
    if isinstance(entry, VersionEntry):
        return f"/packages/{entry.package.namespace}/{entry.package.package_name}/{entry.version}{SUFFIX}"
    return f"/sha256/{entry.sha256}{SUFFIX}"
