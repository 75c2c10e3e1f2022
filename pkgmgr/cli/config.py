"""`wpm config`: look at and change which registry answers for which namespace, and what mirrors there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json

if TYPE_CHECKING:
    import argparse

    from pkgmgr.settings.config import Configuration

_EXAMPLES = {
    "list": "list --json",
    "get": "get 'registries.acme/*'",
    "set": "set 'registries.acme/*' https://registry.acme.example/graphql",
    "unset": "unset 'registries.acme/*'",
    "path": "path",
}
_KEYS = "registries.NAMESPACE/*, registries.* (everything else) or mirrors.URL"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `wpm config` can do."""
    parser.epilog = f"A KEY is {_KEYS}. {parser.epilog}"
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    for name, summary in (
        ("list", "Show the configuration, and what holds where it says nothing"),
        ("get", "Print the values of a key, one in each line; fails where it is not set"),
        ("set", "Give a key its value: a registry, or the URLs of mirrors in their order"),
        ("unset", "Remove a key"),
        ("path", "Print the path of the configuration's file"),
    ):
        example = f"Example: wpm config {_EXAMPLES[name]}"
        sub = what.add_parser(name, help=summary, description=summary + ".", epilog=example, allow_abbrev=False)
        if name in ("get", "set", "unset"):
            sub.add_argument("key", metavar="KEY", help=_KEYS)
        if name == "set":
            sub.add_argument(
                "values", metavar="VALUE", nargs="+", help="a directory, file:///…, https://…/graphql or 'embedded'"
            )
        if name != "path":
            add_json(sub)


def run(arguments: argparse.Namespace) -> int:
    """Do it."""
    from pkgmgr.settings.config import FILE_NAME, config_folder

    path = config_folder() / FILE_NAME
    match arguments.what:
        case "path":
            print(path)
            return 0
        case "set":
            from pkgmgr.settings.config_file import set_key

            set_key(path, arguments.key, arguments.values)
            return _done(arguments, changed=True)
        case "unset":
            from pkgmgr.settings.config_file import unset_key

            return _done(arguments, changed=unset_key(path, arguments.key))
        case "get":
            return _get(arguments)
        case _:
            return _list(arguments)


def _done(arguments: argparse.Namespace, *, changed: bool) -> int:
    from pkgmgr.cli.output import print_json
    from pkgmgr.settings.config import Configuration
    from pkgmgr.settings.config_file import get_key

    values = get_key(Configuration.load(), arguments.key)
    if arguments.json:
        print_json({"key": arguments.key, "values": values, "changed": changed})
    elif changed:
        print(f"{arguments.key} = {' '.join(values)}" if values else f"{arguments.key} is not set any more")
    else:
        print(f"{arguments.key} was not set")
    return 0


def _get(arguments: argparse.Namespace) -> int:
    from pkgmgr.cli.output import print_json
    from pkgmgr.settings.config_file import get_key

    values = get_key(_loaded(), arguments.key)
    if arguments.json:
        print_json({"key": arguments.key, "values": values})
    else:
        for value in values:
            print(value)
    return 0 if values else 1


def _list(arguments: argparse.Namespace) -> int:
    import os

    from pkgmgr.cli.output import print_json, print_text
    from pkgmgr.registry.opening import default_place
    from pkgmgr.registry.place import EMBEDDED_PLACE, EVERYTHING
    from pkgmgr.registry.registries import EMBEDDED_NAMESPACE, VARIABLE

    configuration = _loaded()
    variable = VARIABLE if os.environ.get(VARIABLE) else "default"
    origins = dict.fromkeys(configuration.registries, "configuration")
    registries = dict(configuration.registries)
    if variable == VARIABLE or EVERYTHING not in registries:
        registries[EVERYTHING], origins[EVERYTHING] = default_place(configuration), variable
    if (embedded := f"{EMBEDDED_NAMESPACE}/*") not in registries:
        registries[embedded], origins[embedded] = EMBEDDED_PLACE, "default"
    if arguments.json:
        print_json(
            {
                "path": str(configuration.path),
                "registries": {
                    pattern: {"registry": place, "from": origins[pattern]} for pattern, place in registries.items()
                },
                "mirrors": {url: list(urls) for url, urls in configuration.mirrors.items()},
            }
        )
        return 0
    for pattern, place in registries.items():
        said_by = "" if origins[pattern] == "configuration" else f" ({origins[pattern]})"
        print_text(f"registries.{pattern} = {place}{said_by}")
    for url, urls in configuration.mirrors.items():
        print_text(f"mirrors.{url} = {' '.join(urls)}")
    return 0


def _loaded() -> Configuration:
    """The configuration; what in it was not understood is told."""
    import sys

    from pkgmgr.settings.config import Configuration

    configuration = Configuration.load()
    for warning in configuration.warnings:
        print(f"wpm: {warning}", file=sys.stderr)
    return configuration
