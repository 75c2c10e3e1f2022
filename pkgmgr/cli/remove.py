"""`wpm remove`: fewer dependencies for the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.edits import add_edit, edit_options, finish
from pkgmgr.cli.options import add_json, add_project, add_registry

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm remove`."""
    parser.add_argument("names", nargs="+", metavar="NAME", help="a key of [dependencies] in wasmer.toml")
    add_project(parser)
    add_registry(parser)
    add_edit(parser, installs=False)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Remove; prints what changed. Nobody is asked where the lock is up to date."""
    from pkgmgr.projects.editing import plan_removal
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project, store, options = Project.open(arguments.project), Store.default(), edit_options(arguments)
    edit = plan_removal(project, arguments.names, store, options._replace(locked=False))
    names = list(dict.fromkeys(arguments.names))
    lines = [f'{project.manifest.path.name}: "{name}" removed' for name in names]
    return finish(project, edit, store, options, arguments, lines, {"removed": names})
