"""Files copied into a root that takes no layers: what is there already stays."""

from __future__ import annotations

import errno
import os

from runtime.fs.node import Directory, File, Symlink
from runtime.fs.walk import Location, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import Node

CHUNK = 1 << 20


def copy_directory(source: Directory, target: Directory) -> None:
    """Copy everything below a directory into another one; a name that is taken by a file stays as it is.

    Args:
        source: What is copied: directories, regular files and symbolic links.
        target: Where to.

    Raises:
        OSError: the target takes no files.
    """
    pending = [(source, target)]
    while pending:
        here, there = pending.pop()
        for entry in here.entries():
            node = here.lookup(entry.name)
            if isinstance(node, Directory):
                below = _directory(there, entry.name)
                if below is not None:
                    pending.append((node, below))
            elif _lookup(there, entry.name) is None:
                if isinstance(node, Symlink):
                    there.symlink(entry.name, node.readlink())
                elif isinstance(node, File):
                    _copy_file(node, there.create(entry.name))


def put_file(root: Directory, path: str, content: memoryview, *, replace: bool = False) -> None:
    """Write a file, making the directories on the way.

    Args:
        root: The top.
        path: Absolute path of plain names.
        content: The bytes.
        replace: Whether a file that is there is replaced; else it stays.

    Raises:
        OSError: the root takes no files, or something on the way is not a directory.
    """
    parent, _, last = path.rpartition("/")
    here = make_path(root, parent)
    if _lookup(here, last) is not None:
        if not replace:
            return
        here.unlink(last)
    _write(here.create(last), content)


def make_path(root: Directory, path: str) -> Directory:
    """The directory at a path, made with those on the way where they are missing.

    A symbolic link on the way is followed as the guest would follow it (many roots have `/bin` as a link to `usr/bin`);
    one that leads to nothing is followed to where its target is made.

    Args:
        root: The top, which no link leads out of.
        path: A path of plain names.

    Raises:
        OSError: the root takes no directories, or something on the way is not one.
    """
    top = here = Location(root, None, "")
    for name in path.split("/"):
        if not name:
            continue
        found = walk(top, here, name, follow=True)
        if found.location is None:
            found.parent.directory.mkdir(found.name)
            found = walk(top, here, name, follow=True)
        here = found.found()
        if not isinstance(here.node, Directory):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    return here.directory


def _lookup(directory: Directory, name: str) -> Node | None:
    try:
        return directory.lookup(name)
    except FileNotFoundError:
        return None


def _directory(parent: Directory, name: str) -> Directory | None:
    """The directory of that name, made if there is nothing; `None` where something else is."""
    node = _lookup(parent, name)
    if node is None:
        return parent.mkdir(name)
    return node if isinstance(node, Directory) else None


def _copy_file(source: File, target: File) -> None:
    reading = source.open(read=True, write=False)
    try:
        writing = target.open(read=False, write=True)
        try:
            buffer = memoryview(bytearray(CHUNK))
            offset = 0
            while count := reading.readv([buffer], offset):
                done = 0
                while done < count:
                    done += writing.writev([buffer[done:count]], offset + done)
                offset += count
        finally:
            writing.close()
    finally:
        reading.close()


def _write(target: File, content: memoryview) -> None:
    writing = target.open(read=False, write=True)
    try:
        offset = 0
        while offset < len(content):
            offset += writing.writev([content[offset : offset + CHUNK]], offset)
    finally:
        writing.close()
