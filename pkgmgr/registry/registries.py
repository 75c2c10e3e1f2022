"""Which registry answers for which name.

| name | registry |
| --- | --- |
| a package file of `--include-webc` | that file |
| `ns/…` with a line `"ns/*"` in the configuration | what that line says, even where it has no such package |
| `wpm/…` | the embedded registry |
| everything else | `--registry`, or `WPM_REGISTRY`, or the line `"*"` of the configuration, or Wasmer's |

So nobody can put a package into the way of a namespace that has its own registry (dependency confusion). A hash may be
asked for in all of them, as what comes of it is checked: first those of this machine, then those with namespaces of their
own, in the order of the configuration, and the one for everything else last, so that it hears only of hashes that
none of the others has; one that cannot be reached ends the search, rather than sending the hash on.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import BY_HASH, EMBEDDED, NETWORK, PATH, REGISTRY, LockedPackage
from pkgmgr.registry.place import EMBEDDED_PLACE, EVERYTHING, is_host_of, is_network, parse_place
from pkgmgr.source import PathSource, check_name
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pkgmgr.registry.included import IncludedPackages
    from pkgmgr.registry.listing import FoundPackage, PackageAbout
    from pkgmgr.registry.protocol import Registry
    from pkgmgr.source import NamedSource
    from pkgmgr.summary import Location, PackageSummary

EMBEDDED_NAMESPACE: Final = "wpm"
VARIABLE: Final = "WPM_REGISTRY"

_GIVEN: Final = "given"
_FEWEST_SEARCHED: Final = 50
"""So that the best one is found where few are wanted, though each registry has its own order."""


class Registries:
    """All registries of a run; one is opened when it is first asked.

    Args:
        embedded: What `embedded` means.
        configured: What answers for every name that `places` has no line for; None leaves it to the line `*`.
        offline: Whether the network must not be used.
        included: Package files that answer for their names before any registry.
        places: Where registries are (`parse_place`), by `namespace/*` in small letters, or `*`.
        opener: Opens the registry at a place.
    """

    def __init__(
        self,
        embedded: Registry,
        configured: Registry | None = None,
        *,
        offline: bool = False,
        included: IncludedPackages | None = None,
        places: Mapping[str, str] | None = None,
        opener: Callable[[str], Registry] | None = None,
    ) -> None:
        self.included = included
        self.embedded = embedded
        self.offline = offline
        self._places = {f"{EMBEDDED_NAMESPACE}/*": EMBEDDED_PLACE, **(places or {})}
        self._opener = opener
        self._opened: dict[str, Registry] = {EMBEDDED_PLACE: embedded}
        if configured is not None:
            self._places[EVERYTHING] = _GIVEN
            self._opened[_GIVEN] = configured

    @property
    def places(self) -> Mapping[str, str]:
        """Where the registries are, by pattern; the same ones answer the same."""
        return self._places

    @property
    def configured(self) -> Registry | None:
        """The registry for every name that has no line of its own."""
        return self._open(self._places[EVERYTHING]) if EVERYTHING in self._places else None

    def answering(self, name: str) -> Registry:
        """The registry that answers for a name; raises `WpmError` where there is none."""
        if self.included is not None and name in self.included:
            return self.included
        return self._open(self._place(name))

    def check(self, source: NamedSource) -> None:
        """See that the registry a source insists on is the one that answers; raises `WpmError` where it is not."""
        if source.registry is None:
            return
        place = self._place(source.name)
        if not is_network(place) or not is_host_of(source.registry, place):
            from pkgmgr.settings.config import pattern_of

            raise WpmError(
                f"{source}: {source.name} is looked up in {self._open(place).title}; to have it from "
                f"{source.registry}, run: wpm config set 'registries.{pattern_of(source.name)}' "
                f"https://{source.registry}/graphql"
            )

    def versions(self, name: str) -> Sequence[Version]:
        """The versions of a package, as its registry says."""
        return self.answering(name).versions(name)

    def summary(self, name: str, version: Version) -> PackageSummary:
        """One version of a package, as its registry says."""
        return self.answering(name).summary(name, version)

    def yanked(self, name: str) -> Collection[Version]:
        """The versions of a package that must not be chosen newly, as its registry says."""
        return self.answering(name).yanked(name)

    def prefetch(self, names: Collection[str]) -> None:
        """Tell each registry which of its packages will be asked for next."""
        for registry, known in self._by_registry(names):
            registry.prefetch(known)

    def prefetch_summaries(self, wanted: Collection[tuple[str, Version]]) -> None:
        """Tell each registry which versions will be looked at next."""
        for registry, known in self._by_registry(dict.fromkeys(name for name, _ in wanted)):
            names = frozenset(known)
            registry.prefetch_summaries([each for each in wanted if each[0] in names])

    def _by_registry(self, names: Iterable[str]) -> Iterable[tuple[Registry, list[str]]]:
        """The registries that answer for names, each with those names."""
        asked: dict[int, tuple[Registry, list[str]]] = {}
        for name in names:
            with suppress(WpmError):
                registry = self.answering(name)
                asked.setdefault(id(registry), (registry, []))[1].append(name)
        return asked.values()

    def similar(self, name: str) -> Sequence[str]:
        """Names that somebody may have meant who asked for one that is not there; only those that it would answer for."""
        found = self.answering(name).similar(name)
        return [each for each in found if self._places.get(self._line(each)) == self._places.get(self._line(name))]

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package with this hash, from whichever registry has it; raises `WpmError` where one cannot be asked."""
        for registry in self._by_trust():
            try:
                found = registry.by_hash(sha256)
            except WpmError:
                if not (self.offline and registry.needs_network):
                    raise
                continue
            if found is not None:
                return found
        return None

    def search(self, text: str, most: int, failed: Callable[[Registry, WpmError], object]) -> list[FoundPackage]:
        """Packages of all registries with a text in their names or descriptions.

        Args:
            text: What to look for.
            most: How many to give at most.
            failed: Told of each registry that could not be asked.

        Returns:
            First those with the text for a name, then those with it in their names, then all else, in the order of their
            registries; a package is found only in the registry that answers for its name.
        """
        wanted = text.casefold()
        found: dict[str, tuple[int, FoundPackage]] = {}
        for registry in self._by_trust():
            try:
                packages = registry.search(text, max(most, _FEWEST_SEARCHED))
            except WpmError as error:
                failed(registry, error)
                continue
            for package in packages:
                try:
                    answers = check_name(package.name) == package.name and self.answering(package.name) is registry
                except WpmError:
                    continue
                name = package.name.casefold()
                rank = 0 if wanted in (name, name.rpartition("/")[2]) else 1 if wanted in name else 2
                if answers:
                    found.setdefault(package.name, (rank, package))
        return [package for _, package in sorted(found.values(), key=lambda each: each[0])[:most]]

    def about(self, name: str) -> PackageAbout | None:
        """What the registry that answers for a package tells of it; None where there is no such package."""
        return self.answering(name).about(name)

    def location(self, package: LockedPackage, project: Path) -> Location:
        """Where the file of a locked package is; paths of the lock start at the project's folder.

        Raises:
            WpmError: No registry is there that has it, or its namespace has another registry now.
        """
        match package.source:
            case source if source.startswith(PATH):
                return PathSource(source.removeprefix(PATH)).below(project)
            case source if source in (EMBEDDED, REGISTRY) or source.startswith(NETWORK):
                return self._location_by_name(package) if package.name else self._location_by_hash(package)
            case source if source == BY_HASH:
                return self._location_by_hash(package)
            case source:
                return source

    def _location_by_hash(self, package: LockedPackage) -> Location:
        if (summary := self.by_hash(package.sha256)) is None:
            raise WpmError(
                f"{package.id}: neither the store nor a registry has a package with the hash {package.sha256}"
            )
        return summary.location

    def _location_by_name(self, package: LockedPackage) -> Location:
        version = Version.parse(package.version)
        # A lock may be of another version than the file that somebody includes.
        if self.included is not None and version in self.included.versions(package.name):
            return self.included.location(package.name, version)
        place = self._locked_place(package)
        registry = self._open(place)
        if is_network(place):
            from pkgmgr.registry.graphql import GraphqlRegistry

            if isinstance(registry, GraphqlRegistry):
                return registry.locate(package.name, version, package.sha256).url
        return registry.location(package.name, version)

    def locked_from(self, package: LockedPackage) -> Registry:
        """The registry that a package with a name was locked from; raises `WpmError` where it may not be asked for it."""
        if self.included is not None and package.name in self.included:
            return self.included
        return self._open(self._locked_place(package))

    def _locked_place(self, package: LockedPackage) -> str:
        """The place of the registry that a package was locked from; raises `WpmError` where it may not be asked for it."""
        place = self._place(package.name)
        if place == _GIVEN or package.source == _source(place):
            return place
        own_line = self._line(package.name) != EVERYTHING
        if package.source.startswith(NETWORK) and not own_line:
            # The lock says where it is from, and nobody has claimed this namespace for another place.
            return parse_place(package.source.removeprefix(NETWORK), Path())
        if package.source == REGISTRY and not own_line:
            raise WpmError(
                f"{package.id}: locked from a directory registry: name it with --registry or {VARIABLE}, or run: wpm lock"
            )
        where = package.source.removeprefix(NETWORK)
        raise WpmError(
            f"{package.id}: locked from {'a directory' if where == REGISTRY else where}, but {self._line(package.name)} "
            f"is {place} now: run: wpm lock"
        )

    def _line(self, name: str) -> str:
        """The pattern whose place answers for a name."""
        from pkgmgr.settings.config import pattern_of

        pattern = pattern_of(name)
        return pattern if pattern in self._places else EVERYTHING

    def _place(self, name: str) -> str:
        place = self._places.get(self._line(name))
        if place is None:
            raise WpmError(f"{name}: no registry is configured for it: name one with --registry or {VARIABLE}")
        return place

    def _open(self, place: str) -> Registry:
        if place not in self._opened:
            if self._opener is None:
                raise WpmError(f"{place}: nobody can open this registry")
            self._opened[place] = self._opener(place)
        return self._opened[place]

    def _by_trust(self) -> Iterator[Registry]:
        """Everyone who may be asked for a hash, those of this machine first and the one for everything last."""
        if self.included is not None:
            yield self.included
        own = [place for pattern, place in self._places.items() if pattern != EVERYTHING]
        places = [EMBEDDED_PLACE, *own, *(place for pattern, place in self._places.items() if pattern == EVERYTHING)]
        for place in sorted(dict.fromkeys(places), key=is_network):
            yield self._open(place)


def _source(place: str) -> str:
    """What a lock writes as the source of a package of the registry at a place."""
    if is_network(place):
        return NETWORK + place
    return EMBEDDED if place == EMBEDDED_PLACE else REGISTRY
