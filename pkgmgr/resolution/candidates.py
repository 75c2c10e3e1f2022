"""What a resolution chooses from: the versions that there are of each package, and what each of them needs.

This answers the solver's questions (`solver.Problem`). A package's candidates are numbered from 1 in the order in which
they are wanted: what the lock has, then the newest first (the oldest alone, where that is asked for), and last what
somebody asks for by a path, a URL or a hash.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.resolution.solver import Demand
from pkgmgr.source import NamedSource
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pkgmgr.registry import Registries
    from pkgmgr.source import PackageSource
    from pkgmgr.summary import PackageSummary
    from pkgmgr.version import Requirement

HIGHEST: Final = "highest"
"""The newest compatible version of everything."""
LOWEST: Final = "lowest"
"""The lowest compatible version of everything."""
LOWEST_DIRECT: Final = "lowest-direct"
"""The lowest compatible version of what the project itself asks for, the newest of all else."""
_SIBLINGS: Final = 5
RESOLUTIONS: Final = (HIGHEST, LOWEST, LOWEST_DIRECT)


@dataclass(frozen=True, slots=True)
class Need:
    """Somebody needs a package.

    Attributes:
        key: What the package is known by: its name, or its hash where it has none.
        source: What was asked for.
        alias: Under which name the one who asks knows it.
        direct: The very package where the source says which one it is (a path, a URL, a hash); None for a name.
    """

    key: str
    source: PackageSource
    alias: str
    direct: PackageSummary | None = None

    def accepts(self, summary: PackageSummary) -> bool:
        """Whether this package is what was asked for."""
        if self.direct is not None:
            return summary.sha256 == self.direct.sha256
        if not isinstance(self.source, NamedSource) or summary.version is None:
            return False
        return self.source.requirement.matches(summary.version)


class Reason(NamedTuple):
    """Who needs what: a link of the chains that explain why there is no resolution.

    Attributes:
        parent: The package that needs it; None is the project.
        need: What it needs.
    """

    parent: PackageSummary | None
    need: Need


class NewCandidate(Exception):
    """A package turned out to have candidates that were not counted: the search starts again, knowing them."""


class Candidates:
    """What there is.

    Args:
        registries: Where names are looked up.
        fetch: Gives the package of a source that is not a name.
        pins: Versions to prefer, by the package's name: those of the lock. They may be yanked.
        resolution: Which versions are wanted: one of `RESOLUTIONS`.
        roots: Names of the packages that the project asks for itself.
    """

    def __init__(
        self,
        registries: Registries,
        fetch: Callable[[PackageSource], PackageSummary],
        pins: Mapping[str, Version],
        resolution: str,
        roots: Iterable[str],
    ) -> None:
        self._registries = registries
        self._fetch = fetch
        self._pins = pins
        self._lowest = frozenset(roots) if resolution == LOWEST_DIRECT else None
        self._all_lowest = resolution == LOWEST
        self._keeps_pins = resolution == HIGHEST
        self._versions: dict[str, list[Version]] = {}
        self._summaries: dict[tuple[str, Version], PackageSummary] = {}
        self._fetched: dict[str, PackageSummary] = {}
        self._direct: dict[str, list[PackageSummary]] = {}
        self._named: set[str] = set()
        self._unshared: set[str] = set()
        self._needs: dict[str, tuple[Need, ...]] = {}
        # What follows holds for one search: it counts candidates.
        self._counted: dict[str, tuple[Sequence[Version], Sequence[PackageSummary]]] = {}
        self._sets: dict[tuple[str, Requirement], int] = {}

    def need(self, alias: str, source: PackageSource) -> Need:
        """What somebody asks for; a package without a name is fetched here, to know what it is."""
        if isinstance(source, NamedSource):
            self._registries.check(source)
            self._named.add(source.name)
            return Need(source.name, source, alias)
        text = str(source)
        if text not in self._fetched:
            summary = self._fetched[text] = self._fetch(source)
            known = self._direct.setdefault(summary.key, [])
            if not any(summary.sha256 == other.sha256 for other in known):
                known.append(summary)
        summary = self._fetched[text]
        return Need(summary.key, source, alias, summary)

    def needs(self, summary: PackageSummary) -> tuple[Need, ...]:
        """What a package needs, in the order in which it declares it."""
        # Another file may say that it is the same version of the same package.
        if summary.sha256 not in self._needs:
            self._needs[summary.sha256] = tuple(
                [self.need(alias, source) for alias, source in summary.dependencies.items()]
            )
        return self._needs[summary.sha256]

    def expect(self, needs: Iterable[Need]) -> None:
        """Walk ahead along what is most wanted, so that registries hear of whole layers of packages at once.

        Nothing but names is followed, and nothing that goes wrong on the way matters before it is really needed.
        """
        layer = {need.key: need for need in needs if need.direct is None}
        seen: set[str] = set()
        while layer:
            seen.update(layer)
            self._registries.prefetch([name for name in layer if name not in self._versions])
            best: dict[str, int] = {}
            for key, wanted in layer.items():
                with suppress(WpmError):
                    if candidates := self.accepted(wanted):
                        best[key] = (candidates & -candidates).bit_length() - 1
            self._announce(best.items())
            following: dict[str, Need] = {}
            for key, number in best.items():
                with suppress(WpmError):
                    for alias, source in self.summary(key, number).dependencies.items():
                        if isinstance(source, NamedSource) and source.name not in seen:
                            following.setdefault(source.name, self.need(alias, source))
            layer = following

    def _announce(self, numbers: Iterable[tuple[str, int]]) -> None:
        """Tell the registries which candidates are looked at next."""
        wanted = []
        for package, number in numbers:
            versions, _ = self._count(package)
            if number <= len(versions) and (package, versions[number - 1]) not in self._summaries:
                wanted.append((package, versions[number - 1]))
        if wanted:
            self._registries.prefetch_summaries(wanted)

    def begin(self) -> None:
        """Count the candidates anew, with all that is known by now."""
        self._counted.clear()
        self._sets.clear()

    def count(self, package: str) -> int:
        """How many candidates there are of a package."""
        versions, direct = self._count(package)
        return len(versions) + len(direct)

    def demands(self, package: str, number: int) -> list[Demand[Reason]]:
        """What a candidate needs."""
        versions, _ = self._count(package)
        if number <= len(versions) and (package, versions[number - 1]) not in self._summaries:
            # Nobody expected this one: what stands against those before it often does against this one, too.
            self._announce((package, each) for each in range(number, number + _SIBLINGS))
        summary = self.summary(package, number)
        needs = self.needs(summary)
        unheard = [need.key for need in needs if need.direct is None and need.key not in self._versions]
        if unheard:
            self._registries.prefetch(unheard)
        return [self.demand(need, summary) for need in needs]

    def demand(self, need: Need, parent: PackageSummary | None = None) -> Demand[Reason]:
        """A need as the solver takes it; None is the project."""
        return Demand(need.key, self.accepted(need), Reason(parent, need))

    def accepted(self, need: Need) -> int:
        """The set of the candidates that satisfy a need.

        Raises:
            NewCandidate: They were counted before there was this need.
        """
        versions, direct = self._count(need.key)
        if need.direct is not None:
            for number, summary in enumerate(direct, len(versions) + 1):
                if summary.sha256 == need.direct.sha256:
                    return 1 << number
            raise NewCandidate
        if not isinstance(need.source, NamedSource):
            return 0
        if not versions and need.key in self._named and self.versions(need.key):
            raise NewCandidate
        requirement = need.source.requirement
        found = self._sets.get((need.key, requirement))
        if found is None:
            found = sum(1 << number for number, each in enumerate(versions, 1) if requirement.matches(each))
            for number, summary in enumerate(direct, len(versions) + 1):
                if summary.sha256 not in self._unshared and need.accepts(summary):
                    found |= 1 << number
            self._sets[need.key, requirement] = found
        return found

    def summary(self, package: str, number: int) -> PackageSummary:
        """A candidate; the file of a version is read when its turn comes."""
        versions, direct = self._count(package)
        if number > len(versions):
            return direct[number - len(versions) - 1]
        version = versions[number - 1]
        if (package, version) not in self._summaries:
            self._summaries[package, version] = self._registries.summary(package, version)
        return self._summaries[package, version]

    def versions(self, name: str) -> list[Version]:
        """The versions that may be chosen of a package of a registry, the most wanted first."""
        if name not in self._versions:
            pinned = self._pins.get(name)
            yanked = self._registries.yanked(name)
            lowest = self._all_lowest or (self._lowest is not None and name in self._lowest)
            found = sorted(self._registries.versions(name), key=Version.order, reverse=not lowest)
            usable = [version for version in found if version == pinned or version not in yanked]
            if pinned in usable and self._keeps_pins:
                usable.remove(pinned)
                usable.insert(0, pinned)
            self._versions[name] = usable
        return self._versions[name]

    def is_direct(self, summary: PackageSummary) -> bool:
        """Whether it is a candidate because somebody asks for it by a path, a URL or a hash."""
        return any(summary is each for each in self._direct.get(summary.key, ()))

    def keep_from_names(self, summary: PackageSummary) -> None:
        """Let a package that is asked for by a path, a URL or a hash satisfy nobody who asks for a name."""
        self._unshared.add(summary.sha256)

    def _count(self, key: str) -> tuple[Sequence[Version], Sequence[PackageSummary]]:
        counted = self._counted.get(key)
        if counted is None:
            versions = self.versions(key) if key in self._named else ()
            counted = self._counted[key] = versions, tuple(self._direct.get(key, ()))
        return counted
