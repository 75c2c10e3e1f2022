"""Measures both sides within one process each, warm and in alternation: `python bench/warm.py [--rounds N] [WORK...]`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from peer import peer_python
from warm_works import DASH, WORKS

HERE = Path(__file__).parent


class Side:
    """One side: a process that runs a work when it is told to."""

    def __init__(self, *command: str) -> None:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_CACHE"))}
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**bare, "PYTHONPATH": str(HERE.parent)},
        )

    def seconds(self, work: str) -> float:
        """Run a work once."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(work, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())


def main() -> int:
    """Measure; prints medians and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument(
        "--rounds", type=int, default=9, help="how often each side runs each work, after one to warm up"
    )
    parser.add_argument("works", nargs="*", metavar="WORK", help=f"of {', '.join(WORKS)}")
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as cache:
        ours = Side(sys.executable, str(HERE / "warm_ours.py"))
        theirs = Side(str(peer_python(HERE / ".venv")), str(HERE / "warm_peer.py"), cache)
        for name in arguments.works or WORKS:
            work = WORKS[name]
            if work.command == "dash" and not DASH.is_file():
                print(f"{work.title}: left out, {DASH.name} is not here")
                continue
            pairs = [(ours.seconds(name), theirs.seconds(name)) for _ in range(arguments.rounds + 1)][1:]
            mine, other = (median(side) * 1000 / work.times for side in zip(*pairs, strict=True))
            results[name] = {"wpm": mine, "wasmer-sdk": other, "ratio": mine / other}
            print(
                f"{work.title:<48} wpm {mine:9.2f} ms   wasmer-sdk {other:9.2f} ms   ratio {mine / other:.2f}",
                flush=True,
            )
    (HERE / "warm.json").write_text(json.dumps(results, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
