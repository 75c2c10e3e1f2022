"""Reading directories: `fd_readdir` and its cookies, and the preopened directories."""

import struct

from remote_guest import (  # noqa: F401 (fixtures)
    BUFFER,
    CREAT,
    DIRECTORY,
    MEMORY,
    RESULT,
    ROOT,
    Remote,
    both_filesystems,
    fails,
    guest_on_both,
)

from runtime.abi.errno import Errno
from runtime.abi.flags import DIRECTORY_RIGHTS, FILE_RIGHTS
from runtime.env import WasiEnvBuilder
from runtime.fs.tmpfs import TmpFileSystem


def test_an_empty_directory_has_two_names(guest: Remote) -> None:
    guest.mkdir("d")
    fd = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS)
    entries, end = guest.readdir(fd)
    assert end
    assert [(entry.name, entry.filetype) for entry in entries] == [(".", 3), ("..", 3)]
    assert entries[0].ino == guest.fstat(fd).ino
    assert entries[1].ino == guest.fstat(ROOT).ino


def test_entries_tell_type_and_inode(guest: Remote) -> None:
    guest.make("file")
    guest.mkdir("dir")
    guest.symlink("file", "link")
    entries, _ = guest.readdir(ROOT)
    found = {entry.name: (entry.filetype, entry.ino) for entry in entries[2:]}
    assert found == {name: (guest.stat(name).filetype, guest.stat(name).ino) for name in ("file", "dir", "link")}


def test_a_cookie_goes_on_after_its_entry(guest: Remote) -> None:
    for name in "abcde":
        guest.make(name)
    entries, _ = guest.readdir(ROOT)
    for index, entry in enumerate(entries):
        rest, end = guest.readdir(ROOT, entry.next)
        assert end
        assert rest == entries[index + 1 :]
    assert guest.readdir(ROOT, entries[-1].next) == ([], True)
    assert guest.readdir(ROOT, 1 << 63) == ([], True)
    assert guest.readdir(ROOT, (1 << 64) - 1) == ([], True)


def test_the_last_entry_is_cut_off_where_the_buffer_ends(guest: Remote) -> None:
    guest.make("a-long-name")
    whole = 24 + 1 + 24 + 2 + 24 + 11
    guest.done("fd_readdir", ROOT, BUFFER, 4096, 0, RESULT)
    assert guest.u32() == whole
    everything = guest.read(BUFFER, whole)
    for room in (0, 1, 23, 24, 25, 26, 50, whole - 1, whole, whole + 1):
        guest.write(BUFFER, b"\xee" * (whole + 8))
        guest.done("fd_readdir", ROOT, BUFFER, room, 0, RESULT)
        used = guest.u32()
        assert used == min(room, whole)
        assert guest.read(BUFFER, used) == everything[:used]
        assert guest.read(BUFFER + used, 8) == b"\xee" * 8


def test_many_entries_through_a_small_buffer(guest: Remote) -> None:
    guest.mkdir("d")
    fd = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=FILE_RIGHTS)
    names = {f"file.{number}" for number in range(300)}
    for name in names:
        guest.make(name, at=fd)
    found: list[str] = []
    cookie, end = 0, False
    while not end:
        entries, end = guest.readdir(fd, cookie, room=256)
        assert entries or end
        found += [entry.name for entry in entries]
        cookie = entries[-1].next if entries else cookie
    assert sorted(found) == sorted(names | {".", ".."})


def test_removing_while_reading_loses_nothing(guest: Remote) -> None:
    names = {f"file.{number}" for number in range(60)}
    for name in names:
        guest.make(name)
    seen: set[str] = set()
    cookie, end = 0, False
    while not end:
        entries, end = guest.readdir(ROOT, cookie, room=300)
        for entry in entries:
            if entry.name not in (".", ".."):
                seen.add(entry.name)
                guest.unlink(entry.name)
        cookie = entries[-1].next if entries else cookie
    assert seen == names
    assert guest.names_in(ROOT) == [], "beginning again looks again"


def test_only_a_directory_can_be_read(guest: Remote) -> None:
    fd = guest.open("f", oflags=CREAT, rights=FILE_RIGHTS)
    with fails(Errno.NOTDIR, Errno.NOTCAPABLE):
        guest.readdir(fd)
    with fails(Errno.NOTDIR, Errno.NOTCAPABLE):
        guest.readdir(0)


def test_bad_buffers(guest: Remote) -> None:
    assert guest.fd_readdir(ROOT, MEMORY - 10, 11, 0, RESULT) is Errno.FAULT
    assert guest.fd_readdir(ROOT, 0xFFFF_FFFF, 0xFFFF_FFFF, 0, RESULT) is Errno.FAULT
    assert guest.fd_readdir(ROOT, BUFFER, 100, 0, MEMORY - 3) is Errno.FAULT


def preopened(guest: Remote) -> dict[int, bytes]:
    """What a C library finds: number after number until one is not a preopen."""
    found = {}
    fd = 3
    while guest.fd_prestat_get(fd, RESULT) is Errno.SUCCESS:
        tag, length = struct.unpack("<BxxxI", guest.read(RESULT, 8))
        assert tag == 0
        guest.done("fd_prestat_dir_name", fd, BUFFER, length)
        found[fd] = guest.read(BUFFER, length)
        fd += 1
    assert guest.fd_prestat_get(fd, RESULT) is Errno.BADF
    return found


def test_the_root_and_the_working_directory_are_preopened() -> None:
    root = TmpFileSystem()
    root.root.mkdir("work").create("here")
    with Remote(root, setup=lambda builder: builder.cwd("/work")) as guest:
        # The third name is what keeps "/work" from being taken for "work" in the working directory.
        assert preopened(guest) == {3: b"/", 4: b".", 5: b"/work"}
        assert guest.names_in(5) == guest.names_in(4) == ["here"]
        assert guest.names_in(3) == ["work"]
    with Remote(root) as guest:
        assert preopened(guest) == {3: b"/", 4: b"."}


def test_preopens_of_ones_own() -> None:
    root, volume = TmpFileSystem(), TmpFileSystem()
    root.root.mkdir("a").mkdir("b")
    volume.root.create("inside")

    def setup(builder: WasiEnvBuilder) -> None:
        builder.mount("/data", volume).preopen("/a/b", "bee").preopen("/data").preopen("/a", "ä")

    with Remote(root, setup=setup) as guest:
        assert preopened(guest) == {3: b"bee", 4: b"/data", 5: "ä".encode()}
        assert guest.names_in(4) == ["inside"]
        assert guest.names_in(5) == ["b"]
        with fails(Errno.PERM):
            guest.open("..", at=3)
        with fails(Errno.NOTCAPABLE):
            guest.symlink("/data", "link", at=3)
        guest.make("f", b"x", at=3)
        with fails(Errno.XDEV):
            guest.rename("f", "f", at=3, to=4)
        with fails(Errno.XDEV):
            guest.link("f", "f", at=3, to=4)
        assert guest.stat("inside", at=4).dev != guest.stat("f", at=3).dev


def test_the_name_of_a_preopen_needs_room(guest: Remote) -> None:
    guest.write(BUFFER, b"???")
    assert guest.fd_prestat_dir_name(ROOT, BUFFER, 0) in (Errno.NAMETOOLONG, Errno.INVAL)
    assert guest.read(BUFFER, 3) == b"???"
    guest.done("fd_prestat_dir_name", ROOT, BUFFER, 2)
    assert guest.read(BUFFER, 3) == b"/??", "no NUL, no more than the name"
    assert guest.fd_prestat_dir_name(ROOT, MEMORY, 1) is Errno.FAULT
    assert guest.fd_prestat_get(0, RESULT) is Errno.BADF


def test_a_removed_directory_that_is_open_still_tells(guest: Remote) -> None:
    guest.mkdir("removed")
    fd = guest.open("removed", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS)
    before = guest.fstat(fd)
    guest.rmdir("removed")
    assert guest.fstat(fd)[:3] == before[:3]
    with fails(Errno.NOENT):
        guest.mkdir("below", at=fd)
    guest.done("fd_close", fd)
