"""Whether the registries still have what a lock says, of the very same contents: versions never change what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import FILE_NAME
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile
    from pkgmgr.registry import Registries, Registry


def check_against_registries(
    lock: Lockfile, registries: Registries, note: Callable[[str], object] = lambda _: None
) -> None:
    """Compare the hashes of a lock with those that its registries tell.

    Args:
        lock: The lock.
        registries: Who is asked; those that `--offline` keeps from being asked are passed over.
        note: Told once of each registry that was.

    Raises:
        WpmError: A version has another hash there than here, or is not there any more, or its registry cannot be asked.
    """
    named = [package for package in lock.packages.values() if package.has_registry]
    if not registries.offline:
        registries.prefetch([package.name for package in named])
    passed_over: set[str] = set()
    for package in named:
        registry = registries.locked_from(package)
        if registries.offline and registry.needs_network:
            if registry.title not in passed_over:
                note(f"{registry.title}: not asked, as --offline forbids it: its files were not compared")
            passed_over.add(registry.title)
            continue
        version = Version.parse(package.version)
        if version not in registry.versions(package.name):
            raise WpmError(
                f"{package.id}: {FILE_NAME} has it, but {registry.title} has no such version any more: run wpm lock"
            )
        if (sha256 := _hash(registry, package, version)) != package.sha256:
            raise WpmError(
                f"{package.id}: {registry.title} has another file of this version than {FILE_NAME} says (sha256 {sha256}, "
                f"not {package.sha256}): find out why before you trust it; wpm lock --upgrade {package.name} would take it"
            )


def _hash(registry: Registry, package: LockedPackage, version: Version) -> str:
    """The hash of the registry's file: of the one that the lock means, where a version has several."""
    if registry.needs_network:
        from pkgmgr.registry.graphql import GraphqlRegistry

        if isinstance(registry, GraphqlRegistry):
            return registry.locate(package.name, version, package.sha256).sha256
    return registry.summary(package.name, version).sha256
