"""`wpm rootfs`: root filesystems of packages. One file for each of what it can do."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    import argparse

    class Part(Protocol):
        """What the module of one of them has."""

        def add_arguments(self, parser: argparse.ArgumentParser) -> None:
            """Declare the options."""

        def run(self, arguments: argparse.Namespace) -> int:
            """Do it; the exit code."""


PARTS: Final[dict[str, tuple[str, str]]] = {
    "build": ("Make an image of packages and files", "wpm rootfs build wpm/hello -o hello.tar"),
}
"""What the verb can do: a line of help, and a command line that somebody might type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm rootfs` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (summary, example) in PARTS.items():
        sub = what.add_parser(
            name, help=summary, description=summary + ".", epilog=f"Example: {example}", allow_abbrev=False
        )
        _part(name).add_arguments(sub)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    return _part(arguments.what).run(arguments)


def _part(name: str) -> Part:
    return cast("Part", import_module(f"pkgmgr.cli.rootfs.{name}"))
