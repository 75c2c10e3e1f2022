"""The packages of a lock as the factory wants them."""

from __future__ import annotations

from binfactory.node import PackageNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.store import Store


def locked_nodes(lock: Lockfile, store: Store) -> dict[str, PackageNode]:
    """Every package of a lock by its id, with its dependencies below it; nothing is opened."""
    nodes: dict[str, PackageNode] = {}
    for start in lock.packages:
        waiting = [start]
        while waiting:
            package = lock.packages[waiting[-1]]
            needed = [each for each in package.dependencies.values() if each not in nodes]
            if package.id not in nodes and not needed:
                nodes[package.id] = PackageNode(
                    package.id,
                    store.path(package.sha256),
                    dependencies={alias: nodes[each] for alias, each in package.dependencies.items()},
                    commands=package.commands,
                    mounts=package.mounts,
                    sha256=package.sha256,
                )
            if package.id in nodes:
                waiting.pop()
            waiting += needed
    return nodes
