"""`wpm outdated`: which packages of the project have newer versions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_refresh, add_registry

if TYPE_CHECKING:
    import argparse

    from pkgmgr.projects.outdated import OutdatedPackage


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm outdated`."""
    parser.description = (
        f"{parser.description} CURRENT is what wasmer.lock has, COMPATIBLE what wpm update would take, LATEST the newest "
        "there is. The exit code is 0 whether or not there is anything newer; programs read --json."
    )
    parser.add_argument("--all", action="store_true", help="show what the dependencies need, too")
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the table; 0 whatever is in it."""
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.outdated import find_outdated
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    options = InstallOptions(registry=arguments.registry, offline=arguments.offline, refresh=arguments.refresh)
    found = find_outdated(
        Project.open(arguments.project),
        Store.default(),
        options,
        deep=arguments.all,
        note=lambda line: print(f"wpm: {line}", file=sys.stderr),
    )
    if arguments.json:
        from pkgmgr.cli.output import print_json

        texts = ("name", "current", "compatible", "latest")
        print_json(
            [
                {
                    **{key: None if (value := getattr(each, key)) is None else str(value) for key in texts},
                    "current_yanked": each.current_yanked,
                    "direct": each.direct,
                }
                for each in found
            ]
        )
    elif found:
        _print(found)
    else:
        print("everything is as new as it can be")
    return 0


def _print(found: list[OutdatedPackage]) -> None:
    from pkgmgr.cli.style import Style
    from pkgmgr.cli.table import print_table

    style = Style.of_output()
    rows = [
        (
            each.name,
            ("-" if each.current is None else str(each.current)) + (" (yanked)" if each.current_yanked else ""),
            "-" if each.compatible is None else str(each.compatible),
            "-" if each.latest is None else str(each.latest),
        )
        for each in found
    ]

    def paint(row: int, column: int, cell: str) -> str:
        if row < 0:
            return style.bold(cell)
        package = found[row]
        if column == 1 and package.current_yanked:
            return style.yellow(cell)
        return style.green(cell) if column == 2 and package.compatible != package.current else cell

    print_table(rows, ("NAME", "CURRENT", "COMPATIBLE", "LATEST"), paint=paint)
