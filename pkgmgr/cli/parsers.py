"""The parsers of verbs: argparse's, with help as wide as the terminal and no abbreviated options."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pkgmgr.cli.main import Verb, VerbModule


class _Help(argparse.HelpFormatter):
    """Help as wide as the terminal. Without a width argparse imports shutil to ask, for every option that is declared."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(1).columns
        except (ValueError, OSError):
            width = 80
        super().__init__(prog, width=max(width, 40) - 2)


class _Hiding(argparse.ArgumentParser):
    """A parser for which what hides an option is a text as any other."""

    def add_argument(self, *names: Any, **declared: Any) -> argparse.Action:
        """Declare an option or a place; who hides one without having imported argparse knows its word for that by heart."""
        if declared.get("help") == argparse.SUPPRESS:
            declared["help"] = argparse.SUPPRESS
        return super().add_argument(*names, **declared)


class _Part(_Hiding):
    """The parser of what a verb with several can do: argparse would leave what this one does not know to the verb's usage."""

    def parse_known_args(self, *given: Any) -> tuple[argparse.Namespace, list[str]]:  # type: ignore[override]
        arguments, unknown = super().parse_known_args(*given)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return arguments, unknown


class _Parser(_Hiding):
    """The parser of a verb."""

    def add_subparsers(self, **given: Any) -> argparse._SubParsersAction[argparse.ArgumentParser]:  # type: ignore[override]
        return super().add_subparsers(parser_class=_Part, **given)


def verb_parser(name: str, verb: Verb, module: VerbModule) -> argparse.ArgumentParser:
    """The parser of a verb's options."""
    parser = _Parser(
        prog=f"wpm {name}",
        description=verb.summary + ".",
        epilog="Example: " + verb.example,
        allow_abbrev=False,
        formatter_class=_Help,
    )
    module.add_arguments(parser)
    return parser
