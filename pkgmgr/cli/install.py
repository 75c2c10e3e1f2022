"""`wpm install`: resolve, fetch and lock the dependencies of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import (
    add_json,
    add_launchers,
    add_project,
    add_refresh,
    add_registry,
    add_resolution,
    add_upgrade,
    positive,
)

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm install`."""
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    lock = parser.add_mutually_exclusive_group()
    lock.add_argument("--locked", action="store_true", help="fail where wasmer.lock is missing or would change")
    lock.add_argument("--frozen", action="store_true", help="follow wasmer.lock as it is, whatever wasmer.toml says")
    add_upgrade(lock)
    add_resolution(parser)
    parser.add_argument("--jobs", type=positive, metavar="N", help="fetch and compile N at a time")
    parser.add_argument("--no-compile", action="store_true", help="leave compiling the modules to their first run")
    add_launchers(parser)
    add_json(parser)


def parse_arguments(parser: argparse.ArgumentParser, argv: list[str]) -> argparse.Namespace:
    """Parse; who names packages is told which verb adds them."""
    arguments, others = parser.parse_known_args(argv)
    if package := next((word for word in others if not word.startswith("-")), None):
        parser.error(
            f"{package}: this installs what the project needs: wpm add {package} adds to that, "
            f"wpm tool install {package} installs its commands for you"
        )
    if others:
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Install; prints what was done."""
    from pkgmgr.cli.changes import print_installed, print_warnings, report_as_json
    from pkgmgr.cli.options import upgrade_of
    from pkgmgr.installing.install import install
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    options = InstallOptions(
        registry=arguments.registry,
        locked=arguments.locked,
        frozen=arguments.frozen,
        upgrade=upgrade_of(project, arguments),
        resolution=arguments.resolution,
        offline=arguments.offline,
        jobs=arguments.jobs,
        compile=not arguments.no_compile,
        refresh=arguments.refresh,
        launchers=not arguments.no_launchers,
    )
    report = install(project, Store.default(), options)
    print_warnings(report)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(report_as_json(report))
    else:
        print_installed(report)
    return 0
