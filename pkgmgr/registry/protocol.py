"""What every registry can do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.summary import Location, PackageSummary
    from pkgmgr.version import Version


class Registry(Protocol):
    """Packages by name, version and hash. Every method raises `WpmError` where the registry cannot be asked."""

    @property
    def title(self) -> str:
        """The registry as an error names it."""

    @property
    def needs_network(self) -> bool:
        """Whether asking it goes over the network, which `--offline` forbids."""

    def versions(self, name: str) -> Sequence[Version]:
        """The versions of a package that can be had, in any order; none of a package that is not there."""

    def summary(self, name: str, version: Version) -> PackageSummary:
        """One of these versions."""

    def similar(self, name: str) -> Sequence[str]:
        """A few names of packages that are there, for one that is not: the closest first."""

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package whose file has this hash, where the registry has it."""

    def location(self, name: str, version: Version) -> Location:
        """Where the file of a package is, found without the registry's index where that is possible."""
