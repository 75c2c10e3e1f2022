"""A registry that is a directory: `packages/NAMESPACE/NAME/VERSION.webc`; `_` is the namespace of those without one.

A file `VERSION.yanked` beside a version withdraws it: it can still be had by those who locked it. What is in the mark is the
reason, if anything is. `index.json` beside the versions (see `pkgmgr.registry.index`) saves reading them. A package that
was pushed to the registry without a name is `releases/SHA256.webc`.
"""

from __future__ import annotations

import os
import time
from stat import S_ISREG
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.source import GLOBAL_NAMESPACE, check_name, check_sha256, split_name
from pkgmgr.version import Version, version_or_none

if TYPE_CHECKING:
    from collections.abc import Collection, Hashable, Sequence
    from pathlib import Path

    from pkgmgr.registry.index import PackageIndex
    from pkgmgr.registry.listing import FoundPackage, PackageAbout
    from pkgmgr.registry.record import PackageRecord
    from pkgmgr.summary import PackageSummary

SUFFIX: Final = ".webc"
YANKED: Final = ".yanked"
RELEASES: Final = "releases"
INDEX_NAME: Final = "index.json"
_MOST_VERSIONS: Final = 10_000
_MOST_NAMES: Final = 100_000
_MOST_RECORDS: Final = 100_000
_LONGEST_REASON: Final = 1000
_RECENT_NS: Final = 2_000_000_000


class DirectoryRegistry:
    """Packages that lie in a directory of this machine.

    Args:
        root: The directory; `packages` is in it.
        source: What a lock writes as the source of its packages.
        title: The registry as an error names it.
    """

    needs_network = False

    def __init__(self, root: Path, source: str, title: str) -> None:
        self.root = root
        self.title = title
        self._source = source
        self._packages = root / "packages"
        self._folders: dict[str, Path] = {}
        self._listings: dict[str, _Listing] = {}
        self._indexes: dict[str, tuple[tuple[int, ...], PackageIndex]] = {}
        self._records: dict[Path, PackageRecord] = {}

    def versions(self, name: str) -> Sequence[Version]:
        """The versions whose files are there; a file whose name is not a version is none."""
        return list(self._listing(name).versions)

    def yanked(self, name: str) -> Collection[Version]:
        """The versions with a mark beside their files."""
        return self._listing(name).yanked

    def prefetch(self, names: Collection[str]) -> None:
        """Nothing: they are here."""

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Nothing, likewise."""

    def summary(self, name: str, version: Version) -> PackageSummary:
        """What the index says of one version, where it speaks of the file that is there; else what the file says."""
        path = self.location(name, version)
        if (known := self._known(name, version, path)) is not None:
            return known.summary
        # The manifest as JSON, which a record has, too, is half of the work and not asked for here.
        from pkgmgr.summary import summarize

        try:
            path.stat()
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
        return summarize(path, self._source, name=name, version=version)

    def record(self, name: str, version: Version) -> PackageRecord:
        """The same, and the manifest; raises `WpmError` where the file cannot be read or is not that package."""
        path = self.location(name, version)
        try:
            status = path.stat()
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
        if (known := self._records.get(path)) is not None and known.describes(status):
            return known
        record = self._index(name).record(version, path, self._source)
        if record is None or not record.describes(status) or not S_ISREG(status.st_mode):
            from pkgmgr.registry.record import read_record

            record = read_record(path, self._source, name, version)
        return self._remember(path, record)

    def identities(self, name: str, versions: Collection[Version]) -> dict[Version, FileIdentity]:
        """What the files of versions are, mostly as the index says; what cannot be read, or is another package, is left out."""
        folder, index = str(self.folder(name)), self._index(name)
        found = {}
        for version in versions:
            try:
                status = os.stat(f"{folder}/{version}{SUFFIX}")  # noqa: PTH116 (a Path takes longer to make)
                said = index.identity(version, status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None
                if said is not None:
                    found[version] = FileIdentity(*said, status.st_size, status.st_mtime_ns)
                else:
                    record = self.record(name, version)
                    summary = record.summary
                    found[version] = FileIdentity(summary.sha256, record.webc, summary.size, record.mtime_ns)
            except (OSError, WpmError):
                continue
        return found

    def state(self, name: str, version: Version | None = None) -> Hashable | None:
        """What is the same as long as nothing of a package, or one version, has changed; None where something did just now."""
        try:
            folder = str(self.folder(check_name(name)))
            changed = os.stat(folder).st_mtime_ns  # noqa: PTH116
        except (OSError, WpmError):
            return None
        if time.time_ns() - changed <= _RECENT_NS:
            return None
        versions = self._listing(name).versions if version is None else (version,)
        files = [f"{folder}/{each}{SUFFIX}" for each in versions]
        found: list[Hashable] = [changed]
        for path in (f"{folder}/{INDEX_NAME}", *files):
            try:
                status = os.stat(path)  # noqa: PTH116
                found.append((status.st_ino, status.st_size, status.st_mtime_ns))
            except OSError:
                found.append(None)
        return tuple(found)

    def release(self, sha256: str) -> PackageRecord | None:
        """The package with this hash that was pushed without a name; None where there is none."""
        path = self.release_path(sha256)
        if not path.is_file():
            return None
        if (known := self._records.get(path)) is not None and known.describes(path.stat()):
            return known
        from pkgmgr.registry.record import read_record

        record = read_record(path, self._source)
        return self._remember(path, record) if record.summary.sha256 == sha256 else None

    def release_path(self, sha256: str) -> Path:
        """Where such a package is, or would be."""
        return self.root / RELEASES / f"{check_sha256(sha256)}{SUFFIX}"

    def reason(self, name: str, version: Version) -> str | None:
        """Why a version was yanked, in one line; None where it was not, empty where nobody said."""
        from pkgmgr.files.reading import read_small_file
        from pkgmgr.plain_text import one_line

        try:
            mark = read_small_file(self.location(name, version).with_name(f"{version}{YANKED}"), _LONGEST_REASON)
            return one_line(mark.decode("utf-8", "replace"))
        except OSError:
            return None

    def similar(self, name: str) -> Sequence[str]:
        """Names of this directory that are spelled nearly so."""
        from difflib import get_close_matches

        return get_close_matches(name, self.names(), 3, 0.75)

    def search(self, text: str, most: int) -> Sequence[FoundPackage]:
        """Look into every package's newest version: first those with the text in their names."""
        from pkgmgr.registry.listing import FoundPackage, about_manifest

        wanted = text.casefold()
        found: list[tuple[bool, str, FoundPackage]] = []
        for name in self.names():
            if not (versions := self.versions(name)):
                continue
            yanked = self.yanked(name)
            newest = max((version for version in versions if version not in yanked), default=None)
            try:
                manifest = self.record(name, newest or max(versions)).manifest
                description = about_manifest(manifest, name, ()).description
            except WpmError:
                description = ""
            named = wanted in name.casefold()
            if named or wanted in description.casefold():
                found.append((not named, name, FoundPackage(name, newest, description)))
        return [each for _, _, each in sorted(found, key=lambda each: each[:2])[:most]]

    def about(self, name: str) -> PackageAbout | None:
        """What the newest version that is not yanked says."""
        from pkgmgr.registry.listing import Release, about_manifest

        yanked = self.yanked(name)
        releases = []
        for version in sorted(self.versions(name), reverse=True):
            path = self.location(name, version)
            if (known := self._known(name, version, path)) is not None:
                releases.append(Release(version, version in yanked, known.summary.sha256, known.summary.size))
            else:
                releases.append(Release(version, version in yanked, None, path.stat().st_size))
        if not releases:
            return None
        speaker = next((release for release in releases if not release.yanked), releases[0])
        return about_manifest(self.record(name, speaker.version).manifest, name, releases)

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """Ask the indexes, then the files that no index speaks of, until one has the hash."""
        found = self.find_hash(sha256)
        if found is not None:
            return self.summary(*found)
        release = self.release(sha256)
        return None if release is None else release.summary

    def find_hash(self, sha256: str) -> tuple[str, Version] | None:
        """The name and version of the file with this hash; what was looked into is remembered."""
        names = self.names()
        for name in names:
            if self._index(name).mentions(sha256):
                for version in self.versions(name):
                    known = self._known(name, version, self.location(name, version))
                    if known is not None and known.summary.sha256 == sha256:
                        return name, version
        for name in names:
            index = self._index(name)
            for version in self.versions(name):
                try:
                    status = self.location(name, version).stat()
                    if index.speaks_of(version, status.st_size, status.st_mtime_ns):
                        continue
                    if self.record(name, version).summary.sha256 == sha256:
                        return name, version
                except (OSError, WpmError):
                    continue
        return None

    def location(self, name: str, version: Version) -> Path:
        """The path of one version; whether there is a file is not asked."""
        return self.folder(name) / f"{version}{SUFFIX}"

    def folder(self, name: str) -> Path:
        """The folder of a package; raises `WpmError` for what cannot be a name."""
        known = self._folders.get(name)
        if known is None:
            if len(self._folders) >= _MOST_RECORDS:
                self._folders.clear()
            known = self._folders[name] = self._packages.joinpath(*split_name(name))
        return known

    def names(self) -> list[str]:
        """Every package that has a folder, in order."""
        from itertools import islice

        folders = islice(self._packages.glob("*/*/"), _MOST_NAMES)
        names = (f"{folder.parent.name}/{folder.name}".removeprefix(f"{GLOBAL_NAMESPACE}/") for folder in folders)
        return sorted(name for name in names if is_name(name))

    def _index(self, name: str) -> PackageIndex:
        from pkgmgr.registry.index import PackageIndex

        path = self.folder(name) / INDEX_NAME
        key: tuple[int, ...]
        try:
            status = path.stat()
            key = (status.st_ino, status.st_size, status.st_mtime_ns)
        except OSError:
            key = ()
        known = self._indexes.get(name)
        if known is None or known[0] != key:
            if len(self._indexes) >= _MOST_RECORDS:
                self._indexes.clear()
            known = self._indexes[name] = (key, PackageIndex(path, name))
        return known[1]

    def _known(self, name: str, version: Version, path: Path) -> PackageRecord | None:
        """What memory or the index says of a file, if it is true; the file is not read."""
        try:
            status = path.stat()
        except OSError:
            return None
        for record in (self._records.get(path), self._index(name).record(version, path, self._source)):
            if record is not None and record.describes(status):
                return record
        return None

    def _remember(self, path: Path, record: PackageRecord) -> PackageRecord:
        if len(self._records) >= _MOST_RECORDS:
            self._records.clear()
        self._records[path] = record
        return record

    def _listing(self, name: str) -> _Listing:
        """What lies in a package's folder; read again when the folder has changed."""
        folder = self.folder(name)
        try:
            changed = folder.stat().st_mtime_ns
        except (FileNotFoundError, NotADirectoryError):
            return _NOTHING
        except OSError as error:
            raise WpmError(f"{folder}: cannot be read: {error.strerror or error}") from None
        known = self._listings.get(name)
        if known is not None and known.changed == changed:
            return known
        found = _read_listing(folder, changed)
        # What was changed just now may change again within the same tick of the file system's clock.
        if time.time_ns() - changed > _RECENT_NS:
            if len(self._listings) >= _MOST_RECORDS:
                self._listings.clear()
            self._listings[name] = found
        return found


class FileIdentity(NamedTuple):
    """A package file: its hash, its container format (`v1` to `v3`), its size in bytes and when it was written."""

    sha256: str
    webc: str
    size: int
    mtime_ns: int


class _Listing(NamedTuple):
    """The versions and the marks in a folder, and when it was changed."""

    changed: int
    versions: tuple[Version, ...]
    yanked: frozenset[Version]


_NOTHING: Final = _Listing(0, (), frozenset())


def _read_listing(folder: Path, changed: int) -> _Listing:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries]
    except OSError as error:
        raise WpmError(f"{folder}: cannot be read: {error.strerror or error}") from None
    files = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
    marks = [name.removesuffix(YANKED) for name in names if name.endswith(YANKED)]
    if len(files) > _MOST_VERSIONS:
        raise WpmError(f"{folder}: {len(files)} versions of one package: more than {_MOST_VERSIONS} are not looked at")
    versions = (version_or_none(text) for text in files)
    yanked = (version_or_none(text) for text in marks[:_MOST_VERSIONS])
    return _Listing(
        changed, tuple([each for each in versions if each is not None]), frozenset(each for each in yanked if each)
    )


def is_name(name: str) -> bool:
    """Whether this is a package name in its one form."""
    try:
        return check_name(name) == name
    except WpmError:
        return False
