"""Choosing one version of every package that a project needs.

The search is `resolvelib`'s, as pip's is; here are only the answers to its questions: what a package needs, which
versions there are (the newest compatible first, what the lock has before that), and what fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import resolvelib

from pkgmgr.errors import WpmError
from pkgmgr.lock_reader import find_cycle
from pkgmgr.resolution_error import explain
from pkgmgr.source import NamedSource
from pkgmgr.summary import PackageSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pkgmgr.registry import Registries
    from pkgmgr.source import PackageSource
    from pkgmgr.version import Version

_MOST_ROUNDS: Final = 20_000


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


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was chosen.

    Attributes:
        roots: For each alias of the project the id of its package.
        packages: The packages by their ids, ordered by them.
        dependencies: For each package the ids of what it needs, by alias.
    """

    roots: Mapping[str, str]
    packages: Mapping[str, PackageSummary]
    dependencies: Mapping[str, Mapping[str, str]]


def resolve(
    wanted: Mapping[str, PackageSource],
    registries: Registries,
    fetch: Callable[[PackageSource], PackageSummary],
    pins: Mapping[str, Version] | None = None,
) -> Resolution:
    """Choose one version of every package.

    Args:
        wanted: What the project needs, by alias.
        registries: Where names are looked up.
        fetch: Gives the package of a source that is not a name.
        pins: Versions to prefer, by the package's name: those of the lock.

    Raises:
        WpmError: Nothing satisfies everyone; the lines after the first say who asked for what, and what there is.
    """
    provider = _Provider(registries, fetch, pins or {})
    needs = [provider.need(alias, source) for alias, source in wanted.items()]
    try:
        reporter = resolvelib.BaseReporter[Need, PackageSummary, str]()
        chosen = resolvelib.Resolver(provider, reporter).resolve(needs, max_rounds=_MOST_ROUNDS).mapping
    except resolvelib.ResolutionImpossible as error:
        asked = [(cause.requirement, cause.parent) for cause in error.causes]
        raise WpmError(explain(asked, provider.versions, registries.similar)) from None
    except resolvelib.ResolutionTooDeep:
        raise WpmError(f"no resolution was found in {_MOST_ROUNDS} steps: make the requirements narrower") from None
    dependencies = {
        summary.id: {need.alias: chosen[need.key].id for need in provider.get_dependencies(summary)}
        for summary in chosen.values()
    }
    if cycle := find_cycle({package: tuple(needed.values()) for package, needed in dependencies.items()}):
        raise WpmError(f"the packages need one another in a circle: {' -> '.join(cycle)}")
    return Resolution(
        {need.alias: chosen[need.key].id for need in needs},
        {summary.id: summary for summary in sorted(chosen.values(), key=lambda each: each.id)},
        dependencies,
    )


class _Provider(resolvelib.AbstractProvider[Need, PackageSummary, str]):
    """resolvelib's questions (`AbstractProvider`), answered."""

    def __init__(
        self,
        registries: Registries,
        fetch: Callable[[PackageSource], PackageSummary],
        pins: Mapping[str, Version],
    ) -> None:
        self._registries = registries
        self._fetch = fetch
        self._pins = pins
        self._versions: dict[str, Sequence[Version]] = {}
        self._summaries: dict[tuple[str, Version], PackageSummary] = {}
        self._direct: dict[str, PackageSummary] = {}
        self._needs: dict[str, list[Need]] = {}

    def need(self, alias: str, source: PackageSource) -> Need:
        """What somebody asks for; a package without a name is fetched here, to know what it is."""
        if isinstance(source, NamedSource):
            self._registries.check(source)
            return Need(source.name, source, alias)
        text = str(source)
        if text not in self._direct:
            self._direct[text] = self._fetch(source)
        return Need(self._direct[text].key, source, alias, self._direct[text])

    def versions(self, key: str) -> Sequence[Version]:
        """The versions of a package, the one of the lock first and then the newest."""
        if key not in self._versions:
            pinned = self._pins.get(key)
            yanked = self._registries.yanked(key)
            found = sorted(self._registries.versions(key), reverse=True)
            usable = (version for version in found if version == pinned or version not in yanked)
            self._versions[key] = sorted(usable, key=lambda version: version != pinned)
        return self._versions[key]

    def identify(self, requirement_or_candidate: Need | PackageSummary) -> str:
        return requirement_or_candidate.key

    def get_preference(
        self,
        identifier: str,
        resolutions: Mapping[str, PackageSummary],  # noqa: ARG002
        candidates: Mapping[str, Iterator[PackageSummary]],  # noqa: ARG002
        information: Mapping[str, Iterator[Any]],
        backtrack_causes: Sequence[Any],
    ) -> tuple[bool, bool, str]:
        """Settle first what conflicts and what is asked for by itself, and otherwise always in the same order."""
        conflicting = any(
            identifier in (cause.requirement.key, cause.parent.key if cause.parent else "")
            for cause in backtrack_causes
        )
        direct = any(information.requirement.direct for information in information[identifier])
        return not direct, not conflicting, identifier

    def find_matches(
        self,
        identifier: str,
        requirements: Mapping[str, Iterator[Need]],
        incompatibilities: Mapping[str, Iterator[PackageSummary]],
    ) -> Callable[[], Iterator[PackageSummary]]:
        """The packages that satisfy everyone, one after another: a version's file is read when its turn comes."""
        needs = list(requirements[identifier])
        refused = {(summary.id, summary.sha256) for summary in incompatibilities[identifier]}
        direct = next((need.direct for need in needs if need.direct is not None), None)

        def candidates() -> Iterator[PackageSummary]:
            if direct is not None:
                if (direct.id, direct.sha256) not in refused and all(need.accepts(direct) for need in needs):
                    yield direct
                return
            asked = [need.source.requirement for need in needs if isinstance(need.source, NamedSource)]
            for version in self.versions(identifier):
                if all(requirement.matches(version) for requirement in asked):
                    summary = self._summary(identifier, version)
                    if (summary.id, summary.sha256) not in refused:
                        yield summary

        return candidates

    def is_satisfied_by(self, requirement: Need, candidate: PackageSummary) -> bool:
        return requirement.accepts(candidate)

    def get_dependencies(self, candidate: PackageSummary) -> Iterable[Need]:
        """What a package needs; asked again and again, so remembered."""
        if candidate.id not in self._needs:
            self._needs[candidate.id] = [self.need(alias, source) for alias, source in candidate.dependencies.items()]
        return self._needs[candidate.id]

    def _summary(self, name: str, version: Version) -> PackageSummary:
        if (name, version) not in self._summaries:
            self._summaries[name, version] = self._registries.summary(name, version)
        return self._summaries[name, version]
