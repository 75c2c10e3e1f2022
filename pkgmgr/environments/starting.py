"""Running a command of a project as its launcher does: through the lock, with what a tool is given.

A launcher gives its command what `wpm tool` gives a tool that was installed without options: it sees the directory that it
is started in as `/work` and starts there, reads and writes there, and sees nothing else of the machine, no network and no
variables. A project cannot change that: it would be somebody else's file that opens the sandbox of whoever trusts it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from binfactory.modules import ModuleCache
    from binfactory.package import BinaryPackage
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.running.target import Target
    from pkgmgr.store import Store


def project_of_launcher(launcher: Path) -> Project:
    """The project that a launcher lies in, however it is called: by a link, from elsewhere, after the project was moved.

    Raises:
        WpmError: There is no project around it.
    """
    from pkgmgr.manifest import find_manifest, load_manifest
    from pkgmgr.projects.project import Project

    root = Path(os.path.realpath(launcher)).parent.parent.parent
    manifest = find_manifest(root)
    if manifest is None:
        raise WpmError(f"{launcher}: its project is gone: there is no wasmer.toml in {root}")
    return Project(load_manifest(manifest))


def project_package(project: Project, store: Store, options: InstallOptions) -> BinaryPackage:
    """The packages of a project as one: its own commands and files, and those of all that it depends on.

    Raises:
        WpmError: The dependencies cannot be had, or the project does not build.
    """
    from binfactory.loader import load_package
    from pkgmgr.running.target import project_node

    return load_package(project_node(project, store, options))


def project_command(project: Project, name: str, store: Store, options: InstallOptions, modules: ModuleCache) -> Target:
    """A command of a project as what is to be run.

    Raises:
        WpmError: The project has no such command, or its packages cannot be had.
        FactoryError: A package is wrong.
    """
    from pkgmgr.running.target import command_target

    package = project_package(project, store, options)
    if name not in package.commands:
        raise WpmError(
            f"{name}: not a command of {project.manifest.path}: wpm list shows those; where it was one, run: wpm install"
        )
    return command_target(package, name, modules)
