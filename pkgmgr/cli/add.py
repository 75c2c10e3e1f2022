"""`wpm add`: more dependencies for the project, resolved, written down and installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.edits import add_edit, edit_options, finish
from pkgmgr.cli.options import add_json, add_project, add_refresh, add_registry

if TYPE_CHECKING:
    import argparse

    from pkgmgr.projects.adding import Entry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm add`."""
    parser.add_argument(
        "specs",
        nargs="+",
        metavar="SPEC",
        help="NAMESPACE/NAME (its newest version), NAMESPACE/NAME@REQUIREMENT, a directory, a .webc, a URL, "
        "oci://HOST/NAME:TAG or sha256:HEX; "
        "NAME=SPEC gives it another name in wasmer.toml",
    )
    add_project(parser)
    add_registry(parser)
    add_refresh(parser)
    add_edit(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Add; prints what was written, and what changed."""
    from pkgmgr.projects.adding import parse_wish, plan_addition
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    wishes = [parse_wish(spec) for spec in arguments.specs]
    project, store, options = Project.open(arguments.project), Store.default(), edit_options(arguments)
    edit, entries = plan_addition(project, wishes, store, options)
    lines = [f"{project.manifest.path.name}: {_line(entry)}" for entry in entries]
    told = {"dependencies": [entry._asdict() for entry in entries]}
    return finish(project, edit, store, options, arguments, lines, told)


def _line(entry: Entry) -> str:
    line = f'"{entry.alias}" = "{entry.value}"'
    if entry.before is None:
        return line
    return f"{line} (as it was)" if entry.before == entry.value else f'{line} (was "{entry.before}")'
