"""`wasmer.lock`: exactly which packages a project runs on.

It says everything that an install and a run need (where each package comes from, its hash and size, its dependencies,
commands and mounts), so that neither asks a registry nor opens a package that is not used; and nothing that varies: no
time, no path of the machine. The same inputs give the same bytes.
"""

from __future__ import annotations

from types import MappingProxyType

from pkgmgr.errors import WpmError
from pkgmgr.files.reading import read_small_file
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Final

    from binfactory.node import Mount

FILE_NAME: Final = "wasmer.lock"
FORMAT: Final = 1
LARGEST_FILE: Final = 4 << 20
"""No lock is larger than this many bytes."""

EMBEDDED: Final = "embedded"
"""The source of a package of the registry that wpm carries."""
REGISTRY: Final = "registry"
"""The source of a package of the directory registry that is configured where it is installed."""
NETWORK: Final = "registry+"
"""What the source of a package of a registry that is asked over the network starts with; the registry's URL follows."""
BY_HASH: Final = "hash"
"""The source of a package that is known by its hash alone."""
OCI: Final = "oci://"
"""What the source of a package of an OCI registry starts with; `HOST/NAME@sha256:` and its manifest's digest follow."""
PATH: Final = "path:"
"""What the source of a package file starts with; its path follows, a relative one starts at the project."""

_HEADER: Final = "# Written by wpm: `wpm lock` renews it. It belongs under version control.\n"


class LockedPackage(NamedTuple):
    """One package of the lock.

    Attributes:
        name: `namespace/name`, or empty for a package without one, which is known by its hash.
        version: Its version, empty without a name.
        source: `embedded`, `registry`, `registry+` and a registry's URL, `hash`, an http(s) URL, `oci://HOST/NAME@DIGEST`,
            or `path:` and a path.
        sha256: The hash of its file, lower-case hexadecimal.
        size: The size of its file in bytes.
        dependencies: Alias to the id of the package, in the order in which the package declares them.
        commands: The names of its own commands that can be run.
        entrypoint: The command that runs where none is named.
        mounts: Its own file system table.
    """

    name: str
    version: str
    source: str
    sha256: str
    size: int
    dependencies: Mapping[str, str] = MappingProxyType({})
    commands: tuple[str, ...] = ()
    entrypoint: str | None = None
    mounts: tuple[Mount, ...] = ()

    @property
    def id(self) -> str:
        """`namespace/name@version`, or `sha256:HEX` for a package without a name; unique in the lock."""
        return f"{self.name}@{self.version}" if self.name else f"sha256:{self.sha256}"

    @property
    def has_registry(self) -> bool:
        """Whether a registry gave it for its name, rather than a path, a URL or a hash."""
        return bool(self.name) and (self.source in (EMBEDDED, REGISTRY) or self.source.startswith(NETWORK))


class Lockfile(NamedTuple):
    """What a project was resolved to.

    Attributes:
        requirements: The `[dependencies]` of the manifest at that time, as written.
        roots: For each of them the id of its package.
        packages: Every package by its id, ordered by it.
    """

    requirements: Mapping[str, str]
    roots: Mapping[str, str]
    packages: Mapping[str, LockedPackage]

    def is_for(self, dependencies: Mapping[str, str]) -> bool:
        """Whether these `[dependencies]` are those that were resolved, in the same order."""
        return list(self.requirements.items()) == list(dependencies.items())


def read_lock(path: Path) -> Lockfile | None:
    """Read a lock; None where there is none.

    Raises:
        WpmError: The file is no lock, or one that contradicts itself.
    """
    try:
        data = read_small_file(path, LARGEST_FILE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    from pkgmgr.locks.reader import parse_lock

    try:
        return parse_lock(data)
    except WpmError as error:
        raise WpmError(f"{path}: {error}; restore it, or run: wpm lock") from None


def write_lock(path: Path, lock: Lockfile) -> bool:
    """Replace the lock whole, unless it says the same already; gives whether it was written."""
    from pkgmgr.files.replacing import replace_file

    data = format_lock(lock).encode()
    try:
        if path.read_bytes() == data:
            return False
    except OSError:
        pass
    replace_file(path, data, 0o644)
    return True


def format_lock(lock: Lockfile) -> str:
    """The lock as text, always the same for the same lock."""
    lines = [_HEADER + f"version = {FORMAT}"]
    lines += _table("requirements", lock.requirements)
    lines += _table("roots", lock.roots)
    for package in lock.packages.values():
        lines += ["", "[[package]]"]
        if package.name:
            lines += [f"name = {_quoted(package.name)}", f"version = {_quoted(package.version)}"]
        lines += [
            f"source = {_quoted(package.source)}",
            f"sha256 = {_quoted(package.sha256)}",
            f"size = {package.size}",
        ]
        if package.entrypoint is not None:
            lines.append(f"entrypoint = {_quoted(package.entrypoint)}")
        if package.commands:
            lines.append(f"commands = [{', '.join(map(_quoted, package.commands))}]")
        if package.mounts:
            lines += ["mounts = [", *(f"  {_mount(mount)}," for mount in package.mounts), "]"]
        if package.dependencies:
            lines += _table("package.dependencies", package.dependencies)
    return "\n".join(lines) + "\n"


def _table(name: str, entries: Mapping[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{_quoted(key)} = {_quoted(value)}" for key, value in entries.items())]


def _mount(mount: Mount) -> str:
    parts = {"guest": mount.guest_path, "volume": mount.volume, "path": mount.source_path}
    if mount.dependency is not None:
        parts["dependency"] = mount.dependency
    return "{ " + ", ".join(f"{key} = {_quoted(value)}" for key, value in parts.items()) + " }"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes, and one character more that TOML wants escaped."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
