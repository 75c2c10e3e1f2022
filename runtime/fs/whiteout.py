"""How an upper layer says that something below it is gone: the whiteouts of the OCI image specification.

A file `.wh.NAME` hides `NAME` in the layers below (image-spec, layer.md, "Whiteouts"); `.wh..wh..opq` in a directory
hides everything that the layers below have in it. Every name with the prefix is the overlay's own.
"""

from __future__ import annotations

import errno
from contextlib import suppress

from runtime.fs.failure import failure
from runtime.fs.names import check_name
from runtime.fs.node import Directory, Node

PREFIX = ".wh."
OPAQUE = ".wh..wh..opq"
WORK = ".wh..wh.work."
"""What the name of something that is not finished begins with; it is moved to its real name in one step."""


def whiteout(name: str) -> str:
    """The name of the file that hides `name`."""
    return PREFIX + name


def whited_out(reserved: str) -> str:
    """The name that a whiteout hides."""
    return reserved[len(PREFIX) :]


def is_reserved(name: str) -> bool:
    """Whether a name is the overlay's own, which guests do not see."""
    return name.startswith(PREFIX)


def check_guest_name(name: str) -> None:
    """Refuse a name that a guest may not make.

    Raises:
        OSError: `EINVAL` for a reserved name, and as `check_name`.
    """
    check_name(name)
    if name.startswith(PREFIX):
        raise failure(errno.EINVAL, name)


def find(directory: Directory | None, name: str) -> Node | None:
    """The inode of that name, or `None`."""
    if directory is None:
        return None
    try:
        return directory.lookup(name)
    except FileNotFoundError:
        return None


def hide(directory: Directory, name: str) -> None:
    """Hide `name` of the layers below."""
    with suppress(FileExistsError):
        directory.create(whiteout(name))


def unhide(directory: Directory, name: str) -> None:
    """Stop hiding `name`, after something else has been bound to it."""
    with suppress(FileNotFoundError):
        directory.unlink(whiteout(name))


def make_opaque(directory: Directory) -> None:
    """Hide everything that the layers below have in the directory."""
    with suppress(FileExistsError):
        directory.create(OPAQUE)


def is_opaque(directory: Directory) -> bool:
    """Whether the layers below are hidden."""
    return find(directory, OPAQUE) is not None


def clear_reserved(directory: Directory) -> None:
    """Remove the overlay's own names from a directory, unfinished work with everything in it."""
    for entry in directory.entries():
        if is_reserved(entry.name):
            remove_tree(directory, entry.name)


def remove_tree(directory: Directory, name: str) -> None:
    """Remove a name and everything below it; one that is gone already is no failure."""
    top = find(directory, name)
    if not isinstance(top, Directory):
        if top is not None:
            directory.unlink(name)
        return
    path: list[tuple[Directory, str, Directory]] = [(directory, name, top)]
    while path:
        parent, here_name, here = path[-1]
        below = None
        for entry in here.entries():
            node = here.lookup(entry.name)
            if isinstance(node, Directory):
                below = (here, entry.name, node)
                break
            here.unlink(entry.name)
        if below is not None:
            path.append(below)
        else:
            parent.rmdir(here_name)
            path.pop()
