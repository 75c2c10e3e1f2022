"""Measure resolution at scale: a registry of 2,000 packages with 20 versions each, 12 deep and 400 wide, all of them needed.

`python bench/resolution.py [--rounds N]` prints how long whole processes take and writes `bench/resolution.json`: `wpm lock`
without a lock, from a directory with and without indexes and from a server on the loopback, with nothing known and with
everything known but not known to be right, and `wpm install --locked` with everything installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import Command, Figures, measure
from synthetic import WIDTHS, make_graph, write_project, write_registry
from works.setting import ROOT, WPM

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
LOCK: Final = [
    sys.executable,
    "-c",
    "import sys, pathlib; pathlib.Path('wasmer.lock').unlink(missing_ok=True); "
    "from pkgmgr.cli.main import script; script()",
    "lock",
]
COLD: Final = [
    *LOCK[:2],
    "import os, shutil; shutil.rmtree(os.environ['WPM_CACHE_DIR'] + '/metadata', ignore_errors=True); " + LOCK[2],
    *LOCK[3:],
]
GOALS: Final = {"resolve": 3.0, "check": 0.3}
"""How many seconds it may take."""


def main() -> int:
    """Measure; prints one line for each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each case runs, after two that do not count")
    rounds = parser.parse_args().rounds
    results = {}
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as name:
        for case, goal, figures in _cases(Path(name), rounds):
            results[case] = {"goal": goal, **figures._asdict()}
            quartiles = f"{figures.low * 1e3:.0f} to {figures.high * 1e3:.0f}"
            print(
                f"{case:<52} {figures.seconds * 1e3:7.0f} ms {quartiles:>14} processor {figures.processor * 1e3:7.0f} ms"
                f" {figures.memory / 2**20:6.1f} MiB   ratio to {goal} s {figures.seconds / goal:.2f}",
                flush=True,
            )
    packages = {"packages": sum(WIDTHS), "deep": len(WIDTHS), "wide": max(WIDTHS), "rounds": rounds}
    machine = {"system": platform.platform(), "python": platform.python_version(), **packages}
    (HERE / "resolution.json").write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    return 0


def _cases(folder: Path, rounds: int) -> Iterator[tuple[str, float, Figures]]:
    registry, project = folder / "registry", folder / "project"
    graph = make_graph()
    write_registry(graph, registry)
    write_project(graph, project)
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_"))}
    environment = {
        **bare,
        "PYTHONPATH": str(ROOT),
        "WPM_CACHE_DIR": str(folder / "store"),
        "WPM_CONFIG_DIR": str(folder),
    }
    expected = f"{sum(WIDTHS)} packages".encode()

    def lock(place: str | Path, words: list[str] = LOCK) -> dict[str, Command]:
        return {"wpm": Command([*words, "--registry", str(place)], project, environment, expected)}

    yield "resolve, from a directory", GOALS["resolve"], measure(lock(registry), rounds)["wpm"]
    words = [*WPM, "registry", "index", str(registry)]
    subprocess.run(words, check=True, env=environment, stdout=subprocess.DEVNULL)
    yield "resolve, from a directory with indexes", GOALS["resolve"], measure(lock(registry), rounds)["wpm"]
    with _server(registry, environment) as url:
        yield "resolve, from a server, nothing known", GOALS["resolve"], measure(lock(url, COLD), rounds)["wpm"]
        yield "resolve, from a server, metadata revalidated", GOALS["resolve"], measure(lock(url), rounds)["wpm"]
    install = [*WPM, "install", "--registry", str(registry)]
    subprocess.run(
        [*LOCK, "--registry", str(registry)], check=True, env=environment, cwd=project, stdout=subprocess.DEVNULL
    )
    subprocess.run(install, check=True, env=environment, cwd=project, stdout=subprocess.DEVNULL)
    check = Command([*install, "--locked"], project, environment, b"nothing to do")
    yield "install --locked, everything is installed", GOALS["check"], measure({"wpm": check}, rounds)["wpm"]


@contextmanager
def _server(registry: Path, environment: dict[str, str]) -> Iterator[str]:
    """A server on the loopback, in a process of its own; gives the URL of its registry."""
    words = [*WPM, "registry", "serve", str(registry), "--port", "0", "--json"]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    raise SystemExit(main())
