"""A registry that nobody published: thousands of packages with twenty versions each, as layers that need one another.

There is a version of every package, chosen beforehand, with which all the others get along: so there is a resolution.
The newest version of some asks for what nobody else can have, so that it has to be searched for.
"""

from __future__ import annotations

import random
from functools import partial
from multiprocessing import Pool
from typing import TYPE_CHECKING, Final, NamedTuple

from webc_parser.writer import write_container

if TYPE_CHECKING:
    from pathlib import Path

WIDTHS: Final = (40, 80, 140, 200, 280, 400, 300, 220, 140, 100, 60, 40)
"""How many packages there are at each depth: 2,000 in all, 12 deep, 400 where it is widest."""
VERSIONS: Final = tuple(f"{major}.{minor}.0" for major in range(1, 5) for minor in range(5))
_MODULE: Final = b"\0asm\x01\0\0\0"
_NEEDS: Final = 3
_STUBBORN: Final = 50
"""One in so many packages has a newest version that gets along with nobody."""


class Graph(NamedTuple):
    """Which package needs what.

    Attributes:
        roots: What a project asks for to need all of the packages.
        needs: For each package and each of its versions what that needs: package name to requirement.
    """

    roots: dict[str, str]
    needs: dict[str, dict[str, dict[str, str]]]


def make_graph(
    widths: tuple[int, ...] = WIDTHS, seed: int = 1, versions: tuple[str, ...] = VERSIONS, majors_chosen: str = "234"
) -> Graph:
    """Think of a registry; the same one for the same arguments.

    Args:
        widths: How many packages there are at each depth.
        seed: Another number is another registry.
        versions: Of each package; those of the major versions that may be chosen, and of 1, with `.4.0` and something older.
        majors_chosen: The major versions, of which one of each package is the one that gets along with the others.
    """
    chance = random.Random(seed)
    layers = [[f"layer{depth}/package{number}" for number in range(width)] for depth, width in enumerate(widths)]
    majors = {name: chance.choice(majors_chosen) for layer in layers for name in layer}
    needs: dict[str, dict[str, dict[str, str]]] = {}
    for depth, layer in enumerate(layers):
        below = layers[depth + 1] if depth + 1 < len(layers) else []
        needed: dict[str, set[str]] = {name: set() for name in layer}
        # Everything below is needed by somebody, and everybody needs a few.
        for number, name in enumerate(below):
            needed[layer[number % len(layer)]].add(name)
        for name in layer:
            while len(needed[name]) < min(_NEEDS, len(below)):
                needed[name].add(chance.choice(below))
            needs[name] = {version: _requirements(version, needed[name], majors, name, chance) for version in versions}
    shared = layers[-1]
    for name in chance.sample([name for layer in layers[:-1] for name in layer], sum(widths) // _STUBBORN):
        newest = f"{majors[name]}.{4}.0"
        needs[name][newest] = needs[name][newest] | {chance.choice(shared): "^1"}
    return Graph({name: f"^{majors[name]}" for name in layers[0]}, needs)


def _requirements(
    version: str, needed: set[str], majors: dict[str, str], name: str, chance: random.Random
) -> dict[str, str]:
    """What a version of the major version that was chosen needs; an older one needs what is older."""
    older = int(majors[name]) - int(version[0])
    found = {}
    for other in sorted(needed):
        major = max(1, int(majors[other]) - older)
        found[other] = chance.choice((f"^{major}", f"^{major}.{chance.randrange(3)}", f">={major}.1, <{major + 1}"))
    return found


def write_registry(graph: Graph, root: Path) -> None:
    """Write it as a directory registry, on all processors; every eighth package has a command."""
    with Pool() as pool:
        pool.map(partial(_write_package, root), graph.needs.items(), chunksize=32)


def _write_package(root: Path, entry: tuple[str, dict[str, dict[str, str]]]) -> None:
    name, versions = entry
    folder = root / "packages" / name
    folder.mkdir(parents=True)
    has_command = name.endswith("8")
    for version, needs in versions.items():
        manifest: dict[str, object] = {
            "package": {"wapm": {"name": name, "version": version, "description": f"Number {name} of many."}},
            "use": {other: f"{other}@{requirement}" for other, requirement in needs.items()},
        }
        if has_command:
            command = name.rpartition("/")[2]
            atom = {"atom": {"name": "module", "dependency": None}}
            manifest["commands"] = {command: {"runner": "https://webc.org/runner/wasi", "annotations": atom}}
            manifest["entrypoint"] = command
        atoms = {"module": _MODULE} if has_command else {}
        write_container(folder / f"{version}.webc", manifest=manifest, atoms=atoms, volumes={})


def write_project(graph: Graph, root: Path) -> None:
    """Write the project that needs all of it."""
    root.mkdir()
    lines = ["[dependencies]", *(f'"{name}" = "{requirement}"' for name, requirement in graph.roots.items())]
    (root / "wasmer.toml").write_text("\n".join(lines) + "\n")
