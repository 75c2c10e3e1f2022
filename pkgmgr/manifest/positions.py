"""Where in a manifest a dependency is asked for. Only errors ask: the reader that every run uses keeps no positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkgmgr.errors import WpmError
from pkgmgr.manifest.reader import read_text

if TYPE_CHECKING:
    from pathlib import Path

_TABLE = "dependencies"
_LONGEST_LINE = 4096


def dependency_lines(path: Path) -> dict[str, int]:
    """The line, counted from 1, of each dependency of a manifest; empty where it can be read no more.

    Args:
        path: The manifest, which was read before without complaint.
    """
    try:
        return find_lines(read_text(path))
    except WpmError:
        return {}


def find_lines(text: str) -> dict[str, int]:
    """The line of each key of `[dependencies]`, in whatever form TOML lets it be written."""
    found: dict[str, int] = {}
    table: list[str] = []
    closing = ""
    for number, line in enumerate(text.split("\n"), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        closing = next((quotes for quotes in ('"""', "'''") if line.count(quotes) % 2), "")
        content = line.strip()
        if closing or not content or content.startswith("#") or len(line) > _LONGEST_LINE:
            continue
        entry = _parsed(content)
        if content.startswith("["):
            table = _path(entry)
            entry = {}
        if table:
            entry = {table[0]: entry}
        wanted = entry.get(_TABLE)
        if isinstance(wanted, dict) and len(table) < 2:
            for name in wanted:
                found.setdefault(name, number)
    return found


def _parsed(line: str) -> dict[str, Any]:
    """What a line says by itself; nothing where it is a part of something longer."""
    import tomli

    try:
        return tomli.loads(line)
    except (tomli.TOMLDecodeError, RecursionError):
        return {}


def _path(header: dict[str, Any]) -> list[str]:
    """The keys of a table's header."""
    path = []
    while len(header) == 1:
        ((key, value),) = header.items()
        path.append(key)
        header = value if isinstance(value, dict) else {}
    return path
