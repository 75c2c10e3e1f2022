"""Open files of WASI preview 1: `fd_read` .. `fd_filestat_set_times`, on memory and on a directory of the host."""

import os

import pytest
from remote_guest import (  # noqa: F401 (fixtures)
    APPEND,
    BUFFER,
    CREAT,
    CUR,
    DIRECTORY,
    DSYNC,
    END,
    EXCL,
    NONBLOCK,
    RESULT,
    ROOT,
    RSYNC,
    SET,
    SYNC,
    TRUNC,
    Remote,
    both_filesystems,
    fails,
    guest_on_both,
)

from runtime.abi.errno import Errno
from runtime.abi.flags import DIRECTORY_RIGHTS, FILE_RIGHTS, Rights
from runtime.fs.node import FileSystem
from runtime.limits import Limits

READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
SEEK, TELL = int(Rights.FD_SEEK), int(Rights.FD_TELL)
ALL = FILE_RIGHTS


def test_write_seek_read(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT | EXCL, rights=ALL)
    assert guest.fd_bytes(fd, b"hello world") == 11
    assert guest.tell(fd) == 11
    assert guest.fd_text(fd) == b""
    assert guest.seek(fd, -5, CUR) == 6
    assert guest.fd_text(fd) == b"world"
    assert guest.seek(fd, -11, END) == 0
    assert guest.seek(fd, 4, SET) == 4
    assert guest.seek(fd, 0, CUR) == 4
    assert guest.fd_text(fd, 3) == b"o w"
    assert guest.tell(fd) == 7


def test_seek_refuses_what_is_no_position(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    guest.fd_bytes(fd, b"12345")
    for offset, whence in [(-1, SET), (-6, CUR), (-6, END), (1 << 63, SET), ((1 << 63) - 1, END), (0, 3), (0, 255)]:
        assert guest.fd_seek(fd, offset, whence, RESULT) is Errno.INVAL
    assert guest.tell(fd) == 5, "a refused seek moves nothing"


def test_a_seek_beyond_the_end_makes_a_hole(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    assert guest.seek(fd, 100) == 100
    assert guest.fstat(fd).size == 0
    assert guest.fd_text(fd) == b""
    guest.fd_bytes(fd, b"x")
    assert guest.fstat(fd).size == 101
    assert guest.pread(fd, 200, 0) == bytes(100) + b"x"


def test_scatter_and_gather(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    guest.write(BUFFER, b"abcdefgh")
    pieces = guest.iovecs((BUFFER, 3), (0, 0), (BUFFER + 3, 4), (BUFFER, 1))
    guest.done("fd_write", fd, *pieces, RESULT)
    assert guest.u32() == 8
    guest.seek(fd, 0)
    guest.write(BUFFER, b"." * 16)
    guest.done("fd_read", fd, *guest.iovecs((BUFFER, 2), (BUFFER + 8, 5), (BUFFER + 4, 3)), RESULT)
    assert guest.u32() == 8
    assert guest.read(BUFFER, 16) == b"ab..a...cdefg..."


def test_no_buffers_at_all(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    for name in ("fd_write", "fd_read"):
        guest.done(name, fd, 0, 0, RESULT)
        assert guest.u32() == 0
    for name in ("fd_pwrite", "fd_pread"):
        guest.done(name, fd, *guest.iovecs((BUFFER, 0)), 0, RESULT)
        assert guest.u32() == 0


def test_too_many_buffers(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    guest.write(BUFFER, bytes(8 * 1025))
    assert guest.fd_write(fd, BUFFER, 1025, RESULT) is Errno.INVAL
    assert guest.fd_write(fd, BUFFER, 1024, RESULT) is Errno.SUCCESS
    assert guest.fd_write(fd, BUFFER, 0xFFFF_FFFF, RESULT) is Errno.INVAL


def test_pread_and_pwrite_leave_the_position(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    assert guest.pwrite(fd, b"\0\1\2\3", 0) == 4
    assert guest.tell(fd) == 0
    assert guest.pread(fd, 4, 0) == b"\0\1\2\3"
    assert guest.pread(fd, 4, 2) == b"\2\3"
    assert guest.pread(fd, 4, 9) == b""
    assert guest.pwrite(fd, b"z", 6) == 1
    assert guest.pread(fd, 16, 0) == b"\0\1\2\3\0\0z"
    assert guest.tell(fd) == 0
    for name in ("fd_pread", "fd_pwrite"):
        with fails(Errno.INVAL):
            guest.done(name, fd, *guest.iovecs((BUFFER, 1)), 1 << 63, RESULT)


def test_append_writes_at_the_end(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL, fdflags=APPEND)
    assert guest.fdstat(fd).flags == APPEND
    guest.fd_bytes(fd, b"one")
    guest.seek(fd, 0)
    assert guest.fd_text(fd) == b"one"
    guest.seek(fd, 0)
    guest.fd_bytes(fd, b"two")
    assert guest.tell(fd) == 6
    guest.done("fd_fdstat_set_flags", fd, 0)
    guest.seek(fd, 0)
    guest.fd_bytes(fd, b"T")
    assert guest.pread(fd, 9, 0) == b"Tnetwo"
    guest.done("fd_fdstat_set_flags", fd, APPEND)
    guest.fd_bytes(fd, b"!")
    assert guest.pread(fd, 9, 0) == b"Tnetwo!"


def test_flags_are_kept_and_unknown_ones_refused(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    for flags in (0, NONBLOCK, APPEND | SYNC, DSYNC, RSYNC | DSYNC, 31):
        guest.done("fd_fdstat_set_flags", fd, flags)
        assert guest.fdstat(fd).flags == flags
        guest.fd_bytes(fd, b"x")
    assert guest.fd_fdstat_set_flags(fd, 32) is Errno.INVAL
    assert guest.fdstat(fd).flags == 31
    with fails(Errno.INVAL):
        guest.open("a", fdflags=32)
    nonblocking = guest.open("a", rights=ALL, fdflags=NONBLOCK)
    assert guest.fdstat(nonblocking).flags == NONBLOCK
    assert guest.fd_text(nonblocking) == b"xxxxxx"


def test_allocate_grows_and_never_shrinks(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    for offset, length, size in [(0, 100, 100), (10, 10, 100), (90, 20, 110)]:
        guest.done("fd_allocate", fd, offset, length)
        assert guest.fstat(fd).size == size
    assert guest.pread(fd, 200, 0) == bytes(110)
    assert guest.fd_allocate(fd, 0, 0) is Errno.INVAL
    assert guest.fd_allocate(fd, 1 << 63, 1) is Errno.INVAL
    assert guest.fd_allocate(fd, (1 << 63) - 1, 5) is Errno.FBIG
    assert guest.fstat(fd).size == 110


def test_advise_takes_the_six_advices(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    for advice in range(6):
        guest.done("fd_advise", fd, 0, 0, advice)
    assert guest.fd_advise(fd, 0, 0, 6) is Errno.INVAL
    assert guest.fd_advise(fd, 1 << 63, 0, 0) is Errno.INVAL
    assert guest.fstat(fd).size == 0


def test_set_size(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    guest.fd_bytes(fd, b"0123456789")
    guest.done("fd_filestat_set_size", fd, 4)
    assert guest.tell(fd) == 10
    assert guest.pread(fd, 16, 0) == b"0123"
    guest.done("fd_filestat_set_size", fd, 8)
    assert guest.pread(fd, 16, 0) == b"0123\0\0\0\0"
    assert guest.fd_filestat_set_size(fd, 1 << 63) is Errno.INVAL
    assert guest.fstat(fd).size == 8


def test_truncating_open(guest: Remote) -> None:
    guest.make("a", b"content")
    guest.done("fd_close", guest.open("a", rights=READ))
    assert guest.stat("a").size == 7
    guest.done("fd_close", guest.open("a", oflags=TRUNC))
    assert guest.stat("a").size == 0
    guest.make("a", b"content")
    fd = guest.open("a", oflags=CREAT | TRUNC, rights=READ | WRITE)
    assert guest.fd_text(fd) == b""


def test_times(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    now = guest.fstat(fd)
    guest.done("fd_filestat_set_times", fd, 0, now.mtim - 200, 4)
    assert guest.fstat(fd).mtim == now.mtim - 200
    guest.done("fd_filestat_set_times", fd, 1_000_000_007, 0, 1)
    stat = guest.fstat(fd)
    assert (stat.atim, stat.mtim) == (1_000_000_007, now.mtim - 200)
    guest.done("fd_filestat_set_times", fd, 0, 0, 2 | 8)
    stat = guest.fstat(fd)
    assert stat.atim >= now.atim
    assert stat.mtim >= now.mtim
    for flags in (3, 12, 15, 16):
        assert guest.fd_filestat_set_times(fd, 0, 0, flags) is Errno.INVAL
    guest.done("path_filestat_set_times", ROOT, 0, *guest.text("a"), 5, 6, 5)
    stat = guest.stat("a")
    assert (stat.atim, stat.mtim) == (5, 6)
    for flags in (3, 12, 15, 16):
        assert guest.path_filestat_set_times(ROOT, 0, *guest.text("a"), 0, 0, flags) is Errno.INVAL
    assert guest.path_filestat_set_times(ROOT, 0, *guest.text("b"), 0, 0, 10) is Errno.NOENT


def test_times_of_a_directory(guest: Remote) -> None:
    guest.mkdir("d")
    fd = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS)
    guest.done("fd_filestat_set_times", fd, 0, 12_345, 4)
    assert guest.fstat(fd).mtim == 12_345
    guest.done("path_filestat_set_times", ROOT, 0, *guest.text("d"), 0, 54_321, 4)
    assert guest.stat("d").mtim == 54_321


def test_sync(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=ALL)
    guest.fd_bytes(fd, b"x")
    guest.done("fd_sync", fd)
    guest.done("fd_datasync", fd)
    assert guest.fd_sync(99) is Errno.BADF
    assert guest.fd_datasync(99) is Errno.BADF


def test_two_descriptors_have_two_positions(guest: Remote) -> None:
    guest.make("a", b"shared")
    one, two = guest.open("a", rights=ALL), guest.open("a", rights=ALL)
    assert guest.fd_text(one, 3) == b"sha"
    assert guest.fd_text(two, 4) == b"shar"
    guest.pwrite(two, b"S", 0)
    assert guest.pread(one, 9, 0) == b"Shared"


def test_rights_say_what_a_descriptor_may_be_used_for(guest: Remote) -> None:
    guest.make("a", b"data")
    reading = guest.open("a", rights=READ)
    assert guest.fdstat(reading).rights == READ
    assert guest.fd_text(reading) == b"data"
    for call in (
        lambda: guest.fd_bytes(reading, b"x"),
        lambda: guest.seek(reading, 0),
        lambda: guest.tell(reading),
        lambda: guest.fstat(reading),
        lambda: guest.pread(reading, 1, 0),
        lambda: guest.done("fd_filestat_set_size", reading, 0),
        lambda: guest.done("fd_filestat_set_times", reading, 0, 0, 2),
        lambda: guest.done("fd_allocate", reading, 0, 1),
        lambda: guest.done("fd_advise", reading, 0, 1, 0),
        lambda: guest.done("fd_sync", reading),
        lambda: guest.done("fd_datasync", reading),
        lambda: guest.done("fd_fdstat_set_flags", reading, 0),
    ):
        with fails(Errno.NOTCAPABLE):
            call()
    writing = guest.open("a", rights=WRITE)
    with fails(Errno.NOTCAPABLE):
        guest.fd_text(writing)
    assert guest.fd_bytes(writing, b"DA") == 2
    telling = guest.open("a", rights=READ | TELL)
    assert guest.seek(telling, 0, CUR) == 0, "asking where one is needs the right to tell only"
    with fails(Errno.NOTCAPABLE):
        guest.seek(telling, 1, CUR)


def test_rights_can_be_given_up_and_not_taken_back(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT, rights=READ | WRITE | SEEK | TELL)
    guest.fd_bytes(fd, b"\0\1\2\3")
    guest.seek(fd, 0)
    assert guest.fd_text(fd) == b"\0\1\2\3"
    guest.done("fd_fdstat_set_rights", fd, SEEK | TELL, 0)
    assert guest.fdstat(fd)[2:] == (SEEK | TELL, 0)
    with fails(Errno.NOTCAPABLE):
        guest.fd_text(fd)
    with fails(Errno.NOTCAPABLE):
        guest.fd_bytes(fd, b"x")
    assert guest.fd_fdstat_set_rights(fd, SEEK | TELL | READ, 0) is Errno.NOTCAPABLE
    assert guest.fd_fdstat_set_rights(fd, SEEK, READ) is Errno.NOTCAPABLE
    assert guest.fdstat(fd)[2:] == (SEEK | TELL, 0)


def test_truncating_takes_a_right_of_the_directory(guest: Remote) -> None:
    guest.mkdir("d")
    inner = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=ALL)
    guest.make("file", b"x", at=inner)
    stat = guest.fdstat(inner)
    assert stat.flags == 0
    assert not stat.rights & Rights.FD_FILESTAT_SET_SIZE
    guest.done("fd_close", guest.open("file", at=inner, oflags=TRUNC))
    inheriting = stat.inheriting & ~int(Rights.FD_FILESTAT_SET_SIZE)
    guest.done("fd_fdstat_set_rights", inner, stat.rights, inheriting)
    guest.done("fd_close", guest.open("file", at=inner, oflags=TRUNC))
    rights = stat.rights & ~int(Rights.PATH_FILESTAT_SET_SIZE)
    guest.done("fd_fdstat_set_rights", inner, rights, inheriting)
    with fails(Errno.NOTCAPABLE):
        guest.open("file", at=inner, oflags=TRUNC)
    with fails(Errno.NOTCAPABLE):
        guest.open("file", at=inner, rights=int(Rights.FD_FILESTAT_SET_SIZE))


def test_inheriting_rights_bound_what_is_opened(guest: Remote) -> None:
    guest.mkdir("d")
    guest.make("d/f", b"x")
    inner = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=READ)
    assert guest.fd_text(guest.open("f", at=inner, rights=READ)) == b"x"
    with fails(Errno.NOTCAPABLE):
        guest.open("f", at=inner, rights=READ | WRITE)
    blind = guest.open("d", oflags=DIRECTORY)
    for call in (
        lambda: guest.open("f", at=blind),
        lambda: guest.mkdir("g", at=blind),
        lambda: guest.unlink("f", at=blind),
        lambda: guest.rmdir("f", at=blind),
        lambda: guest.stat("f", at=blind),
        lambda: guest.readlink("f", at=blind),
        lambda: guest.symlink("x", "g", at=blind),
        lambda: guest.rename("f", "g", at=blind),
        lambda: guest.rename("d", "g", to=blind),
        lambda: guest.link("f", "g", at=blind),
        lambda: guest.link("d/f", "g", to=blind),
        lambda: guest.readdir(blind),
        lambda: guest.fstat(blind),
        lambda: guest.done("path_filestat_set_times", blind, 0, *guest.text("f"), 0, 0, 2),
    ):
        with fails(Errno.NOTCAPABLE):
            call()


@pytest.mark.parametrize("opened", ["preopen", "directory"])
def test_a_directory_is_no_file(guest: Remote, opened: str) -> None:
    guest.mkdir("d")
    fd = ROOT if opened == "preopen" else guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS)
    assert guest.fstat(fd).filetype == 3
    refusals = (Errno.ISDIR, Errno.BADF, Errno.NOTCAPABLE)
    for call in (
        lambda: guest.fd_text(fd),
        lambda: guest.fd_bytes(fd, b"x"),
        lambda: guest.pread(fd, 1, 0),
        lambda: guest.pwrite(fd, b"x", 0),
        lambda: guest.seek(fd, 0, SET),
        lambda: guest.seek(fd, 0, CUR),
        lambda: guest.seek(fd, 0, END),
        lambda: guest.tell(fd),
        lambda: guest.done("fd_allocate", fd, 0, 1),
        lambda: guest.done("fd_filestat_set_size", fd, 0),
    ):
        with fails(*refusals):
            call()


@pytest.mark.parametrize("fd", [77, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF])
def test_numbers_that_are_not_open(guest: Remote, fd: int) -> None:
    path = guest.text("a")
    for name, arguments in {
        "fd_advise": (fd, 0, 0, 0),
        "fd_allocate": (fd, 0, 1),
        "fd_close": (fd,),
        "fd_datasync": (fd,),
        "fd_fdstat_get": (fd, RESULT),
        "fd_fdstat_set_flags": (fd, 0),
        "fd_fdstat_set_rights": (fd, 0, 0),
        "fd_filestat_get": (fd, RESULT),
        "fd_filestat_set_size": (fd, 0),
        "fd_filestat_set_times": (fd, 0, 0, 0),
        "fd_pread": (fd, 0, 0, 0, RESULT),
        "fd_prestat_dir_name": (fd, BUFFER, 10),
        "fd_prestat_get": (fd, RESULT),
        "fd_pwrite": (fd, 0, 0, 0, RESULT),
        "fd_read": (fd, 0, 0, RESULT),
        "fd_readdir": (fd, BUFFER, 10, 0, RESULT),
        "fd_renumber": (fd, ROOT),
        "fd_seek": (fd, 0, 0, RESULT),
        "fd_sync": (fd,),
        "fd_tell": (fd, RESULT),
        "fd_write": (fd, 0, 0, RESULT),
        "path_create_directory": (fd, *path),
        "path_filestat_get": (fd, 0, *path, RESULT),
        "path_filestat_set_times": (fd, 0, *path, 0, 0, 0),
        "path_link": (fd, 0, *path, ROOT, *path),
        "path_open": (fd, 0, *path, 0, 0, 0, 0, RESULT),
        "path_readlink": (fd, *path, BUFFER, 10, RESULT),
        "path_remove_directory": (fd, *path),
        "path_rename": (fd, *path, ROOT, *path),
        "path_symlink": (*path, fd, *path),
        "path_unlink_file": (fd, *path),
        "sock_accept": (fd, 0, RESULT),
        "sock_recv": (fd, 0, 0, 0, RESULT, RESULT + 8),
        "sock_send": (fd, 0, 0, 0, RESULT),
        "sock_shutdown": (fd, 1),
    }.items():
        assert getattr(guest, name)(*arguments) is Errno.BADF, name
    assert guest.fd_renumber(ROOT, fd) is Errno.BADF


def test_renumber(guest: Remote) -> None:
    guest.make("a", b"aa")
    guest.make("b", b"bb")
    one, two = guest.open("a", rights=ALL), guest.open("b", rights=ALL)
    before = guest.fdstat(one)
    guest.done("fd_renumber", one, two)
    assert guest.fd_fdstat_get(one, RESULT) is Errno.BADF
    assert guest.fdstat(two) == before
    assert guest.fd_text(two) == b"aa"
    guest.done("fd_renumber", two, two)
    assert guest.open("a") == one, "the lowest free number is given out first"
    assert guest.fd_renumber(two, 99) is Errno.BADF
    assert guest.fd_renumber(99, two) is Errno.BADF
    guest.done("fd_close", two)
    assert guest.fd_close(two) is Errno.BADF


def test_preopens_can_be_closed_and_replaced(guest: Remote) -> None:
    guest.mkdir("d")
    inner = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS)
    old = guest.fstat(inner)
    guest.done("fd_renumber", inner, 4)
    assert guest.fstat(4)[:2] == old[:2]
    assert guest.fd_fdstat_get(inner, RESULT) is Errno.BADF
    guest.done("fd_close", 4)
    assert guest.fd_prestat_get(4, RESULT) is Errno.BADF
    assert guest.fd_fdstat_get(4, RESULT) is Errno.BADF
    assert guest.fstat(3).filetype == 3


def test_an_unlinked_file_lives_until_it_is_closed(guest: Remote) -> None:
    fd = guest.open("a", oflags=CREAT | EXCL, rights=ALL)
    guest.fd_bytes(fd, b"still here")
    guest.unlink("a")
    assert guest.pread(fd, 99, 0) == b"still here"
    assert guest.fstat(fd).nlink == 0
    with fails(Errno.NOENT):
        guest.open("a")
    other = guest.open("a", oflags=CREAT | EXCL, rights=ALL)
    assert guest.fstat(other).ino != guest.fstat(fd).ino
    guest.unlink("a")


def test_nothing_can_be_made_in_a_removed_directory(guest: Remote) -> None:
    guest.mkdir("d")
    fd = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=ALL)
    guest.rmdir("d")
    with fails(Errno.NOENT):
        guest.open("f", at=fd, oflags=CREAT, rights=WRITE)
    guest.mkdir("d")
    guest.rmdir("d")


def test_a_full_table_refuses_and_keeps_nothing_open(filesystem: FileSystem) -> None:
    with Remote(filesystem, setup=lambda builder: builder.limits(Limits(descriptors=8))) as guest:
        guest.make("a", b"x")
        for _ in range(3):
            guest.open("a", rights=READ)
        before = open_descriptors() + 2  # the pipe by which a blocked guest is woken is made when it first blocks
        for _ in range(20):
            with fails(Errno.MFILE):
                guest.open("a", rights=READ)
        assert open_descriptors() <= before
        guest.done("fd_close", 6)
        assert guest.open("a") == 6


def open_descriptors() -> int:
    """How many descriptors of the operating system this process has open."""
    return len(os.listdir("/dev/fd"))
