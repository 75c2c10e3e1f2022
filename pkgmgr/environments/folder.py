"""The folder `.wpm` of a project: what an install leaves there.

    .wpm/bin/NAME         a launcher for each command of the project, its own and its packages'
    .wpm/manifest.json    what is installed (pkgmgr.environments.manifest); the same on every machine
    .wpm/state            what all that was made from, to see at a glance that nothing changed; it tells by their inodes and
                          times that the launchers are those that were written, which no state of a stranger could
    .wpm/.gitignore       keeps it out of version control

Each launcher runs its command through the lock as that is then, as `wpm run` would. All files are written whole or not at
all, the state last. Whatever is killed, the next install that finds another state than it expects makes everything anew.
"""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

FOLDER: Final = ".wpm"
MARK: Final = "project"
"""What the second line of a project's launchers says."""

_SCRIPT: Final = 1
"""Counts up when the script of the launchers changes, so that they are all written anew."""
_STATE: Final = "state"
_IGNORE: Final = ".gitignore"
_MANIFEST: Final = "manifest.json"
_MOST_TOLD: Final = 10
_LARGEST_MANIFEST: Final = 64 << 20


class Refreshed(NamedTuple):
    """What was done to the folder.

    Attributes:
        changed: Whether a launcher or the manifest was written or removed.
        warnings: What went wrong without being an error, one line each.
    """

    changed: bool
    warnings: tuple[str, ...] = ()


class EnvironmentFolder:
    """What an install leaves in a project.

    Args:
        root: The project's folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root / FOLDER
        self.bin = self.root / "bin"
        self.manifest = self.root / _MANIFEST

    def refresh(self, project: Project, store: Store) -> Refreshed:
        """Make it what the project's manifest and lock say now; where it cannot be written, that is a warning."""
        try:
            if self.is_current(project):
                return Refreshed(changed=False)
            return self._renew(project, store)
        except FileExistsError as error:
            return Refreshed(False, (f"{error.filename or self.root}: is in the way of the project's launchers",))
        except OSError as error:
            place = error.filename or self.root
            return Refreshed(False, (f"{place}: {error.strerror or error}: the project's launchers are as they were",))

    def launchers(self) -> dict[str, bool]:
        """The names in the folder of launchers, each with whether wpm wrote it."""
        return {name: self._is_ours(name) for name in self._names()}

    def has(self, name: str, script: str) -> bool:
        """Whether a launcher is this script, and can be executed."""
        from pkgmgr.files.reading import read_small_file

        path = self.bin / name
        wanted = script.encode("utf-8", "surrogateescape")
        with suppress(OSError):
            # What a link leads to may be another file tomorrow.
            is_file = stat.S_ISREG(path.lstat().st_mode)
            return is_file and read_small_file(path, len(wanted)) == wanted and os.access(path, os.X_OK)
        return False

    def read_manifest(self) -> bytes | None:
        """What it says that is installed; None where nothing readable is there."""
        from pkgmgr.files.reading import read_small_file

        with suppress(OSError):
            return read_small_file(self.manifest, _LARGEST_MANIFEST)
        return None

    def is_real(self) -> bool:
        """Whether the folders are folders, and not links that somebody put into the project to lead elsewhere."""
        try:
            return all(stat.S_ISDIR(folder.lstat().st_mode) for folder in (self.root, self.bin))
        except OSError:
            return False

    def _names(self) -> list[str]:
        from pkgmgr.running.launchers import TEMPORARY

        try:
            return sorted(path.name for path in self.bin.iterdir() if not path.name.startswith(TEMPORARY))
        except OSError:
            return []

    def _is_ours(self, name: str) -> bool:
        """Whether wpm wrote the file; it did write one that is empty: of one that a power failure took nothing else is left."""
        from pkgmgr.running.launchers import mark_of

        path = self.bin / name
        if mark_of(path) == MARK:
            return True
        with suppress(OSError):
            status = path.lstat()
            return stat.S_ISREG(status.st_mode) and status.st_size == 0
        return False

    def is_current(self, project: Project) -> bool:
        """Whether nothing changed since the folder was made. This is on the way of every install, so nothing is imported."""
        from pkgmgr.files.reading import read_small_file

        own = [command.name for command in project.manifest.commands]
        try:
            if not self.is_real():
                return False
            state = self._state(own, _bytes_of(project.lock_path))
            os.lstat(self.manifest)
            os.lstat(self.root / _IGNORE)
            return read_small_file(self.root / _STATE, len(state)) == state
        except OSError:
            return False

    def stranger(self, project: Project) -> Path | None:
        """A file among the launchers that is not what wpm writes there; None where there is none, so that they may be on PATH.

        A project that was cloned may have brought it, and it would be run for the command that it is called as.
        """
        if self.is_current(project):
            return None
        names = self._names()
        if not self.is_real():
            return self.bin
        return next((self.bin / name for name in names if not self.has(name, project_launcher(name))), None)

    def _state(self, own: list[str], locked: bytes) -> bytes:
        """What the folder is made from, in bytes: who writes the launchers, which files these are, and the lock."""
        stamps = [f"{each.name} {status.st_ino} {status.st_ctime_ns}" for each, status in _stats_in(self.bin)]
        head = [f"{_SCRIPT} {sys.executable} {__file__}", *own, "", *sorted(stamps), ""]
        return "\n".join(head).encode("utf-8", "surrogateescape") + b"\n" + locked

    def _renew(self, project: Project, store: Store) -> Refreshed:
        from pkgmgr.environments.manifest import canonical, describe
        from pkgmgr.files.holding import held_folder
        from pkgmgr.files.replacing import remove_leftovers, replace_file
        from pkgmgr.locks.lockfile import Lockfile
        from pkgmgr.locks.reader import parse_lock
        from pkgmgr.manifest import load_manifest
        from pkgmgr.projects.commands import project_commands

        for folder in (self.root, self.bin):
            make_folder(folder)
        with held_folder(self.root):
            # Others may have changed the project meanwhile: what is written is what is true now.
            manifest = load_manifest(project.manifest.path)
            locked = _bytes_of(project.lock_path)
            lock = parse_lock(locked) if locked else Lockfile({}, {}, {})
            commands = project_commands(manifest, lock, store)
            for name in (_STATE, _MANIFEST, _IGNORE):
                remove_leftovers(self.root / name, 0.0)
            changed, warnings = self._place(commands)
            if not os.path.lexists(self.root / _IGNORE):
                replace_file(self.root / _IGNORE, b"*\n", 0o644)
            described = canonical(describe(manifest, lock, locked, commands))
            if self.read_manifest() != described:
                replace_file(self.manifest, described, 0o644)
                changed = True
            if warnings:
                # What is not as it should be is told every time.
                (self.root / _STATE).unlink(missing_ok=True)
            else:
                own = [command.name for command in manifest.commands]
                replace_file(self.root / _STATE, self._state(own, locked), 0o644)
        return Refreshed(changed, tuple(warnings))

    def _place(self, commands: Mapping[str, str]) -> tuple[bool, list[str]]:
        """Write launchers that are not there or other ones, and remove those of no command."""
        from pkgmgr.running.launchers import discard, place, prepare, remove_leftovers

        found = self.launchers()
        wanted = {name: project_launcher(name) for name in commands if is_launcher_name(name)}
        warnings = [
            f"{name!r}: a command that no file can be called as: it has no launcher"
            for name in commands
            if name not in wanted
        ]
        remove_leftovers(self.bin)
        scripts = {name: text for name, text in wanted.items() if found.get(name, True) and not self.has(name, text)}
        prepared = prepare(self.bin, scripts)
        try:
            for name, path in prepared.items():
                # Whoever puts a file of his own there at this moment keeps it, and is told about it the next time.
                with suppress(FileExistsError):
                    place(self.bin / name, path, replace=name in found)
        finally:
            discard(prepared)
        gone = [name for name, ours in found.items() if ours and name not in wanted]
        for name in gone:
            (self.bin / name).unlink(missing_ok=True)
        foreign = [name for name, ours in found.items() if not ours]
        for name in foreign[:_MOST_TOLD]:
            instead = f": remove it, and install again for the command {name}" if name in wanted else ""
            warnings.append(f"{self.bin / name}: not what wpm wrote: it stays{instead}")
        if len(foreign) > _MOST_TOLD:
            warnings.append(f"{self.bin}: {len(foreign) - _MOST_TOLD} more files that wpm did not write: they stay")
        return bool(scripts or gone), warnings


def project_launcher(name: str) -> str:
    """The script that runs a command of the project that it lies in, wherever that was moved to."""
    from shlex import quote

    from pkgmgr.running.launchers import launcher_script

    return launcher_script(MARK, name, "wpm install", f'env run --launcher "$0" -- {quote(name)}')


def _stats_in(folder: Path) -> list[tuple[os.DirEntry[str], os.stat_result]]:
    with os.scandir(folder) as found:
        return [(entry, entry.stat(follow_symlinks=False)) for entry in found]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def is_launcher_name(name: str) -> bool:
    """Whether a command can have a launcher."""
    from pkgmgr.running.launchers import check_launcher_name

    try:
        return bool(check_launcher_name(name))
    except WpmError:
        return False


def make_folder(folder: Path) -> None:
    """Make a folder; a link that lies there instead would have us write into a folder of somebody else."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o755)
    if not stat.S_ISDIR(folder.lstat().st_mode):
        raise FileExistsError(str(folder)) if not folder.is_symlink() else OSError(0, "is a link", str(folder))
