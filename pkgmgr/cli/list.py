"""`wpm list`: the commands and the packages of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_registry

if TYPE_CHECKING:
    import argparse

    from pkgmgr.lockfile import LockedPackage, Lockfile
    from pkgmgr.manifest import ProjectManifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm list`."""
    add_project(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the lists."""
    from pkgmgr.install import InstallOptions, plan
    from pkgmgr.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    store = Store.default()
    lock = plan(project, store, InstallOptions(registry=arguments.registry, offline=arguments.offline))
    commands = project_commands(project.manifest, lock)
    packages = list(lock.packages.values())
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "commands": [{"name": name, "package": package} for name, package in commands.items()],
                "packages": [
                    {
                        "id": package.id,
                        "source": package.source,
                        "sha256": package.sha256,
                        "size": package.size,
                        "installed": store.has(package.sha256, package.size),
                    }
                    for package in packages
                ],
            }
        )
        return 0
    _print_table("commands", [(name, package) for name, package in sorted(commands.items())])
    _print_table("packages", [_row(package, store.has(package.sha256, package.size)) for package in packages])
    return 0


def project_commands(manifest: ProjectManifest, lock: Lockfile) -> dict[str, str]:
    """The commands that can be run in a project, each with the id of its package.

    Where two bring the same name, the project's own wins, then the package that is nearer, then the one declared first.
    """
    from collections import deque

    own = f"{manifest.name or 'this project'}" + (f"@{manifest.version}" if manifest.version else "")
    commands = {command.name: own for command in manifest.commands}
    waiting = deque(lock.roots.values())
    seen: set[str] = set()
    while waiting:
        package = lock.packages[waiting.popleft()]
        if package.id in seen:
            continue
        seen.add(package.id)
        for name in package.commands:
            commands.setdefault(name, package.id)
        waiting += package.dependencies.values()
    return commands


def _row(package: LockedPackage, installed: bool) -> tuple[str, ...]:
    from pkgmgr.cli.output import bytes_for_people

    return package.id, bytes_for_people(package.size), package.source, "installed" if installed else "not installed"


def _print_table(title: str, rows: list[tuple[str, ...]]) -> None:
    print(f"{title}:" if rows else f"{title}: none")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print(("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip())
