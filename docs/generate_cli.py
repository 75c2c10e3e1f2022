"""Writes the options of every verb into `docs/reference/cli.md`, between the markers that stand there.

Run it from anywhere: `python docs/generate_cli.py`. A verb without a marker is an error, so that none is left out.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

ROOT = Path(__file__).parent.parent
TARGET = ROOT / "docs" / "reference" / "cli.md"
SHARED = "shared"
"""The marker of the table of the options that mean the same with several verbs."""
_MOST_REPEATED = 2
"""How many verbs an option is explained with in full; what more of them have goes into the shared table."""

if TYPE_CHECKING:
    from collections.abc import Iterator


class Command(NamedTuple):
    """A verb, or what one of the verbs with several can do, and what its parser takes."""

    name: str
    summary: str
    parser: argparse.ArgumentParser

    @property
    def usage(self) -> str:
        """The command line in brief, with a line break where there are two forms."""
        if self.parser.usage is not None:
            return "\n".join(line.strip() for line in self.parser.usage.splitlines())
        options = [each for each in self.actions if each.option_strings]
        words = ["wpm", self.name, *(["[OPTIONS]"] if options else [])]
        words += [f"{each.option_strings[0]} {_value(each)}" for each in options if each.required]
        return " ".join(words + [_counted(each) for each in self.actions if not each.option_strings])

    @property
    def actions(self) -> list[argparse.Action]:
        """What it takes, without `--help` and what no help shows."""
        hidden = (argparse._HelpAction, argparse._SubParsersAction)
        return [
            each for each in self.parser._actions if not isinstance(each, hidden) and each.help is not argparse.SUPPRESS
        ]


def document() -> str:
    """The text of `docs/reference/cli.md` with the tables as they should be.

    Raises:
        SystemExit: A marker is missing, or of no verb.
    """
    commands = _commands()
    shared = _shared(each for group in commands.values() for each in group)
    tables = {SHARED: _table([_row(action) for action in shared.values()])}
    tables |= {verb: _section(group, shared) for verb, group in commands.items()}
    text = TARGET.read_text(encoding="utf-8")
    marked = re.findall(r"^<!-- options: (\S+) -->$", text, re.MULTILINE)
    if sorted(marked) != sorted(tables):
        raise SystemExit(f"{TARGET}: markers missing, or too many: {sorted(set(marked) ^ set(tables))}")
    return re.sub(
        r"^(<!-- options: (\S+) -->\n).*?^(<!-- end -->)$",
        lambda match: f"{match[1]}{tables[match[2]]}{match[3]}",
        text,
        flags=re.MULTILINE | re.DOTALL,
    )


def _commands() -> dict[str, list[Command]]:
    """Every verb with its parser, or those of what it can do."""
    sys.path.insert(0, str(ROOT))
    try:
        from pkgmgr.cli.main import VERBS, parser_of
    finally:
        del sys.path[0]
    found: dict[str, list[Command]] = {}
    for verb in VERBS:
        parser = parser_of(verb)[1]
        below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
        found[verb] = [
            Command(f"{verb} {choice.dest}", choice.help or "", subparsers.choices[choice.dest])
            for subparsers in below
            for choice in subparsers._choices_actions
        ] or [Command(verb, "", parser)]
    return found


def _shared(commands: Iterator[Command]) -> dict[tuple[str, ...], argparse.Action]:
    """The options that several verbs have with one meaning."""
    seen: dict[tuple[str, ...], list[argparse.Action]] = {}
    for command in commands:
        for action in (each for each in command.actions if each.option_strings):
            seen.setdefault(_meaning(action), []).append(action)
    return {meaning: actions[0] for meaning, actions in seen.items() if len(actions) > _MOST_REPEATED}


def _section(commands: list[Command], shared: dict[tuple[str, ...], argparse.Action]) -> str:
    if not commands[0].summary:
        (command,) = commands
        rows = [_row(each) for each in command.actions if _meaning(each) not in shared]
        also = _also(command, shared)
        usage = "  \n".join(f"`{line}`" for line in command.usage.splitlines())
        return "\n\n".join(part.strip() for part in (usage, _table(rows) if rows else "", also) if part) + "\n"
    rows = []
    for command in commands:
        summary = f"**{command.summary}.** {_also(command, shared)}".strip()
        rows.append((f"`{_escaped(command.usage)}`", summary))
        rows += [_row(each) for each in command.actions if _meaning(each) not in shared]
    return _table(rows)


def _also(command: Command, shared: dict[tuple[str, ...], argparse.Action]) -> str:
    names = [f"`{each.option_strings[-1]}`" for each in command.actions if _meaning(each) in shared]
    return f"Shared: {', '.join(names)}." if names else ""


def _table(rows: list[tuple[str, str]]) -> str:
    lines = ["| option | meaning |", "| --- | --- |", *(f"| {what} | {meaning} |" for what, meaning in rows)]
    return "\n".join(lines) + "\n"


def _row(action: argparse.Action) -> tuple[str, str]:
    names = [f"`{name}`" for name in action.option_strings[:-1]]
    if not action.option_strings:
        last = _value(action)
    elif action.nargs == 0:
        last = action.option_strings[-1]
    else:
        last = f"{action.option_strings[-1]} {_counted(action)}"
    return ", ".join([*names, f"`{_escaped(last)}`"]), _escaped(action.help or "").replace("*", "\\*")


def _counted(action: argparse.Action) -> str:
    """The name of the value, with how many of it there may be."""
    name = _value(action)
    return {"?": f"[{name}]", "*": f"[{name}…]", "+": f"{name}…"}.get(str(action.nargs), name)


def _value(action: argparse.Action) -> str:
    if action.metavar is None and action.choices is not None:
        return "|".join(map(str, action.choices))
    return str(action.metavar or action.dest.upper())


def _meaning(action: argparse.Action) -> tuple[str, ...]:
    return (*action.option_strings, action.help or "") if action.option_strings else ()


def _escaped(text: str) -> str:
    """As a cell of a table: a bar would end it."""
    return text.replace("|", "\\|")


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
