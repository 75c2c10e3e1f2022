"""The files of a project that travel with its environment: all that its manifest names, and those of what it depends on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from pkgmgr.building.ignore import FILE_NAME as IGNORE_FILE
from pkgmgr.building.ignore import Ignored
from pkgmgr.building.tree import Link, TreeReader
from pkgmgr.environments.archive import MOST_FILES, is_inner_link
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import PATH
from pkgmgr.manifest.model import AnnotationsFile
from pkgmgr.manifest.names import shown
from pkgmgr.manifest.paths import inside, resolve_inside

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pkgmgr.building.tree import Tree
    from pkgmgr.locks.lockfile import Lockfile
    from pkgmgr.manifest import ProjectManifest
    from pkgmgr.projects.project import Project

Found: TypeAlias = "Path | Link | None"
"""A file of the host, a symbolic link, or None for a directory."""

_TOP: Final = ""


def project_files(project: Project, lock: Lockfile, skip: Iterable[Path] = ()) -> tuple[dict[str, Found], list[str]]:
    """What travels of a project, by its path in the project, and one line for each dependency whose files do not.

    A directory that the project depends on travels when it is below the project, and so does a package file. What is
    elsewhere is in the environment as the package that it was, and runs as that.

    Args:
        project: The project.
        lock: Its lock.
        skip: Files that never travel: the one that is being written.

    Raises:
        WpmError: A file is missing or leads out of its package, or there are too many.
    """
    collecting = _Collecting(tuple(skip))
    collecting.add_package(project.manifest, _TOP)
    collecting.files[project.lock_path.name] = project.lock_path
    notes = []
    for package in lock.packages.values():
        if not package.source.startswith(PATH):
            continue
        text = package.source.removeprefix(PATH)
        below = None if text.startswith("~") else inside(text)
        path = project.root / below if below else None
        if below is None or path is None or not path.exists():
            notes.append(
                f"{package.id}: {text} is not in the project: it travels as the package that it is, unchangeable"
            )
        elif path.is_dir():
            from pkgmgr.manifest import load_manifest

            collecting.add_package(load_manifest(path), below)
        else:
            collecting.files.setdefault(below, path)
    return collecting.finished(), notes


class _Collecting:
    def __init__(self, skip: tuple[Path, ...]) -> None:
        self.files: dict[str, Found] = {}
        self._skip = skip

    def add_package(self, manifest: ProjectManifest, below: str) -> None:
        """Add what a build of a package reads."""
        root = manifest.directory
        self.files[_joined(below, manifest.path.name)] = manifest.path
        reader = TreeReader(root.resolve(), self._skip)
        for mapping in manifest.fs:
            if mapping.host is None:
                continue
            tree = reader.read(mapping.host, f"{manifest.path}: fs.{shown(mapping.guest)}", Ignored())
            is_file = (root / mapping.host).is_file()
            folder = mapping.host.rpartition("/")[0] if is_file else mapping.host
            self._add_tree(tree, _joined(below, folder))
            self._add_ignores(root, below, folder)
        for key, relative in _named(manifest):
            path = resolve_inside(root, relative, f"{manifest.path}: {key}")
            self.files.setdefault(_joined(below, relative), path)

    def finished(self) -> dict[str, Found]:
        """All of it with the directories on the way, in order; what links lead to is there once."""
        links = {path: found.target for path, found in self.files.items() if isinstance(found, Link)}
        for path, target in links.items():
            if not is_inner_link(path, target):
                raise WpmError(
                    f"{path}: the link to {shown(target)} cannot travel: let it lead downwards in the project"
                )
        found: dict[str, Found] = {}
        for path, file in self.files.items():
            above = list(_above(path))
            # The same file is there under its own name: a link that stays one leads into the tree that it is in.
            if any(each in links for each in above):
                continue
            if ".git" in path.lower().split("/"):
                raise WpmError(f"{path}: version control cannot travel: leave it out with a line .git in {IGNORE_FILE}")
            found |= dict.fromkeys((each for each in above if each not in found), None)
            if path:
                found[path] = file
        if len(found) > MOST_FILES:
            raise WpmError(
                f"the project has {len(found)} files, more than the {MOST_FILES} that an environment may have"
            )
        return found

    def _add_tree(self, tree: Tree, below: str) -> None:
        waiting: list[tuple[str, Tree]] = [(below, tree)]
        while waiting:
            folder, entries = waiting.pop()
            self.files.setdefault(folder, None)
            for name, entry in entries.items():
                path = _joined(folder, name)
                if isinstance(entry, dict):
                    waiting.append((path, entry))
                else:
                    self.files[path] = entry

    def _add_ignores(self, root: Path, below: str, folder: str) -> None:
        """The files that say what is left out: of a mapped directory, and of those on the way to it."""
        for each in (_TOP, *_above(folder), folder):
            path = root / each / IGNORE_FILE
            if path.is_file():
                self.files.setdefault(_joined(below, _joined(each, IGNORE_FILE)), path)


def _named(manifest: ProjectManifest) -> Iterator[tuple[str, str]]:
    """The files that a manifest names, with the keys that do."""
    for key, path in (("package.readme", manifest.readme), ("package.license-file", manifest.license_file)):
        if path is not None:
            yield key, path
    for index, module in enumerate(manifest.modules):
        yield f"module[{index}].source", module.source
        if module.bindings is not None:
            for path in (module.bindings.exports, *module.bindings.imports):
                if path is not None:
                    yield f"module[{index}].bindings", path
    for index, command in enumerate(manifest.commands):
        if isinstance(command.annotations, AnnotationsFile):
            yield f"command[{index}].annotations", command.annotations.file


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


def _above(path: str) -> Iterator[str]:
    """The directories that a path lies in, the highest first, without the top."""
    parts = path.split("/")
    for number in range(1, len(parts)):
        yield "/".join(parts[:number])
