"""Package files that answer for the packages in them (`wpm run --include-webc`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pkgmgr.registry.listing import FoundPackage, PackageAbout
    from pkgmgr.summary import PackageSummary
    from pkgmgr.version import Version


class IncludedPackages:
    """A registry of a few files, each known by the name and version in its manifest.

    Args:
        paths: The files.

    Raises:
        WpmError: One is no package, or one without a name, by which nobody could ask for it.
    """

    needs_network = False
    title = "the included packages"

    def __init__(self, paths: Sequence[Path]) -> None:
        from pkgmgr.summary import summarize

        self._summaries: dict[str, dict[Version, PackageSummary]] = {}
        for path in paths:
            summary = summarize(path.absolute(), REGISTRY)
            if not summary.name or summary.version is None:
                raise WpmError(f"{path}: the package has no name and version: nothing could ask for it")
            self._summaries.setdefault(summary.name, {})[summary.version] = summary

    def __contains__(self, name: str) -> bool:
        return name in self._summaries

    def versions(self, name: str) -> Sequence[Version]:
        """The versions that were included."""
        return list(self._summaries.get(name, ()))

    def yanked(self, name: str) -> Collection[Version]:
        """None: who includes a file wants it."""
        del name
        return ()

    def prefetch(self, names: Collection[str]) -> None:
        """Nothing: they are here."""

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Nothing, likewise."""

    def summary(self, name: str, version: Version) -> PackageSummary:
        """One of them."""
        return self._summaries[name][version]

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package with this hash."""
        for versions in self._summaries.values():
            for summary in versions.values():
                if summary.sha256 == sha256:
                    return summary
        return None

    def location(self, name: str, version: Version) -> Path | str:
        """Where its file is."""
        return self._summaries[name][version].location

    def similar(self, name: str) -> Sequence[str]:
        """Nothing: who includes a file knows its name."""
        del name
        return ()

    def search(self, text: str, most: int) -> Sequence[FoundPackage]:
        """Nothing, likewise."""
        del text, most
        return ()

    def about(self, name: str) -> PackageAbout | None:
        """What the newest file says."""
        from pkgmgr.registry.listing import Release, about_file

        if not (summaries := self._summaries.get(name)):
            return None
        releases = [
            Release(version, False, summaries[version].sha256, summaries[version].size)
            for version in sorted(summaries, reverse=True)
        ]
        newest = summaries[releases[0].version]
        return about_file(Path(newest.location), name, releases)
