"""The files of a package, and of those that it uses, as one read-only filesystem without copies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runtime.fs.readonly import ReadOnlyFileSystem, is_directory
from runtime.fs.static_tree import LazyDirectory, StaticDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binfactory.package import BinaryPackage, PackageMount
    from runtime.fs.readonly import TreeDirectory, TreeEntry


def package_layer(package: BinaryPackage) -> ReadOnlyFileSystem | None:
    """What a package and those that it uses mount, united; `None` when they mount nothing.

    Directories of the same path are merged; where two bring a file or a symbolic link of the same path, the first in
    `package.mounts` wins, and hides directories that a later one has there. A container that the lock vouches for is
    opened when the guest looks into its directory, any other one now, so that what is wrong with it is told before the
    guest starts.

    Raises:
        FactoryError: a mount's volume or directory is not there.
    """
    for mount in package.mounts:
        if not mount.is_vouched:
            _ = mount.directory
    trees = [mount_tree(mount) for mount in package.mounts]
    return ReadOnlyFileSystem(unite(trees)) if trees else None


def mount_tree(mount: PackageMount) -> TreeDirectory:
    """A tree in which the mounted directory is at its guest path, opened when it is looked into."""
    # A volume's directories are trees as they are, though neither side knows of the other.
    tree: TreeDirectory = LazyDirectory(lambda: mount.directory)
    for name in reversed([name for name in mount.guest_path.split("/") if name]):
        tree = StaticDirectory({name: tree})
    return tree


def unite(trees: Sequence[TreeDirectory]) -> TreeDirectory:
    """Several directories as one: the first that has a name decides what it is, directories merge."""
    return trees[0] if len(trees) == 1 else UnionDirectory(trees)


class UnionDirectory:
    """Several directories seen as one; each is looked into when a name is first asked for.

    Args:
        trees: The directories, the strongest first.
    """

    __slots__ = ("_entries", "_trees")

    def __init__(self, trees: Sequence[TreeDirectory]) -> None:
        self._trees = trees
        self._entries: UnionEntries | None = None

    @property
    def entries(self) -> Mapping[str, TreeEntry]:
        """Every name of every one of them, with what stands there."""
        if self._entries is None:
            self._entries = UnionEntries([tree.entries for tree in self._trees])
        return self._entries

    @property
    def modified_ns(self) -> int | None:
        """When the strongest of them that knows was modified."""
        return next((time for tree in self._trees if (time := tree.modified_ns) is not None), None)


class UnionEntries(Mapping[str, "TreeEntry"]):
    """The names of several directories; what stands at a name is put together when it is asked for."""

    def __init__(self, layers: Sequence[Mapping[str, TreeEntry]]) -> None:
        self._layers: dict[str, list[Mapping[str, TreeEntry]]] = {}
        for layer in layers:
            for name in layer:
                self._layers.setdefault(name, []).append(layer)

    def __getitem__(self, name: str) -> TreeEntry:
        first, *others = self._layers[name]
        top = first[name]
        if not others or not is_directory(top):
            return top
        trees = [top, *(tree for layer in others if is_directory(tree := layer[name]))]
        return unite(trees)

    def __contains__(self, name: object) -> bool:
        return name in self._layers

    def __iter__(self) -> Iterator[str]:
        return iter(self._layers)

    def __len__(self) -> int:
        return len(self._layers)
