"""The files of an image as a tree that a guest can have as its root, with nothing unpacked and nothing copied."""

from __future__ import annotations

import mmap
import os
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import HostFile, Kind
from runtime.fs.static_tree import StaticDirectory, StaticFile, StaticSymlink

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pkgmgr.rootfs.entry import Entry
    from runtime.fs.readonly import TreeEntry

_SECOND: Final = 10**9


class Mappings:
    """Files of the host in memory, each mapped once: the members of an archive are spans of one mapping."""

    def __init__(self) -> None:
        self._mapped: dict[Path, memoryview] = {}

    def content(self, entry: Entry) -> memoryview:
        """The bytes of a file of an image, not copied.

        Raises:
            WpmError: They cannot be read, or are not all there.
        """
        if not isinstance(entry.content, HostFile):
            return entry.content
        path, size, offset, _ = entry.content
        if not size:
            return memoryview(b"")
        if (whole := self._mapped.get(path)) is None:
            whole = self._mapped[path] = _mapped(entry.content)
        if offset + size > len(whole):
            raise WpmError(f"{path}: it became shorter while it was read: get the image again")
        return whole[offset : offset + size]


class ImageFile:
    """A file of an image, mapped when somebody reads it.

    Args:
        entry: What the image has there.
        mappings: The files of the host that are mapped already.
    """

    __slots__ = ("_entry", "_mappings")

    def __init__(self, entry: Entry, mappings: Mappings) -> None:
        self._entry = entry
        self._mappings = mappings

    @property
    def size(self) -> int:
        """The length of the content, in bytes."""
        return self._entry.size

    @property
    def modified_ns(self) -> int:
        """When it was modified, in nanoseconds since the epoch."""
        return self._entry.mtime * _SECOND

    @property
    def content(self) -> memoryview:
        """The bytes."""
        return self._mappings.content(self._entry)


def image_tree(entries: Iterable[Entry]) -> StaticDirectory:
    """The tree of an image.

    Args:
        entries: All that the image has, ordered by path, nothing in it about lower layers.

    Raises:
        WpmError: A hard link comes before its file, or something lies beneath what is no directory.
    """
    mappings = Mappings()
    top: dict[str, TreeEntry] = {}
    directories: dict[str, dict[str, TreeEntry]] = {"": top}
    files: dict[str, TreeEntry] = {}
    for entry in entries:
        folder, _, name = entry.path.rpartition("/")
        if (parent := directories.get(folder)) is None:
            raise WpmError(f"{entry.path}: lies beneath what is no directory: the image is damaged")
        time = entry.mtime * _SECOND
        match entry.kind:
            case Kind.DIRECTORY | Kind.OPAQUE:
                below = directories[entry.path] = {}
                parent[name] = StaticDirectory(below, time)
            case Kind.SYMLINK:
                parent[name] = files[entry.path] = StaticSymlink(entry.target, time)
            case Kind.FILE:
                parent[name] = files[entry.path] = _file(entry, mappings)
            case Kind.HARD_LINK:
                if (found := files.get(entry.target)) is None:
                    raise WpmError(f"{entry.path}: a hard link to {entry.target}, which is not there")
                parent[name] = files[entry.path] = found
            case Kind.WHITEOUT:
                continue
    return StaticDirectory(top)


def _file(entry: Entry, mappings: Mappings) -> TreeEntry:
    if isinstance(entry.content, HostFile):
        return ImageFile(entry, mappings)
    return StaticFile(entry.content, entry.mtime * _SECOND)


def _mapped(file: HostFile) -> memoryview:
    descriptor = file.open()
    try:
        return memoryview(mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError) as error:
        raise WpmError(f"{file.path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    finally:
        os.close(descriptor)
