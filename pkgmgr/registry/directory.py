"""A registry that is a directory: `packages/NAMESPACE/NAME/VERSION.webc`; `_` is the namespace of those without one.

An empty file `VERSION.yanked` beside a version withdraws it: it can still be had by those who locked it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.source import split_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from pkgmgr.registry.listing import FoundPackage, PackageAbout
    from pkgmgr.summary import PackageSummary

_SUFFIX: Final = ".webc"
_YANKED: Final = ".yanked"
_MOST_VERSIONS: Final = 10_000
_MOST_NAMES: Final = 10_000


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

    def versions(self, name: str) -> Sequence[Version]:
        """The versions whose files are there; a file whose name is not a version is none."""
        return list(self._named(name, _SUFFIX))

    def yanked(self, name: str) -> Collection[Version]:
        """The versions with a mark beside their files."""
        return set(self._named(name, _YANKED))

    def prefetch(self, names: Collection[str]) -> None:
        """Nothing: they are here."""

    def summary(self, name: str, version: Version) -> PackageSummary:
        """Read one version's own file."""
        from pkgmgr.summary import summarize

        return summarize(self.location(name, version), self._source, name=name, version=version)

    def similar(self, name: str) -> Sequence[str]:
        """Names of this directory that are spelled nearly so."""
        from difflib import get_close_matches

        return get_close_matches(name, self._names(), 3, 0.75)

    def search(self, text: str, most: int) -> Sequence[FoundPackage]:
        """Look into every package's newest version: first those with the text in their names."""
        from pkgmgr.registry.listing import FoundPackage

        wanted = text.casefold()
        found: list[tuple[bool, str, FoundPackage]] = []
        for name in self._names():
            if (about := self.about(name)) is None:
                continue
            named = wanted in name.casefold()
            if named or wanted in about.description.casefold():
                newest = next((release.version for release in about.releases if not release.yanked), None)
                found.append((not named, name, FoundPackage(name, newest, about.description)))
        return [each for _, _, each in sorted(found)[:most]]

    def about(self, name: str) -> PackageAbout | None:
        """What the newest version that is not yanked says."""
        from pkgmgr.registry.listing import Release, about_file

        yanked = self.yanked(name)
        releases = [
            Release(version, version in yanked, None, self.location(name, version).stat().st_size)
            for version in sorted(self.versions(name), reverse=True)
        ]
        if not releases:
            return None
        speaker = next((release for release in releases if not release.yanked), releases[0])
        return about_file(self.location(name, speaker.version), name, releases)

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """Hash file after file until one has the hash."""
        import hashlib

        for path in sorted(self._packages.glob(f"*/*/*{_SUFFIX}")):
            try:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError:
                continue
            if found == sha256:
                for version in _versions_of([path.name], _SUFFIX):
                    return self.summary(f"{path.parent.parent.name}/{path.parent.name}".removeprefix("_/"), version)
        return None

    def location(self, name: str, version: Version) -> Path:
        """The path of one version; whether there is a file is not asked."""
        return self._folder(name) / f"{version}{_SUFFIX}"

    def _folder(self, name: str) -> Path:
        return self._packages.joinpath(*split_name(name))

    def _names(self) -> list[str]:
        from itertools import islice

        folders = islice(self._packages.glob("*/*/"), _MOST_NAMES)
        return sorted(f"{folder.parent.name}/{folder.name}".removeprefix("_/") for folder in folders)

    def _named(self, name: str, suffix: str) -> Iterator[Version]:
        folder = self._folder(name)
        try:
            names = [entry.name for entry in folder.iterdir() if entry.name.endswith(suffix)]
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise WpmError(f"{folder}: cannot be read: {error.strerror or error}") from None
        if len(names) > _MOST_VERSIONS:
            raise WpmError(
                f"{folder}: {len(names)} versions of one package: more than {_MOST_VERSIONS} are not looked at"
            )
        yield from _versions_of(names, suffix)


def _versions_of(names: list[str], suffix: str) -> Iterator[Version]:
    for name in names:
        try:
            yield Version.parse(name.removesuffix(suffix))
        except WpmError:
            continue
