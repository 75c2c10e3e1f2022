"""`wpm update`: the newest versions that wasmer.toml allows, locked and installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.edits import add_edit, edit_options, finish
from pkgmgr.cli.options import add_json, add_project, add_registry

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm update`."""
    parser.add_argument(
        "packages", nargs="*", metavar="PKG", help="update these packages only, whoever needs them (default: all)"
    )
    add_project(parser)
    add_registry(parser)
    add_edit(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Update; prints what changed."""
    from pkgmgr.projects.editing import plan_update
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project, store, options = Project.open(arguments.project), Store.default(), edit_options(arguments)
    edit = plan_update(project, arguments.packages, store, options._replace(locked=False))
    return finish(project, edit, store, options, arguments)
