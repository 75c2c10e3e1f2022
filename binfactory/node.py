"""What the package manager hands to the factory: a graph of packages, not yet opened."""

from __future__ import annotations

from types import MappingProxyType

from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from binfactory.known_digests import KnownDigests
    from webc_parser.container import Container


NO_DEPENDENCIES: Mapping[str, PackageNode] = MappingProxyType({})


class Mount(NamedTuple):
    """One row of a package's `fs` table: a directory of a volume, and where the guest sees it.

    Attributes:
        guest_path: Absolute path in the guest.
        volume: The volume's name.
        source_path: The directory inside the volume.
        dependency: Alias of the dependency that owns the volume; `None` for the package itself.
    """

    guest_path: str
    volume: str
    source_path: str = "/"
    dependency: str | None = None


class PackageNode:
    """One package of a resolved graph. Nothing is opened until a command or a file of the package is asked for.

    Args:
        id: `namespace/name@version`, or `sha256:...` for a package without a name; unique in the graph.
        path: The container on disk, opened (mapped) at first use.
        container: A container that is open already; wins over `path`.
        dependencies: The packages that this one uses, by alias, in the order in which it declares them. When two
            dependencies bring a command or a file of the same name, the one declared first wins.
        commands: The names of this package's own commands when the lock knows them, so that a package that is never
            used is never opened; believed with `sha256` only. `None` reads them from the manifest.
        mounts: This package's own `fs` table when the lock knows it; believed with `sha256` only. `None` reads it from
            the manifest.
        sha256: The container's own sha256, in hex, as the lock pins it: the file at `path` is opened only while it has
            it, and the checksums that its manifest gives for its modules are believed. `None` when nobody vouches for
            the file.
        digests: What was hashed before of files that nobody vouches for.
    """

    __slots__ = ("commands", "container", "dependencies", "digests", "id", "mounts", "path", "sha256")

    def __init__(
        self,
        id: str,  # noqa: A002 - what the field is called everywhere
        path: Path | str | None = None,
        container: Container | None = None,
        dependencies: Mapping[str, PackageNode] = NO_DEPENDENCIES,
        commands: tuple[str, ...] | None = None,
        mounts: tuple[Mount, ...] | None = None,
        sha256: str | None = None,
        digests: KnownDigests | None = None,
    ) -> None:
        self.id = id
        self.path = path
        self.container = container
        self.dependencies = dependencies
        self.commands = commands
        self.mounts = mounts
        self.sha256 = sha256
        self.digests = digests

    def __repr__(self) -> str:
        return f"<PackageNode {self.id}>"

    def dependency(self, name: str) -> PackageNode | None:
        """The dependency of this alias, or else of this package name or id."""
        if (found := self.dependencies.get(name)) is not None:
            return found
        for node in self.dependencies.values():
            if name in (node.id, node.id.partition("@")[0]):
                return node
        return None
