"""`wpm inspect`: show what is in a WEBC file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("path", type=Path, metavar="FILE", help="a .webc file of any version")
    parser.add_argument("--files", action="store_true", help="list the files of the volumes too")
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        type=Path,
        metavar="KEYS",
        help="check the signature with the OpenPGP public keys in this file; exit with 1 unless it is good",
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Run the verb."""
    from pkgmgr.inspecting.inspect import describe, inspect_package

    package = inspect_package(arguments.path, files=arguments.files, keys=arguments.key)
    if arguments.json:
        import json

        print(json.dumps(package, indent=2))
    else:
        print(describe(package, bold=sys.stdout.isatty() and not os.environ.get("NO_COLOR")))
    if not arguments.key or (package["signature"] or {}).get("state") == "good":
        return 0
    if package["signature"] is None:
        print(f"wpm: {arguments.path}: not signed", file=sys.stderr)
    return 1
