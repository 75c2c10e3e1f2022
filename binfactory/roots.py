"""The three kinds of root: a sandbox in memory, an overlay over packages, and a filesystem as it is."""

from __future__ import annotations

from binfactory.copying import make_path
from runtime.fs.mounts import MountDirectory, MountTable
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.tmpfs import TmpDirectory, TmpFileSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import Directory, FileSystem

ROOT_DIRECTORIES = ("bin", "dev", "etc", "home", "tmp", "usr/bin")
"""What a new root has, as the system that we implement makes it."""


def sandbox_root(max_bytes: int | None = None) -> OverlayFileSystem:
    """A root in memory with the usual directories; packages lie under it, unchanged and uncopied.

    Args:
        max_bytes: How many bytes the guest may write; `None` for no limit.
    """
    return overlay_root(TmpFileSystem(max_bytes))


def overlay_root(upper: FileSystem | None = None) -> OverlayFileSystem:
    """A root whose changes go to `upper`, with packages under it.

    Args:
        upper: What is written to: a filesystem in memory by default, in which the usual directories are made, or for
            example a directory of the host, which stays as it is.
    """
    if upper is None:
        upper = TmpFileSystem()
    if isinstance(upper, TmpFileSystem):
        make_directories(upper.root)
    return OverlayFileSystem(upper, [])


def backing_root(filesystem: FileSystem) -> FileSystem:
    """A root that is a filesystem as it is: packages that are used are copied into it where nothing is yet.

    Args:
        filesystem: Any filesystem that can be written to.
    """
    return filesystem


def make_directories(root: Directory) -> None:
    """Make the directories that programs expect of a root; those that are there stay.

    Args:
        root: The top.
    """
    if isinstance(root, TmpDirectory) and not root.children:
        # Nothing is there that a path could lead through: a walk for each took a seventh of a spawn.
        for path in ROOT_DIRECTORIES:
            here = root
            for name in path.split("/"):
                child = here.children.get(name)
                here = child if isinstance(child, TmpDirectory) else here.mkdir(name)
        return
    for path in ROOT_DIRECTORIES:
        make_path(root, path)


def base_of(filesystem: FileSystem) -> FileSystem:
    """The filesystem under the mounts."""
    while isinstance(filesystem, MountTable):
        top = filesystem.root
        if not isinstance(top, MountDirectory) or top.mounted is None:
            break
        filesystem = top.mounted
    return filesystem


def overlay_of(filesystem: FileSystem) -> OverlayFileSystem | None:
    """The overlay that takes layers, when there is one under the mounts."""
    base = base_of(filesystem)
    return base if isinstance(base, OverlayFileSystem) else None
