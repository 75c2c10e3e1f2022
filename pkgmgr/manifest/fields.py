"""Reading typed keys out of a TOML table, with errors that name the file and the key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import listed, shown
from pkgmgr.manifest.paths import inside

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_T = TypeVar("_T")
_BARE = re.compile(r"[A-Za-z0-9_-]{1,80}")
_PLACE = re.compile(r"[A-Za-z0-9_-]{1,80}(?:\[[0-9]+\])?(?:\.[A-Za-z0-9_-]{1,80}){0,4}")
_KINDS = {
    bool: "true or false",
    str: "a string",
    int: "an integer",
    float: "a number",
    list: "an array",
    dict: "a table",
}

MAX_WARNINGS = 50
"""Warnings kept for one manifest; a file full of nonsense does not fill the screen."""


LONGEST_GUESS = 40
"""The longest key, in characters, for which a known one like it is looked for."""


class Table:
    """A table of the manifest, its place in the file, and the keys that were asked for.

    `file` is the manifest's path, `key` the table's own key (`command[2]`, `""` at the top), `warnings` the list that
    all tables of one manifest share.
    """

    __slots__ = ("_known", "data", "file", "key", "warnings")

    def __init__(self, data: Mapping[str, Any], file: Path, key: str, warnings: list[str]) -> None:
        self.data = data
        self.file = file
        self.key = key
        self.warnings = warnings
        self._known: set[str] = set()

    def where(self, key: str | None = None) -> str:
        """The place of a key for a message: `wasmer.toml: command[2].module`."""
        path = self.key
        if key is not None:
            part = key if _PLACE.fullmatch(key) else shown(key)
            path = f"{path}.{part}" if path else part
        return f"{self.file}: {path}" if path else str(self.file)

    def fail(self, key: str | None, problem: str) -> NoReturn:
        """Refuse the manifest because of a key."""
        raise WpmError(f"{self.where(key)}: {problem}")

    def warn(self, key: str | None, problem: str) -> None:
        """Note something that looks like a mistake and changes nothing."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(f"{self.where(key)}: {problem}")

    def value(self, key: str, kind: type[_T], advice: str = "") -> _T | None:
        """The value of a key, or `None` when it is absent.

        Raises:
            WpmError: The value has another type.
        """
        self._known.add(key)
        found = self.data.get(key)
        if found is None:
            return None
        if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
            self.fail(key, f"expected {_KINDS[kind]}, found {_described(found)}{': ' + advice if advice else ''}")
        return found

    def text(self, key: str) -> str | None:
        """A string, or `None`."""
        return self.value(key, str)

    def required(self, key: str, example: str) -> str:
        """A string that has to be there and not be empty."""
        found = self.value(key, str)
        if not found:
            self.fail(
                key, f"is {'missing' if found is None else 'empty'}: add it, for example {key} = {shown(example)}"
            )
        return found

    def flag(self, key: str) -> bool:
        """A boolean, false when absent."""
        return bool(self.value(key, bool))

    def host_path(self, key: str) -> str | None:
        """A path inside the package's directory, normalised, or `None`."""
        found = self.value(key, str)
        return None if found is None else self.checked_path(key, found)

    def checked_path(self, key: str, path: str) -> str:
        """A path, refused when it leaves the package's directory."""
        relative = inside(path)
        if relative is None:
            self.fail(
                key,
                f"{shown(path)} is outside of the package: write a path relative to the manifest, without '..'",
            )
        return relative

    def strings(self, key: str) -> tuple[str, ...]:
        """An array of strings, empty when absent."""
        found = self.value(key, list)
        for index, item in enumerate(found or ()):
            if not isinstance(item, str):
                self.fail(f"{key}[{index}]", f"expected a string, found {_described(item)}")
        return tuple(found or ())

    def string_table(self, key: str) -> dict[str, str]:
        """A table of strings, empty when absent."""
        found: dict[str, Any] = self.value(key, dict) or {}
        inner = Table(found, self.file, self._below(key), self.warnings)
        return {name: inner.value(name, str) or "" for name in found}

    def table(self, key: str) -> Table | None:
        """A table below this one, or `None`."""
        found = self.value(key, dict)
        return None if found is None else Table(found, self.file, self._below(key), self.warnings)

    def tables(self, key: str, example: str) -> Iterator[Table]:
        """The tables of an array of tables, none when absent."""
        found = self.value(key, list, f"write {example}")
        for index, item in enumerate(found or ()):
            place = f"{self._below(key)}[{index}]"
            if not isinstance(item, dict):
                raise WpmError(f"{self.file}: {place}: expected a table, found {_described(item)}: write {example}")
            yield Table(item, self.file, place, self.warnings)

    def choice(self, key: str, allowed: Sequence[str]) -> str | None:
        """A string out of a few, or `None`."""
        found = self.value(key, str)
        if found is not None and found not in allowed:
            self.fail(key, f"{shown(found)} is unknown: use one of {listed(allowed)}")
        return found

    def finish(self) -> None:
        """Warn of every key that nothing asked for, with the nearest known key when there is one."""
        for key in self.data:
            if key not in self._known and len(self.warnings) < MAX_WARNINGS:
                near = self._nearest(key)
                self.warn(key, f"unknown key, ignored{f': did you mean {near}?' if near else ''}")

    def _nearest(self, key: str) -> str | None:
        from difflib import get_close_matches

        if len(key) > LONGEST_GUESS:
            return None
        return next(iter(get_close_matches(key, sorted(self._known), n=1, cutoff=0.8)), None)

    def _below(self, key: str) -> str:
        part = key if _BARE.fullmatch(key) else shown(key)
        return f"{self.key}.{part}" if self.key else part


def _described(value: object) -> str:
    for kind, text in _KINDS.items():
        if isinstance(value, kind):
            return text
    return "a date or time"
