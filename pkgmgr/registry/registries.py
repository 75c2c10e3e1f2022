"""Which registry answers for which name: `wpm/*` is what wpm carries, everything else is configured."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.lockfile import BY_HASH, EMBEDDED, PATH, REGISTRY, LockedPackage
from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.source import PathSource, parse_source
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pkgmgr.registry.included import IncludedPackages
    from pkgmgr.registry.protocol import Registry
    from pkgmgr.source import NamedSource
    from pkgmgr.summary import Location, PackageSummary

EMBEDDED_NAMESPACE: Final = "wpm"
VARIABLE: Final = "WPM_REGISTRY"


class Registries:
    """The embedded registry and the configured one.

    Args:
        embedded: What answers for `wpm/*`.
        configured: What answers for every other name; None where none is configured.
        offline: Whether registries that need the network must not be asked.
        included: Package files that answer for their names before any registry.
    """

    def __init__(
        self,
        embedded: Registry,
        configured: Registry | None = None,
        *,
        offline: bool = False,
        included: IncludedPackages | None = None,
    ) -> None:
        self.included = included
        self.embedded = embedded
        self.configured = configured
        self.offline = offline

    def answering(self, name: str) -> Registry:
        """The registry that answers for a name; raises `WpmError` where there is none."""
        if self.included is not None and name in self.included:
            return self.included
        if name.startswith(f"{EMBEDDED_NAMESPACE}/"):
            return self.embedded
        if self.configured is None:
            raise WpmError(f"{name}: no registry is configured for it: name one with --registry or {VARIABLE}")
        return self._usable(self.configured, name)

    def check(self, source: NamedSource) -> None:
        """See that the registry a source insists on is the one that would answer."""
        if source.registry is not None and source.registry not in self.answering(source.name).title.split("/"):
            raise WpmError(
                f"{source}: no registry {source.registry} is configured: name it with --registry or {VARIABLE}"
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
        asked: dict[int, tuple[Registry, list[str]]] = {}
        for name in names:
            with suppress(WpmError):
                registry = self.answering(name)
                asked.setdefault(id(registry), (registry, []))[1].append(name)
        for registry, known in asked.values():
            registry.prefetch(known)

    def similar(self, name: str) -> Sequence[str]:
        """Names that somebody may have meant who asked for one that is not there."""
        return self.answering(name).similar(name)

    def by_hash(self, sha256: str) -> PackageSummary | None:
        """The package with this hash, from whichever registry has it."""
        for registry in (self.included, self.embedded, self.configured):
            if registry is None or (registry.needs_network and self.offline):
                continue
            if (found := registry.by_hash(sha256)) is not None:
                return found
        return None

    def location(self, package: LockedPackage, project: Path) -> Location:
        """Where the file of a locked package is; paths of the lock start at the project's folder.

        Raises:
            WpmError: No registry is there that has it.
        """
        match package.source:
            case source if source.startswith(PATH):
                return PathSource(source.removeprefix(PATH)).below(project)
            case source if source == BY_HASH or (source in (EMBEDDED, REGISTRY) and not package.name):
                if (summary := self.by_hash(package.sha256)) is None:
                    raise WpmError(
                        f"{package.id}: neither the store nor a registry has a package with the hash {package.sha256}"
                    )
                return summary.location
            case source if source in (EMBEDDED, REGISTRY):
                return self.answering(package.name).location(package.name, Version.parse(package.version))
            case source:
                return source

    def _usable(self, registry: Registry, name: str) -> Registry:
        if registry.needs_network and self.offline:
            raise WpmError(f"{name}: its registry {registry.title} needs the network, which --offline forbids")
        return registry


def open_registries(
    configured: str | None = None, *, offline: bool = False, include: Sequence[Path] = ()
) -> Registries:
    """The registries of this run.

    Args:
        configured: What the command line names: a directory or a `file://` URL; None asks `WPM_REGISTRY`.
        offline: Whether the network must not be used.
        include: Package files that answer for their names before any registry.

    Raises:
        WpmError: The configured registry is none, or an included file is no package.
    """
    import registry_fixtures

    embedded = DirectoryRegistry(registry_fixtures.ROOT, EMBEDDED, "the embedded registry")
    text = configured or os.environ.get(VARIABLE) or ""
    included = None
    if include:
        from pkgmgr.registry.included import IncludedPackages

        included = IncludedPackages(include)
    return Registries(embedded, _open(text) if text else None, offline=offline, included=included)


def _open(text: str) -> Registry:
    source = parse_source(text) if "://" in text else PathSource(text)
    if not isinstance(source, PathSource):
        raise WpmError(f"{text}: not a registry: expected a directory, or its file:// URL")
    root = source.below(Path.cwd())
    if not (root / "packages").is_dir():
        raise WpmError(f"{root}: not a registry: there is no directory 'packages' in it")
    return DirectoryRegistry(root, REGISTRY, str(root))
