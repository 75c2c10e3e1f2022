"""`wpm rootfs`: root filesystems of packages. One file for each of what it can do. Internal."""

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
    "ls": ("List what an image has, and of which layer it is", "wpm rootfs ls -l hello.tar /usr/bin"),
    "diff": ("Show what differs between two images", "wpm rootfs diff hello.tar hello.webc"),
    "run": ("Run a command with an image as its root", "wpm rootfs run hello.tar hello -- there"),
    "push": (
        "Send an image or a package to an OCI registry",
        "wpm rootfs push hello.tar 127.0.0.1:8080/acme/hello:1",
    ),
    "pull": (
        "Fetch an image or a package from an OCI registry",
        "wpm rootfs pull 127.0.0.1:8080/acme/hello:1 -o hello",
    ),
}
"""What the verb can do: a line of help, and a command line that somebody might type."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm rootfs` can do."""
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, (summary, example) in PARTS.items():
        sub = what.add_parser(
            name,
            help=summary,
            description=summary + ".",
            epilog=f"Example: {example}",
            allow_abbrev=False,
            formatter_class=parser.formatter_class,
        )
        _part(name).add_arguments(sub)


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the guest's arguments, which only `run` has."""
    if words[:1] != ["run"]:
        return parser.parse_args(words)
    import argparse

    from pkgmgr.cli.guest import parse_words

    summary, example = PARTS["run"]
    sub = argparse.ArgumentParser(
        prog=f"{parser.prog} run",
        description=summary + ".",
        epilog=f"Example: {example}",
        allow_abbrev=False,
        formatter_class=parser.formatter_class,
    )
    _part("run").add_arguments(sub)
    arguments = parse_words(sub, words[1:])
    arguments.what = "run"
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    part = _part(arguments.what)
    if not getattr(arguments, "quiet", False):
        return part.run(arguments)
    from pkgmgr.installing.progress import FetchSilence, listening

    with listening(FetchSilence()):
        return part.run(arguments)


def _part(name: str) -> Part:
    # A module `run` would take the place of the function `run` here.
    module = "run_image" if name == "run" else name
    return cast("Part", import_module(f"pkgmgr.cli.rootfs.{module}"))
