"""What `wpm add` makes of the packages that somebody names: entries of `[dependencies]`, and the lock with them.

| asked for | written |
| --- | --- |
| `ns/name`, `ns/name@latest` | `"ns/name" = "^1.2.3"`, the newest version that goes with the rest |
| `ns/name@^1` | `"ns/name" = "^1"`, as it was asked for |
| `host:ns/name` | `"ns/name" = "host:ns/name@^1.2.3"` |
| `./dir`, `x.webc`, a URL, `oci://…`, `sha256:…` | the name that the package says it has, and where that is from the project |
| `NAME=…` | any of them under another name |
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.manifest.edit import set_dependency
from pkgmgr.manifest.reader import parse_manifest
from pkgmgr.projects.editing import Edit, text_of
from pkgmgr.registry import open_registries
from pkgmgr.resolution.direct import DirectPackages
from pkgmgr.resolution.locking import known_sources, make_lock
from pkgmgr.source import GLOBAL_NAMESPACE, NamedSource, OciSource, PathSource, check_name, parse_source
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.projects.project import Project
    from pkgmgr.source import PackageSource
    from pkgmgr.store import Store


class Wish(NamedTuple):
    """What somebody wants to add.

    Attributes:
        source: The package.
        alias: The key that it shall have; None is the package's name.
        tag: The requirement as it was typed; empty where there was none, and the newest version is meant.
    """

    source: PackageSource
    alias: str | None = None
    tag: str = ""


class Entry(NamedTuple):
    """A line of `[dependencies]`.

    Attributes:
        alias: Its key.
        value: Its value.
        before: Its value until now; None where it is new.
    """

    alias: str
    value: str
    before: str | None


def parse_wish(text: str) -> Wish:
    """Read one argument of `wpm add`; raises `WpmError` where it is no package source."""
    left, equals, right = text.partition("=")
    alias = None
    if equals and left and right and "://" not in left:
        try:
            alias, text = check_name(left), right
        except WpmError:
            alias = None
    source = parse_source(text)
    tag = text.partition("@")[2].strip() if isinstance(source, NamedSource) else ""
    return Wish(source, alias, "" if tag == "latest" else tag)


def plan_addition(
    project: Project, wishes: Sequence[Wish], store: Store, options: InstallOptions
) -> tuple[Edit, list[Entry]]:
    """Find what wishes mean, and what the project runs on with them.

    Args:
        project: The project.
        wishes: What to add; a path starts at the current directory.
        store: Where packages go that have to be fetched to be known.
        options: The registry, and whether the network may be used.

    Returns:
        The change, and the entries that are new or changed.

    Raises:
        WpmError: A package is not there, or does not go with the others. Nothing was written.
    """
    manifest = project.manifest
    before = text = text_of(project)
    registries = open_registries(
        options.registry, offline=options.offline, include=options.include, store=store, refresh=options.refresh
    )
    known = known_sources(project.lock, project.lock.packages if project.lock else {})
    direct = DirectPackages(registries, store, project.root, known)
    wanted: dict[str, Wish] = {}
    for wish in wishes:
        placed = wish._replace(source=_from(project.root, wish.source))
        alias = wish.alias or _name_of(placed.source, direct)
        if alias == manifest.name:
            raise WpmError(f"{alias}: that is this very package, which cannot depend on itself")
        if alias in wanted:
            raise WpmError(f"{alias}: named twice: once is enough")
        wanted[alias] = placed
    values = {alias: _value(alias, wish, wish.tag or "*") for alias, wish in wanted.items()}
    newest = {wish.source.name for wish in wanted.values() if isinstance(wish.source, NamedSource) and not wish.tag}
    requirements = {**manifest.dependencies, **values}
    lock = make_lock(
        requirements,
        project.root,
        registries,
        store,
        project.lock,
        frozenset(newest),
        resolution=options.resolution,
        manifest=manifest.path,
    )
    for alias, wish in wanted.items():
        if alias in lock.roots and isinstance(wish.source, NamedSource) and not wish.tag:
            version = Version.parse(lock.packages[lock.roots[alias]].version)._replace(build="")
            values[alias] = _value(alias, wish, f"^{version}")
    entries = [Entry(alias, value, manifest.dependencies.get(alias)) for alias, value in values.items()]
    for entry in entries:
        if entry.value != entry.before:
            text = set_dependency(text, manifest.path, entry.alias, entry.value)
    lock = lock._replace(requirements=dict(parse_manifest(text, manifest.path).dependencies))
    return Edit(before, text, lock), entries


def _from(root: Path, source: PackageSource) -> PackageSource:
    """The source as the project's manifest writes it: a relative path starts at the project's folder."""
    if not isinstance(source, PathSource) or source.path.startswith(("/", "~")):
        return source
    relative = os.path.relpath(Path.cwd() / source.path, os.path.realpath(root))
    path = PurePosixPath(relative).as_posix()
    return PathSource(path if path.startswith("..") else f"./{path}")


def _name_of(source: PackageSource, direct: DirectPackages) -> str:
    """The name of the package of a source."""
    if isinstance(source, NamedSource):
        return source.name
    name = direct(source).name
    if not name and isinstance(source, OciSource):
        # Images have no name of their own: what people call them is the last part of their repository.
        name = source.repository.rpartition("/")[2]
    if not name:
        raise WpmError(f"{source}: the package does not say its name: give it one: wpm add NAME={source}")
    return name


def _value(alias: str, wish: Wish, requirement: str) -> str:
    """The value of an entry: a requirement where the key says the rest, else a whole source."""
    source = wish.source
    if not isinstance(source, NamedSource):
        return str(source)
    if source.name == alias and source.registry is None:
        return requirement
    name = source.name if "/" in source.name else f"{GLOBAL_NAMESPACE}/{source.name}"
    return f"{source.registry}:{name}@{requirement}" if source.registry else f"{name}@{requirement}"
