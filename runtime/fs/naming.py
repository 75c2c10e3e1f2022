"""Binding and removing the last name of a path: what POSIX says about trailing slashes, `.`, `..` and the root.

Each function takes what `walk(..., naming=True)` returned (`create_file` also takes a followed path, so that creating
through a dangling link works). The errnos are Linux's, which are also what the tests of WASI preview 1 expect.
"""

from __future__ import annotations

import errno

from runtime.fs.failure import failure
from runtime.fs.node import Directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import File, Node
    from runtime.fs.walk import Walked


def create_file(at: Walked) -> File:
    """Make an empty file at a path where nothing is.

    Raises:
        OSError: `EEXIST`, or `EISDIR` for a name with a slash after it.
    """
    if at.location is not None:
        raise failure(errno.EEXIST, at.name)
    if at.slashed:
        raise failure(errno.EISDIR, at.name)
    return at.parent.directory.create(at.name)


def make_directory(at: Walked) -> Directory:
    """Make an empty directory.

    Raises:
        OSError: `EEXIST`, also for `.`, `..` and `/`.
    """
    if at.location is not None:
        raise failure(errno.EEXIST, at.name)
    return at.parent.directory.mkdir(at.name)


def make_symlink(at: Walked, target: str) -> None:
    """Make a symbolic link.

    Raises:
        OSError: `EEXIST`, `ENOENT` for a free name with a slash after it, `ENOTDIR` for a slash after a file.
    """
    _check_free(at)
    at.parent.directory.symlink(at.name, target)


def make_link(at: Walked, node: Node) -> None:
    """Give an inode another name.

    Raises:
        OSError: as `make_symlink`; `EXDEV`; `EPERM` for a directory.
    """
    _check_free(at)
    at.parent.directory.link(at.name, node)


def remove_file(at: Walked) -> None:
    """Remove a name that is not a directory.

    Raises:
        OSError: `ENOENT`, `EISDIR` for a directory, `ENOTDIR` for a slash after anything else.
    """
    location = at.found()
    if isinstance(location.node, Directory):
        raise failure(errno.EISDIR, at.name)
    if at.slashed:
        raise failure(errno.ENOTDIR, at.name)
    at.parent.directory.unlink(at.name)


def remove_directory(at: Walked) -> None:
    """Remove an empty directory.

    Raises:
        OSError: `ENOENT`, `ENOTDIR`, `ENOTEMPTY` (also for `..`), `EINVAL` for `.`, `EBUSY` for `/`.
    """
    location = at.found()
    if not at.named:
        raise failure({".": errno.EINVAL, "..": errno.ENOTEMPTY}.get(at.name, errno.EBUSY), at.name)
    if not isinstance(location.node, Directory):
        raise failure(errno.ENOTDIR, at.name)
    at.parent.directory.rmdir(at.name)


def rename(old: Walked, new: Walked) -> None:
    """Move a name, replacing what is at the new one.

    Raises:
        OSError: `EBUSY` where either path ends in `.`, `..` or `/`; `ENOENT`; `ENOTDIR` for a slash after a name when
            what is moved is not a directory; and as `Directory.rename`.
    """
    if not old.named or not new.named:
        raise failure(errno.EBUSY, old.name)
    node = old.found().node
    if (old.slashed or new.slashed) and not isinstance(node, Directory):
        raise failure(errno.ENOTDIR, old.name)
    old.parent.directory.rename(old.name, new.parent.directory, new.name)


def _check_free(at: Walked) -> None:
    if at.location is not None:
        if at.slashed and not isinstance(at.location.node, Directory):
            raise failure(errno.ENOTDIR, at.name)
        raise failure(errno.EEXIST, at.name)
    if at.slashed:
        raise failure(errno.ENOENT, at.name)
