"""Reading a lock that anyone may have written: every value is checked before anything relies on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from binfactory.node import Mount
from pkgmgr.errors import WpmError
from pkgmgr.files.reading import parse_toml
from pkgmgr.locks.lockfile import (
    BY_HASH,
    EMBEDDED,
    FORMAT,
    LARGEST_FILE,
    NETWORK,
    OCI,
    PATH,
    REGISTRY,
    LockedPackage,
    Lockfile,
)
from pkgmgr.source import OciSource, UrlSource, check_name, check_sha256, parse_source
from pkgmgr.store import LARGEST as LARGEST_PACKAGE
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST: Final = 4096
_MOST: Final = 10_000


def parse_lock(data: bytes) -> Lockfile:
    """Read a lock's bytes.

    Raises:
        WpmError: They are not TOML, or not of this format, or a package is missing that another names.
    """
    if len(data) > LARGEST_FILE:
        raise WpmError(f"larger than the {LARGEST_FILE} bytes that a lock may have")
    document = parse_toml(data)
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise WpmError(f"key version: expected {FORMAT}")
    if version != FORMAT:
        raise WpmError(f"key version: {version} is of a newer wpm, this one reads {FORMAT}")
    packages: dict[str, LockedPackage] = {}
    for number, entry in enumerate(_items(document, "package")):
        try:
            package = _package(entry)
        except WpmError as error:
            raise WpmError(f"package {number + 1}: {error}") from None
        if package.id in packages:
            raise WpmError(f"package {number + 1}: {package.id} is there twice")
        packages[package.id] = package
    requirements = _strings(document, "requirements")
    roots = _strings(document, "roots")
    if list(requirements) != list(roots):
        raise WpmError("key roots: its keys are not those of requirements")
    lock = Lockfile(requirements, roots, packages)
    _check_graph(lock)
    return lock


def _package(entry: object) -> LockedPackage:
    if not isinstance(entry, dict):
        raise WpmError("expected a table")
    name = _string(entry, "name", default="")
    version = _string(entry, "version", default="")
    if bool(name) != bool(version):
        raise WpmError("a name needs a version, and a version a name")
    if name and (check_name(name) != name or str(Version.parse(version)) != version):
        raise WpmError(f"key name: {name!r} is not the one form of this name")
    size = entry.get("size")
    if type(size) is not int or not 0 <= size <= LARGEST_PACKAGE:
        raise WpmError(f"key size: expected a number of bytes up to {LARGEST_PACKAGE}")
    return LockedPackage(
        name,
        version,
        _source(_string(entry, "source")),
        check_sha256(_string(entry, "sha256")),
        size,
        _strings(entry, "dependencies"),
        tuple(_text(each, "commands") for each in _items(entry, "commands")),
        _string(entry, "entrypoint") if "entrypoint" in entry else None,
        tuple(_mount(each) for each in _items(entry, "mounts")),
    )


def _source(text: str) -> str:
    if text in (EMBEDDED, REGISTRY, BY_HASH) or (text.startswith(PATH) and len(text) > len(PATH)):
        return text
    if text.startswith((f"{NETWORK}https://", f"{NETWORK}http://")):
        # Its form is looked at when it is asked; here what must not be written down.
        if any(each in text for each in " @?#") or not text.isascii():
            raise WpmError(f"key source: {text[:60]!r} is not the URL of a registry")
        return text
    if text.startswith(OCI):
        source = parse_source(text)
        if not isinstance(source, OciSource) or not source.is_exact or str(source) != text:
            raise WpmError(f"key source: {text[:100]!r}: expected oci://HOST/NAME@sha256:HEX")
        return text
    if "://" in text and isinstance(parse_source(text), UrlSource):
        return text
    raise WpmError(f"key source: {text[:60]!r} is not a place that packages come from")


def _mount(entry: object) -> Mount:
    if not isinstance(entry, dict):
        raise WpmError("key mounts: expected tables")
    guest = _string(entry, "guest")
    if not guest.startswith("/") or ".." in guest.split("/"):
        raise WpmError(f"key mounts: {guest[:60]!r} is not an absolute path without '..'")
    path = _string(entry, "path")
    if ".." in path.split("/"):
        raise WpmError(f"key mounts: {path[:60]!r} leaves its volume")
    dependency = _string(entry, "dependency") if "dependency" in entry else None
    return Mount(guest, _string(entry, "volume"), path, dependency)


def _check_graph(lock: Lockfile) -> None:
    """Every package that is named is there, and none needs itself."""
    for root in lock.roots.values():
        if root not in lock.packages:
            raise WpmError(f"key roots: {root} is not among the packages")
    for package in lock.packages.values():
        for needed in package.dependencies.values():
            if needed not in lock.packages:
                raise WpmError(f"package {package.id}: its dependency {needed} is not among the packages")
        for mount in package.mounts:
            if mount.dependency is not None and mount.dependency not in package.dependencies:
                raise WpmError(f"package {package.id}: key mounts: it has no dependency {mount.dependency!r}")
    if cycle := find_cycle({package.id: tuple(package.dependencies.values()) for package in lock.packages.values()}):
        raise WpmError(f"the packages need one another in a circle: {' -> '.join(cycle)}")


def find_cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    """A path of a graph that ends where it starts; empty where there is none. Every neighbour must be a key."""
    finished: set[str] = set()
    for start in graph:
        path = [start] if start not in finished else []
        branches = [iter(graph[start])] if path else []
        on_path = set(path)
        while path:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                on_path.discard(path[-1])
                finished.add(path.pop())
            elif following in on_path:
                return [*path[path.index(following) :], following]
            elif following not in finished:
                path.append(following)
                on_path.add(following)
                branches.append(iter(graph[following]))
    return []


def _items(table: Mapping[str, Any], key: str) -> list[Any]:
    value = table.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST:
        raise WpmError(f"key {key}: expected an array of at most {_MOST} items")
    return value


def _strings(table: Mapping[str, Any], key: str) -> dict[str, str]:
    value = table.get(key, {})
    if not isinstance(value, dict) or len(value) > _MOST:
        raise WpmError(f"key {key}: expected a table of at most {_MOST} texts")
    return {_text(name, key): _text(each, key) for name, each in value.items()}


def _string(table: Mapping[str, Any], key: str, default: str | None = None) -> str:
    return _text(table.get(key, default), key)


def _text(value: object, key: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise WpmError(f"key {key}: expected a printable text of at most {_LONGEST} characters")
    return value
