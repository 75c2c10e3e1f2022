"""Paths: open, create, remove, rename, link, metadata.

Source: WASI preview 1, `path_create_directory` .. `path_unlink_file`. A module of preview 1 or `wasi_unstable` names only
what lies beneath the directory that it gives; a WASIX module has POSIX paths (absolute ones, and `..` up to the root).
"""

from __future__ import annotations

from runtime.abi.errno import Errno, GuestError
from runtime.abi.filetype import Filetype
from runtime.abi.flags import (
    DIRECTORY_RIGHTS,
    FILE_RIGHTS,
    SOCKET_RIGHTS,
    STREAM_RIGHTS,
    SYMLINK_FOLLOW,
    WRITE_RIGHTS,
    FdFlags,
    OFlags,
    Rights,
)
from runtime.descriptors import Description, Descriptor
from runtime.fs import naming
from runtime.fs.devices import DeviceFile
from runtime.fs.node import Symlink
from runtime.fs.walk import walk
from runtime.hostcalls import PREVIEW1, UNSTABLE, WASIX, syscall
from runtime.syscalls.args import encode
from runtime.syscalls.file import chosen_times, put_filestat, put_unstable_filestat
from runtime.typed import cast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.env import WasiEnv
    from runtime.fs.node import File, Node, OpenFile, Stat
    from runtime.fs.walk import Location, Walked
    from runtime.thread import GuestThread

# Plain numbers, as in `runtime.abi.flags`: with the flags themselves half of the time of an open went into their operators.
_CREAT, _DIRECTORY, _EXCL, _TRUNC = int(OFlags.CREAT), int(OFlags.DIRECTORY), int(OFlags.EXCL), int(OFlags.TRUNC)
_APPEND = int(FdFlags.APPEND)
_OPEN_RIGHT, _CREATE_RIGHT = int(Rights.PATH_OPEN), int(Rights.PATH_CREATE_FILE)
_STAT_RIGHT = int(Rights.PATH_FILESTAT_GET)
_READ_RIGHTS = int(Rights.FD_READ | Rights.FD_READDIR)
_WRITE_RIGHT = int(Rights.FD_WRITE)
_SIZE_RIGHT = int(Rights.PATH_FILESTAT_SET_SIZE)


def resolve(
    thread: GuestThread, fd: int, path: int, length: int, rights: int, *, follow: bool, naming: bool = False
) -> Walked:
    """Where a path of the guest leads, from the directory `fd`.

    Raises:
        GuestError: `BADF`, `NOTDIR`, `NOTCAPABLE`, `FAULT`.
        OSError: as `walk`.
    """
    directory = thread.descriptors.directory(fd)
    if rights & ~directory.rights:
        raise GuestError(Errno.NOTCAPABLE)
    start = directory.description.location
    if start is None:
        raise GuestError(Errno.NOTDIR)
    text = thread.memory.text(path, length)
    return walk(thread.env.root, start, text, follow=follow, beneath=is_confined(thread, fd), naming=naming)


def is_confined(thread: GuestThread, fd: int) -> bool:
    """Whether paths from this directory may name only what lies beneath it.

    Who has the root too may climb from the others that it was given, as a program does anywhere else: there is nothing
    above that it was not given.
    """
    if thread.process.module.is_wasix:
        return False
    descriptor = thread.descriptors.directory(fd)
    location = descriptor.description.location
    return not (
        descriptor.preopen is not None
        and thread.env.has_root
        and location is not None
        and location.node is not thread.env.root.node
    )


@syscall("path_open", "iiiiiIIii:i")
def path_open(
    thread: GuestThread,
    fd: int,
    lookup: int,
    path: int,
    length: int,
    oflags: int,
    rights: int,
    inheriting: int,
    fdflags: int,
    result: int,
) -> None:
    """Open or create a file or directory; writes the new descriptor, u32.

    The rights asked for are given as far as the directory's inheriting rights and the kind of file allow, and decide
    between reading and writing. Errors: `INVAL`, `NOTCAPABLE`, `EXIST`, `NOTDIR`, `ISDIR`, `LOOP`, and those of `walk`.
    """
    memory = thread.memory
    memory.check(result, 4)
    descriptor = open_at(thread, fd, lookup, path, length, oflags, rights, inheriting, fdflags)
    memory.set_u32(result, thread.descriptors.add(descriptor))


@syscall("path_open2", "iiiiiIIiii:i", WASIX)
def path_open2(
    thread: GuestThread,
    fd: int,
    lookup: int,
    path: int,
    length: int,
    oflags: int,
    rights: int,
    inheriting: int,
    fdflags: int,
    ext: int,
    result: int,
) -> None:
    """As `path_open`, with `fdflagsext`: 1 closes the descriptor on exec."""
    thread.memory.check(result, 4)
    descriptor = open_at(thread, fd, lookup, path, length, oflags, rights, inheriting, fdflags)
    descriptor.close_on_exec = bool(ext & 1)
    thread.memory.set_u32(result, thread.descriptors.add(descriptor))


def open_at(
    thread: GuestThread,
    fd: int,
    lookup: int,
    path: int,
    length: int,
    oflags: int,
    rights: int,
    inheriting: int,
    fdflags: int,
) -> Descriptor:
    """What `path_open` opens, with the rights of the directory `fd`."""
    if oflags > 15 or fdflags > 31:
        raise GuestError(Errno.INVAL)
    needed = _OPEN_RIGHT
    if oflags & _CREAT:
        needed |= _CREATE_RIGHT
    if oflags & _TRUNC:
        needed |= _SIZE_RIGHT
    directory = thread.descriptors.directory(fd)
    if needed & ~directory.rights:
        raise GuestError(Errno.NOTCAPABLE)
    start = directory.description.location
    if start is None:
        raise GuestError(Errno.NOTDIR)
    beneath = is_confined(thread, fd)
    allowed = directory.inheriting
    if rights & ~allowed and not thread.process.module.is_wasix:
        raise GuestError(Errno.NOTCAPABLE)
    text = thread.memory.text(path, length)
    rights, inheriting = rights & allowed, inheriting & allowed
    return open_path(thread.env, start, text, lookup, oflags, rights, inheriting, fdflags, beneath=beneath)


def open_path(
    env: WasiEnv,
    start: Location,
    path: str,
    lookup: int,
    oflags: int,
    rights: int,
    inheriting: int,
    fdflags: int,
    *,
    beneath: bool,
) -> Descriptor:
    """Open or create what a path names, from a directory.

    Raises:
        GuestError: `EXIST`, `NOENT`, `NOTDIR`, `ISDIR`, `LOOP`.
        OSError: as `walk` and the filesystem.
    """
    creating = oflags & _CREAT != 0
    exclusive = creating and oflags & _EXCL != 0
    follow = lookup & SYMLINK_FOLLOW != 0 and not exclusive
    walked = walk(env.root, start, path, follow=follow, beneath=beneath, creating=creating)
    location = walked.location
    if location is None:
        if not creating or oflags & _DIRECTORY:
            raise GuestError(Errno.NOENT)
        try:
            node: Node = naming.create_file(walked)
        except FileExistsError:
            if exclusive:
                raise
            # Another thread made it first: then it is opened.
            node = walked.parent.directory.lookup(walked.name)
        oflags &= ~_TRUNC
    else:
        if exclusive:
            raise GuestError(Errno.EXIST)
        node = location.node
    filetype = node.filetype
    if filetype is Filetype.DIRECTORY:
        assert location is not None
        if rights & _WRITE_RIGHT and (beneath or not oflags & _DIRECTORY):
            raise GuestError(Errno.ISDIR)
        return _open_directory(location, oflags, rights, inheriting, fdflags)
    if filetype is Filetype.SYMBOLIC_LINK:
        raise GuestError(Errno.LOOP)
    if oflags & _DIRECTORY:
        raise GuestError(Errno.NOTDIR)
    return _open_file(env, cast("File", node), oflags, rights, inheriting, fdflags)


def _open_directory(location: Location, oflags: int, rights: int, inheriting: int, fdflags: int) -> Descriptor:
    if oflags & _CREAT and not oflags & _DIRECTORY:
        raise GuestError(Errno.ISDIR)
    if oflags & _TRUNC:
        raise GuestError(Errno.ISDIR)
    return Descriptor(Description(location=location, flags=fdflags), rights & DIRECTORY_RIGHTS, inheriting)


def _open_file(env: WasiEnv, node: File, oflags: int, rights: int, inheriting: int, fdflags: int) -> Descriptor:
    truncates = oflags & _TRUNC != 0
    writes = rights & WRITE_RIGHTS != 0 or truncates or fdflags & _APPEND != 0
    file = node.open(read=rights & _READ_RIGHTS != 0 or not writes, write=writes, truncate=truncates)
    if file.lender is not None:
        # /dev/stdin and its like: one more descriptor of what is open, which lives as long as the last of them.
        for descriptor in env.descriptors.values():
            if descriptor.description.file is file.lender:
                return Descriptor(descriptor.description, rights & rights_of(file), inheriting)
    return Descriptor(Description(file=file, flags=fdflags), rights & rights_of(file), inheriting)


def rights_of(file: OpenFile) -> int:
    """What an open file of this kind can be used for."""
    if file.filetype is Filetype.REGULAR_FILE:
        return FILE_RIGHTS if file.seekable else STREAM_RIGHTS
    if file.filetype in (Filetype.SOCKET_DGRAM, Filetype.SOCKET_STREAM):
        return SOCKET_RIGHTS
    if isinstance(file, DeviceFile):
        # With the right to seek: a C library takes a character device without it for a terminal.
        return FILE_RIGHTS
    return FILE_RIGHTS if file.seekable else STREAM_RIGHTS


@syscall("path_create_directory", "iii:i")
def path_create_directory(thread: GuestThread, fd: int, path: int, length: int) -> None:
    """Make a directory. Errors: `EXIST`, and those of `walk`."""
    right = int(Rights.PATH_CREATE_DIRECTORY)
    naming.make_directory(resolve(thread, fd, path, length, right, follow=False, naming=True))


def _stat(thread: GuestThread, fd: int, lookup: int, path: int, length: int) -> Stat:
    follow = bool(lookup & SYMLINK_FOLLOW)
    location = resolve(thread, fd, path, length, _STAT_RIGHT, follow=follow).location
    if location is None:
        raise GuestError(Errno.NOENT)
    return location.node.stat()


@syscall("path_filestat_get", "iiiii:i", PREVIEW1, WASIX)
def path_filestat_get(thread: GuestThread, fd: int, lookup: int, path: int, length: int, result: int) -> None:
    """Write the `filestat` of what a path names."""
    put_filestat(thread, result, _stat(thread, fd, lookup, path, length))


@syscall("path_filestat_get", "iiiii:i", UNSTABLE)
def path_filestat_get_unstable(thread: GuestThread, fd: int, lookup: int, path: int, length: int, result: int) -> None:
    """As `path_filestat_get`, with the older structure."""
    put_unstable_filestat(thread, result, _stat(thread, fd, lookup, path, length))


@syscall("path_filestat_set_times", "iiiiIIi:i")
def path_filestat_set_times(
    thread: GuestThread, fd: int, lookup: int, path: int, length: int, atim: int, mtim: int, flags: int
) -> None:
    """Set the times of what a path names, in nanoseconds, as `fstflags` choose."""
    times = chosen_times(atim, mtim, flags)
    follow = bool(lookup & SYMLINK_FOLLOW)
    walked = resolve(thread, fd, path, length, int(Rights.PATH_FILESTAT_SET_TIMES), follow=follow)
    walked.found().node.set_times(*times)


@syscall("path_link", "iiiiiii:i")
def path_link(
    thread: GuestThread,
    old_fd: int,
    lookup: int,
    old_path: int,
    old_length: int,
    new_fd: int,
    new_path: int,
    new_length: int,
) -> None:
    """Give a file a second name. Errors: `EXIST`, `PERM` for a directory, `XDEV`, `INVAL` for a link that is followed."""
    follow = bool(lookup & SYMLINK_FOLLOW)
    old = resolve(thread, old_fd, old_path, old_length, int(Rights.PATH_LINK_SOURCE), follow=follow)
    right = int(Rights.PATH_LINK_TARGET)
    new = resolve(thread, new_fd, new_path, new_length, right, follow=False, naming=True)
    naming.make_link(new, old.found().node)


@syscall("path_readlink", "iiiiii:i")
def path_readlink(
    thread: GuestThread, fd: int, path: int, length: int, buffer: int, buffer_length: int, result: int
) -> None:
    """Write the target of a symbolic link, cut off where the buffer ends, and its length. Errors: `INVAL` for no link."""
    node = resolve(thread, fd, path, length, int(Rights.PATH_READLINK), follow=False).found().node
    if not isinstance(node, Symlink):
        raise GuestError(Errno.INVAL)
    target = encode(node.readlink())[:buffer_length]
    thread.memory.write(buffer, target)
    thread.memory.set_u32(result, len(target))


@syscall("path_remove_directory", "iii:i")
def path_remove_directory(thread: GuestThread, fd: int, path: int, length: int) -> None:
    """Remove an empty directory. Errors: `NOTEMPTY`, `NOTDIR`, and those of `walk`."""
    right = int(Rights.PATH_REMOVE_DIRECTORY)
    naming.remove_directory(resolve(thread, fd, path, length, right, follow=False, naming=True))


@syscall("path_rename", "iiiiii:i")
def path_rename(
    thread: GuestThread, old_fd: int, old_path: int, old_length: int, new_fd: int, new_path: int, new_length: int
) -> None:
    """Move a name, replacing what has the new one. Errors: those of POSIX `rename`."""
    right = int(Rights.PATH_RENAME_SOURCE)
    old = resolve(thread, old_fd, old_path, old_length, right, follow=False, naming=True)
    right = int(Rights.PATH_RENAME_TARGET)
    new = resolve(thread, new_fd, new_path, new_length, right, follow=False, naming=True)
    naming.rename(old, new)


@syscall("path_symlink", "iiiii:i")
def path_symlink(thread: GuestThread, target: int, target_length: int, fd: int, path: int, length: int) -> None:
    """Make a symbolic link.

    Errors: `EXIST`; `NOTCAPABLE` for an absolute target in preview 1, where the guest has not the root; `NOENT` for an
    empty one.
    """
    text = thread.memory.text(target, target_length)
    if not text:
        raise GuestError(Errno.NOENT)
    if text.startswith("/") and not (thread.process.module.is_wasix or thread.env.has_root):
        raise GuestError(Errno.NOTCAPABLE)
    if "\0" in text:
        raise GuestError(Errno.INVAL)
    right = int(Rights.PATH_SYMLINK)
    naming.make_symlink(resolve(thread, fd, path, length, right, follow=False, naming=True), text)


@syscall("path_unlink_file", "iii:i")
def path_unlink_file(thread: GuestThread, fd: int, path: int, length: int) -> None:
    """Remove a name that is not a directory. Errors: `ISDIR`, and those of `walk`."""
    right = int(Rights.PATH_UNLINK_FILE)
    naming.remove_file(resolve(thread, fd, path, length, right, follow=False, naming=True))
