"""`wpm lock`: resolve the dependencies of a project and write them down, without installing them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_refresh, add_registry, add_resolution, add_upgrade

if TYPE_CHECKING:
    import argparse

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm lock`."""
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail where wasmer.lock is missing or stale, or a registry has another file of a version",
    )
    add_upgrade(how)
    add_resolution(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would change, and write nothing")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Lock; prints what changed."""
    from pkgmgr.cli.changes import changes_as_json, counted, print_changes
    from pkgmgr.cli.options import upgrade_of
    from pkgmgr.errors import WpmError
    from pkgmgr.installing.install import plan
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.changes import lock_changes
    from pkgmgr.locks.lockfile import write_lock
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project, store = Project.open(arguments.project), Store.default()
    try:
        before = project.lock
    except WpmError as error:
        if arguments.check:
            raise
        print(f"wpm: {error}; writing it anew", file=sys.stderr)
        project.forget_lock()
        before = None
    options = InstallOptions(
        registry=arguments.registry,
        locked=arguments.check,
        offline=arguments.offline,
        upgrade=upgrade_of(project, arguments),
        resolution=arguments.resolution,
        refresh=arguments.refresh,
    )
    lock = plan(project, store, options)
    if arguments.check:
        _check(project, store, options)
    written = not (arguments.check or arguments.dry_run) and write_lock(project.lock_path, lock)
    changes = lock_changes(before, lock)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        ids = set(before.packages) if before else set()
        print_json(
            {
                "packages": sorted(lock.packages),
                "added": sorted(set(lock.packages) - ids),
                "removed": sorted(ids - set(lock.packages)),
                "changes": changes_as_json(changes),
                "lock_written": written,
            }
        )
        return 0
    print_changes(changes)
    state = (
        "written" if written else "would change (--dry-run)" if arguments.dry_run and lock != before else "unchanged"
    )
    print(f"wasmer.lock: {counted(len(lock.packages), 'package')}, {state}")
    return 0


def _check(project: Project, store: Store, options: InstallOptions) -> None:
    """Ask the registries, too: what they said a while ago is no proof."""
    from pkgmgr.locks.check import check_against_registries
    from pkgmgr.registry import open_registries

    if project.lock is not None:
        registries = open_registries(options.registry, offline=options.offline, store=store, refresh=True)
        check_against_registries(project.lock, registries, lambda line: print(f"wpm: {line}", file=sys.stderr))
