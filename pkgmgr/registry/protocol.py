"""What every registry can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pkgmgr.registry.listing import FoundPackage, PackageAbout
    from pkgmgr.summary import Location, PackageSummary
    from pkgmgr.version import Version


class Registry(Protocol):
    """Packages by name, version and hash. Every method raises `WpmError` where the registry cannot be asked."""

    @property
    def title(self) -> str:
        """The registry as an error names it."""

    @property
    def needs_network(self) -> bool:
        """Whether asking it goes over the network: with `--offline` it says what it said before, or raises."""

    def versions(self, name: str) -> Sequence[Version]:
        """The versions of a package that can be had, yanked ones too, in any order; none of a package that is not there."""

    def yanked(self, name: str) -> Collection[Version]:
        """Those of the versions that were withdrawn: kept where they are locked, never newly chosen."""

    def prefetch(self, names: Collection[str]) -> None:
        """Hear which packages will be asked for next: a registry that is far away gets them together. Never raises."""

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Hear which versions of packages will be looked at next, likewise. Never raises."""

    def summary(self, name: str, version: Version) -> PackageSummary:
        """One of these versions."""

    def similar(self, name: str) -> Sequence[str]:
        """A few names of packages that are there, for one that is not: the closest first."""

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package whose file has this hash, where the registry has it."""

    def location(self, name: str, version: Version) -> Location:
        """Where the file of a package is, found without the registry's index where that is possible."""

    def search(self, text: str, most: int) -> Sequence[FoundPackage]:
        """At most so many packages with the text in their names or descriptions, the best first."""

    def about(self, name: str) -> PackageAbout | None:
        """What the registry tells of a package; None of one that is not there."""
