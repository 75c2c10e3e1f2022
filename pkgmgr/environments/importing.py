"""Restoring an environment from a file of which nothing is believed.

check    the names, kinds and sizes of everything in it; its manifest and lock, which must fit each other; that every package
         of the lock is there and nothing else; that no file of the directory is in the way
store    the packages, each hashed against the lock while it is copied
write    the project's files: first all of them beside their places, then each is renamed into its place, wasmer.toml last,
         so that what is killed in between is no project yet, and the next import finishes it
install  offline, exactly what the lock says
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.environments.archive import (
    DESCRIPTION,
    LARGEST_DESCRIPTION,
    MOST_FILES,
    PACKAGES,
    PROJECT,
    SUFFIX,
    TOP,
    is_inner_link,
)
from pkgmgr.environments.folder import FOLDER
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import FILE_NAME, LARGEST_FILE
from pkgmgr.manifest.reader import MANIFEST_NAMES, MAX_SIZE
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Kind

if TYPE_CHECKING:
    from pkgmgr.installing.install import InstallReport
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.rootfs.entry import Entry, HostFile
    from pkgmgr.store import Store

_MOST_NAMED: Final = 5


class Environment(NamedTuple):
    """What is in a file, checked.

    Attributes:
        path: The file, as the user named it.
        manifest: The path of the manifest in the project.
        lock: The lock.
        packages: The file of each package, by its sha256.
        files: What the project has, by the path in it, the directories first.
        registries: Who was asked for which namespace.
    """

    path: Path
    manifest: str
    lock: Lockfile
    packages: dict[str, HostFile]
    files: dict[str, Entry]
    registries: dict[str, str]


class Imported(NamedTuple):
    """What an import did.

    Attributes:
        project: The project, as it is now.
        stored: How many packages were not in the store before.
        written: How many files were written.
        registries: Who was asked for which namespace, where it was made.
        report: What the install did.
    """

    project: Project
    stored: int
    written: int
    registries: dict[str, str]
    report: InstallReport


def import_environment(
    path: Path, directory: Path, store: Store, *, force: bool = False, compile_modules: bool = True
) -> Imported:
    """Restore an environment.

    Args:
        path: The file.
        directory: Where the project goes; it is made where it is not there.
        store: Where the packages go.
        force: Whether to overwrite files that are there and differ.
        compile_modules: Whether to compile the modules.

    Raises:
        WpmError: The file is no environment, is damaged or wants what it must not, or files are in the way; no file of the
            directory was touched.
        OSError: The disk failed.
    """
    from pkgmgr.environments.plain_archive import plain_archive
    from pkgmgr.installing.install import install, why_stale
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project

    with plain_archive(path, store) as plain:
        environment = read_environment(plain, path)
        changed = _in_the_way(environment, directory, force=force)
        stored = _store_packages(environment, store)
        _write_files(environment, directory, changed)
    project = Project.open(directory / environment.manifest)
    options = InstallOptions(offline=True, frozen=True, compile=compile_modules)
    report = install(project, store, options)
    try:
        # A path out of the project may lead to something here, too, which is something else.
        stale = why_stale(project, report.lock, store)
    except (WpmError, OSError) as error:
        stale = str(error)
    if stale:
        told = f"{project.root}: {stale}: what runs next is resolved anew"
        report = report._replace(warnings=(*report.warnings, told))
    return Imported(project, stored, len(changed), environment.registries, report)


def read_environment(plain: Path, path: Path) -> Environment:
    """Check everything that can be checked without the packages' bytes.

    Args:
        plain: The file without compression.
        path: What to call it.

    Raises:
        WpmError: It is no environment, or contradicts itself.
    """
    from pkgmgr.locks.reader import parse_lock
    from pkgmgr.manifest.reader import parse_manifest
    from pkgmgr.rootfs.tar_index import index_tar

    try:
        entries = {entry.path: entry for entry in index_tar(plain).entries}
    except WpmError as error:
        raise WpmError(str(error).replace(str(plain), str(path))) from None
    registries = _registries(_small(entries, DESCRIPTION, LARGEST_DESCRIPTION, path), path)
    packages: dict[str, HostFile] = {}
    files: dict[str, Entry] = {}
    for name, entry in entries.items():
        if name.startswith(f"{PROJECT}/"):
            files[name.removeprefix(f"{PROJECT}/")] = _checked(entry, path)
        elif name.startswith(f"{PACKAGES}/"):
            if entry.kind is not Kind.FILE:
                raise _error(path, name, "is not a file: do not trust its source")
            packages[name.removeprefix(f"{PACKAGES}/").removesuffix(SUFFIX)] = _span(entry)
        elif name not in (TOP, PACKAGES, PROJECT, DESCRIPTION):
            raise _error(path, name, "does not belong into an environment")
    if len(files) > MOST_FILES:
        raise WpmError(f"{path}: the project has {len(files)} files, more than the {MOST_FILES} that one may have")
    manifest = next((name for name in MANIFEST_NAMES if name in files), None)
    if manifest is None:
        raise WpmError(f"{path}: there is no {PROJECT}/{MANIFEST_NAMES[0]} in it: it is no environment")
    shown = Path(f"{path}: {manifest}")
    try:
        text = _small(entries, f"{PROJECT}/{manifest}", MAX_SIZE, path).decode()
    except UnicodeDecodeError:
        raise WpmError(f"{shown}: is not UTF-8") from None
    dependencies = parse_manifest(text, shown).dependencies
    try:
        lock = parse_lock(_small(entries, f"{PROJECT}/{FILE_NAME}", LARGEST_FILE, path))
    except WpmError as error:
        raise WpmError(f"{path}: {FILE_NAME}: {str(error).removeprefix(f'{path}: ')}") from None
    if not lock.is_for(dependencies):
        raise WpmError(f"{path}: its {FILE_NAME} is not of its {manifest}: export it again")
    _check_packages(packages, lock, path)
    return Environment(path, manifest, lock, packages, files, registries)


def _check_packages(packages: dict[str, HostFile], lock: Lockfile, path: Path) -> None:
    """There are those of the lock, of these sizes, and no others."""
    for package in lock.packages.values():
        found = packages.get(package.sha256)
        if found is None:
            raise WpmError(f"{path}: {package.id} is not in it, which its {FILE_NAME} names: export it again")
        if found.size != package.size:
            raise WpmError(f"{path}: {package.id} has {found.size} bytes in it, its {FILE_NAME} says {package.size}")
    if others := packages.keys() - {package.sha256 for package in lock.packages.values()}:
        raise _error(path, f"{PACKAGES}/{min(others)}", f"is no package of its {FILE_NAME}: do not trust its source")


def _checked(entry: Entry, path: Path) -> Entry:
    """A name of the project that may be made in a directory of the user's."""
    name = entry.path.removeprefix(f"{PROJECT}/")
    parts = name.split("/")
    if {FOLDER, ".git"} & {part.lower() for part in parts}:
        # What others leave there is run by people and programs without a look.
        raise _error(path, entry.path, f"may not be in an environment: {FOLDER} and .git belong to the machine")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _error(path, entry.path, "is not UTF-8") from None
    match entry.kind:
        case Kind.FILE | Kind.DIRECTORY:
            return entry
        case Kind.SYMLINK if is_inner_link(name, entry.target):
            return entry
        case Kind.SYMLINK:
            raise _error(
                path, entry.path, f"is a link to {one_line(entry.target, 80)}, which may lead out of the project"
            )
        case kind:
            raise _error(path, entry.path, f"is a {kind.value}, which no environment has")


def _registries(text: bytes, path: Path) -> dict[str, str]:
    """Who was asked for which namespace, as the description says; only to be shown."""
    import json

    from pkgmgr.environments.archive import REGISTRIES
    from pkgmgr.environments.manifest import FORMAT

    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        raise WpmError(f"{path}: {DESCRIPTION} in it is not the description of an environment")
    if content["format"] != FORMAT:
        raise WpmError(f"{path}: key format: {content['format']} is of another wpm, this one reads {FORMAT}")
    found = content.get(REGISTRIES, {})
    if not isinstance(found, dict) or not all(isinstance(url, str) for url in found.values()):
        raise WpmError(f"{path}: {DESCRIPTION}: key {REGISTRIES}: expected a table of URLs")
    return {one_line(pattern, 200): one_line(url, 200) for pattern, url in list(found.items())[:_MOST_NAMED]}


def _in_the_way(environment: Environment, directory: Path, *, force: bool) -> dict[str, Entry]:
    """The files that have to be written: those that are not there as they are; raises `WpmError` where one is in the way."""
    changed: dict[str, Entry] = {}
    conflicts: list[str] = []
    if os.path.lexists(directory) and not directory.is_dir():
        raise WpmError(f"{directory}: is there and no directory: name another")
    for name, entry in environment.files.items():
        place = directory / name
        if entry.kind is Kind.DIRECTORY:
            if os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
                raise WpmError(f"{place}: is in the way of a directory of the environment: remove it")
        elif not os.path.lexists(place):
            changed[name] = entry
        elif place.is_dir() and not place.is_symlink():
            raise WpmError(f"{place}: is a directory, and in the way of a file of the environment: remove it")
        elif not _is_same(place, entry):
            changed[name] = entry
            conflicts.append(name)
    if conflicts and not force:
        more = f" and {len(conflicts) - _MOST_NAMED} more" if len(conflicts) > _MOST_NAMED else ""
        raise WpmError(
            f"{directory}: {', '.join(conflicts[:_MOST_NAMED])}{more}: there already, and other than in {environment.path}: "
            "name another directory, or --force overwrites"
        )
    return changed


def _is_same(place: Path, entry: Entry) -> bool:
    """Whether a file is what it would be."""
    if entry.kind is Kind.SYMLINK or place.is_symlink():
        return entry.kind is Kind.SYMLINK and place.is_symlink() and str(place.readlink()) == entry.target
    if not place.is_file() or place.stat().st_size != entry.size:
        return False
    with place.open("rb") as file:
        return all(file.read(len(piece)) == piece for piece in entry.pieces())


def _store_packages(environment: Environment, store: Store) -> int:
    """Put the packages into the store; gives how many were not there."""
    from pkgmgr.environments.plain_archive import open_span

    missing = store.missing(environment.lock.packages.values())
    for package in missing:
        try:
            with open_span(environment.packages[package.sha256]) as stream:
                store.add(stream, package.sha256, package.size)
        except WpmError as error:
            raise WpmError(f"{environment.path}: {package.id}: {error}") from None
    return len(missing)


def _write_files(environment: Environment, directory: Path, changed: dict[str, Entry]) -> None:
    """Write what changed, beside its places first."""
    from pkgmgr.environments.staging import staged_folder

    directory.mkdir(parents=True, exist_ok=True)
    for name, entry in environment.files.items():
        if entry.kind is Kind.DIRECTORY:
            (directory / name).mkdir(exist_ok=True)
    with staged_folder(directory / FOLDER) as stage:
        staged: list[tuple[Path, Path]] = []
        # The manifest makes a project of all the others.
        order = sorted(changed, key=lambda name: (name == environment.manifest, name))
        for number, name in enumerate(order):
            entry = changed[name]
            path = stage / str(number)
            if entry.kind is Kind.SYMLINK:
                path.symlink_to(entry.target)
            else:
                with path.open("xb") as file:
                    for piece in entry.pieces():
                        file.write(piece)
                    file.flush()
                    if entry.mode & 0o100:
                        mode = os.fstat(file.fileno()).st_mode
                        # Who may read it may run it.
                        os.fchmod(file.fileno(), mode | (mode & 0o444) >> 2)
                    os.fsync(file.fileno())
            staged.append((path, directory / name))
        for path, place in staged:
            path.replace(place)


def _small(entries: dict[str, Entry], name: str, most: int, path: Path) -> bytes:
    entry = entries.get(name)
    if entry is None or entry.kind is not Kind.FILE:
        raise WpmError(f"{path}: there is no {name} in it: it is no environment of wpm")
    if entry.size > most:
        raise _error(path, name, f"has {entry.size} bytes, more than {most}")
    return b"".join(entry.pieces())


def _span(entry: Entry) -> HostFile:
    from pkgmgr.rootfs.entry import HostFile

    if not isinstance(entry.content, HostFile):
        raise TypeError("an entry of an archive is a span of it")
    return entry.content


def _error(path: Path, name: str, text: str) -> WpmError:
    return WpmError(f"{path}: {one_line(name, 200)} in it {text}")
