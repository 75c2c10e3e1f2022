"""`wpm list`: the commands and the packages of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_registry

if TYPE_CHECKING:
    import argparse

    from pkgmgr.locks.lockfile import LockedPackage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm list`."""
    add_project(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the lists."""
    from pkgmgr.installing.install import plan
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.commands import project_commands
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    store = Store.default()
    lock = plan(project, store, InstallOptions(registry=arguments.registry, offline=arguments.offline))
    commands = project_commands(project.manifest, lock, store)
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


def _row(package: LockedPackage, installed: bool) -> tuple[str, ...]:
    from pkgmgr.cli.output import bytes_for_people

    return package.id, bytes_for_people(package.size), package.source, "installed" if installed else "not installed"


def _print_table(title: str, rows: list[tuple[str, ...]]) -> None:
    from pkgmgr.cli.table import print_table

    print(f"{title}:" if rows else f"{title}: none")
    print_table([("  " + first, *others) for first, *others in rows])
