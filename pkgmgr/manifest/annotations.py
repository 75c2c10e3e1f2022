"""The free-form annotations of a command, made plain: what a WEBC manifest can hold, of bounded size."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DEPTH = 32
"""How deep annotations may nest."""

MAX_VALUES = 10_000
"""How many values the annotations of one command may hold; aliases in YAML count each time."""

WASI_STRINGS = ("atom", "package", "cwd", "exec-name", "mount-atom-in-volume")
WASI_LISTS = ("env", "main-args")


class AnnotationError(ValueError):
    """What is wrong with annotations: the key below them and the problem, for the caller to place in its file."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(problem)
        self.key = key
        self.problem = problem


def plain(value: object) -> dict[str, Any]:
    """Copy annotations into strings, integers, floats, booleans, `None`, lists and dictionaries with string keys.

    Dates and times become strings, as `wasmer package build` writes them.

    Raises:
        AnnotationError: Not a table, nested too deep, too many values, or something that a manifest cannot hold.
    """
    if not isinstance(value, dict):
        raise AnnotationError("", "expected a table of annotations")
    copied: dict[str, Any] = _copy(value, "", 0, [MAX_VALUES])
    return copied


def _copy(value: object, key: str, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    if budget[0] < 0:
        raise AnnotationError("", f"more than {MAX_VALUES} values: move them into a file that the command reads")
    if depth > MAX_DEPTH:
        raise AnnotationError("", f"nested deeper than {MAX_DEPTH} levels: flatten them")
    match value:
        case bool() | float() | None | str():
            return value
        case int() if -(2**63) <= value < 2**64:
            return value
        case int():
            raise AnnotationError(key, "the integer does not fit in 64 bits")
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat().replace("+00:00", "Z")
        case list() | tuple():
            return [_copy(item, f"{key}[{index}]", depth + 1, budget) for index, item in enumerate(value)]
        case dict():
            copied: dict[str, Any] = {}
            for name, item in value.items():
                if not isinstance(name, str):
                    raise AnnotationError(key, "the keys of a table have to be strings")
                copied[name] = _copy(item, f"{key}.{name}" if key else name, depth + 1, budget)
            return copied
        case _:
            raise AnnotationError(key, f"a {type(value).__name__} cannot be stored in a package")


def check_wasi(annotations: Mapping[str, Any]) -> list[str]:
    """Check what the WASI runner reads of the annotations, `wasi.env` and the like.

    Returns:
        Warnings: keys of `wasi` in a spelling that no runner reads.

    Raises:
        AnnotationError: A value has the wrong type, or an environment variable has no `=`.
    """
    wasi = annotations.get("wasi")
    if wasi is None:
        return []
    if not isinstance(wasi, dict):
        raise AnnotationError("wasi", "expected a table")
    for key in WASI_STRINGS:
        if not isinstance(wasi.get(key), str | None):
            raise AnnotationError(f"wasi.{key}", "expected a string")
    for key in WASI_LISTS:
        items = wasi.get(key)
        if items is not None and not (isinstance(items, list) and all(isinstance(item, str) for item in items)):
            raise AnnotationError(f"wasi.{key}", "expected an array of strings")
    for index, item in enumerate(wasi.get("env") or ()):
        if "=" not in item[1:]:
            raise AnnotationError(f"wasi.env[{index}]", 'expected "NAME=value"')
    spelled = {key.replace("-", "_"): key for key in (*WASI_STRINGS, *WASI_LISTS) if "-" in key}
    return [
        f"wasi.{key}: unknown key, no runner reads it: did you mean {spelled[key]}?" for key in wasi if key in spelled
    ]
