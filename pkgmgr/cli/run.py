"""`wpm run`: run a command of the project, a package or a module."""

from __future__ import annotations

from pkgmgr.cli.guest import add_guest, add_words, parse_words, run_options, wait
from pkgmgr.cli.options import add_refresh, add_registry, path
from pkgmgr.errors import WpmError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm run`."""
    parser.usage = "wpm run [OPTIONS] INPUT [-- ARGS]"
    parser.epilog = (
        "INPUT is a command of the project, a package (wpm/hello, ns/name@^1.2, sha256:…, a URL), a .webc, a .wasm, or a "
        f"directory with a wasmer.toml. {parser.epilog}"
    )
    parser.add_argument("input", metavar="INPUT", help="what to run")
    add_words(parser)
    parser.add_argument("-e", "--entrypoint", metavar="NAME", help="the command of the package to run")
    add_guest(parser)
    parser.add_argument(
        "--include-webc", action="append", default=[], type=path, metavar="FILE", help="resolve a package to this file"
    )
    parser.add_argument("--map-command", action="append", default=[], metavar="NAME=FILE", help="make a file a command")
    add_registry(parser)
    add_refresh(parser)


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options from the guest's arguments."""
    return parse_words(parser, words)


def run(arguments: argparse.Namespace) -> int:
    """Run the guest; its exit code."""
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.running.program import start
    from pkgmgr.store import Store

    options = run_options(arguments, (*arguments.words, *arguments.rest))._replace(
        entrypoint=arguments.entrypoint, commands=dict(_mapping(text) for text in arguments.map_command)
    )
    install = InstallOptions(
        registry=arguments.registry,
        offline=arguments.offline,
        include=tuple(arguments.include_webc),
        refresh=arguments.refresh,
    )
    return wait(start(arguments.input, Store.default(), install, options), arguments.timeout)


def _mapping(text: str) -> tuple[str, Path]:
    name, _, file = text.partition("=")
    if not name or not file:
        raise WpmError(f"--map-command {text}: expected NAME=FILE")
    return name, path(file)
