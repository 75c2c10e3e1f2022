"""The public names: listed, described with their parameters, and everything else said to be internal."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pkgmgr
import pkgmgr.aio
import webc_parser

ROOT = Path(__file__).parents[3]
MODULES = (pkgmgr, pkgmgr.aio, webc_parser)
NAMES = [(module.__name__, name) for module in MODULES for name in module.__all__]
PASSED_ON = {"self", "cls", "args", "kwargs"}


def described(function: object, where: str) -> None:
    doc = inspect.getdoc(function)
    assert doc, f"{where} has no docstring"
    parameters = [name for name in inspect.signature(function).parameters if name not in PASSED_ON]  # type: ignore[arg-type]
    for name in parameters:
        assert re.search(rf"\b{name}\b", doc), f"{where}: its docstring does not say what {name} is"


@pytest.mark.parametrize(("module", "name"), [each for each in NAMES if each[0] != "webc_parser"])
def test_every_public_name_says_what_it_is(module: str, name: str) -> None:
    value = getattr(sys.modules[module], name)
    if not inspect.isclass(value):
        described(value, name)
        return
    assert inspect.getdoc(value), f"{name} has no docstring"
    for member, what in inspect.getmembers(value):
        if member.startswith("_") or getattr(what, "__module__", "") in ("builtins", "enum", None):
            continue
        if isinstance(what, property):
            assert inspect.getdoc(what), f"{name}.{member}"
        elif inspect.isfunction(what) or inspect.ismethod(what):
            described(what, f"{name}.{member}")


@pytest.mark.parametrize("name", webc_parser.__all__)
def test_every_name_of_the_containers_says_what_it_is(name: str) -> None:
    assert inspect.getdoc(getattr(webc_parser, name))


def test_the_reference_lists_exactly_these() -> None:
    page = (ROOT / "docs" / "reference" / "library.md").read_text(encoding="utf-8")
    listed = re.findall(r"^::: (\S+)$", page, re.MULTILINE)
    assert sorted(listed) == sorted(f"{module}.{name}" for module, name in NAMES)


def test_everything_else_says_that_it_is_internal() -> None:
    for floor in ("pkgmgr", "binfactory", "runtime", "registry_fixtures"):
        for path in sorted((ROOT / floor).rglob("__init__.py")):
            if path != ROOT / "pkgmgr" / "__init__.py":
                doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                assert doc.endswith("Internal."), f"{path.relative_to(ROOT)}: say that it is Internal."


def test_names_are_loaded_when_they_are_used() -> None:
    program = (
        "import sys, pkgmgr\n"
        "loaded = {name for name in sys.modules if name.partition('.')[0] in ('pkgmgr', 'binfactory', 'runtime', 'wasmtime')}\n"
        "assert loaded == {'pkgmgr'}, loaded\n"
        "assert set(pkgmgr.__all__) <= set(dir(pkgmgr))\n"
        "from pkgmgr import Sandbox, Completed\n"
        "assert 'asyncio' not in sys.modules and 'requests' not in sys.modules\n"
        "assert all(getattr(pkgmgr, name) is getattr(pkgmgr, name) for name in pkgmgr.__all__)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = pkgmgr.Nothing  # type: ignore[attr-defined]
