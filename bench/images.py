"""Measure images at scale: 200 packages with 50,000 files, as a directory beside `cp -a`, and as a tar beside GNU tar.

`python bench/images.py [--rounds N]` prints how long whole processes take and how much memory, and writes `bench/images.json`.
Both sides write the same tree to the same disk, from warm caches: `wpm` out of the store's packages, the others out of the
directory that `wpm` wrote. The first build of an image finds no tables of its packages' layers in the store, and makes them.
What is removed before each run does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import tempfile
from multiprocessing import Pool
from pathlib import Path
from typing import TYPE_CHECKING, Final

from measure import Command, Figures, measure
from works.setting import ROOT, WPM

from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE: Final = Path(__file__).parent
PACKAGES: Final = 200
FILES: Final = 250
"""How many files a package has."""
MEMORY: Final = 200 << 20
"""How many bytes of memory it may take."""
_MEDIAN: Final = 1500
_SPREAD: Final = 1.6
_LARGEST: Final = 2_000_000
_WORDS: Final = b"the quick brown fox jumps over the lazy dog and comes back again\n"


def main() -> int:
    """Measure; prints a line for each case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="how often each side runs, after two that do not count")
    parser.add_argument("--where", type=Path, help="the directory to work in (default: that for temporary files)")
    arguments = parser.parse_args()
    results: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix="wpm-bench-", dir=arguments.where) as name:
        kind = subprocess.check_output(["stat", "--file-system", "--format=%T", name], text=True).strip()
        size, cases = _cases(Path(name))
        for case, sides in cases:
            figures = measure(sides, arguments.rounds)
            results[case] = {side: each._asdict() for side, each in figures.items()}
            (ours, other) = (figures["wpm"], next(each for side, each in figures.items() if side != "wpm"))
            results[case]["ratio"] = ours.seconds / other.seconds
            for side, each in figures.items():
                print(_line(f"{case}, {side}", each), flush=True)
            fits = "" if ours.memory < MEMORY else ": more than it may take"
            print(f"{case}: ratio {ours.seconds / other.seconds:.2f}, {ours.memory / 2**20:.0f} MiB{fits}", flush=True)
    machine = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "disk": kind,
        "packages": PACKAGES,
        "files": PACKAGES * FILES,
        "bytes": size,
        "rounds": arguments.rounds,
    }
    (HERE / "images.json").write_text(json.dumps({"machine": machine, "results": results}, indent=2) + "\n")
    return 0


def _cases(folder: Path) -> tuple[int, Iterator[tuple[str, dict[str, Command]]]]:
    """How many bytes the files have, and what is compared."""
    registry, project, tree = folder / "registry", folder / "project", folder / "tree"
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_"))}
    environment = {
        **bare,
        "PYTHONPATH": str(ROOT),
        "WPM_CACHE_DIR": str(folder / "store"),
        "WPM_CONFIG_DIR": str(folder),
    }
    write_packages(registry, project)

    def wpm(*words: str) -> None:
        subprocess.run(
            [*WPM, *words, "--registry", str(registry)],
            check=True,
            cwd=project,
            env=environment,
            stdout=subprocess.DEVNULL,
        )

    wpm("install", "--no-compile")
    wpm("rootfs", "build", "-o", str(tree))
    files = [path for path in tree.rglob("*") if path.is_file()]
    assert len(files) >= PACKAGES * FILES
    build = [*WPM, "rootfs", "build", "--registry", str(registry), "--locked", "-o"]

    def cases() -> Iterator[tuple[str, dict[str, Command]]]:
        out, copy = folder / "out", folder / "copy"
        yield (
            "dir",
            {
                "cp -a": Command(["cp", "-a", str(tree), str(copy)], folder, environment, b"", _without(copy)),
                "wpm": Command([*build, str(out)], project, environment, b"files", _without(out)),
            },
        )
        ours, theirs = folder / "out.tar", folder / "copy.tar"
        words = ["tar", "--create", "--file", str(theirs), "--directory", str(tree), "."]
        for case, gone in (("tar", [ours]), ("tar, first build", [ours, folder / "store" / "layers"])):
            yield (
                case,
                {
                    "GNU tar": Command(words, folder, environment, b"", _without(theirs)),
                    "wpm": Command([*build, str(ours)], project, environment, b"sha256:", _without(*gone)),
                },
            )

    return sum(path.stat().st_size for path in files), cases()


def write_packages(registry: Path, project: Path, packages: int = PACKAGES, files: int = FILES) -> None:
    """Write a directory registry, on all processors, and a project that needs all of it."""
    names = [f"bench/package{number}" for number in range(packages)]
    with Pool() as pool:
        pool.starmap(_write_package, [(registry, name, number, files) for number, name in enumerate(names)], 4)
    project.mkdir()
    lines = ["[dependencies]", *(f'"{name}" = "^1"' for name in names)]
    (project / "wasmer.toml").write_text("\n".join(lines) + "\n")


def _write_package(registry: Path, name: str, number: int, files: int) -> None:
    """A package as they are: most files are small, a few are large; one directory for ten files."""
    chance = random.Random(number)
    path = registry / "packages" / name / "1.0.0.webc"
    path.parent.mkdir(parents=True)
    tree: dict[str, dict[str, bytes]] = {}
    for each in range(files):
        size = min(int(chance.lognormvariate(0, _SPREAD) * _MEDIAN), _LARGEST)
        folder = tree.setdefault(f"module{each // 10}", {})
        folder[f"file{each}.py"] = (f"# {name} {each}\n".encode() + _WORDS * (size // len(_WORDS) + 1))[:size]
    annotations = {
        "wapm": {"name": name, "version": "1.0.0", "description": "One of many."},
        "fs": [{"from": None, "volume_name": "/lib", "host_path": "/", "mount_path": f"/usr/lib/package{number}"}],
    }
    write_container(path, manifest={"package": annotations}, atoms={}, volumes={"/lib": dict(tree)})


def _without(*paths: Path) -> Callable[[], None]:
    def remove() -> None:
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            path.unlink(missing_ok=True)
        # What is still to be written of the run before is not to be paid by this one.
        os.sync()

    return remove


def _line(case: str, figures: Figures) -> str:
    quartiles = f"{figures.low * 1e3:.0f} to {figures.high * 1e3:.0f}"
    return (
        f"{case:<25} {figures.seconds * 1e3:7.0f} ms {quartiles:>14} processor {figures.processor * 1e3:7.0f} ms"
        f" {figures.memory / 2**20:6.1f} MiB"
    )


if __name__ == "__main__":
    raise SystemExit(main())
