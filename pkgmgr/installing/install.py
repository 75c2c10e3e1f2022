"""Installing a project: from its manifest to packages in the store and a lock that says which.

plan     the lock where it is valid, else a new resolution that prefers what is locked
fetch    what the store does not have, several packages at a time, each verified while it arrives
lock     written whole, after everything that it names is stored
compile  the modules of the packages, so that the first run need not
launchers  for each command of the project, in its folder .wpm
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import FILE_NAME, PATH, LockedPackage, Lockfile, write_lock

if TYPE_CHECKING:
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store


class InstallReport(NamedTuple):
    """What an install did.

    Attributes:
        lock: What the project runs on now.
        fetched: The ids of the packages that were brought into the store.
        lock_written: Whether the lock changed.
        compiled: How many modules were compiled.
        warnings: What went wrong without being an error, one line each.
        launchers_written: Whether the launchers of the project, or what is told of it beside them, changed.
    """

    lock: Lockfile
    fetched: tuple[str, ...]
    lock_written: bool
    compiled: int
    warnings: tuple[str, ...]
    launchers_written: bool = False


def install(project: Project, store: Store, options: InstallOptions) -> InstallReport:
    """Install a project's dependencies.

    Args:
        project: The project.
        store: Where packages go.
        options: How.

    Raises:
        WpmError: They cannot be resolved or fetched, or `locked` or `frozen` forbid what is needed. The lock is as it
            was, and the store has no half of anything.
    """
    lock = plan(project, store, options)
    store.remove_abandoned()
    fetched = fetch_missing(lock, project, store, options)
    written = lock is not project.lock and write_lock(project.lock_path, lock)
    return finish(project, InstallReport(lock, fetched, written, 0, ()), store, options)


def finish(project: Project, report: InstallReport, store: Store, options: InstallOptions) -> InstallReport:
    """What comes once the packages are there and the lock is written: modules are compiled, launchers made."""
    compiled, warnings = compile_ahead(report.lock, store, options)
    changed = False
    if options.launchers:
        from pkgmgr.environments.folder import EnvironmentFolder

        changed, told = EnvironmentFolder(project.root).refresh(project, store)
        warnings += told
    return report._replace(compiled=compiled, warnings=warnings, launchers_written=changed)


def compile_ahead(lock: Lockfile, store: Store, options: InstallOptions) -> tuple[int, tuple[str, ...]]:
    """Compile the modules of what is installed, where that is wanted: how many there were, and what went wrong."""
    if not options.compile:
        return 0, ()
    from pkgmgr.installing.precompile import precompile

    return precompile(lock, store, options.jobs)


def plan(project: Project, store: Store, options: InstallOptions) -> Lockfile:
    """What the project shall run on: its lock where that is valid, else what its dependencies resolve to now.

    Raises:
        WpmError: Nothing satisfies them, or `locked` or `frozen` forbid to look.
    """
    current = project.lock
    if options.frozen:
        if current is None:
            raise WpmError(f"{project.root}: there is no {FILE_NAME}, which --frozen needs: run wpm lock")
        return current
    stale = why_stale(project, current, store)
    anew = bool(options.upgrade) or options.resolution != "highest"
    if not stale and not anew and current is not None:
        return current
    if options.locked:
        raise WpmError(f"{project.root}: {stale or 'other versions were asked for'}, and --locked forbids to change it")
    from pkgmgr.registry import open_registries
    from pkgmgr.resolution.locking import make_lock

    registries = open_registries(
        options.registry,
        offline=options.offline,
        include=options.include,
        store=store,
        refresh=options.refresh or options.upgrade is not None,
    )
    return make_lock(
        project.manifest.dependencies,
        project.root,
        registries,
        store,
        current,
        options.upgrade,
        resolution=options.resolution,
        manifest=project.manifest.path,
    )


def fetch_missing(lock: Lockfile, project: Project, store: Store, options: InstallOptions) -> tuple[str, ...]:
    """Bring what the store does not have into it; gives the ids of these packages.

    Raises:
        WpmError: A package cannot be had, or is not what the lock says.
    """
    missing = store.missing(lock.packages.values())
    if missing:
        from pkgmgr.installing.fetch import fetch_packages
        from pkgmgr.registry import open_registries

        registries = open_registries(options.registry, offline=options.offline, include=options.include, store=store)
        jobs = options.jobs or min(8, 2 * (os.cpu_count() or 1))
        fetch_packages(missing, registries, project.root, store, jobs)
    return tuple(package.id for package in missing)


def why_stale(project: Project, lock: Lockfile | None, store: Store) -> str:
    """In one phrase why the lock is not of the project as it is now; empty where it is."""
    if lock is None:
        return f"there is no {FILE_NAME}"
    if not lock.is_for(project.manifest.dependencies):
        changed = [
            name
            for name in {**lock.requirements, **project.manifest.dependencies}
            if lock.requirements.get(name) != project.manifest.dependencies.get(name)
        ]
        return f"{FILE_NAME} is not of these dependencies (changed: {', '.join(changed) or 'their order'})"
    for package in lock.packages.values():
        if package.source.startswith(PATH) and not _is_unchanged(project, package, store):
            return f"{FILE_NAME} is not of {package.source.removeprefix(PATH)} as it is now"
    return ""


def _is_unchanged(project: Project, package: LockedPackage, store: Store) -> bool:
    """Whether a package file (or a directory that is built) of this machine is still the one that was locked."""
    from pkgmgr.resolution.locking import hash_of_path
    from pkgmgr.source import PathSource

    path = PathSource(package.source.removeprefix(PATH)).below(project.root)
    try:
        return hash_of_path(path, store) == package.sha256
    except FileNotFoundError:
        # What is in the store already runs without the file that it came from.
        return store.has(package.sha256, package.size)
