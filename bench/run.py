"""Measure `wpm` beside the official Python SDK of Wasmer, on the same work, and print what came out.

Whole processes, in alternation, so that what else the machine does falls on both; medians, and the peak of resident
memory. `make bench` runs it; the figures go to `bench/results.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
from pathlib import Path

from measure import Figures, measure
from peer import SDK, peer_python
from works import Case, make_cases

HERE = Path(__file__).parent


def main() -> int:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="how often each side runs")
    parser.add_argument("--without-peer", action="store_true", help="measure only wpm")
    arguments = parser.parse_args()
    peer = None if arguments.without_peer else peer_python(HERE / ".venv")
    results = []
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as folder:
        for case in make_cases(Path(folder), peer):
            sides = measure({side: commands for side, commands in case.sides.items() if commands}, arguments.rounds)
            show(case, sides)
            results.append({"case": case.title, **{side: figures._asdict() for side, figures in sides.items()}})
    machine = {
        "system": platform.platform(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "peer": None if peer is None else SDK,
        "rounds": arguments.rounds,
    }
    (HERE / "results.json").write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    return 0


def show(case: Case, sides: dict[str, Figures]) -> None:
    """Print one row for each side, and the ratio."""
    print(f"{case.title:<48} {'median':>9} {'quartiles':>17} {'processor':>12} {'peak memory':>13}")
    for side, figures in sides.items():
        quartiles = f"{figures.low * 1e3:.1f} to {figures.high * 1e3:.1f}"
        print(
            f"  {side:<46} {figures.seconds * 1e3:6.1f} ms {quartiles:>17}"
            f" {figures.processor * 1e3:9.1f} ms {figures.memory / 2**20:9.1f} MiB"
        )
    if {"wpm", "wasmer-sdk"} <= set(sides):
        ours, theirs = sides["wpm"], sides["wasmer-sdk"]
        seconds, processor, memory = (
            mine / other
            for mine, other in (
                (ours.seconds, theirs.seconds),
                (ours.processor, theirs.processor),
                (ours.memory, theirs.memory),
            )
        )
        print(f"  {'ratio':<46} {seconds:9.2f} {'':17} {processor:12.2f} {memory:13.2f}")
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main())
