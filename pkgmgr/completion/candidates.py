"""What may stand at the cursor: told by the parser of the verb, which knows its options, and by what is on this machine."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.completion import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pkgmgr.completion.project_words import ProjectWords

FILES, FOLDERS, RUNNABLE, NOTHING = "files", "folders", "runnable", "nothing"
"""What the shell itself may complete besides: any file, directories, modules and packages, or nothing."""

_OF_THE_PROJECT: Final = frozenset({"remove", "update", "outdated"})
_LOCKED: Final = frozenset({"why", "invert", "upgrade"})
_PACKAGES: Final = frozenset({"PKG", "PACKAGE", "SPEC", "PKG[@REQ]"})
_FOLDERS: Final = frozenset({"project", "volume", "mapdir", "registry", "directory"})
_NOT_FILES: Final = frozenset({"cwd", "net", "timeout", "memory", "jobs", "days", "depth", "rename"})
_FREE: Final = frozenset(
    {"TEXT", "COMMAND", "N", "NAME", "VERSION", "NAMESPACE/NAME", "TOKEN", "KEY", "VALUE", "REF", "TAG"}
)
_IMAGES: Final = frozenset({"IMAGE", "A", "B"})
_GUESTS: Final = frozenset({"run", "exec", "tool run", "env run", "shell"})
_REPEATED: Final = (argparse._AppendAction,)


class Candidate(NamedTuple):
    """A word that may stand at the cursor.

    Attributes:
        text: The word.
        note: What it is.
        ends: Whether it is finished.
    """

    text: str
    note: str = ""
    ends: bool = True


class Completion(NamedTuple):
    """What may stand at the cursor.

    Attributes:
        candidates: Words of wpm's own, all of which start as what is typed.
        besides: What the shell itself may complete.
    """

    candidates: tuple[Candidate, ...] = ()
    besides: str = NOTHING


class _Typed(NamedTuple):
    """What the words before the cursor came to.

    Attributes:
        verb: The verb, and what it shall do where it can do several things.
        parser: What reads the options here.
        given: The positional words.
        options: The options that were typed, with their values.
        pending: The option whose value comes next.
        behind: Whether `--` was typed.
    """

    verb: str
    parser: argparse.ArgumentParser
    given: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    pending: argparse.Action | None
    behind: bool

    def option(self, *dests: str) -> str | None:
        """The last value of an option, by what it is called in the parser."""
        return next((value for dest, value in reversed(self.options) if dest in dests), None)


def complete(words: Sequence[str], current: str) -> Completion:
    """What may stand at the cursor.

    Args:
        words: The words before the one at the cursor, without the program.
        current: The word at the cursor, up to it.
    """
    from pkgmgr.cli.main import VERBS

    if not words:
        options = [Candidate("--help", "show this help"), Candidate("--version", "print the version")]
        verbs = [Candidate(name, verb.summary) for name, verb in VERBS.items()]
        return _starting(
            current, options if current.startswith("-") else [*verbs, Candidate("help", "help for a verb")]
        )
    if words[0] == "help":
        return _starting(
            current, [Candidate(name, verb.summary) for name, verb in VERBS.items()] if len(words) == 1 else []
        )
    if words[0] not in VERBS:
        return Completion()
    typed = _typed(words)
    if typed.pending is not None:
        found = _values(typed, typed.pending, current)
        if typed.pending.nargs != "?" or found.candidates or not current.startswith("-"):
            return found
    if typed.behind:
        return _behind(typed, current)
    if current.startswith("-") and "=" in current:
        name, _, value = current.partition("=")
        action = typed.parser._option_string_actions.get(name)
        if action is None or action.nargs == 0:
            return Completion()
        found = _values(typed, action, value)
        return Completion(tuple(each._replace(text=f"{name}={each.text}") for each in found.candidates), found.besides)
    if current.startswith("-"):
        return _starting(current, _options(typed))
    return _positional(typed, current)


def _typed(words: Sequence[str]) -> _Typed:
    from pkgmgr.cli.main import parser_of

    verb = words[0]
    _, parser = parser_of(verb)
    given: list[str] = []
    options: list[tuple[str, str]] = []
    pending: argparse.Action | None = None
    behind = False
    for word in words[1:]:
        if behind:
            given.append(word)
        elif pending is not None and not (pending.nargs == "?" and word.startswith("-")):
            options.append((pending.dest, word))
            pending = None
        elif word == "--":
            behind, pending = True, None
        elif word.startswith("-") and len(word) > 1:
            name, equals, value = word.partition("=")
            action = parser._option_string_actions.get(name)
            pending = None
            if action is not None:
                takes = action.nargs != 0 and action.dest != "net" and not equals
                pending = action if takes else None
                options += [] if takes else [(action.dest, value)]
        else:
            subparsers = _subparsers(parser)
            if subparsers is not None and word in subparsers.choices:
                verb, parser = f"{verb} {word}", subparsers.choices[word]
            else:
                given.append(word)
    return _Typed(verb, parser, tuple(given), tuple(options), pending, behind)


def _subparsers(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    return next((each for each in parser._actions if isinstance(each, argparse._SubParsersAction)), None)


def _options(typed: _Typed) -> list[Candidate]:
    """The options that may still be typed, the long ones; short ones where there is no long one."""
    used = {dest for dest, _ in typed.options}
    found = []
    for action in typed.parser._actions:
        if action.help == argparse.SUPPRESS or not action.option_strings:
            continue
        if action.dest in used and not isinstance(action, _REPEATED):
            continue
        found.append(Candidate(max(action.option_strings, key=len), _first_clause(action.help or "")))
    return found


def _first_clause(text: str) -> str:
    return text.partition(";")[0].partition(" (")[0].replace("%%", "%")


def _positional(typed: _Typed, current: str) -> Completion:
    subparsers = _subparsers(typed.parser)
    if subparsers is not None:
        notes = {action.dest: action.help or "" for action in subparsers._choices_actions}
        return _starting(current, [Candidate(name, notes.get(name, "")) for name in subparsers.choices])
    actions = [action for action in typed.parser._actions if not action.option_strings]
    if typed.verb in _GUESTS:
        return _behind(typed, current) if typed.given or typed.verb != "run" else _values(typed, actions[0], current)
    if typed.verb == "rootfs run" and len(typed.given) == 1:
        return _starting(current, [Candidate(name) for name in values.image_commands(typed.given[0])])
    place = len(typed.given)
    for action in actions:
        if place == 0 or action.nargs in ("*", "+"):
            return _values(typed, action, current)
        place -= 1
    return Completion()


def _behind(typed: _Typed, current: str) -> Completion:
    """Words behind `--`, or of a guest: after what is run they are the guest's, which most often wants files."""
    if not typed.given and typed.verb == "exec":
        package = typed.option("package")
        if package is None:
            return _of_packages(current)
        return _starting(current, [Candidate(name) for name in values.package_commands(package)])
    if not typed.given and typed.verb == "tool run":
        return _starting(current, [Candidate(name, package) for name, package in values.tool_commands().items()])
    if not typed.given and typed.verb == "env run":
        return _starting(current, [Candidate(name, package) for name, package in _project().commands.items()])
    return Completion((), FILES)


def _values(typed: _Typed, action: argparse.Action, current: str) -> Completion:
    """What an option or a positional may be."""
    if action.choices is not None:
        return _starting(current, [Candidate(str(choice)) for choice in action.choices])
    verb, _, what = typed.verb.partition(" ")
    match verb, what, action.dest:
        case "run", _, "input":
            found = [Candidate(name, package) for name, package in _project().commands.items()]
            found += _of_packages(current).candidates
            return Completion(_starting(current, found).candidates, RUNNABLE)
        case "tool", "upgrade" | "uninstall", "names":
            return _starting(current, [Candidate(name) for name in values.tools() if name not in typed.given])
        case _, _, "entrypoint":
            return _starting(current, _commands(typed))
        case _, _, "env":
            return _starting(current, [Candidate(name, ends=False) for name in sorted(os.environ)])
        case _, _, dest if dest in _NOT_FILES:
            return Completion()
        case _, _, dest if dest in _LOCKED or verb in _OF_THE_PROJECT:
            if not action.option_strings or dest in _LOCKED:
                return _of_project(typed, current)
    if action.metavar in _PACKAGES or (verb in ("add", "show") and not action.option_strings):
        found_here = _of_packages(current)
        return Completion(found_here.candidates, RUNNABLE)
    if verb == "rootfs" and action.metavar in _IMAGES:
        return Completion(
            _starting(current, [Candidate(name) for name in values.layout_images(current)]).candidates, FILES
        )
    if action.metavar in _FREE:
        return Completion()
    if action.dest in _FOLDERS or action.metavar == "DIR":
        return Completion((), FOLDERS)
    return Completion((), FILES)


def _commands(typed: _Typed) -> list[Candidate]:
    """The commands of what is to be run or installed."""
    package = typed.option("package") or (typed.given[0] if typed.given else None)
    if package is not None:
        return [Candidate(name) for name in values.package_commands(package)]
    return [Candidate(name, of) for name, of in _project().commands.items()]


def _project(folder: str | None = None) -> ProjectWords:
    from pkgmgr.completion.project_words import project_words
    from pkgmgr.store import Store

    return project_words(Store.default(), folder)


def _of_project(typed: _Typed, current: str) -> Completion:
    """Packages of the project: its own dependencies where these are changed, all that are locked where they are looked at."""
    project = _project(typed.option("project"))
    names = list(project.dependencies)
    if typed.verb != "remove":
        names += sorted(package.rpartition("@")[0] or package for package in project.packages)
    return _starting(current, [Candidate(name) for name in dict.fromkeys(names) if name not in typed.given])


def _of_packages(current: str) -> Completion:
    return _starting(current, [Candidate(name) for name in values.packages(current)])


def _starting(current: str, candidates: Iterable[Candidate]) -> Completion:
    return Completion(tuple(each for each in candidates if each.text.startswith(current) and each.text.isprintable()))
