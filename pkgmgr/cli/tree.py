"""`wpm tree`: the packages of a project, each below those that need it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pkgmgr.cli.options import add_json, add_project, add_registry

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from pkgmgr.lockfile import Lockfile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `wpm tree`."""
    add_project(parser)
    add_registry(parser)
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tree of what is locked, or of what would be."""
    from pkgmgr.cli.output import can_draw, print_json, print_text
    from pkgmgr.install import InstallOptions, plan
    from pkgmgr.project import Project
    from pkgmgr.store import Store

    project = Project.open(arguments.project)
    lock = plan(project, Store.default(), InstallOptions(registry=arguments.registry, offline=arguments.offline))
    manifest = project.manifest
    title = manifest.name or project.root.name
    if arguments.json:
        packages = {
            package.id: {
                "source": package.source,
                "sha256": package.sha256,
                "size": package.size,
                "dependencies": dict(package.dependencies),
            }
            for package in lock.packages.values()
        }
        print_json({"name": title, "version": manifest.version, "roots": dict(lock.roots), "packages": packages})
        return 0
    print_text(title + (f" {manifest.version}" if manifest.version else ""))
    for line in draw(lock, drawing=can_draw()):
        print_text(line)
    return 0


def draw(lock: Lockfile, *, drawing: bool) -> Iterator[str]:
    """The lines of the tree; a package that was shown with its dependencies is not unfolded again."""
    branch, last, bar = ("├── ", "└── ", "│   ") if drawing else ("|-- ", "`-- ", "|   ")
    shown: set[str] = set()
    levels: list[tuple[str, list[tuple[str, str]]]] = [("", _entries(lock.roots))]
    while levels:
        indent, entries = levels[-1]
        if not entries:
            levels.pop()
            continue
        alias, package = entries.pop(0)
        below = lock.packages[package].dependencies
        again = bool(below) and package in shown
        shown.add(package)
        known_as = "" if alias in (package.rpartition("@")[0], package) else f" as {alias}"
        label = package.replace("@", " ") if not package.startswith("sha256:") else package[:19]
        yield f"{indent}{branch if entries else last}{label}{known_as}{' (*)' if again else ''}"
        if below and not again:
            levels.append((indent + (bar if entries else "    "), _entries(below)))


def _entries(dependencies: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(dependencies.items(), key=lambda entry: (entry[1], entry[0]))
