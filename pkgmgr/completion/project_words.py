"""What there is to be named in a project, kept beside the store for as long as manifest and lock do not change.

Reading the lock of a large project takes longer than somebody who pressed Tab likes to wait.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import FILE_NAME, Lockfile
from pkgmgr.store import WORDS
from pkgmgr.store.kept import UNUSABLE, keep, read_kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.store import Store

_FORMAT: Final = 1
_LARGEST: Final = 16 << 20


class ProjectWords(NamedTuple):
    """What there is to be named in a project.

    Attributes:
        dependencies: The aliases in its manifest.
        packages: The ids of the packages that it runs on.
        commands: Its commands, each with the id of the package whose it is.
    """

    dependencies: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    commands: Mapping[str, str] = {}


def project_words(store: Store, folder: str | None = None) -> ProjectWords:
    """What there is to be named in the project that a folder (the current one) is in; nothing where that cannot be read.

    Args:
        store: Where it is kept, and where packages are.
        folder: The folder.
    """
    try:
        manifest = _find(Path.cwd() if folder is None else Path(folder).expanduser().absolute())
        return ProjectWords() if manifest is None else _of(manifest, store)
    except (WpmError, OSError, ValueError, RuntimeError):
        return ProjectWords()


def _find(folder: Path) -> Path | None:
    from pkgmgr.manifest import find_manifest

    for candidate in (folder, *folder.parents):
        if (manifest := find_manifest(candidate)) is not None:
            return manifest
    return None


def _of(manifest: Path, store: Store) -> ProjectWords:
    from hashlib import sha256

    state = [str(manifest), _state(manifest), _state(manifest.with_name(FILE_NAME))]
    place = f"{WORDS}/{sha256(str(manifest).encode('utf-8', 'surrogateescape')).hexdigest()[:40]}.json"
    if (kept := _kept(store.root / place, state)) is not None:
        return kept
    words = _read(manifest, store)
    keep(store, place, _FORMAT, {"state": state, "words": words})
    return words


def _state(path: Path) -> list[int]:
    try:
        status = path.stat()
    except OSError:
        return []
    return [status.st_mtime_ns, status.st_size, status.st_ino]


def _kept(path: Path, state: list[Any]) -> ProjectWords | None:
    content = read_kept(path, _FORMAT, _LARGEST)
    if content is None or content.get("state") != state:
        return None
    try:
        dependencies, packages, commands = content["words"]
        words = ProjectWords(tuple(map(str, dependencies)), tuple(map(str, packages)), dict(commands))
    except UNUSABLE:
        return None
    return words


def _read(manifest: Path, store: Store) -> ProjectWords:
    from pkgmgr.projects.commands import project_commands
    from pkgmgr.projects.project import Project

    project = Project.open(manifest)
    try:
        lock = project.lock
    except WpmError:
        lock = None
    lock = lock or Lockfile({}, {}, {})
    return ProjectWords(
        tuple(project.manifest.dependencies), tuple(lock.packages), project_commands(project.manifest, lock, store)
    )
