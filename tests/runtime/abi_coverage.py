"""Which test covers a host function: the first, by path, whose own text names it; else one that is written down here."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parent.parent
ROOT = TESTS.parent

WRITTEN_DOWN: dict[str, str] = {}
"""Functions that their tests do not name, because a guest's own source does: the function, and `path::test`."""


@cache
def _tests() -> list[tuple[str, str]]:
    """Every test as `path::name` with its text, and the text of what it is called with."""
    found = []
    for path in sorted(TESTS.rglob("test_*.py")):
        if path.name == "test_abi_table.py":
            continue
        source = path.read_text()
        lines = source.splitlines()
        module = ast.parse(source)
        constants: dict[str, str] = {}
        for node in module.body:
            if isinstance(node, ast.Assign | ast.AugAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        constants[target.id] = constants.get(target.id, "") + (
                            ast.get_source_segment(source, node) or ""
                        )
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                text = "\n".join(lines[first - 1 : node.end_lineno])
                used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
                text += "\n".join(content for name, content in constants.items() if name in used)
                found.append((f"{path.relative_to(ROOT).as_posix()}::{node.name}", text))
    return found


def test_of(name: str) -> str | None:
    """The test that covers the function of this name, as `path::test`; `None` when there is none."""
    if name in WRITTEN_DOWN:
        return WRITTEN_DOWN[name]
    # As a string, or called on a guest that a test drives; `sock_accept` is not `sock_accept_v2`.
    named = re.compile(rf'"{re.escape(name)}"|\.{re.escape(name)}\(')
    return next((test for test, text in _tests() if named.search(text)), None)


test_of.__test__ = False  # type: ignore[attr-defined]
