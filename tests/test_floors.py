"""The four floors: an import goes down or stays, at no depth up, not even lazily."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BELOW = {
    "pkgmgr": {"binfactory", "runtime", "webc_parser", "registry_fixtures"},
    "binfactory": {"runtime", "webc_parser"},
    "runtime": set[str](),
    "webc_parser": set[str](),
    "registry_fixtures": set[str](),
}


def imported_floors(source: str, floor: str) -> set[str]:
    """Every one of our packages that the source imports, wherever in the file the import stands."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0] if node.module and not node.level else floor)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"}:
                found.add(str(node.args[0].value).split(".")[0])
    return found & set(BELOW)


@pytest.mark.parametrize("floor", BELOW)
def test_imports_go_down(floor: str) -> None:
    for path in sorted((ROOT / floor).rglob("*.py")):
        upward = imported_floors(path.read_text(), floor) - {floor} - BELOW[floor]
        assert not upward, f"{path.relative_to(ROOT)} imports upwards: {sorted(upward)}"


@pytest.mark.parametrize(
    "source",
    ["import pkgmgr.cli", "from pkgmgr import x", "def f():\n    import pkgmgr", "import_module('pkgmgr.cli')"],
)
def test_an_upward_import_is_seen(source: str) -> None:
    assert imported_floors(source, "runtime") == {"pkgmgr"}


@pytest.mark.parametrize("floor", BELOW)
def test_rooms_stay_rooms(floor: str) -> None:
    for path in sorted((ROOT / floor).rglob("*.py")):
        lines = len(path.read_text().splitlines())
        assert lines <= 500, f"{path.relative_to(ROOT)} has {lines} lines: split it"
        assert path.stem not in {"utils", "helpers", "common"}
