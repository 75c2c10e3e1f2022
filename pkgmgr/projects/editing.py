"""Changing what a project depends on: resolved first, so that a change that cannot be had changes nothing.

resolve   the dependencies as they would be; where that fails, or what is chosen cannot be fetched, no file was touched
fetch     what the store does not have
write     the manifest, then the lock, each whole; killed between the two, the next install resolves what is missing
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.environments.folder import EnvironmentFolder
from pkgmgr.errors import WpmError
from pkgmgr.files.holding import held_folder
from pkgmgr.installing.install import InstallReport, fetch_missing, finish
from pkgmgr.locks.lockfile import FILE_NAME, Lockfile, write_lock
from pkgmgr.manifest.edit import remove_dependency, write_manifest
from pkgmgr.manifest.reader import parse_manifest, read_text
from pkgmgr.projects.project import Project
from pkgmgr.source import NamedSource, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.manifest import ProjectManifest
    from pkgmgr.store import Store


class Edit(NamedTuple):
    """A change of a project that would work.

    Attributes:
        before: The text of the manifest when it was read.
        text: Its text now.
        lock: What its dependencies resolve to now.
    """

    before: str
    text: str
    lock: Lockfile


def carry_out(project: Project, edit: Edit, store: Store, options: InstallOptions, *, install: bool) -> InstallReport:
    """Write a change down, and install what it needs.

    Args:
        project: The project as it was read.
        edit: The change.
        store: Where packages go.
        options: How to fetch and compile.
        install: Whether to fetch and compile at all.

    Raises:
        WpmError: A package cannot be fetched, or the manifest is another one by now; nothing was written.
    """
    check_locked(project, edit.lock, options)
    fetched: tuple[str, ...] = ()
    if install:
        store.remove_abandoned()
        fetched = fetch_missing(edit.lock, project, store, options)
    written = _write(project, edit)
    report = InstallReport(edit.lock, fetched, written, 0, ())
    if install:
        return finish(project, report, store, options)
    # What was removed needs no install, but its launchers are gone; where there were none, none are made.
    launchers = options.launchers and EnvironmentFolder(project.root).is_real()
    return finish(project, report, store, options._replace(compile=False, launchers=launchers))


def _write(project: Project, edit: Edit) -> bool:
    """Write the manifest and the lock; gives whether the lock changed. Where the second fails, the first is put back."""
    path = project.manifest.path
    with held_folder(project.root):
        if edit.text == edit.before:
            return write_lock(project.lock_path, edit.lock)
        if read_text(path) != edit.before:
            raise _changed_meanwhile(path)
        write_manifest(path, edit.text)
        try:
            return write_lock(project.lock_path, edit.lock)
        except BaseException:
            write_manifest(path, edit.before)
            raise


def check_locked(project: Project, lock: Lockfile, options: InstallOptions) -> None:
    """Refuse a lock that is not the project's own, where `--locked` asks for that."""
    if options.locked and (project.lock is None or lock != project.lock):
        raise WpmError(f"{project.root}: {FILE_NAME} would change, and --locked forbids that")


def text_of(project: Project) -> str:
    """The text of a project's manifest; raises `WpmError` where it has other dependencies than those that were read."""
    path = project.manifest.path
    text = read_text(path)
    if list(parse_manifest(text, path).dependencies.items()) != list(project.manifest.dependencies.items()):
        raise _changed_meanwhile(path)
    return text


def _changed_meanwhile(path: Path) -> WpmError:
    return WpmError(f"{path}: somebody else changed it meanwhile: nothing was written, try again")


def plan_removal(project: Project, names: Sequence[str], store: Store, options: InstallOptions) -> Edit:
    """Take dependencies out of a project.

    Args:
        project: The project.
        names: Keys of its `[dependencies]`.
        store: Where packages are, and go where a path has to be built to be known.
        options: The registry, for a project whose lock is missing or stale; else nobody is asked.

    Raises:
        WpmError: One is not there, or something of the project needs it, or what is left cannot be resolved.
    """
    manifest = project.manifest
    for name in names:
        _check_removable(manifest, name)
    before = text = text_of(project)
    for name in dict.fromkeys(names):
        text = remove_dependency(text, manifest.path, name)
    left = Project(parse_manifest(text, manifest.path))
    current = project.lock
    if current is not None and current.is_for(manifest.dependencies):
        lock = _without(current, left.manifest.dependencies)
        if _is_asked_for(lock):
            return Edit(before, text, lock)
    from pkgmgr.installing.install import plan

    return Edit(before, text, plan(left, store, options))


def plan_update(project: Project, packages: Sequence[str], store: Store, options: InstallOptions) -> Edit:
    """Take the newest versions that the manifest allows.

    Args:
        project: The project.
        packages: Names of locked packages, or keys of `[dependencies]`; empty is all.
        store: Where packages go that have to be fetched to be known.
        options: The registry, and whether the network may be used.

    Raises:
        WpmError: A package is not there, or the dependencies cannot be resolved.
    """
    from pkgmgr.installing.install import plan
    from pkgmgr.installing.options import UPGRADE_ALL

    upgrade = named_in_lock(project.lock, packages) or UPGRADE_ALL
    text = text_of(project)
    return Edit(text, text, plan(project, store, options._replace(upgrade=upgrade)))


def named_in_lock(lock: Lockfile | None, names: Sequence[str]) -> frozenset[str]:
    """The packages of a lock that are named, by their own names or by keys of `[dependencies]`.

    Raises:
        WpmError: The lock has no such package.
    """
    if not names:
        return frozenset()
    if lock is None:
        raise WpmError(f"{names[0]}: there is no {FILE_NAME} that has it: run wpm lock")
    packages = {package.name for package in lock.packages.values() if package.name}
    found: set[str] = set()
    for name in names:
        if name in packages:
            found.add(name)
        elif name in lock.roots and (own := lock.packages[lock.roots[name]].name):
            found.add(own)
        else:
            raise WpmError(f"{name}: not in {FILE_NAME}{names_like(name, sorted({*packages, *lock.roots}))}")
    return frozenset(found)


def names_like(name: str, known: Sequence[str]) -> str:
    """What somebody may have meant: ` did you mean …?`, or nothing."""
    from difflib import get_close_matches

    same = [each for each in known if each.rpartition("/")[2] == name.rpartition("/")[2]]
    near = list(dict.fromkeys([*same, *get_close_matches(name, known, 3, 0.75)]))[:3]
    return f": did you mean {' or '.join(near)}?" if near else ""


def _check_removable(manifest: ProjectManifest, name: str) -> None:
    known = list(manifest.dependencies)
    if name not in manifest.dependencies:
        hint = names_like(name, known) or (f": it has {', '.join(known[:10])}" if known else ", which has none")
        raise WpmError(f"{name}: not in the [dependencies] of {manifest.path}{hint}")
    users = [f"the command {command.name!r}" for command in manifest.commands if command.module.dependency == name]
    users += [f"the [fs] entry {mapping.guest!r}" for mapping in manifest.fs if mapping.source == name]
    if users:
        raise WpmError(f"{name}: still used by {' and '.join(users)} of {manifest.path}: remove that first")


def _without(lock: Lockfile, dependencies: Mapping[str, str]) -> Lockfile:
    """The lock with these dependencies only, and what they need: what resolving them with it would give."""
    roots = {alias: lock.roots[alias] for alias in dependencies}
    kept: set[str] = set()
    waiting = list(roots.values())
    while waiting:
        package = waiting.pop()
        if package not in kept:
            kept.add(package)
            waiting += lock.packages[package].dependencies.values()
    packages = {package: each for package, each in lock.packages.items() if package in kept}
    return Lockfile(dict(dependencies), roots, packages)


def _is_asked_for(lock: Lockfile) -> bool:
    """Whether whatever came from a path, a URL or a hash is what the project still asks for in that way.

    Else it served others who asked for its name, and what they get without it is to be resolved.
    """
    asked = {
        lock.roots[alias]
        for alias, text in lock.requirements.items()
        if not isinstance(parse_dependency(alias, text), NamedSource)
    }
    return all(package.has_registry or package.id in asked for package in lock.packages.values())
