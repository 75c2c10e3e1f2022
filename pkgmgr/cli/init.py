"""`wpm init`: a new project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm init`."""
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(), metavar="DIR", help="the project's directory (default: here)"
    )
    parser.add_argument("--name", metavar="NAMESPACE/NAME", help="the package's name (default: that of the directory)")
    parser.add_argument("--version", metavar="VERSION", default="0.1.0", help="its version (default: 0.1.0)")
    parser.add_argument("--description", metavar="TEXT", default="", help="what it is for, in one line")
    parser.add_argument("--bare", action="store_true", help="write no comments that explain the file")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the manifest, and nothing else; one that is there stays as it is."""
    from pkgmgr.projects.new import create_project, manifest_text, name_for

    name = arguments.name or name_for(arguments.folder)
    text = manifest_text(name, arguments.version, arguments.description, bare=arguments.bare)
    path = create_project(arguments.folder, text)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json({"manifest": str(path.absolute()), "name": name, "version": arguments.version})
    else:
        print(f"{path}: the project {name} {arguments.version}: wpm add wpm/hello gives it a first dependency")
    return 0
