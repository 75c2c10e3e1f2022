"""Choosing one version of every package that a project needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.reader import find_cycle
from pkgmgr.resolution.candidates import HIGHEST, Candidates, Need, NewCandidate
from pkgmgr.resolution.solver import Solver, TooMuch, Unsolvable
from pkgmgr.source import NamedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pkgmgr.registry import Registries
    from pkgmgr.source import PackageSource
    from pkgmgr.summary import PackageSummary
    from pkgmgr.version import Version

_MOST_EFFORT: Final = 100_000_000
"""About half a minute; 2,000 packages of which every fiftieth makes trouble take a thousandth of it."""


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
    *,
    resolution: str = HIGHEST,
    line_of: Callable[[str], str] | None = None,
) -> Resolution:
    """Choose one version of every package.

    Args:
        wanted: What the project needs, by alias.
        registries: Where names are looked up.
        fetch: Gives the package of a source that is not a name.
        pins: Versions to prefer, by the package's name: those of the lock.
        resolution: Which versions are wanted: one of `pkgmgr.resolution.candidates.RESOLUTIONS`.
        line_of: The line of the manifest, as an error shows it, in which the project asks for an alias.

    Raises:
        WpmError: Nothing satisfies everyone; the lines after the first say who asked for what, and what there is.
    """
    names = [source.name for source in wanted.values() if isinstance(source, NamedSource)]
    candidates = Candidates(registries, fetch, pins or {}, resolution, names)
    needs = [candidates.need(alias, source) for alias, source in wanted.items()]
    while True:
        candidates.begin()
        try:
            candidates.expect(needs)
            chosen = _choose(candidates, needs, registries, line_of)
        except NewCandidate:
            continue
        if (unasked := _unasked(chosen, candidates, needs)) is None:
            break
        candidates.keep_from_names(unasked)
    dependencies = {
        summary.id: {need.alias: chosen[need.key].id for need in candidates.needs(summary)}
        for summary in chosen.values()
    }
    if cycle := find_cycle({package: tuple(needed.values()) for package, needed in dependencies.items()}):
        raise WpmError(f"the packages need one another in a circle: {' -> '.join(cycle)}")
    return Resolution(
        {need.alias: chosen[need.key].id for need in needs},
        {summary.id: summary for summary in sorted(chosen.values(), key=lambda each: each.id)},
        dependencies,
    )


def _choose(
    candidates: Candidates,
    needs: Sequence[Need],
    registries: Registries,
    line_of: Callable[[str], str] | None,
) -> dict[str, PackageSummary]:
    """The packages by their keys, each one that the project needs or another of them."""
    solver = Solver(candidates, _MOST_EFFORT)
    try:
        solution = solver.solve([candidates.demand(need) for need in needs])
    except Unsolvable as error:
        from pkgmgr.resolution.explaining import explain

        raise WpmError(explain(error.facts, candidates, registries, line_of)) from None
    except TooMuch:
        raise WpmError(
            "no resolution was found within a reasonable effort: make the requirements of wasmer.toml narrower"
        ) from None
    chosen: dict[str, PackageSummary] = {}
    waiting = [need.key for need in needs]
    while waiting:
        key = waiting.pop()
        if key not in chosen:
            chosen[key] = candidates.summary(key, solution[key])
            waiting += [need.key for need in candidates.needs(chosen[key])]
    return chosen


def _unasked(
    chosen: Mapping[str, PackageSummary], candidates: Candidates, needs: Sequence[Need]
) -> PackageSummary | None:
    """A package that only a path, a URL or a hash leads to, chosen where nobody asks for that."""
    asked = {need.direct.sha256 for need in needs if need.direct is not None}
    direct = [summary for summary in chosen.values() if candidates.is_direct(summary)]
    if direct:
        for summary in chosen.values():
            asked.update(need.direct.sha256 for need in candidates.needs(summary) if need.direct is not None)
    return next((summary for summary in direct if summary.sha256 not in asked), None)
