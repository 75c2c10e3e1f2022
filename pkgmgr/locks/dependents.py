"""Looking at a lock from its other side: who needs a package, and by which chains the project comes to need it."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile
    from pkgmgr.store import Store

MOST_CHAINS: Final = 10
"""More chains than this are counted, not shown."""


class Edge(NamedTuple):
    """One need of a chain.

    Attributes:
        dependent: The id of the package that needs something; None for the project.
        alias: What it calls what it needs.
        package: The id of the package that it gets.
    """

    dependent: str | None
    alias: str
    package: str


Chain = tuple[Edge, ...]
"""From the project to a package."""


class Dependents:
    """Who needs whom in a lock.

    Args:
        lock: The lock.
    """

    def __init__(self, lock: Lockfile) -> None:
        self.lock = lock
        self._needed_by: dict[str, list[Edge]] = {package: [] for package in lock.packages}
        for alias, package in lock.roots.items():
            self._needed_by[package].append(Edge(None, alias, package))
        for dependent in lock.packages.values():
            for alias, package in dependent.dependencies.items():
                self._needed_by[package].append(Edge(dependent.id, alias, package))
        for edges in self._needed_by.values():
            edges.sort(key=lambda edge: (edge.dependent or "", edge.alias))

    def of(self, package: str) -> list[Edge]:
        """The needs that a package meets, the project's own first."""
        return self._needed_by[package]

    def leaves(self) -> list[str]:
        """The packages that need nothing, in order of their ids."""
        return sorted(package.id for package in self.lock.packages.values() if not package.dependencies)

    def chains(self, package: str) -> Iterator[Chain]:
        """Every chain from the project to a package, the shortest first; there may be very many: take what you need."""
        distance = self._distances()
        serial = 0
        waiting: list[tuple[int, int, str, Chain]] = [(distance.get(package, 0), serial, package, ())]
        while waiting:
            _, _, at, chain = heapq.heappop(waiting)
            if chain and chain[0].dependent is None:
                yield chain
                continue
            for edge in self._needed_by[at]:
                serial += 1
                if edge.dependent is None:
                    heapq.heappush(waiting, (len(chain) + 1, serial, at, (edge, *chain)))
                elif edge.dependent in distance:
                    through = len(chain) + 1 + distance[edge.dependent]
                    heapq.heappush(waiting, (through, serial, edge.dependent, (edge, *chain)))

    def count_chains(self, package: str) -> int:
        """How many chains there are from the project to a package."""
        counts: dict[str, int] = {}
        waiting = [package]
        while waiting:
            at = waiting[-1]
            missing = [
                edge.dependent
                for edge in self._needed_by[at]
                if edge.dependent is not None and edge.dependent not in counts
            ]
            if at not in counts and not missing:
                counts[at] = sum(
                    1 if each.dependent is None else counts[each.dependent] for each in self._needed_by[at]
                )
            if at in counts:
                waiting.pop()
            waiting += missing
        return counts[package]

    def _distances(self) -> dict[str, int]:
        """For each package how many needs lie between it and the project, at least."""
        found: dict[str, int] = {}
        layer = list(dict.fromkeys(self.lock.roots.values()))
        steps = 1
        while layer:
            found |= dict.fromkeys(layer, steps)
            steps += 1
            below = (need for package in layer for need in self.lock.packages[package].dependencies.values())
            layer = [each for each in dict.fromkeys(below) if each not in found]
        return found


def find_locked(lock: Lockfile, text: str) -> LockedPackage:
    """The package of a lock that somebody names: by its id, its name, an alias of the project, or the start of its hash.

    Raises:
        WpmError: There is none, or the start of a hash is that of several.
    """
    if text in lock.packages:
        return lock.packages[text]
    if text in lock.roots:
        return lock.packages[lock.roots[text]]
    wanted = text.removeprefix("_/")
    digest = text.removeprefix("sha256:")
    found = [
        package
        for package in lock.packages.values()
        if package.name == wanted or (len(digest) >= 4 and package.sha256.startswith(digest))
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise WpmError(f"{text}: that is {' and '.join(package.id for package in found[:3])}: say which")
    from difflib import get_close_matches

    known = {package.name or package.id for package in lock.packages.values()} | set(lock.roots)
    near = get_close_matches(text, known, 1) or [each for each in sorted(known) if each.endswith(f"/{text}")][:1]
    hint = f": did you mean {near[0]}?" if near else " (see: wpm tree)"
    raise WpmError(f"{text[:80]}: the project does not need such a package{hint}")


class Requirements:
    """What each need asks for, in the words of who needs it: the manifest's, or those of a package in the store.

    Args:
        lock: The lock.
        store: Where its packages are.
    """

    def __init__(self, lock: Lockfile, store: Store) -> None:
        self._lock = lock
        self._store = store
        self._known: dict[str, Mapping[str, str]] = {}

    def of(self, edge: Edge) -> str | None:
        """What a need asks for; None where the package that says it is not here."""
        if edge.dependent is None:
            return self._lock.requirements[edge.alias]
        if edge.dependent not in self._known:
            self._known[edge.dependent] = self._read(self._lock.packages[edge.dependent])
        return self._known[edge.dependent].get(edge.alias)

    def _read(self, package: LockedPackage) -> Mapping[str, str]:
        from pkgmgr.source import NamedSource, parse_source
        from webc_parser import Container, WebcError

        try:
            with Container.open(self._store.path(package.sha256)) as container:
                specs = {alias: need.spec for alias, need in container.manifest.use.items()}
        except (OSError, WebcError):
            return {}
        asked: dict[str, str] = {}
        for alias, spec in specs.items():
            try:
                source = parse_source(spec)
            except WpmError:
                continue
            asked[alias] = str(source.requirement) if isinstance(source, NamedSource) else str(source)
        return asked


def shortest_chains(dependents: Dependents, package: str, most: int = MOST_CHAINS) -> tuple[list[Chain], int]:
    """The shortest chains to a package, and how many there are in all."""
    from itertools import islice

    return list(islice(dependents.chains(package), most)), dependents.count_chains(package)
