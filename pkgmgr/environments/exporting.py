"""Writing the environment of a project into one file; `pkgmgr.environments.archive` says what is in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.building.tree import Link
from pkgmgr.environments.archive import (
    DESCRIPTION,
    PACKAGES,
    PROJECT,
    REGISTRIES,
    SUFFIX,
    TOP,
    compression_of,
)
from pkgmgr.environments.manifest import canonical, describe
from pkgmgr.environments.project_files import project_files
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import NETWORK
from pkgmgr.rootfs.entry import DIRECTORY_MODE, SYMLINK_MODE, Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.modes import file_mode

if TYPE_CHECKING:
    from pkgmgr.environments.project_files import Found
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store


class Exported(NamedTuple):
    """What was written.

    Attributes:
        path: Where; None where that is standard output.
        size: Its size in bytes.
        sha256: Its hash, in hexadecimal.
        packages: How many packages are in it.
        notes: What does not travel and might be missed, one line each.
    """

    path: Path | None
    size: int
    sha256: str
    packages: int
    notes: tuple[str, ...]


def export_environment(
    project: Project, store: Store, options: InstallOptions, output: Path | None, descriptor: int | None = None
) -> Exported:
    """Write a project's environment.

    Args:
        project: The project, whose lock is as its manifest wants it.
        store: Where its packages are; those that are not are fetched.
        options: Where from, and whether the network may be used.
        output: The file, replaced whole or not at all; None gives it a name of the project's in the current directory.
        descriptor: Write to this open file or pipe instead.

    Raises:
        WpmError: The lock is missing or stale, a package cannot be had, or a file of the project cannot be read.
        OSError: The file cannot be written.
    """
    from pkgmgr.installing.install import fetch_missing, plan
    from pkgmgr.rootfs.write_tar import write_tar

    lock = plan(project, store, options._replace(locked=True))
    fetch_missing(lock, project, store, options)
    target = output if output is not None else Path(default_name(project))
    if target.is_dir():
        target = target / default_name(project)
    # A new one is written beside its place, and the one before it is not of the project.
    files, notes = project_files(project, lock, () if descriptor is not None else (target.absolute().resolve(),))
    entries = _entries(project, lock, store, files)
    if descriptor is not None:
        written = write_tar(entries, descriptor)
    else:
        from pkgmgr.files.replacing import replacing

        with replacing(target, 0o644) as file:
            written = write_tar(entries, file.fileno(), compression_of(target.name))
    return Exported(
        target if descriptor is None else None, written.size, written.sha256, len(lock.packages), tuple(notes)
    )


def default_name(project: Project) -> str:
    """What to call the file of a project's environment."""
    manifest = project.manifest
    name = (manifest.name or Path(os.path.realpath(project.root)).name or "project").replace("/", "-")
    return f"{name}-{manifest.version}.env.tar" if manifest.version else f"{name}.env.tar"


def _entries(project: Project, lock: Lockfile, store: Store, files: dict[str, Found]) -> list[Entry]:
    from pkgmgr.projects.commands import project_commands
    from pkgmgr.rootfs.source_date import source_date

    described = describe(
        project.manifest, lock, project.lock_path.read_bytes(), project_commands(project.manifest, lock, store)
    )
    text = canonical({**described, REGISTRIES: _registries(lock)})
    entries = [Entry(folder, Kind.DIRECTORY, DIRECTORY_MODE) for folder in (TOP, PACKAGES, PROJECT)]
    entries.append(Entry(DESCRIPTION, Kind.FILE, size=len(text), content=memoryview(text)))
    for package in {package.sha256: package for package in lock.packages.values()}.values():
        content = HostFile(store.path(package.sha256), package.size)
        entries.append(Entry(f"{PACKAGES}/{package.sha256}{SUFFIX}", Kind.FILE, size=package.size, content=content))
    for path, found in files.items():
        where = f"{PROJECT}/{path}"
        match found:
            case None:
                entries.append(Entry(where, Kind.DIRECTORY, DIRECTORY_MODE))
            case Link(target):
                entries.append(Entry(where, Kind.SYMLINK, SYMLINK_MODE, target=target))
            case Path():
                status = found.stat()
                entries.append(
                    Entry(
                        where,
                        Kind.FILE,
                        file_mode(status.st_mode),
                        size=status.st_size,
                        content=HostFile(found, status.st_size),
                    )
                )
    made = source_date() or 0
    return [entry._replace(mtime=made) for entry in sorted(entries, key=lambda entry: path_order(entry.path))]


def _registries(lock: Lockfile) -> dict[str, str]:
    """Which registry of the network was asked for which namespace: as the lock has it, which has no user's configuration."""
    from pkgmgr.settings.config import pattern_of

    found: dict[str, str] = {}
    for package in lock.packages.values():
        if package.name and package.source.startswith(NETWORK):
            found[pattern_of(package.name)] = package.source.removeprefix(NETWORK)
    for url in found.values():
        if "@" in url:
            raise WpmError(f"{url.rpartition('@')[2]}: the lock has a registry's URL with a password: lock it without")
    return found
