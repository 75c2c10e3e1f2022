"""`wpm lock`: resolve the dependencies of a project and write them down, without installing them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_refresh, add_registry, add_resolution

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm lock`."""
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--check", action="store_true", help="write nothing, fail where wasmer.lock is missing or stale")
    how.add_argument(
        "--upgrade",
        nargs="*",
        metavar="NAME",
        help="take the newest compatible version of these packages (of all, where none is named)",
    )
    add_resolution(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Lock; prints what changed."""
    from pkgmgr.errors import WpmError
    from pkgmgr.install import UPGRADE_ALL, InstallOptions, plan
    from pkgmgr.lockfile import write_lock
    from pkgmgr.project import Project
    from pkgmgr.store import Store

    upgrade = None if arguments.upgrade is None else frozenset(arguments.upgrade) or UPGRADE_ALL
    options = InstallOptions(
        registry=arguments.registry,
        locked=arguments.check,
        offline=arguments.offline,
        resolution=arguments.resolution,
        upgrade=upgrade,
        refresh=arguments.refresh,
    )
    project = Project.open(arguments.project)
    try:
        before = project.lock.packages if project.lock else {}
    except WpmError as error:
        if arguments.check:
            raise
        print(f"wpm: {error}; writing it anew", file=sys.stderr)
        project.forget_lock()
        before = {}
    for name in sorted(set(arguments.upgrade or ()) - {package.name for package in before.values()}):
        raise WpmError(f"{name}: not in wasmer.lock, so there is nothing to upgrade")
    lock = plan(project, Store.default(), options)
    written = not arguments.check and write_lock(project.lock_path, lock)
    added, removed = sorted(set(lock.packages) - set(before)), sorted(set(before) - set(lock.packages))
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"packages": sorted(lock.packages), "added": added, "removed": removed, "lock_written": written})
        return 0
    for sign, packages in (("-", removed), ("+", added)):
        for package in packages:
            print(f"{sign} {package}")
    print(f"wasmer.lock: {len(lock.packages)} packages, {'written' if written else 'unchanged'}")
    return 0
