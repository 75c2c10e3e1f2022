"""`wpm sbom`: write the bill of materials of a project or of packages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.options import OUT, add_project, add_registry
from pkgmgr.errors import WpmError
from pkgmgr.sbom import DEFAULT_SPEC_VERSION, FORMATS, SPEC_VERSIONS

if TYPE_CHECKING:
    import argparse

    from cyclonedx.model.bom import Bom

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.lockfile import LockedPackage, Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm sbom` takes."""
    parser.add_argument(
        "packages",
        nargs="*",
        metavar="PKG",
        help="packages (ns/name@^1.2, sha256:…, a URL, a .webc) instead of what the project is locked to",
    )
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="the default is cyclonedx-json")
    parser.add_argument(
        "--json", dest="format", action="store_const", const=FORMATS[0], help="the same as --format cyclonedx-json"
    )
    parser.add_argument(
        "--spec-version", choices=SPEC_VERSIONS, default=DEFAULT_SPEC_VERSION, help="of CycloneDX; the default is 1.6"
    )
    parser.add_argument(*OUT, dest="out", type=Path, metavar="FILE", help="write there instead of to standard output")
    add_project(parser)
    add_registry(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write it; packages that are not in the store are fetched, as their licences are in them."""
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.sbom import render
    from pkgmgr.store import Store

    store = Store.default()
    options = InstallOptions(registry=arguments.registry, offline=arguments.offline)
    if arguments.packages:
        bom = _of_packages(arguments.packages, store, options)
    else:
        bom = _of_project(arguments.project, store, options)
    data = render(bom, arguments.format, arguments.spec_version)
    if arguments.out is not None and arguments.out != Path("-"):
        arguments.out.write_bytes(data)
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
    return 0


def _of_project(folder: Path | None, store: Store, options: InstallOptions) -> Bom:
    from pkgmgr.installing.install import fetch_missing
    from pkgmgr.projects.project import Project
    from pkgmgr.sbom import project_sbom

    project = Project.open(folder)
    lock = _lock_of(project)
    if options.offline:
        for package in store.missing(lock.packages.values()):
            print(f"wpm: {package.id}: not in the store: only what the lock says of it is written", file=sys.stderr)
    else:
        fetch_missing(lock, project, store, options)
    return project_sbom(project, lock, store)


def _lock_of(project: Project) -> Lockfile:
    """The lock of the project as it is: nothing is resolved for a bill that shall say what was."""
    lock = project.lock
    if lock is None:
        if project.manifest.dependencies:
            raise WpmError(f"{project.root}: there is no wasmer.lock to write a bill of: run wpm lock")
        from pkgmgr.locks.lockfile import Lockfile

        return Lockfile({}, {}, {})
    if not lock.is_for(project.manifest.dependencies):
        raise WpmError(f"{project.lock_path}: not of the dependencies that wasmer.toml has now: run wpm lock")
    return lock


def _of_packages(texts: list[str], store: Store, options: InstallOptions) -> Bom:
    from pkgmgr.installing.adhoc import adhoc_lock
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.sbom import packages_sbom

    files = {text: path for text in texts if (path := _file_of(text, store)) is not None}
    named = {text: text for text in texts if text not in files}
    locks = [adhoc_lock(named, store, options)] if named else []
    locks += [_lock_of_file(text, path, store, options) for text, path in files.items()]
    roots = {text: package for lock in locks for text, package in lock.roots.items()}
    packages: dict[str, LockedPackage] = {}
    for package in (package for lock in locks for package in lock.packages.values()):
        if packages.setdefault(package.id, package).sha256 != package.sha256:
            raise WpmError(f"{package.id}: two different packages have this name and version: write a bill of each")
    return packages_sbom(Lockfile({text: text for text in roots}, roots, dict(sorted(packages.items()))), store)


def _file_of(text: str, store: Store) -> Path | None:
    """The package file that somebody names, by its path or by a hash that the store has; None for what is looked up."""
    from pkgmgr.source import HashSource, PathSource, parse_source

    path = Path(text)
    if path.is_file():
        return path
    match parse_source(text):
        case HashSource(sha256) if store.has(sha256):
            return store.path(sha256)
        case PathSource() if path.is_dir():
            raise WpmError(f"{text}: a directory; for the bill of a project run: wpm sbom --project {text}")
        case PathSource():
            raise WpmError(f"{text}: there is no package file here")
    return None


def _lock_of_file(text: str, path: Path, store: Store, options: InstallOptions) -> Lockfile:
    """The lock of a package file, which goes into the store, and of what it needs from the registries."""
    from pkgmgr.installing.adhoc import adhoc_lock
    from pkgmgr.locks.lockfile import BY_HASH, Lockfile
    from pkgmgr.summary import summarize

    summary = summarize(path, BY_HASH)
    if not store.has(summary.sha256, summary.size):
        store.add_file(path, summary.sha256)
    specs = {alias: str(source) for alias, source in summary.dependencies.items()}
    below = adhoc_lock(specs, store, options) if specs else Lockfile({}, {}, {})
    package = summary.locked(below.roots)
    return Lockfile({text: text}, {text: package.id}, {**below.packages, package.id: package})
