"""`wpm exec`: run a command of a package that no project has, as npx and uvx do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.guest import add_guest, add_words, parse_words, run_options, wait
from pkgmgr.cli.options import add_refresh, add_registry

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm exec`."""
    parser.usage = (
        "wpm exec [OPTIONS] PKG [-- ARGS]\n       wpm exec [OPTIONS] --package PKG [--package PKG …] -- COMMAND ARGS"
    )
    parser.description = (
        "Run a command of a package without adding it to a project: the newest version that fits, whatever the project "
        "here has locked. Without --package, PKG's own command is run: its entrypoint, its only one, or the one called as it "
        "is. As with wpm run, the guest sees nothing of this machine but what --volume and the other options give it: "
        "for the current directory, --volume .:/work --cwd /work."
    )
    add_words(parser)
    parser.add_argument(
        "-p", "--package", action="append", default=[], metavar="PKG", help="take the command from this package"
    )
    parser.add_argument("-e", "--entrypoint", metavar="NAME", help="the command of the package to run")
    add_guest(parser)
    add_registry(parser)
    add_refresh(parser)


def parse_arguments(parser: argparse.ArgumentParser, words: list[str]) -> argparse.Namespace:
    """Tell our options, what to run, and the guest's arguments from one another."""
    arguments = parse_words(parser, words)
    given = [*arguments.words, *arguments.rest]
    if not arguments.package:
        if not given:
            parser.error("which package? wpm exec PKG, or --package PKG -- COMMAND")
        arguments.package = [given.pop(0)]
    elif arguments.entrypoint is None:
        if not given:
            parser.error(
                f"which command of {arguments.package[0]}? wpm exec --package {arguments.package[0]} -- COMMAND"
            )
        arguments.entrypoint = given.pop(0)
    arguments.given = given
    return arguments


def run(arguments: argparse.Namespace) -> int:
    """Run the guest; its exit code."""
    from binfactory.modules import ModuleCache
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.running.executing import find_command
    from pkgmgr.running.program import start_target
    from pkgmgr.store import Store

    store = Store.default()
    modules = ModuleCache(store.modules)
    install = InstallOptions(registry=arguments.registry, offline=arguments.offline, refresh=arguments.refresh)
    options = run_options(arguments, arguments.given)
    process = start_target(
        lambda: find_command(arguments.package, arguments.entrypoint, store, install, modules),
        arguments.entrypoint or arguments.package[0],
        modules,
        store,
        install,
        options,
    )
    return wait(process, arguments.timeout)
