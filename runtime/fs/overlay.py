"""A writable filesystem laid over others: what they have is seen through it, what is changed is changed in it alone.

The layers below are never written to. The upper layer is an ordinary filesystem that holds what was created or changed,
and whiteouts (`runtime.fs.whiteout`) for what was removed; opened again over the same lower layers it shows the same.
No layer may be changed behind the overlay's back while it is in use.
"""

from __future__ import annotations

import errno

from runtime.abi.filetype import Filetype
from runtime.fs.copy_up import copy_directory, work_name
from runtime.fs.failure import failure
from runtime.fs.node import Directory, DirEntry, File, FileSystem, Node, Stat, Symlink
from runtime.fs.overlay_leaf import OverlayFile, OverlayLeaf, OverlaySymlink
from runtime.fs.overlay_lowers import Layer, LowerDirectories, merged
from runtime.fs.overlay_numbers import OverlayNumbers
from runtime.fs.whiteout import (
    PREFIX,
    check_guest_name,
    clear_reserved,
    find,
    hide,
    is_opaque,
    is_reserved,
    make_opaque,
    unhide,
    whiteout,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class OverlayFileSystem:
    """Several filesystems seen as one, of which the first is written to.

    Args:
        upper: takes every change.
        lowers: read only, the one that wins first.
    """

    def __init__(self, upper: FileSystem, lowers: Sequence[FileSystem] = ()) -> None:
        self._layers: list[FileSystem] = list(lowers)
        self._numbers = OverlayNumbers()
        self._root = OverlayDirectory(self._numbers, None, "", upper.root, self._roots(upper.root))

    def _roots(self, upper: Directory) -> LowerDirectories:
        roots = [Layer(number, layer.root) for number, layer in enumerate(self._layers, 1)]
        return LowerDirectories([] if is_opaque(upper) else merged(roots))

    @property
    def root(self) -> OverlayDirectory:
        """The directory at the top."""
        return self._root

    @property
    def lowers(self) -> tuple[FileSystem, ...]:
        """What is only read, the one that wins first."""
        return tuple(self._layers)

    def add_lower(self, filesystem: FileSystem) -> None:
        """Lay everything over one more filesystem, below all others; seen at once, also in directories held open.

        Args:
            filesystem: is only read.
        """
        with self._numbers.lock:
            self._layers.append(filesystem)
            assert self._root.upper is not None
            self._root.refresh(self._roots(self._root.upper))

    def __del__(self) -> None:
        # A directory knows what is in it, and what is in it where it is: neither would go before the next collection.
        if hasattr(self, "_root"):
            self._root.forget_known()


class OverlayDirectory(Directory):
    """A directory: the one of the upper layer, if there is one, over those of the lower layers."""

    __slots__ = ("_ino", "_known", "fs", "lowers", "place", "upper")

    def __init__(
        self,
        fs: OverlayNumbers,
        parent: OverlayDirectory | None,
        name: str,
        upper: Directory | None,
        lowers: LowerDirectories,
    ) -> None:
        self.fs = fs
        self.place: tuple[OverlayDirectory | None, str] | None = (parent, name)
        """Where it is; `None` when it was removed."""
        self.upper = upper
        self.lowers = lowers
        self._ino: int | None = None
        # Directories, and what is still in a lower layer. What is in the upper layer is always asked of it.
        self._known: dict[str, OverlayDirectory | OverlayLeaf] = {}

    def forget_known(self) -> None:
        """Forget what was looked up below here, as nobody will look again."""
        known = [self]
        while known:
            here = known.pop()
            children, here._known = here._known, {}
            known += [child for child in children.values() if isinstance(child, OverlayDirectory)]

    # Looking

    def ino(self) -> int:
        """The inode number, the same before and after copying up."""
        if self._ino is None:
            if self.upper is not None:
                self._ino = self.fs.inode(0, self.upper.stat().ino)
            else:
                number, directory = self.lowers.first
                self._ino = self.fs.inode(number, directory.stat().ino)
        return self._ino

    def stat(self) -> Stat:
        """As `Node.stat`: of the topmost layer; the link count of a merged directory is 1, which says "not known"."""
        if self.upper is None and not self.lowers:
            raise failure(errno.ENOENT)  # removed
        real = self.lowers.first[1] if self.upper is None else self.upper
        stat = real.stat()
        merged = len(self.lowers) > (self.upper is None)
        return Stat(self.fs.device, self.ino(), self.filetype, 1 if merged else stat.nlink, *stat[4:])

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        node = self._known.get(name) or self.find(name)
        if node is None:
            raise failure(errno.ENOENT, name)
        return node

    def find(self, name: str) -> OverlayDirectory | OverlayLeaf | None:
        """The inode of that name, or `None`."""
        with self.fs.lock:
            node = self._known.get(name)
            if node is not None:
                return node
            if name.startswith(PREFIX):
                return None
            if self.upper is None and len(self.lowers.layers) == 1:
                return self._find_lower(name)
            upper = find(self.upper, name)
            if upper is not None and not isinstance(upper, Directory):
                return self._leaf(name, 0, upper)
            lowers = self._lowers_of(name, upper)
            if upper is None:
                if not lowers:
                    return None
                number, real = lowers[0]
                if not isinstance(real, Directory):
                    node = self._known[name] = self._leaf(name, number, real)
                    return node
            node = self._known[name] = OverlayDirectory(self.fs, self, name, upper, LowerDirectories(lowers))
            return node

    def _find_lower(self, name: str) -> OverlayDirectory | OverlayLeaf | None:
        """As `find` where a single layer below has everything, as in most directories of packages."""
        number, directory = self.lowers.layers[0]
        try:
            real = directory.lookup(name)
        except FileNotFoundError:
            return None
        node: OverlayDirectory | OverlayLeaf
        if real.filetype is Filetype.DIRECTORY:
            node = OverlayDirectory(self.fs, self, name, None, LowerDirectories([Layer(number, real)]))
        else:
            node = self._leaf(name, number, real)
        self._known[name] = node
        return node

    def _leaf(self, name: str, layer: int, real: Node) -> OverlayLeaf:
        match real:
            case File():
                return OverlayFile(self.fs, self, name, layer, real)
            case Symlink():
                return OverlaySymlink(self.fs, self, name, layer, real)
        raise failure(errno.EIO, name)

    def _lowers_of(self, name: str, upper: Directory | None) -> list[Layer]:
        """What the lower layers show of a name below `upper`: directories, or one inode that is not."""
        found = self.lowers.find(name)
        if not found:
            return []
        if upper is not None:
            return found if isinstance(found[0].node, Directory) and not is_opaque(upper) else []
        return [] if find(self.upper, whiteout(name)) is not None else found

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`: the upper layer's names, then those that the lower ones add."""
        new = tuple.__new__  # a named tuple's own way is a call of Python's for each
        with self.fs.lock:
            if self.upper is None and len(self.lowers.layers) == 1:
                (number, directory), inode = self.lowers.layers[0], self.fs.inode
                return [
                    new(DirEntry, (name, inode(number, ino), filetype))
                    for name, ino, filetype in directory.entries()
                    if not name.startswith(PREFIX)
                ]
            shown: dict[str, DirEntry] = {}
            hidden: set[str] = set()
            for name, ino, filetype in self.upper.entries() if self.upper is not None else ():
                if is_reserved(name):
                    hidden.add(name)
                else:
                    known = self._known.get(name)
                    shown[name] = DirEntry(name, self.fs.inode(0, ino) if known is None else known.ino(), filetype)
            for number, entry in self.lowers.entries():
                if entry.name not in shown and whiteout(entry.name) not in hidden:
                    shown[entry.name] = DirEntry(entry.name, self.fs.inode(number, entry.ino), entry.filetype)
            return list(shown.values())

    def refresh(self, lowers: LowerDirectories) -> None:
        """Look through to these lower layers from now on, here and in every directory below that is in use."""
        pending = [(self, lowers)]
        while pending:
            here, layers = pending.pop()
            here.lowers = layers
            for name, child in here._known.items():
                if isinstance(child, OverlayDirectory):
                    pending.append((child, LowerDirectories(here._lowers_of(name, child.upper))))

    def forget(self, name: str) -> None:
        """Ask the layers again for this name."""
        self._known.pop(name, None)

    # Changing

    def make_upper(self) -> Directory:
        """The directory in the upper layer, made if it is missing, with those above it.

        Raises:
            FileNotFoundError: the directory was removed.
        """
        missing: list[OverlayDirectory] = []
        here = self
        while here.upper is None:
            if here.place is None or here.place[0] is None:
                raise failure(errno.ENOENT)
            missing.append(here)
            here = here.place[0]
        upper = here.upper
        for directory in reversed(missing):
            ino = directory.ino()
            assert directory.place is not None
            upper = copy_directory(directory.lowers.first[1], upper, directory.place[1])
            self.fs.remember(upper.stat().ino, ino)
            directory.upper = upper
        return upper

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Node.set_times`: copies up."""
        with self.fs.lock:
            self.make_upper().set_times(atim, mtim)

    def _room_for(self, name: str) -> Directory:
        """The upper directory, to make a name in it that is free.

        Raises:
            OSError: `EEXIST`, `EINVAL`, `ENOENT` when the directory itself was removed.
        """
        check_guest_name(name)
        if self.find(name) is not None:
            raise failure(errno.EEXIST, name)
        if self.place is None:
            raise failure(errno.ENOENT, name)
        return self.make_upper()

    def create(self, name: str) -> File:
        """As `Directory.create`."""
        with self.fs.lock:
            upper = self._room_for(name)
            node = upper.create(name)
            unhide(upper, name)
            return OverlayFile(self.fs, self, name, 0, node)

    def mkdir(self, name: str) -> Directory:
        """As `Directory.mkdir`."""
        with self.fs.lock:
            upper = self._room_for(name)
            if self.lowers.find(name):
                # Moved to its name when it is opaque already: never for a moment does the removed one shine through.
                work = work_name(upper)
                make_opaque(upper.mkdir(work))
                upper.rename(work, upper, name)
                unhide(upper, name)
            else:
                upper.mkdir(name)
            node = self.find(name)
            assert isinstance(node, OverlayDirectory)
            return node

    def symlink(self, name: str, target: str) -> None:
        """As `Directory.symlink`."""
        with self.fs.lock:
            upper = self._room_for(name)
            upper.symlink(name, target)
            unhide(upper, name)

    def link(self, name: str, node: Node) -> None:
        """As `Directory.link`: copies up."""
        with self.fs.lock:
            upper = self._room_for(name)
            if isinstance(node, OverlayDirectory) and node.fs is self.fs:
                raise failure(errno.EPERM, name)
            if not isinstance(node, OverlayLeaf) or node.fs is not self.fs:
                raise failure(errno.EXDEV, name)
            upper.link(name, node.copy_up())
            unhide(upper, name)

    def _existing(self, name: str) -> OverlayDirectory | OverlayLeaf:
        node = self.find(name)
        if node is None:
            raise failure(errno.ENOENT, name)
        return node

    def unlink(self, name: str) -> None:
        """As `Directory.unlink`."""
        with self.fs.lock:
            node = self._existing(name)
            if isinstance(node, OverlayDirectory):
                raise failure(errno.EISDIR, name)
            if self.lowers.find(name):
                hide(self.make_upper(), name)
            if not node.layer:
                stat = node.real.stat()
                self.make_upper().unlink(name)
                if stat.nlink <= 1:
                    self.fs.forget(stat.ino)
            self._drop(name, node)

    def rmdir(self, name: str) -> None:
        """As `Directory.rmdir`."""
        with self.fs.lock:
            node = self._existing(name)
            if not isinstance(node, OverlayDirectory):
                raise failure(errno.ENOTDIR, name)
            if node.entries():
                raise failure(errno.ENOTEMPTY, name)
            node.ino()
            if self.lowers.find(name):
                hide(self.make_upper(), name)
            if node.upper is not None:
                clear_reserved(node.upper)
                ino = node.upper.stat().ino
                self.make_upper().rmdir(name)
                self.fs.forget(ino)
            self._drop(name, node)

    def _drop(self, name: str, node: OverlayDirectory | OverlayLeaf) -> None:
        self.forget(name)
        node.place = None
        if isinstance(node, OverlayDirectory):
            node.lowers = LowerDirectories([])  # what it hid there must not appear in it now
            node._known = {}

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """As `Directory.rename`; a directory of a lower layer is copied up with everything in it."""
        target = target.rename_target(new_name)
        if not isinstance(target, OverlayDirectory) or target.fs is not self.fs:
            raise failure(errno.EXDEV, name)
        with self.fs.lock:
            node = self._existing(name)
            if isinstance(node, OverlayDirectory) and target.is_below(node):
                raise failure(errno.EINVAL, name)
            check_guest_name(new_name)
            replaced = target.find(new_name)
            if replaced is not None:
                if replaced.ino() == node.ino():
                    return  # two names of one inode: POSIX keeps both
                _check_replaceable(self, node, replaced, new_name)
            if target.place is None:
                raise failure(errno.ENOENT, new_name)
            self._move(name, node, target, new_name, replaced)

    def _move(
        self,
        name: str,
        node: OverlayDirectory | OverlayLeaf,
        target: OverlayDirectory,
        new_name: str,
        replaced: OverlayDirectory | OverlayLeaf | None,
    ) -> None:
        destination = target.make_upper()
        if isinstance(node, OverlayDirectory):
            node.copy_up_tree()
            assert node.upper is not None
            if target.lowers.find(new_name):
                make_opaque(node.upper)
        else:
            node.copy_up()
        source = self.make_upper()
        # First the whiteout: while the name is in the upper layer too, it does nothing.
        if self.lowers.find(name):
            hide(source, name)
        gone = None
        if isinstance(replaced, OverlayDirectory):
            if replaced.upper is not None:
                clear_reserved(replaced.upper)
                gone = replaced.upper.stat().ino
        elif replaced is not None and not replaced.layer:
            stat = replaced.real.stat()
            gone = stat.ino if stat.nlink <= 1 else None
        source.rename(name, destination, new_name)
        unhide(destination, new_name)
        if gone is not None:
            self.fs.forget(gone)
        if replaced is not None:
            target._drop(new_name, replaced)
        self.forget(name)
        node.place = (target, new_name)
        if isinstance(node, OverlayDirectory):
            target._known[new_name] = node
            node.refresh(LowerDirectories(target._lowers_of(new_name, node.upper)))

    def copy_up_tree(self) -> None:
        """Copy this directory and everything below it into the upper layer."""
        pending = [self]
        while pending:
            here = pending.pop()
            here.make_upper()
            if not here.lowers:
                continue  # all of it is in the upper layer
            for entry in here.entries():
                node = here.find(entry.name)
                if isinstance(node, OverlayDirectory):
                    pending.append(node)
                elif node is not None:
                    node.copy_up()

    def is_below(self, ancestor: OverlayDirectory) -> bool:
        """Whether this directory is `ancestor` or lies under it."""
        here: OverlayDirectory | None = self
        while here is not None and here is not ancestor:
            here = here.place[0] if here.place is not None else None
        return here is not None


def _check_replaceable(
    source: OverlayDirectory,
    node: OverlayDirectory | OverlayLeaf,
    replaced: OverlayDirectory | OverlayLeaf,
    name: str,
) -> None:
    if isinstance(replaced, OverlayDirectory):
        if not isinstance(node, OverlayDirectory) and not source.is_below(replaced):
            raise failure(errno.EISDIR, name)
        if replaced.entries():
            raise failure(errno.ENOTEMPTY, name)
    elif isinstance(node, OverlayDirectory):
        raise failure(errno.ENOTDIR, name)
