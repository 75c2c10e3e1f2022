"""Checking a project: its manifest, its lock and the packages in the store against one another, bytes and all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import BY_HASH, FILE_NAME, PATH
from pkgmgr.source import HashSource, NamedSource, OciSource, PathSource, UrlSource, parse_dependency

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pkgmgr.locks.lockfile import LockedPackage, Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.source import PackageSource
    from pkgmgr.store import Store
    from pkgmgr.summary import PackageSummary

LOCK_AGAIN: Final = "run: wpm lock"
INSTALL: Final = "run: wpm install"


class Problem(NamedTuple):
    """Something that is not as it should be.

    Attributes:
        subject: The id of the package, or what else it is about.
        kind: `lock`, `manifest`, `missing`, `bytes`, `container`, `contents`, `dependency`, `path` or `environment`.
        text: What is wrong, in one line.
        remedy: What to do.
    """

    subject: str
    kind: str
    text: str
    remedy: str


def verify_project(project: Project, store: Store) -> tuple[list[Problem], int]:
    """Read everything that a project runs on again, and compare.

    Nothing is fetched, and of a package whose bytes are not those of the lock nothing else is looked at.

    Args:
        project: The project.
        store: Where its packages are.

    Returns:
        What is wrong, and how many packages the lock has.
    """
    try:
        lock = project.lock
    except WpmError as error:
        # The line says what to do already, and names the file, which is said here, too.
        problem, _, _ = str(error).removeprefix(f"{project.root / FILE_NAME}: ").partition("; restore it")
        return [Problem(FILE_NAME, "lock", problem, f"restore it, or {LOCK_AGAIN}")], 0
    if lock is None:
        return [Problem(FILE_NAME, "lock", f"there is none in {project.root}", LOCK_AGAIN)], 0
    problems = list(_against_manifest(project, lock))
    problems += _unreached(lock)
    problems += _paths(project, lock, store)
    for found in _in_parallel(list(lock.packages.values()), lock, store):
        problems += found
    if not problems:
        # What an install leaves follows from the lock: where that is wrong, nothing can be told of it.
        from pkgmgr.environments.checking import check_environment

        problems += check_environment(project, lock, store)
    return problems, len(lock.packages)


def _against_manifest(project: Project, lock: Lockfile) -> Iterator[Problem]:
    """Whether the lock is of these dependencies, and what they got satisfies them."""
    asked = project.manifest.dependencies
    for alias in {**asked, **lock.requirements}:
        wanted, locked = asked.get(alias), lock.requirements.get(alias)
        if wanted is None:
            yield Problem(alias, "manifest", f"{FILE_NAME} has it, {project.manifest.path.name} does not", LOCK_AGAIN)
        elif locked is None:
            yield Problem(alias, "manifest", f"{project.manifest.path.name} has it, {FILE_NAME} does not", LOCK_AGAIN)
        elif wanted != locked:
            yield Problem(
                alias, "manifest", f"the manifest wants {wanted!r}, the lock was made for {locked!r}", LOCK_AGAIN
            )
        else:
            try:
                source = parse_dependency(alias, wanted)
            except WpmError as error:
                yield Problem(alias, "manifest", str(error), f"put {project.manifest.path.name} right")
                continue
            package = lock.packages[lock.roots[alias]]
            if not _satisfies(source, package):
                yield Problem(alias, "manifest", f"{package.id} is not what {wanted!r} asks for", LOCK_AGAIN)
    if not lock.is_for(asked) and list(asked) != list(lock.requirements) and set(asked) == set(lock.requirements):
        yield Problem(
            FILE_NAME, "manifest", "the order of the dependencies is another, and the first one wins", LOCK_AGAIN
        )


def _unreached(lock: Lockfile) -> Iterator[Problem]:
    """Packages of the lock that nothing needs."""
    waiting = list(lock.roots.values())
    reached: set[str] = set()
    while waiting:
        package = waiting.pop()
        if package not in reached:
            reached.add(package)
            waiting += lock.packages[package].dependencies.values()
    for package in lock.packages:
        if package not in reached:
            yield Problem(package, "lock", "nothing needs it", LOCK_AGAIN)


def _paths(project: Project, lock: Lockfile, store: Store) -> Iterator[Problem]:
    """Whether package files and directories of this machine are still those that were locked."""
    from pkgmgr.resolution.locking import hash_of_path

    for package in lock.packages.values():
        if not package.source.startswith(PATH):
            continue
        path = PathSource(package.source.removeprefix(PATH)).below(project.root)
        try:
            if hash_of_path(path, store) != package.sha256:
                yield Problem(package.id, "path", f"{path} is not what was locked any more", LOCK_AGAIN)
        except FileNotFoundError:
            yield Problem(package.id, "path", f"{path} is gone", "restore it, or change wasmer.toml and run: wpm lock")
        except (OSError, WpmError) as error:
            yield Problem(package.id, "path", f"{path}: {error}", "put it right")


def _in_parallel(packages: list[LockedPackage], lock: Lockfile, store: Store) -> Iterable[list[Problem]]:
    """The problems of each package; hashing leaves the interpreter to others."""
    jobs = min(os.cpu_count() or 1, 8, len(packages))
    if jobs < 2:
        return [list(_package(package, lock, store)) for package in packages]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(jobs, "verify") as pool:
        return list(pool.map(lambda package: list(_package(package, lock, store)), packages))


def _package(package: LockedPackage, lock: Lockfile, store: Store) -> Iterator[Problem]:
    path = store.path(package.sha256)
    try:
        size, digest = _sum_of(path)
    except FileNotFoundError:
        yield Problem(package.id, "missing", "it is not in the store", INSTALL)
        return
    except OSError as error:
        yield Problem(package.id, "bytes", f"{path} cannot be read: {error.strerror or error}", "see to it")
        return
    if digest != package.sha256:
        yield Problem(package.id, "bytes", f"{path} has the sha256 {digest}", f"delete it and {INSTALL}")
        return
    if size != package.size:
        yield Problem(package.id, "lock", f"it has {size} bytes, the lock says {package.size}", LOCK_AGAIN)
    again = f"wpm lock --upgrade {package.name}".rstrip() if package.name else "wpm lock"
    try:
        summary = _summary(package, path)
    except WpmError as error:
        yield Problem(package.id, "container", str(error), f"do not trust its source, or run: {again}")
        return
    for text in _differences(package, summary):
        yield Problem(package.id, "contents", text, f"run: {again}")
    yield from _needs(package, summary, lock)


def _sum_of(path: Path) -> tuple[int, str]:
    import hashlib

    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return file.tell(), digest


def _summary(package: LockedPackage, path: Path) -> PackageSummary:
    """What the package says of itself, every checksum in it checked; raises `WpmError` where one is wrong."""
    from pkgmgr.summary import summarize
    from pkgmgr.version import Version
    from webc_parser import Container, WebcError

    try:
        with Container.open(path) as container:
            container.verify()
    except WebcError as error:
        raise WpmError(f"{path}: {error}") from None
    # Where a package file or a directory may ask for paths is known only beside it: here they are told, not followed.
    folder = "." if package.source.startswith(PATH) else None
    version = Version.parse(package.version) if package.version else None
    return summarize(path, package.source, name=package.name, version=version, folder=folder)


def _differences(package: LockedPackage, summary: PackageSummary) -> Iterator[str]:
    version = "" if summary.version is None else str(summary.version)
    if (summary.name, version) != (package.name, package.version):
        yield f"it is {summary.id}"
    for what, locked, found in (
        ("commands", package.commands, summary.commands),
        ("entrypoint", package.entrypoint, summary.entrypoint),
        ("mounts", tuple(map(tuple, package.mounts)), tuple(map(tuple, summary.mounts))),
    ):
        if locked != found:
            yield (
                f"its {what} are not those of the lock"
                if what != "entrypoint"
                else (f"its entrypoint is {found!r}, not {locked!r}")
            )


def _needs(package: LockedPackage, summary: PackageSummary, lock: Lockfile) -> Iterator[Problem]:
    """Whether the lock gives a package what it asks for."""
    if list(package.dependencies) != list(summary.dependencies):
        yield Problem(package.id, "dependency", "its dependencies are not those of the lock", LOCK_AGAIN)
        return
    for alias, source in summary.dependencies.items():
        found = lock.packages[package.dependencies[alias]]
        if not _satisfies(source, found):
            yield Problem(package.id, "dependency", f"it needs {source}, and the lock gives it {found.id}", LOCK_AGAIN)


def _satisfies(source: PackageSource, package: LockedPackage) -> bool:
    match source:
        case NamedSource(name, requirement):
            from pkgmgr.version import Version

            return package.name == name and requirement.matches(Version.parse(package.version))
        case HashSource(sha256):
            return package.sha256 == sha256
        case UrlSource(url):
            return package.source in (url, BY_HASH)
        case OciSource() if source.is_exact:
            return package.source == str(source)
        case OciSource():
            return package.source.startswith(f"{source.repository}@")
        case PathSource():
            return package.source.startswith(PATH)
