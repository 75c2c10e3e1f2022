"""`wpm install`: resolve, fetch and lock the dependencies of a project."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_refresh, add_registry, add_resolution, positive

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
    add_resolution(parser)
    parser.add_argument("--jobs", type=positive, metavar="N", help="fetch and compile N at a time")
    parser.add_argument("--no-compile", action="store_true", help="leave compiling the modules to their first run")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Install; prints what was done."""
    from pkgmgr.install import InstallOptions, install
    from pkgmgr.project import Project
    from pkgmgr.store import Store

    options = InstallOptions(
        registry=arguments.registry,
        locked=arguments.locked,
        frozen=arguments.frozen,
        offline=arguments.offline,
        resolution=arguments.resolution,
        jobs=arguments.jobs,
        compile=not arguments.no_compile,
        refresh=arguments.refresh,
    )
    project = Project.open(arguments.project)
    report = install(project, Store.default(), options)
    for warning in report.warnings:
        print(f"wpm: {warning}", file=sys.stderr)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "packages": sorted(report.lock.packages),
                "fetched": list(report.fetched),
                "compiled": report.compiled,
                "lock_written": report.lock_written,
                "warnings": list(report.warnings),
            }
        )
        return 0
    done = [f"{len(report.fetched)} fetched"] if report.fetched else []
    done += [f"{report.compiled} modules compiled"] if report.compiled else []
    done += ["wasmer.lock written"] if report.lock_written else []
    count = len(report.lock.packages)
    print(f"{count} package{'' if count == 1 else 's'} installed ({', '.join(done) or 'nothing to do'})")
    return 0
