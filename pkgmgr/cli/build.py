"""`wpm build`: pack a package's directory into a WEBC file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.options import OUT, add_json

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR",
        help="a directory with a wasmer.toml or wapm.toml, such a file, or a .tar.gz of one (default: here)",
    )
    parser.add_argument(
        *OUT,
        dest="out",
        type=Path,
        metavar="FILE",
        help="the file to write, or a directory for it (default: NAMESPACE-NAME-VERSION.webc here)",
    )
    parser.add_argument(
        "--format", choices=["v2", "v3"], default="v3", help="the version of the WEBC format (default: v3)"
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Run the verb."""
    from pkgmgr.building.build import build_package
    from webc_parser.version import Version

    built = build_package(arguments.path, arguments.out, version=Version[arguments.format.upper()])
    for warning in built.warnings:
        print(f"wpm: warning: {warning}", file=sys.stderr)
    if arguments.json:
        import json

        result = {
            "path": str(built.path),
            "name": built.manifest.name,
            "version": built.manifest.version,
            "format": str(built.version),
            "size": built.size,
            "sha256": built.sha256,
            "commands": [command.name for command in built.manifest.commands],
            "warnings": list(built.warnings),
        }
        print(json.dumps(result, indent=2))
    else:
        print(f"{built.path}: {built.size:,} bytes, sha256 {built.sha256}")
    return 0
