"""`wpm publish`: put a package into a registry."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def add_arguments(parser: ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=Path(),
        metavar="DIR|FILE",
        help="a directory with a wasmer.toml, or a .webc (default: here)",
    )
    parser.add_argument(
        "--registry",
        metavar="DIR|URL",
        help="the registry: a directory, or https://HOST/graphql (default: WPM_REGISTRY, the configuration)",
    )
    parser.add_argument("--dry-run", action="store_true", help="build and check everything, and publish nothing")
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Run the verb."""
    from pkgmgr.publish import publish

    def tell(line: str) -> None:
        if not arguments.json:
            print(f"Publishing {line}", file=sys.stderr)

    done = publish(arguments.path, arguments.registry, dry_run=arguments.dry_run, building=tell)
    for warning in done.warnings:
        print(f"wpm: warning: {warning}", file=sys.stderr)
    if arguments.json:
        from pkgmgr.cli.output import print_json

        print_json(
            {
                "name": done.name,
                "version": done.version,
                "sha256": done.sha256,
                "size": done.size,
                "registry": done.registry,
                "published": done.is_new and not arguments.dry_run,
                "dry_run": arguments.dry_run,
            }
        )
    elif not done.is_new:
        print(f"{done.name} {done.version}: already published")
    elif arguments.dry_run:
        print(f"{done.name} {done.version}: would be published (sha256 {done.sha256})")
    else:
        print(f"{done.name} {done.version}: published (sha256 {done.sha256})")
    return 0
