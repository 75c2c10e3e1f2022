"""Command lines that are plainly right, read without argparse.

Importing argparse and declaring the options of `wpm run` to it takes 13 ms, an eighth of running a small guest. Here the
same declarations are written down, and read where nothing is wrong, asked for or unusual; everything else is left to
argparse, which has the help and tells what is wrong: `NotPlain` says so.
"""

from __future__ import annotations

from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

_REST = "*"
_UNDERSTOOD = frozenset({"action", "choices", "default", "dest", "help", "metavar", "nargs", "required", "type"})


class NotPlain(Exception):
    """Argparse has to look at this."""


class PlainParser:
    """What of `argparse.ArgumentParser` plain command lines need."""

    def __init__(self) -> None:
        self.prog = self.usage = self.description = self.epilog = ""
        self._options: dict[str, tuple[str, dict[str, Any]]] = {}
        self._places: list[tuple[str, dict[str, Any]]] = []
        self._values: dict[str, Any] = {}
        self._required: set[str] = set()

    def __getattr__(self, name: str) -> NoReturn:
        raise NotPlain

    def add_argument(self, *names: str, **declared: Any) -> None:
        """Declare an option, or what has a place on the command line."""
        if not declared.keys() <= _UNDERSTOOD:
            raise NotPlain
        dashed = names[0].startswith("-")
        if not dashed:
            self._places.append((names[0], declared))
        name = declared.get("dest") or next((each for each in names if each.startswith("--")), names[0])
        name = name.lstrip("-").replace("-", "_")
        if dashed:
            self._options.update(dict.fromkeys(names, (name, declared)))
            if declared.get("required"):
                if "default" in declared:
                    raise NotPlain
                self._required.add(name)
        default = declared.get("default", False if declared.get("action") == "store_true" else None)
        # Argparse converts a default that is a text, as if it had been typed.
        self._values.setdefault(name, _value(declared, default, given=True) if isinstance(default, str) else default)

    def parse_args(self, words: Sequence[str]) -> SimpleNamespace:
        """What the words say."""
        return self.parse_known_intermixed_args(words)[0]

    def parse_known_intermixed_args(self, words: Sequence[str]) -> tuple[SimpleNamespace, list[str]]:
        """What the words say, and none that nobody knows.

        Raises:
            NotPlain: They do not all say something plainly.
        """
        values = dict(self._values)
        placed = []
        left = iter(words)
        for word in left:
            if not word.startswith("-"):
                placed.append(word)
                continue
            option, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
            name, declared = self._options.get(option) or _not_plain()
            if "nargs" in declared:
                raise NotPlain
            match declared.get("action", "store"):
                case "store_true" if not equals:
                    values[name] = True
                case "store":
                    values[name] = _value(declared, value if equals else next(left, "-"), given=bool(equals))
                case "append":
                    each = _value(declared, value if equals else next(left, "-"), given=bool(equals))
                    values[name] = [*(values[name] or ()), each]
                case _:
                    raise NotPlain
        for name, declared in self._places:
            if declared.get("nargs") == _REST and name == self._places[-1][0]:
                values[name], placed = [_value(declared, word) for word in placed], []
            elif "nargs" in declared or not placed:
                raise NotPlain
            else:
                values[name] = _value(declared, placed.pop(0))
        if placed or any(values[name] is None for name in self._required):
            raise NotPlain
        return SimpleNamespace(**values), []


def _value(declared: dict[str, Any], word: str, *, given: bool = False) -> Any:
    """What a word says for an option or a place; `given` behind a `=`, where it may begin with a dash."""
    if word.startswith("-") and not given:
        raise NotPlain
    try:
        value = declared["type"](word) if "type" in declared else word
    except Exception:
        raise NotPlain from None
    if "choices" in declared and value not in declared["choices"]:
        raise NotPlain
    return value


def _not_plain() -> NoReturn:
    raise NotPlain
