"""Real programs that nobody here wrote, with the output that they are known to have."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from runtime.abi.filetype import Filetype
from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem
from runtime.stdio import InputBuffer, OutputBuffer

# Cases that wait for what is being built: none.
NEEDS_PROCESSES: frozenset[str] = frozenset()

FOLDER = Path(os.environ.get("WPM_CONFORMANCE", Path(__file__).parents[2].parent / "shared" / "conformance"))
CASES: list[dict[str, Any]] = json.loads((FOLDER / "cases.json").read_text()) if FOLDER.is_dir() else []

_modules: dict[str, Module] = {}


def compiled(path: Path) -> Module:
    """The module of a file, compiled once for all its cases."""
    key = str(path)
    if key not in _modules:
        _modules[key] = Module.compile(path.read_bytes(), path.name)
    return _modules[key]


def same(order: str, expected: str, found: str) -> bool:
    """Whether the output is the expected one, line by line in any order where several write at once."""
    return expected == found if order == "exact" else sorted(expected.splitlines()) == sorted(found.splitlines())


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case["name"], marks=pytest.mark.xdist_group(case["file"]))
        for case in CASES
        if case["name"] not in NEEDS_PROCESSES
    ],
)
def test_case(conformance: Path, case: dict[str, Any]) -> None:
    # The outputs were recorded where standard streams pass for a terminal: a shell prompts.
    terminal = Filetype.CHARACTER_DEVICE
    stdout, stderr = OutputBuffer(filetype=terminal), OutputBuffer(filetype=terminal)
    root = TmpFileSystem()
    for name in ("tmp", "bin"):
        root.root.mkdir(name)
    stdin = InputBuffer((case["stdin"] or "").encode(), terminal)
    builder = WasiEnvBuilder().root(root).args(case["args"]).stdin(stdin)
    builder.stdout(stdout).stderr(stderr).timeout(60)
    code = builder.build().run(compiled(conformance / case["file"]))
    found = {"stdout": stdout.getvalue().decode(), "stderr": stderr.getvalue().decode()}
    expect = case["expect"]
    assert code == expect["exit"], found
    for stream, text in found.items():
        if stream in expect:
            assert same(case["order"], expect[stream], text), found
    if patterns := expect.get("stdout_lines_match"):
        lines = found["stdout"].splitlines()
        assert len(lines) == len(patterns), found
        for pattern in patterns:
            assert any(re.fullmatch(pattern, line) for line in lines), (pattern, found)


def test_the_cases_left_out_exist() -> None:
    if CASES:
        assert {case["name"] for case in CASES} >= NEEDS_PROCESSES
