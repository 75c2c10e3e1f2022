"""Whether the folder `.wpm` of a project is what an install would make of it; for `wpm verify`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from pkgmgr.environments.folder import FOLDER, EnvironmentFolder
from pkgmgr.projects.verify import INSTALL, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

_KIND: Final = "environment"
_MOST_NAMED: Final = 5


def check_environment(project: Project, lock: Lockfile, store: Store) -> Iterator[Problem]:
    """What is wrong with it; a project without one has nothing wrong with it.

    Args:
        project: The project.
        lock: Its lock.
        store: Where its packages are.
    """
    folder = EnvironmentFolder(project.root)
    if not os.path.lexists(folder.root):
        return
    if not folder.is_real():
        yield Problem(FOLDER, _KIND, "it and its bin are not both directories", f"remove it, and {INSTALL}")
        return
    from pkgmgr.environments.folder import is_launcher_name, project_launcher
    from pkgmgr.environments.manifest import canonical, describe
    from pkgmgr.projects.commands import project_commands

    commands = project_commands(project.manifest, lock, store)
    described = canonical(describe(project.manifest, lock, project.lock_path.read_bytes(), commands))
    if folder.read_manifest() != described:
        yield Problem(f"{FOLDER}/{folder.manifest.name}", _KIND, "it is not of this project and lock", INSTALL)
    wanted = {name for name in commands if is_launcher_name(name)}
    found = folder.launchers()
    ours = {name for name, written in found.items() if written}
    changed = [name for name in ours & wanted if not folder.has(name, project_launcher(name))]
    for names, text, remedy in (
        (wanted - found.keys(), "it has no launcher", INSTALL),
        (changed, "its launcher is not what this wpm writes", INSTALL),
        (ours - wanted, "its launcher is of no command any more", INSTALL),
        (found.keys() - ours, "wpm did not write it", f"remove it, and {INSTALL}"),
    ):
        yield from _problems(sorted(names), text, remedy)


def _problems(names: Iterable[str], text: str, remedy: str) -> Iterator[Problem]:
    names = list(names)
    for name in names[:_MOST_NAMED]:
        yield Problem(f"{FOLDER}/bin/{name}", _KIND, text, remedy)
    if len(names) > _MOST_NAMED:
        more = len(names) - _MOST_NAMED
        yield Problem(f"{FOLDER}/bin", _KIND, f"the same of {more} more", remedy)
