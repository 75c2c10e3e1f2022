"""`wpm tree`: the packages of a project, each below those that need it, or the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pkgmgr.cli.options import add_json, add_project, add_registry, number_from

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pkgmgr.locks.dependents import Chain, Dependents, Edge, Requirements
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.projects.project import Project

_ALL = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm tree`."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--invert",
        nargs="?",
        const=_ALL,
        metavar="PKG",
        help="show who needs PKG, each below what it needs; without PKG that of every package that needs nothing",
    )
    how.add_argument(
        "--why", metavar="PKG", help="show the chains from the project to PKG, and what each need asks for"
    )
    parser.add_argument("--depth", type=_depth, metavar="N", help="show N levels below the top")
    add_project(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tree of what is locked, or of what would be."""
    from pkgmgr.cli.output import can_draw, print_json, print_text
    from pkgmgr.installing.install import plan
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.locks.dependents import Dependents, Requirements, find_locked
    from pkgmgr.projects.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    store = Store.default()
    lock = plan(project, store, InstallOptions(registry=arguments.registry, offline=arguments.offline))
    if arguments.why is not None:
        requirements = Requirements(lock, store)
        return _why(project, Dependents(lock), find_locked(lock, arguments.why).id, requirements, arguments.json)
    if arguments.invert is not None:
        dependents = Dependents(lock)
        tops = dependents.leaves() if arguments.invert == _ALL else [find_locked(lock, arguments.invert).id]
        if arguments.json:
            shown = _within(tops, lambda each: _dependents(dependents, each), arguments.depth)
            print_json(_inverted_json(project, dependents, tops, shown))
            return 0
        for top in tops:
            print_text(_label(top))
            for line in _inverted(project, dependents, top, can_draw(), arguments.depth):
                print_text(line)
        return 0
    if arguments.json:
        roots = list(lock.roots.values()) if arguments.depth != 0 else []
        depth = None if arguments.depth is None else arguments.depth - 1
        ids = _within(roots, lambda each: lock.packages[each].dependencies.values(), depth)
        print_json(_json(project, lock, ids))
        return 0
    print_text(_title(project))
    for line in draw(lock, drawing=can_draw(), depth=arguments.depth):
        print_text(line)
    return 0


def draw(lock: Lockfile, *, drawing: bool, depth: int | None = None) -> Iterator[str]:
    """The lines of the tree; a package that was shown with its dependencies is not unfolded again."""
    from pkgmgr.cli.drawing import drawn

    entries = {package.id: _entries(package.dependencies) for package in lock.packages.values()}
    return drawn(_entries(lock.roots), entries.__getitem__, drawing=drawing, depth=depth)


def _entries(dependencies: Mapping[str, str]) -> list[tuple[str, str]]:
    needs = sorted(dependencies.items(), key=lambda entry: (entry[1], entry[0]))
    return [(package, _label(package) + _known_as(alias, package)) for alias, package in needs]


def _label(package: str) -> str:
    return package.replace("@", " ") if not package.startswith("sha256:") else package[:19]


def _known_as(alias: str, package: str) -> str:
    return "" if alias in (package.rpartition("@")[0], package) else f" as {alias}"


def _title(project: Project) -> str:
    manifest = project.manifest
    return (manifest.name or project.root.name) + (f" {manifest.version}" if manifest.version else "")


def _depth(text: str) -> int:
    """The type of `--depth`: a number from 0."""
    return number_from(text, 0)


def _inverted(project: Project, dependents: Dependents, top: str, drawing: bool, depth: int | None) -> Iterator[str]:
    from pkgmgr.cli.drawing import drawn

    def below(package: str) -> list[tuple[str, str]]:
        return [(edge.dependent or "", _dependent(project, dependents.lock, edge)) for edge in dependents.of(package)]

    return drawn(below(top), below, drawing=drawing, depth=depth)


def _dependent(project: Project, lock: Lockfile, edge: Edge) -> str:
    """Who needs something, and as what; of the project also what it asks for."""
    if edge.dependent is not None:
        return _label(edge.dependent) + _known_as(edge.alias, edge.package)
    return f'{_title(project)} (needs {edge.alias} "{lock.requirements[edge.alias]}")'


def _dependents(dependents: Dependents, package: str) -> Iterator[str]:
    return (edge.dependent for edge in dependents.of(package) if edge.dependent is not None)


def _within(tops: Iterable[str], below: Callable[[str], Iterable[str]], depth: int | None) -> set[str]:
    """The packages that are at most so many levels below the top ones."""
    found: set[str] = set()
    layer = list(dict.fromkeys(tops))
    while layer:
        found.update(layer)
        if depth is not None and depth <= 0:
            break
        depth = None if depth is None else depth - 1
        layer = [
            each for each in dict.fromkeys(need for package in layer for need in below(package)) if each not in found
        ]
    return found


def _why(project: Project, dependents: Dependents, package: str, requirements: Requirements, as_json: bool) -> int:
    from pkgmgr.cli.output import print_json, print_text
    from pkgmgr.locks.dependents import shortest_chains

    chains, count = shortest_chains(dependents, package)
    if as_json:
        print_json(
            {"package": package, "chains": [_chain_json(chain, requirements) for chain in chains], "count": count}
        )
        return 0
    for number, chain in enumerate(chains):
        if number:
            print_text("")
        print_text(_title(project))
        for level, edge in enumerate(chain):
            asked = requirements.of(edge)
            need = f"needs {edge.alias}" + ("" if asked is None else f' "{asked}"')
            print_text(f"{'  ' * (level + 1)}{need} -> {_label(edge.package)}")
    if count > len(chains):
        print_text(
            f"\nand {count - len(chains)} longer chains: wpm tree --invert {package.rpartition('@')[0] or package}"
        )
    return 0


def _chain_json(chain: Chain, requirements: Requirements) -> list[dict[str, str | None]]:
    return [
        {
            "dependent": edge.dependent,
            "alias": edge.alias,
            "requirement": requirements.of(edge),
            "package": edge.package,
        }
        for edge in chain
    ]


def _json(project: Project, lock: Lockfile, ids: set[str]) -> dict[str, Any]:
    packages = {
        package.id: {
            "source": package.source,
            "sha256": package.sha256,
            "size": package.size,
            "dependencies": dict(package.dependencies),
        }
        for package in lock.packages.values()
        if package.id in ids
    }
    manifest = project.manifest
    return {
        "name": manifest.name or project.root.name,
        "version": manifest.version,
        "roots": dict(lock.roots),
        "packages": packages,
    }


def _inverted_json(project: Project, dependents: Dependents, tops: list[str], shown: set[str]) -> dict[str, Any]:
    needed_by = {
        package: [{"dependent": edge.dependent, "alias": edge.alias} for edge in dependents.of(package)]
        for package in dependents.lock.packages
        if package in shown
    }
    manifest = project.manifest
    return {
        "name": manifest.name or project.root.name,
        "version": manifest.version,
        "tops": tops,
        "needed_by": needed_by,
    }
