"""From a path to a place in the tree: the only code that takes a path apart.

The rules are POSIX's (IEEE Std 1003.1, 4.16 Pathname Resolution): symbolic links are followed wherever another
component comes after them, `..` at the root stays there, a trailing slash asks for a directory. `beneath=True` adds
the capability rule of WASI preview 1: nothing above the directory that the walk starts from can be named. What an
absolute link names is beneath the root, so it is followed where the walk starts there.
"""

from __future__ import annotations

import errno

from runtime.abi.filetype import Filetype
from runtime.fs.failure import failure
from runtime.fs.names import check_length, encoded_length
from runtime.fs.node import Directory, Node, Symlink
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import FileSystem

PATH_MAX = 4096
"""A path has fewer bytes than this: the terminating NUL counts, as in POSIX."""

SYMLINKS_MAX = 40
"""How many symbolic links one walk follows."""

_SURELY_SHORT_NAME = 63  # no character takes more than four bytes
_SURELY_SHORT_PATH = 1023


class Location(NamedTuple):
    """A place in the tree as it was reached: `..` from here goes to `parent`, whatever links led here.

    `node` is a directory for every location that something else is reached through. The top has no parent and the
    name `""`.
    """

    node: Node
    parent: Location | None
    name: str

    def path(self) -> str:
        """The absolute path of this place, for `getcwd`."""
        names: list[str] = []
        here = self
        while here.parent is not None:
            names.append(here.name)
            here = here.parent
        return "/" + "/".join(reversed(names))

    @property
    def directory(self) -> Directory:
        """The node, which has to be a directory.

        Raises:
            NotADirectoryError: it is something else.
        """
        if not isinstance(self.node, Directory):
            raise failure(errno.ENOTDIR, self.name)
        return self.node

    def __repr__(self) -> str:
        return f"Location({self.path()!r}, {self.node!r})"


class Walked(NamedTuple):
    """Where a path led.

    `location` is the place, or `None` when everything but the last name exists. `parent` is the directory that holds
    the last name, and `name` that name; a path that ends in a place rather than in a name (`/`, `.`, `..`, also at the
    end of a followed link) has `""`, `"."` or `".."` there and the place itself as `parent`. `slashed` tells that a
    slash came after the name.
    """

    parent: Location
    name: str
    location: Location | None
    slashed: bool

    @property
    def node(self) -> Node | None:
        """What the path names, `None` when there is no such name yet."""
        return None if self.location is None else self.location.node

    @property
    def named(self) -> bool:
        """Whether the path ends in a name, which can be bound, removed or renamed."""
        return self.name not in _UNNAMED

    def found(self) -> Location:
        """The place.

        Raises:
            FileNotFoundError: there is no such name.
        """
        if self.location is None:
            raise failure(errno.ENOENT, self.name)
        return self.location


_UNNAMED = ("", ".", "..")
_new = tuple.__new__
"""Makes a named tuple as its class does, without a call of Python's own: a walk makes one for each name."""


def top(filesystem: FileSystem) -> Location:
    """The root of a filesystem as a location."""
    return Location(filesystem.root, None, "")


def walk(
    root: Location,
    start: Location,
    path: str,
    *,
    follow: bool,
    beneath: bool = False,
    naming: bool = False,
    creating: bool = False,
) -> Walked:
    """Resolve a path.

    Args:
        root: where absolute paths begin and `..` ends.
        start: where relative paths begin.
        path: names separated by slashes.
        follow: whether a symbolic link at the very end is followed; one before a trailing slash always is.
        beneath: the rule of WASI preview 1: absolute paths, a `..` above `start` and, unless `start` is the root,
            absolute link targets are `EPERM`.
        naming: the caller binds, removes or renames the last name itself (mkdir, unlink, rename, ...): a link there is
            not followed for the sake of a trailing slash, and the slash is left to the caller (`runtime.fs.naming`).
        creating: the caller creates a file where there is none: a slash behind the name of a file is `EISDIR` then.

    Raises:
        OSError: `ENOENT` for an empty path or a missing component, `ENOTDIR` where a component or a trailing slash
            needs a directory, `ELOOP` after 40 links, `ENAMETOOLONG`, `EINVAL` for a NUL, `EPERM` as above.
    """
    here = root if path.startswith("/") else start
    pending, slashed = _split(path, beneath)
    links = 0
    name = ""
    while pending:
        name = pending.pop()
        if not name or name == ".":
            continue
        if name == "..":
            if beneath and here is start:
                raise failure(errno.EPERM, path)
            if here.parent is not None and here.node is not root.node:
                here = here.parent
            continue
        if len(name) > _SURELY_SHORT_NAME:
            check_length(name)
        try:
            node = here.node.lookup(name)  # type: ignore[attr-defined]
        except FileNotFoundError:
            if pending:
                raise
            return Walked(here, name, None, slashed)
        filetype = node.filetype
        if filetype is Filetype.DIRECTORY:
            if not pending:
                return _new(Walked, (here, name, _new(Location, (node, here, name)), slashed))
            here = _new(Location, (node, here, name))
        elif filetype is Filetype.SYMBOLIC_LINK and (pending or follow or (slashed and not naming)):
            if creating and slashed and not pending:
                # As Linux has it, which does not look where the link leads: it may lead to itself.
                raise failure(errno.EISDIR, name)
            links += 1
            if links > SYMLINKS_MAX:
                raise failure(errno.ELOOP, path)
            assert isinstance(node, Symlink)
            target = node.readlink()
            names, target_slashed = _split(target, beneath and start.node is not root.node)
            if target.startswith("/"):
                here = start if beneath else root
            slashed = slashed or (target_slashed and not pending)
            pending += names
            name = ""
        elif pending or (slashed and not naming):
            # Who would create the file is told that a name with a slash behind it can only be a directory (Linux).
            raise failure(errno.EISDIR if creating and not pending else errno.ENOTDIR, name)
        else:
            return _new(Walked, (here, name, _new(Location, (node, here, name)), slashed))
    return Walked(here, name, here, slashed)


def _split(path: str, beneath: bool) -> tuple[list[str], bool]:
    """The components, last one first, and whether a slash came after them."""
    if not path:
        raise failure(errno.ENOENT, path)
    if "\0" in path:
        raise failure(errno.EINVAL)
    if len(path) > _SURELY_SHORT_PATH and encoded_length(path) >= PATH_MAX:
        raise failure(errno.ENAMETOOLONG)
    if beneath and path[0] == "/":
        raise failure(errno.EPERM, path)
    slashed = path[-1] == "/"
    names = (path.rstrip("/") if slashed else path).split("/")
    names.reverse()
    return names, slashed
