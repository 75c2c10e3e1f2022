"""Write and check the indexes of a directory registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.files.reading import read_small_file
from pkgmgr.registry.directory import INDEX_NAME, SUFFIX, YANKED, DirectoryRegistry, is_name
from pkgmgr.registry.index import LARGEST, PackageIndex, format_index
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pkgmgr.registry.record import PackageRecord


class IndexReport(NamedTuple):
    """What a look through a registry found.

    Attributes:
        packages: How many packages there are.
        versions: How many versions, of all packages together.
        outdated: The packages whose index is not what it should be (after writing: that was not).
        problems: What is wrong, one line each.
    """

    packages: int
    versions: int
    outdated: tuple[str, ...]
    problems: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def update_index(registry: DirectoryRegistry, name: str) -> None:
    """Write the index of one package anew, reading only what no index speaks of. The caller holds the package's folder.

    Raises:
        OSError: It cannot be written.
    """
    records = {}
    for version in registry.versions(name):
        try:
            records[version] = registry.record(name, version)
        except WpmError:
            continue
    _write(registry, name, format_index(name, records))


def index_registry(root: Path, *, write: bool = True) -> IndexReport:
    """Read every package of a registry, check it, and write the indexes.

    Args:
        root: The registry.
        write: Whether to write them; else it is only told which are out of date.

    Raises:
        WpmError: There is no registry, or it cannot be read or written.
    """
    packages = root / "packages"
    if not packages.is_dir():
        raise WpmError(f"{root}: not a registry: there is no directory 'packages' in it (make one to begin a registry)")
    registry = DirectoryRegistry(root, "", str(root))
    problems = list(_misplaced(packages))
    outdated: list[str] = []
    names = registry.names()
    count = 0
    for name in names:
        try:
            records = _check_package(registry, name, problems)
            count += len(records)
            if _is_current(registry, name, records):
                continue
            outdated.append(name)
            if write:
                _write_locked(registry, name, records)
        except OSError as error:
            raise WpmError(f"{error.filename or root}: {error.strerror or error}") from None
    return IndexReport(len(names), count, tuple(outdated), tuple(problems))


def _misplaced(packages: Path) -> Iterator[str]:
    """Folders that no name leads to."""
    for folder in sorted(packages.glob("*/*/")):
        name = f"{folder.parent.name}/{folder.name}"
        if not is_name(name.removeprefix("_/")):
            yield f"{folder}: {name!r} is not a package name: nobody can ask for it"


def _check_package(registry: DirectoryRegistry, name: str, problems: list[str]) -> dict[Version, PackageRecord]:
    """Read every file of a package itself: the index is not asked."""
    from pkgmgr.registry.record import read_record
    from webc_parser import Container, WebcError

    folder = registry.folder(name)
    records: dict[Version, PackageRecord] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.suffix not in (SUFFIX, YANKED):
            continue
        text = path.name.removesuffix(path.suffix)
        try:
            version = Version.parse(text)
        except WpmError:
            problems.append(f"{path}: {text!r} is not a version: nobody can ask for it")
            continue
        if path.suffix == YANKED:
            if not path.with_name(text + SUFFIX).is_file():
                problems.append(f"{path}: marks a version as yanked that is not there")
            continue
        try:
            if not path.is_file():
                raise WpmError(f"{path}: there is no package file here")
            with Container.open(path) as container:
                container.verify()
            records[version] = read_record(path, "", name, version)
        except WebcError as error:
            problems.append(f"{path}: {str(error).removeprefix(f'{path}: ')}")
        except WpmError as error:
            problems.append(str(error))
    return records


def _is_current(registry: DirectoryRegistry, name: str, records: dict[Version, PackageRecord]) -> bool:
    path = registry.folder(name) / INDEX_NAME
    try:
        return read_small_file(path, LARGEST) == format_index(name, records)
    except OSError:
        return not records


def _write_locked(registry: DirectoryRegistry, name: str, records: dict[Version, PackageRecord]) -> None:
    from pkgmgr.files.holding import held_folder

    with held_folder(registry.folder(name)):
        # Somebody may have published since the folder was read: what they wrote stays in the index.
        index = PackageIndex(registry.folder(name) / INDEX_NAME, name)
        for version in registry.versions(name):
            path = registry.location(name, version)
            known = None if version in records else index.record(version, path, "")
            if known is not None and known.describes(path.stat()):
                records[version] = known
        _write(registry, name, format_index(name, records))


def _write(registry: DirectoryRegistry, name: str, data: bytes) -> None:
    """Replace an index whole; one that would be too large is removed: reading it would take longer than it saves."""
    from pkgmgr.files.unfinished import replace_from
    from pkgmgr.registry.storing import unfinished_folder

    target = registry.folder(name) / INDEX_NAME
    if len(data) > LARGEST:
        target.unlink(missing_ok=True)
        return
    replace_from(unfinished_folder(registry.root), target, data)
