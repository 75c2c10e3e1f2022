"""The work that is measured within one process, warm: the same scripts for both sides."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COREUTILS = ROOT / "registry_fixtures" / "sources" / "coreutils" / "1.0.0" / "coreutils.wasm"
CONFORMANCE = Path(os.environ.get("WPM_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
DASH = CONFORMANCE / "wasm" / "dash.wasm"
APPLETS = ("true", "cat", "head", "wc")


class Work(NamedTuple):
    """A command, how often it runs in one measurement, and what it has to print."""

    title: str
    command: str
    arguments: tuple[str, ...] = ()
    times: int = 1
    prints: str = ""


def _dash(title: str, script: str, prints: str) -> Work:
    return Work(title, "dash", ("-c", script), 1, prints)


WORKS = {
    "spawn": Work("spawn and wait of a cached module, 100 times", "true", (), 100),
    "forks": _dash("100 forks in dash", "i=0; while [ $i -lt 100 ]; do (exit 0); i=$((i+1)); done; echo $i", "100\n"),
    "writes": _dash(
        "20,000 echoes of 22 bytes in dash, captured",
        "i=0; while [ $i -lt 20000 ]; do echo 123456789012345678901; i=$((i+1)); done",
        "123456789012345678901\n" * 20000,
    ),
    "loop": _dash(
        "100,000 turns of a counting loop in dash",
        "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; echo $i",
        "100000\n",
    ),
    "pipe": _dash("100 MB through two guest pipes", "head -c 100000000 /dev/zero | cat | wc -c", "100000000\n"),
}
