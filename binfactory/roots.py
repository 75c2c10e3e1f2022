"""The three kinds of root: a sandbox in memory, an overlay over packages, and a filesystem as it is."""

from __future__ import annotations

from binfactory.copying import make_path
from runtime.fs.mounts import MountDirectory, MountTable
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.tmpfs import TmpFileSystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import Directory, FileSystem

ROOT_DIRECTORIES = ("bin", "dev", "etc", "home", "tmp", "usr/bin")
"""What a new root has, as the system that we implement makes it."""
_ROOT_NAMES = tuple(path.split("/") for path in ROOT_DIRECTORIES)


def sandbox_root(max_bytes: int | None = None) -> OverlayFileSystem:
    """A root in memory with the usual directories; packages lie under it, unchanged and uncopied.

    Args:
        max_bytes: How many bytes the guest may write; `None` for no limit.
    """
    return OverlayFileSystem(new_upper(max_bytes))


def new_upper(max_bytes: int | None = None, max_inodes: int | None = None) -> TmpFileSystem:
    """A filesystem in memory with the usual directories, to be written to.

    Args:
        max_bytes: How many bytes the guest may write; `None` for no limit.
        max_inodes: How many files and directories there may be.
    """
    upper = TmpFileSystem(max_bytes, max_inodes)
    # At once, as nothing is there that a path could lead through: a walk for each was a seventh of a spawn.
    upper.add_directories(_ROOT_NAMES)
    return upper


def overlay_root(upper: FileSystem | None = None) -> OverlayFileSystem:
    """A root whose changes go to `upper`, with packages under it.

    Args:
        upper: What is written to: a filesystem in memory by default, in which the usual directories are made, or for
            example a directory of the host, which stays as it is.
    """
    if upper is None:
        upper = new_upper()
    elif isinstance(upper, TmpFileSystem):
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
