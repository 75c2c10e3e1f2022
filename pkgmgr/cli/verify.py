"""`wpm verify`: whether the packages in the store are what the lock says, and the lock what the manifest asks for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm verify`."""
    parser.description = (
        "Check the project's lock and packages without the network: the lock fits the manifest, package directories are "
        "unchanged, every package is in the store with the bytes that were locked, its checksums are right, and it is what "
        "the lock says of it. Exits 1 where something is wrong, with a line for each thing that is."
    )
    add_project(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Check; exit code 1 where something is wrong."""
    from pkgmgr.projects.project import Project
    from pkgmgr.projects.verify import verify_project
    from pkgmgr.store import Store

    problems, count = verify_project(Project.open(arguments.project), Store.default())
    if arguments.json:
        from pkgmgr.cli.output import print_json

        found = [
            {"subject": each.subject, "kind": each.kind, "problem": each.text, "remedy": each.remedy}
            for each in problems
        ]
        print_json({"sound": not problems, "packages": count, "problems": found})
        return 1 if problems else 0
    for problem in problems:
        print(f"wpm: {problem.subject}: {problem.text}: {problem.remedy}", file=sys.stderr)
    if not problems:
        print(f"{count} package{'' if count == 1 else 's'} verified")
    return 1 if problems else 0
