"""The commands of a project: what `wpm run NAME` finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.manifest import ProjectManifest
    from pkgmgr.store import Store


def project_commands(manifest: ProjectManifest, lock: Lockfile, store: Store) -> dict[str, str]:
    """The commands that can be run in a project, each with the id of the package whose it is; opens no package."""
    from binfactory.graph import reach
    from binfactory.node import PackageNode
    from pkgmgr.locks.nodes import locked_nodes

    nodes = locked_nodes(lock, store)
    project = PackageNode(
        (manifest.name or "this project") + (f"@{manifest.version}" if manifest.version else ""),
        dependencies={alias: nodes[package] for alias, package in lock.roots.items()},
        commands=tuple(command.name for command in manifest.commands),
        mounts=(),
    )
    commands: dict[str, str] = {}
    for node in reach(project):
        for name in node.commands or ():
            commands.setdefault(name, node.id)
    return commands
