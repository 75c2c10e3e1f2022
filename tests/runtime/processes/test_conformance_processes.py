"""Every program of the conformance folder at once: processes, threads and signals must not notice each other."""

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest

from runtime.abi.filetype import Filetype
from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem
from runtime.stdio import InputBuffer, OutputBuffer

TERMINAL = Filetype.CHARACTER_DEVICE
ROUNDS = int(os.environ.get("WPM_CONFORMANCE_ROUNDS", "1"))

# Its output has an order only where a thread that is woken runs within 50 ms.
ALONE = frozenset({"example-condvar"})


@cache
def compiled(path: Path) -> Module:
    return Module.compile(path.read_bytes(), path.name)


def differences(folder: Path, case: dict[str, Any]) -> str:
    """What the program did otherwise than is known of it; empty for nothing."""
    stdout, stderr = OutputBuffer(filetype=TERMINAL), OutputBuffer(filetype=TERMINAL)
    root = TmpFileSystem()
    root.root.mkdir("tmp")
    builder = WasiEnvBuilder("main").args(case["args"]).root(root).stdout(stdout).stderr(stderr)
    builder.stdin(InputBuffer((case["stdin"] or "").encode(), TERMINAL))
    process = builder.build().spawn(compiled(folder / case["file"]))
    try:
        code: object = process.wait(60)
    except TimeoutError as error:
        process.terminate_all()
        code = error
    found = {"exit": code, "stdout": stdout.getvalue().decode(), "stderr": stderr.getvalue().decode()}
    expect = case["expect"]
    same = code == expect["exit"]
    for stream in ("stdout", "stderr"):
        if stream in expect:
            wanted, got = expect[stream], str(found[stream])
            same &= wanted == got if case["order"] == "exact" else sorted(wanted.split("\n")) == sorted(got.split("\n"))
    if patterns := expect.get("stdout_lines_match"):
        lines = str(found["stdout"]).splitlines()
        same &= len(lines) == len(patterns)
        same &= all(any(re.fullmatch(pattern, line) for line in lines) for pattern in patterns)
    return "" if same else f"{case['name']}: {found}, not {expect}"


@pytest.mark.xdist_group("conformance")
@pytest.mark.parametrize("_round", range(ROUNDS))
def test_every_case_beside_the_others(conformance: Path, _round: int) -> None:
    cases = json.loads((conformance / "cases.json").read_text())
    for file in {case["file"] for case in cases}:
        compiled(conformance / file)
    alone = [case for case in cases if case["name"] in ALONE]
    sleepers = [case for case in cases if case["name"].startswith(("example", "threaded")) and case not in alone]
    others = [case for case in cases if case not in alone and case not in sleepers]
    run = partial(differences, conformance)
    with ThreadPoolExecutor(len(sleepers)) as pool, ThreadPoolExecutor(1) as one:
        found = [*pool.map(run, sleepers), *one.map(run, others)]
    found += map(run, alone)
    assert not [each for each in found if each]
