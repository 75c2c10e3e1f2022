"""`wpm search`: packages of all registries by what they are called, or say they are for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_registry, positive

if TYPE_CHECKING:
    import argparse

    from pkgmgr.errors import WpmError
    from pkgmgr.registry import Registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm search`."""
    parser.add_argument("text", metavar="TEXT", help="what to look for in names and descriptions")
    parser.add_argument("--limit", type=positive, default=20, metavar="N", help="show at most N packages (default: 20)")
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; finding nothing is no error, being able to ask nobody is one."""
    from pkgmgr.cli.output import print_json
    from pkgmgr.errors import WpmError
    from pkgmgr.registry import open_registries

    text = " ".join(arguments.text.split())
    if not text or not text.isprintable() or len(text) > _LONGEST:
        raise WpmError(f"{arguments.text[:60]!r}: nothing to look for: expected a word or two")
    failures: list[str] = []

    def failed(registry: Registry, error: WpmError) -> None:
        failures.append(f"{registry.title}: {str(error).removeprefix(f'{registry.title}: ')}")

    registries = open_registries(arguments.registry, offline=arguments.offline)
    found = registries.search(text, min(arguments.limit, _MOST), failed)
    for failure in failures:
        print(f"wpm: not searched: {failure}", file=sys.stderr)
    if arguments.json:
        print_json(
            [
                {"name": each.name, "version": each.version and str(each.version), "description": each.description}
                for each in found
            ]
        )
    elif found:
        from pkgmgr.cli.style import Style
        from pkgmgr.cli.table import print_table, terminal_width
        from pkgmgr.plain_text import one_line

        style = Style.of_output()
        print_table(
            [(each.name, str(each.version or "(yanked)"), one_line(each.description)) for each in found],
            paint=lambda _, column, cell: style.bold(cell) if column == 0 else cell,
            width=terminal_width(),
        )
    elif not failures:
        print(f"no package has {text!r} in its name or description")
    return 1 if failures and not found else 0


_LONGEST = 200
_MOST = 1000
