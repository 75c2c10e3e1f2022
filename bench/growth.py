"""How the costs grow: `python bench/growth.py [--quick]` measures each at many sizes, and writes `bench/growth.json`.

Guests that live at the same time (time to start them, memory), packages to resolve, layers and files of an overlay.
Of each the exponent is told: the slope of the curve where both axes are logarithmic, over its upper half, where fixed
costs weigh little. One is linear.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from materials import materials
from measure import Command, run
from overlay_lookup import lookup_seconds
from peer import peer_python
from synthetic import WIDTHS, make_graph, write_project, write_registry
from works.setting import BENCH, ROOT, WPM

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
LINEAR: Final = 1.1
"""An exponent up to this is no worse than linear: what is linear measures a little more or less than one."""
PEER_GUESTS: Final = 300
"""How many guests the SDK is asked for: with a thousand in one sandbox it waits for ever."""
FEW_ROUNDS: Final = 3000
"""From so many packages on one round has to do."""
VERSIONS: Final = ("1.4.0", "2.3.0", "2.4.0")
"""The fewest with which the synthetic registry has a resolution that must be searched for."""


class Curve(NamedTuple):
    """What grows.

    Attributes:
        id: A word for it.
        title: What was measured.
        of: What there is more and more of.
        unit: Of the values: `seconds` or `bytes`.
        points: Sizes, each with the value.
    """

    id: str
    title: str
    of: str
    unit: str
    points: dict[int, float]

    @property
    def exponent(self) -> float:
        """The slope over the upper half of the sizes."""
        sizes = sorted(self.points)
        return exponent({size: self.points[size] for size in sizes[(len(sizes) - 1) // 2 :]})


def exponent(points: dict[int, float]) -> float:
    """The slope of the line through the points, on two logarithmic axes."""
    sizes = [log(size) for size in points]
    return statistics.linear_regression(sizes, [log(max(value, 1e-12)) for value in points.values()]).slope


def main() -> int:
    """Measure all curves; fails where one is worse than linear."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="only small sizes, and write nothing")
    parser.add_argument("--without-peer", action="store_true", help="measure only wpm")
    arguments = parser.parse_args()
    largest = 100 if arguments.quick else 100_000
    peer = None if arguments.without_peer else peer_python(HERE / ".venv")
    found: dict[str, dict[str, object]] = {}
    worse = 0
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as name:
        for curve in curves(Path(name), peer, largest):
            verdict = "linear or better" if curve.exponent <= LINEAR else "WORSE THAN LINEAR"
            worse += curve.exponent > LINEAR and not curve.id.endswith(".peer")
            points = "  ".join(f"{size}: {shown(value, curve.unit)}" for size, value in curve.points.items())
            print(f"{curve.title:<48} {points}  exponent {curve.exponent:.2f}: {verdict}", flush=True)
            found[curve.id] = {**curve._asdict(), "exponent": curve.exponent}
    if not arguments.quick:
        (HERE / "growth.json").write_text(json.dumps(found, indent=1) + "\n")
    return 1 if worse else 0


def curves(folder: Path, peer: Path | None, largest: int) -> Iterator[Curve]:
    """All of them."""
    yield from guests("wpm", [sys.executable, str(BENCH / "idle_ours.py")], _ours(folder), largest)
    if peer is not None:
        words = [str(peer), str(BENCH / "idle_peer.py"), str(folder / "peer-cache")]
        yield from guests("wasmer-sdk", words, _bare(), min(largest, PEER_GUESTS))
    yield resolution(folder, largest)
    yield Curve(
        "layers",
        "overlay: first look at a name",
        "layers",
        "seconds",
        {layers: lookup_seconds(layers, 1000) for layers in (1, 3, 10, 30, 100)},
    )
    yield Curve(
        "files",
        "overlay of 10 layers: first look at a name",
        "files",
        "seconds",
        {files: lookup_seconds(10, files) for files in (10, 100, 1000, 10_000, 100_000) if files <= largest},
    )


def guests(side: str, words: list[str], environment: dict[str, str], largest: int) -> Iterator[Curve]:
    """Starting guests that wait for input, and what they add to the process: the median of three processes each."""
    file = materials("coreutils")["coreutils"]
    seconds, memory = {}, {}
    for count in (1, 3, 10, 30, 100, 300, 1000):
        if count > largest:
            break
        done = []
        for _ in range(3):
            command = Command([*words, str(file), str(count)], BENCH, environment, f"{count} alive".encode())
            done.append([float(word) for word in run(command).written.split()[-2:]])
        seconds[count] = statistics.median(took for took, _ in done)
        memory[count] = max(statistics.median(grown for _, grown in done), 1.0)
    suffix = "" if side == "wpm" else ".peer"
    yield Curve("spawn" + suffix, f"{side}: starting guests that live on", "guests", "seconds", seconds)
    yield Curve("memory" + suffix, f"{side}: memory of guests that live", "guests", "bytes", memory)


def resolution(folder: Path, largest: int) -> Curve:
    """`wpm lock` as a whole process, from a directory, three versions of each package; time on processors."""
    points = {}
    for count in (10, 100, 300, 1000, 3000, 10_000):
        if count > largest:
            break
        place = folder / f"of-{count}"
        place.mkdir()
        graph = make_graph(scaled(count), versions=VERSIONS, majors_chosen="2")
        write_registry(graph, place / "registry")
        write_project(graph, place / "project")
        environment = {**_ours(folder), "WPM_CONFIG_DIR": str(folder)}
        lock = place / "project" / "wasmer.lock"
        command = Command(
            [*WPM, "lock", "--registry", str(place / "registry")],
            place / "project",
            environment,
            f"{len(graph.needs)} packages".encode(),
            lambda lock=lock: lock.unlink(missing_ok=True),  # type: ignore[misc]
        )
        rounds = 3 if count < FEW_ROUNDS else 1
        points[len(graph.needs)] = statistics.median(run(command).processor for _ in range(rounds))
    return Curve("resolution", "resolving, `wpm lock` as a whole process", "packages", "seconds", points)


def scaled(count: int) -> tuple[int, ...]:
    """The shape of the synthetic registry with about so many packages."""
    return tuple(max(1, round(width * count / sum(WIDTHS))) for width in WIDTHS)


def shown(value: float, unit: str) -> str:
    """A value as people read it."""
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if value < 1e-3:
        return f"{value * 1e6:.1f} us"
    return f"{value * 1e3:.1f} ms" if value < 1 else f"{value:.2f} s"


def _bare() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_"))}


def _ours(folder: Path) -> dict[str, str]:
    return {**_bare(), "PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(folder / "store")}


if __name__ == "__main__":
    raise SystemExit(main())
