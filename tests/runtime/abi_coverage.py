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
                        segment = ast.get_source_segment(source, node) or ""
                        constants[target.id] = f"{constants.get(target.id, '')}\n{segment}"
        for node in module.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                text = "\n".join(lines[first - 1 : node.end_lineno])
                used = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
                text += "".join(content for name, content in constants.items() if name in used)
                found.append((f"{path.relative_to(ROOT).as_posix()}::{node.name}", text))
    return found


def _calls(text: str, name: str, parameters: int) -> bool:
    """Whether a call in the text begins with the function's name and has so many arguments behind it."""
    return any(
        isinstance(node, ast.Call)
        and len(node.args) == parameters + 1
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value == name
        and not any(isinstance(argument, ast.Starred) for argument in node.args)
        for node in ast.walk(ast.parse(text))
    )


def test_of(name: str, signature: str = "", others: tuple[str, ...] = ()) -> str | None:
    """The test that covers the function of this name, as `path::test`; `None` when there is none.

    Args:
        name: the function.
        signature: which generation of it. It is best covered by a test that writes its signature down, next by one that
            calls it with as many arguments, next by one that writes no other generation's down.
        others: the signatures of its other generations in the namespace.
    """
    if name in WRITTEN_DOWN:
        return WRITTEN_DOWN[name]
    # As a string, or called on a guest that a test drives; `sock_accept` is not `sock_accept_v2`.
    named = re.compile(rf'"{re.escape(name)}"|\.{re.escape(name)}\(')
    found = [(test, text) for test, text in _tests() if named.search(text)]
    if others and found:
        parameters = len(signature.partition(":")[0])

        def rank(item: tuple[str, str]) -> int:
            text = item[1]
            if f'"{signature}"' in text:
                return 0
            if any(f'"{other}"' in text for other in others):
                return 3
            return 1 if _calls(text, name, parameters) else 2

        # The first of the best.
        return min(found, key=rank)[0]
    return found[0][0] if found else None


test_of.__test__ = False  # type: ignore[attr-defined]
