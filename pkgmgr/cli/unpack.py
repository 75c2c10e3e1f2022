"""`wpm unpack`: extract a WEBC file into a directory that `wpm build` builds again."""

from __future__ import annotations

import sys

from pkgmgr.cli.options import OUT, path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument("path", type=path, metavar="FILE", help="a .webc file of any version")
    parser.add_argument(
        *OUT,
        dest="out",
        type=path,
        required=True,
        metavar="DIR",
        help="the directory to make; it must not exist or be empty",
    )
    parser.add_argument("--force", action="store_true", help="replace a package's directory that is there already")


def run(arguments: Namespace) -> int:
    """Run the verb."""
    from pkgmgr.unpacking.unpack import unpack_package

    unpacked = unpack_package(arguments.path, arguments.out, force=arguments.force)
    for warning in unpacked.warnings:
        print(f"wpm: warning: {warning}", file=sys.stderr)
    print(f"{unpacked.path}: unpacked")
    return 0
