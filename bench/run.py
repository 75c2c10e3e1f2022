"""Measure `wpm` beside `wasmer-sdk`, Wasmer's own runtime behind a Python API, on the works of `works/`.

    python bench/run.py [--rounds N] [--only B6,B7.pipe] [--quick] [--code DIRECTORY]

The sides do the same work in turn, so that what else the machine does falls on all of them. A row for each work is
printed; all of them together go to `bench/results.json`, those of `--only` are put among what is there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Figures, measure_sides
from peer import SDK, peer_python
from quantities import quantity
from works.process_works import process_works
from works.rows import OURS, THEIRS, Row, Work
from works.server_works import server_works
from works.setting import ROOT, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
LEAST = 3
"""Rounds of a work that is done less often than others."""


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each side does each work (default 9)")
    parser.add_argument("--quick", action="store_true", help="three rounds of each")
    parser.add_argument("--only", metavar="ID,ID", help="works by their ids or beginnings of ids: B6, B7.pipe")
    parser.add_argument(
        "--code", type=Path, default=ROOT, help="the repository whose code is `wpm` (default: this one)"
    )
    parser.add_argument("--without-peer", action="store_true", help="measure only wpm, and write nothing")
    arguments = parser.parse_args()
    rounds = 3 if arguments.quick else arguments.rounds
    only = tuple(arguments.only.split(",")) if arguments.only else ()
    peer = None if arguments.without_peer else peer_python(HERE / ".venv")
    begin = time.monotonic()
    entries: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as folder:
        setting = Setting(Path(folder), peer, arguments.code.resolve())
        for work in chosen(setting, only):
            for row, entry in measured(work, rounds):
                show(row, entry)
                entries[row.id] = entry
    print(f"{len(entries)} works in {time.monotonic() - begin:.0f} s")
    if peer is not None and arguments.code == ROOT:
        write(entries, rounds, whole=not only)
    return 0


def chosen(setting: Setting, only: tuple[str, ...]) -> Iterator[Work]:
    """The works that are asked for, each made when it is its turn."""
    for works in (process_works, server_works):
        for work in works(setting):
            if not only or any(row.id == name or row.id.startswith(f"{name}.") for row in work.rows for name in only):
                yield work


def measured(work: Work, rounds: int) -> Iterator[tuple[Row, dict[str, object]]]:
    """Do a work; gives its rows, each with what `results.json` says of it."""
    figures: dict[str, Figures] = {}
    missing = work.missing
    if not missing:
        sides = {name: make() for name, make in work.sides.items()}
        try:
            figures = measure_sides(sides, max(LEAST, round(rounds * work.rounds)), work.warm_up)
        except RuntimeError as error:
            # One of them cannot do it, and has said why: the rest of the table is worth having.
            missing = str(error).splitlines()[-1]
    for row in work.rows:
        entry: dict[str, object] = {**row._asdict(), "missing": missing}
        entry["sides"] = {name: each._asdict() for name, each in figures.items()}
        if {OURS, THEIRS} <= set(figures):
            field = {"seconds": "seconds", "memory": "memory", "printed": "printed"}[row.metric]
            ours, theirs = (getattr(figures[side], field) for side in (OURS, THEIRS))
            entry["ratio"] = ours / theirs if theirs else None
            entry["met"] = None if row.aim is None or not theirs else ours / theirs <= row.aim
        yield row, entry


def show(row: Row, entry: dict[str, object]) -> None:
    """Print a row."""
    sides = entry["sides"]
    assert isinstance(sides, dict)
    if entry["missing"]:
        print(f"{row.id:<16} {row.title}: left out: {entry['missing']}", flush=True)
        return
    told = "  ".join(f"{name} {quantity(row._asdict(), each)}" for name, each in sides.items())
    ratio, aim = entry.get("ratio"), row.aim
    verdict = "" if ratio is None else f"  ratio {ratio:.2f}"
    if ratio is not None and aim is not None:
        verdict += f" (aim {aim}: {'met' if entry['met'] else 'MISSED'})"
    print(f"{row.id:<16} {row.title:<56} {told}{verdict}", flush=True)


def write(entries: dict[str, dict[str, object]], rounds: int, *, whole: bool) -> None:
    """Write `results.json`; what was not measured now stays, unless everything was."""
    before = {} if whole or not RESULTS.is_file() else json.loads(RESULTS.read_text()).get("works", {})
    machine = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "peer": SDK,
        "rounds": rounds,
        "load": round(os.getloadavg()[0], 2),
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
    }
    works = {**before, **entries}
    ordered = {name: works[name] for name in sorted(works, key=order)}
    RESULTS.write_text(json.dumps({"machine": machine, "works": ordered}, indent=1) + "\n")


def order(name: str) -> list[tuple[int, str]]:
    """B2 comes before B10, and B10.2MB before B10.26MB."""
    return [(int(number or 0), text) for text, number in re.findall(r"([^0-9]*)([0-9]*)", name)]


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())
