"""Which locked packages have newer versions: those that the manifest allows, and those that it does not."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.installing.install import plan
from pkgmgr.installing.options import UPGRADE_ALL
from pkgmgr.locks.lockfile import OCI
from pkgmgr.registry import open_registries
from pkgmgr.source import NamedSource, parse_dependency
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.lockfile import LockedPackage
    from pkgmgr.projects.project import Project
    from pkgmgr.registry import Registries
    from pkgmgr.store import Store


class OutdatedPackage(NamedTuple):
    """A package of which something newer is there, or that is not as it should be.

    Attributes:
        name: Its name.
        current: The version in the lock; None where it is not locked yet.
        current_yanked: Whether that was withdrawn.
        compatible: The version that `wpm update` would lock; None where nothing goes together any more, or it would go.
        latest: The newest version that is neither yanked nor, unless the current one is, a pre-release; None where there
            is none.
        direct: Whether the project asks for it itself.
    """

    name: str
    current: Version | None
    current_yanked: bool
    compatible: Version | None
    latest: Version | None
    direct: bool

    @property
    def is_outdated(self) -> bool:
        """Whether anything is to be told of it."""
        if self.current is None or self.current_yanked or self.compatible not in (None, self.current):
            return True
        return self.latest is not None and self.latest > self.current


def find_outdated(
    project: Project,
    store: Store,
    options: InstallOptions,
    *,
    deep: bool = False,
    note: Callable[[str], object] = lambda _: None,
) -> list[OutdatedPackage]:
    """Compare a project's lock with what its registries have.

    Args:
        project: The project.
        store: Where packages go that have to be fetched to be known.
        options: The registry, and whether the network may be used.
        deep: Whether to tell of what the dependencies need, too.
        note: Told why compatible versions are not known, where they are not.

    Returns:
        The packages with something to tell, by name; what comes of paths, URLs and hashes is not looked at.

    Raises:
        WpmError: A registry cannot be asked.
    """
    registries = open_registries(options.registry, offline=options.offline, store=store, refresh=options.refresh)
    direct = {
        source.name
        for alias, text in project.manifest.dependencies.items()
        if isinstance(source := parse_dependency(alias, text), NamedSource)
    }
    locked = {
        package.name: package
        for package in (project.lock.packages.values() if project.lock else ())
        if package.has_registry and (deep or package.name in direct)
    }
    # Those of OCI registries have tags instead of versions: what a tag means by now is what there is to be had.
    tagged = {
        package.id: package
        for package in (project.lock.packages.values() if project.lock else ())
        if package.name and package.source.startswith(OCI)
    }
    if not deep and project.lock is not None:
        tagged = {each: tagged[each] for each in project.lock.roots.values() if each in tagged}
    names = sorted({*direct, *locked})
    registries.prefetch(names)
    compatible = _compatible(project, store, options, note)
    found = [_compared(name, locked.get(name), compatible.get(name), name in direct, registries) for name in names]
    for package in tagged.values():
        current, newest = Version.parse(package.version), compatible.get(package.name)
        direct_too = project.lock is not None and package.id in project.lock.roots.values()
        found.append(OutdatedPackage(package.name, current, False, newest, newest, direct_too))
    return sorted((package for package in found if package.is_outdated), key=lambda each: each.name)


def _compatible(
    project: Project, store: Store, options: InstallOptions, note: Callable[[str], object]
) -> dict[str, Version]:
    """The versions that an update would choose."""
    try:
        lock = plan(project, store, options._replace(upgrade=UPGRADE_ALL))
    except WpmError as error:
        note(f"no compatible versions are known: {str(error).splitlines()[0]}")
        return {}
    return {each.name: Version.parse(each.version) for each in lock.packages.values() if each.name}


def _compared(
    name: str, locked: LockedPackage | None, compatible: Version | None, direct: bool, registries: Registries
) -> OutdatedPackage:
    current = Version.parse(locked.version) if locked else None
    yanked = _withdrawn(name, registries)
    candidates = [
        version
        for version in registries.versions(name)
        if version not in yanked and (not version.pre or (current is not None and current.pre))
    ]
    return OutdatedPackage(name, current, current in yanked, compatible, max(candidates, default=None), direct)


def _withdrawn(name: str, registries: Registries) -> Collection[Version]:
    """The versions that were yanked; without the network those that could not be fetched do not count as such here."""
    if registries.offline:
        with suppress(WpmError):
            about = registries.about(name)
            return {release.version for release in about.releases if release.yanked} if about else ()
    return registries.yanked(name)
