"""Paths of WASI preview 1: `path_*`, on memory and on a directory of the host."""

import pytest
from remote_guest import (  # noqa: F401 (fixtures)
    CREAT,
    CWD,
    DIRECTORY,
    EXCL,
    FOLLOW,
    RESULT,
    ROOT,
    TRUNC,
    Remote,
    both_filesystems,
    fails,
    guest_on_both,
)

from runtime.abi.errno import Errno
from runtime.abi.flags import DIRECTORY_RIGHTS, FILE_RIGHTS, Rights

READ, WRITE = int(Rights.FD_READ), int(Rights.FD_WRITE)
REGULAR, DIRECTORY_TYPE, SYMLINK = 4, 3, 7


def test_open_what_is_not_there(guest: Remote) -> None:
    for path in ("a", "a/b", "a/", "./a"):
        with fails(Errno.NOENT):
            guest.open(path)
    with fails(Errno.NOENT):
        guest.open("")
    with fails(Errno.NOENT):
        guest.open("a", oflags=DIRECTORY)


def test_create_what_is_there(guest: Remote) -> None:
    guest.make("a", b"kept")
    with fails(Errno.EXIST):
        guest.open("a", oflags=CREAT | EXCL, rights=WRITE)
    assert guest.fd_text(guest.open("a", oflags=CREAT, rights=READ | WRITE)) == b"kept"
    guest.mkdir("d")
    with fails(Errno.EXIST):
        guest.open("d", oflags=CREAT | EXCL)
    with fails(Errno.ISDIR):
        guest.open("d", oflags=CREAT)
    with fails(Errno.ISDIR):
        guest.open("n/", oflags=CREAT)
    with fails(Errno.NOENT):
        guest.open("no/n", oflags=CREAT)
    with fails(Errno.NOTDIR):
        guest.open("a/n", oflags=CREAT)
    with fails(Errno.INVAL):
        guest.open("a", oflags=16)


def test_open_for_reading_writing_and_both(guest: Remote) -> None:
    guest.make("a")
    reading = guest.open("a", rights=READ)
    assert guest.fdstat(reading).rights & (READ | WRITE) == READ
    assert guest.fd_text(reading) == b""
    with fails(Errno.NOTCAPABLE):
        guest.fd_bytes(reading, b"x")
    writing = guest.open("a", rights=WRITE)
    assert guest.fdstat(writing).rights & (READ | WRITE) == WRITE
    with fails(Errno.NOTCAPABLE):
        guest.fd_text(writing)
    guest.fd_bytes(writing, b"1" * 50)
    both = guest.open("a", rights=READ | WRITE | int(Rights.FD_FILESTAT_GET))
    assert guest.fd_text(both) == b"1" * 50
    guest.fd_bytes(both, b"2" * 25)
    assert guest.fstat(both).size == 75


def test_open_a_directory(guest: Remote) -> None:
    guest.mkdir("d")
    for oflags, rights in [(0, 0), (DIRECTORY, 0), (DIRECTORY, READ), (0, READ), (DIRECTORY, DIRECTORY_RIGHTS)]:
        fd = guest.open("d", oflags=oflags, rights=rights)
        assert guest.fdstat(fd).filetype == DIRECTORY_TYPE
        guest.done("fd_close", fd)
    for oflags, rights in [(DIRECTORY, READ | WRITE), (0, WRITE), (TRUNC, 0), (DIRECTORY | TRUNC, 0)]:
        with fails(Errno.ISDIR):
            guest.open("d", oflags=oflags, rights=rights)
    guest.make("f")
    with fails(Errno.NOTDIR):
        guest.open("f", oflags=DIRECTORY)


def test_open_a_preopened_directory_again(guest: Remote) -> None:
    stat = guest.fdstat(ROOT)
    assert stat.rights & DIRECTORY_RIGHTS == DIRECTORY_RIGHTS
    assert stat.inheriting & (DIRECTORY_RIGHTS | FILE_RIGHTS) == DIRECTORY_RIGHTS | FILE_RIGHTS
    again = guest.open(".", rights=stat.rights, inheriting=stat.inheriting)
    assert guest.fdstat(again) == stat
    assert guest.fd_prestat_get(again, RESULT) is Errno.BADF, "opened, not preopened"
    guest.open(".")
    guest.open(".", oflags=DIRECTORY, rights=READ)


def test_a_file_is_nothing_to_open_below(guest: Remote) -> None:
    guest.make("f", b"x")
    fd = guest.open("f", rights=FILE_RIGHTS | int(Rights.PATH_OPEN), inheriting=FILE_RIGHTS)
    with fails(Errno.NOTDIR, Errno.NOTCAPABLE):
        guest.open("x", at=fd)
    for stream in (0, 1, 2):
        with fails(Errno.NOTDIR, Errno.NOTCAPABLE):
            guest.open("x", at=stream)


def test_paths_that_wind(guest: Remote) -> None:
    guest.mkdir("dir")
    guest.mkdir("dir/nested")
    guest.make("dir/nested/file")
    guest.open("dir/.//nested/../../dir/nested/../nested///./file")
    for path in ("dir/nested/", "dir/nested///", "dir/nested/.", "dir/nested/..", "./dir", "dir/../dir"):
        assert guest.stat(path).filetype == DIRECTORY_TYPE
        guest.open(path)
    for path in ("dir/nested/file/", "dir/nested/file///", "dir/nested/file/.", "dir/nested/file/.."):
        with fails(Errno.NOTDIR):
            guest.open(path)
    for path in ("/dir/nested/file", "/", "//", "..", "dir/..//..", "dir/nested/../../../dir/nested/file"):
        with fails(Errno.PERM):
            guest.open(path)
        with fails(Errno.PERM):
            guest.stat(path)
    for raw in (b"dir/nested/file\0", b"\0", b"dir\0/nested"):
        with fails(Errno.INVAL):
            guest.open(raw)
    with fails(Errno.NAMETOOLONG):
        guest.open("n" * 256)
    with fails(Errno.NAMETOOLONG):
        guest.open("n/" * 2048)
    inner = guest.open("dir", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=FILE_RIGHTS)
    guest.open("nested/../nested/file", at=inner)
    with fails(Errno.PERM):
        guest.open("../dir", at=inner)


def test_names_that_are_no_utf8_survive(guest: Remote) -> None:
    name = b"caf\xe9 \xff\xfe"
    guest.done("fd_close", guest.open(name, oflags=CREAT))
    guest.done("path_filestat_get", ROOT, 0, *guest.text(name), RESULT)
    guest.done("fd_readdir", ROOT, 65536, 4096, 2, RESULT)
    assert guest.read(65536 + 24, len(name)) == name
    guest.make("Zürich ☃")
    assert guest.stat("Zürich ☃").filetype == REGULAR


def test_both_preopens_are_one_filesystem(guest: Remote) -> None:
    guest.make("a", b"x", at=CWD)
    assert guest.stat("a", at=ROOT) == guest.stat("a", at=CWD)
    guest.rename("a", "b", at=CWD, to=ROOT)
    guest.link("b", "c", at=ROOT, to=CWD)
    assert guest.names_in(CWD) == guest.names_in(ROOT)


def test_what_exists(guest: Remote) -> None:
    guest.make("file", b"123")
    guest.mkdir("dir")
    guest.symlink("file", "link")
    guest.symlink("gone", "dangling")
    assert guest.stat("file")[2:5] == (REGULAR, 1, 3)
    assert guest.stat("dir").filetype == DIRECTORY_TYPE
    assert guest.stat("link").filetype == SYMLINK
    assert guest.stat("link").size == 4
    assert guest.stat("link", lookup=FOLLOW) == guest.stat("file")
    assert guest.stat("dangling").filetype == SYMLINK
    with fails(Errno.NOENT):
        guest.stat("dangling", lookup=FOLLOW)
    with fails(Errno.NOENT):
        guest.stat("gone")
    with fails(Errno.NOENT):
        guest.stat("")
    with fails(Errno.NOTDIR):
        guest.stat("file/")
    assert guest.stat("file").dev == guest.stat("dir").dev
    assert guest.stat("file").ino != guest.stat("dir").ino


def test_directories_come_and_go(guest: Remote) -> None:
    guest.mkdir("d")
    assert guest.stat("d").filetype == DIRECTORY_TYPE
    for path in ("d", "d/", "."):
        with fails(Errno.EXIST):
            guest.mkdir(path)
    with fails(Errno.NOENT):
        guest.mkdir("x/y")
    with fails(Errno.NOENT):
        guest.mkdir("")
    guest.rmdir("d/")
    guest.mkdir("d/")
    guest.make("d/f")
    with fails(Errno.NOTEMPTY):
        guest.rmdir("d")
    with fails(Errno.NOTDIR):
        guest.rmdir("d/f")
    with fails(Errno.NOTDIR):
        guest.rmdir("d/f/")
    with fails(Errno.NOTDIR):
        guest.mkdir("d/f/g")
    guest.unlink("d/f")
    guest.rmdir("d")
    with fails(Errno.NOENT):
        guest.rmdir("d")
    with fails(Errno.INVAL, Errno.BUSY):
        guest.rmdir(".")


def test_unlink(guest: Remote) -> None:
    guest.mkdir("d")
    for path in ("d", "d/"):
        with fails(Errno.ISDIR):
            guest.unlink(path)
    guest.make("f")
    with fails(Errno.NOTDIR):
        guest.unlink("f/")
    guest.unlink("f")
    with fails(Errno.NOENT):
        guest.unlink("f")
    guest.symlink("d", "l")
    guest.unlink("l")
    assert guest.names_in(ROOT) == ["d"]


def test_links(guest: Remote) -> None:
    file = guest.open("file", oflags=CREAT, rights=FILE_RIGHTS)
    guest.link("file", "link")
    link = guest.open("link", rights=FILE_RIGHTS)
    assert guest.fstat(file) == guest.fstat(link)
    assert guest.fdstat(file) == guest.fdstat(link)
    assert guest.fstat(file).nlink == 2
    guest.fd_bytes(file, b"both")
    assert guest.fd_text(link) == b"both"
    guest.unlink("link")
    assert guest.fstat(file).nlink == 1
    guest.mkdir("sub")
    sub = guest.open("sub", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=FILE_RIGHTS)
    guest.link("file", "link", to=sub)
    assert guest.stat("link", at=sub).ino == guest.fstat(file).ino
    for new in ("file", "sub", "sub/", "sub/link"):
        with fails(Errno.EXIST):
            guest.link("file", new)
    with fails(Errno.PERM, Errno.ACCES):
        guest.link("sub", "link")
    with fails(Errno.NOENT):
        guest.link("file", "link/")
    with fails(Errno.NOENT):
        guest.link("gone", "link")


def test_links_to_symbolic_links(guest: Remote) -> None:
    guest.make("file", b"target")
    guest.symlink("gone", "dangling")
    guest.link("dangling", "one")
    assert guest.stat("one").filetype == SYMLINK
    guest.symlink("loop", "loop")
    guest.link("loop", "two")
    assert guest.readlink("two") == b"loop"
    with fails(Errno.EXIST):
        guest.link("file", "dangling")
    with fails(Errno.NOENT):
        guest.link("dangling", "three", lookup=FOLLOW)
    guest.symlink("file", "good")
    guest.link("good", "four", lookup=FOLLOW)
    assert guest.stat("four").ino == guest.stat("file").ino
    guest.link("good", "five")
    assert guest.stat("five").ino == guest.stat("good").ino


def test_symbolic_links(guest: Remote) -> None:
    guest.make("target", b"seen through")
    guest.symlink("target", "link")
    assert guest.readlink("link") == b"target"
    assert guest.readlink("link", room=3) == b"tar", "cut off where the buffer ends"
    assert guest.readlink("link", room=0) == b""
    with fails(Errno.INVAL):
        guest.readlink("target")
    with fails(Errno.NOENT):
        guest.readlink("gone")
    assert guest.fd_text(guest.open("link", rights=READ, lookup=FOLLOW)) == b"seen through"
    with fails(Errno.LOOP):
        guest.open("link", rights=READ)
    with fails(Errno.NOENT):
        guest.symlink("", "empty")
    guest.symlink("/target", "absolute")
    assert guest.fd_text(guest.open("absolute", rights=READ, lookup=FOLLOW)) == b"seen through"
    guest.symlink("/etc/passwd", "above")
    with fails(Errno.NOENT):
        guest.open("above", rights=READ, lookup=FOLLOW)
    with fails(Errno.EXIST):
        guest.symlink("x", "link")
    guest.symlink("deep/../x/./y", "odd")
    assert guest.readlink("odd") == b"deep/../x/./y"


def test_symbolic_links_lead_nowhere_above(guest: Remote) -> None:
    guest.mkdir("d")
    guest.symlink("../..", "d/up")
    guest.symlink("..", "d/top")
    guest.make("f", b"x")
    with fails(Errno.PERM):
        guest.open("d/up", lookup=FOLLOW)
    assert guest.fd_text(guest.open("d/top/f", rights=READ)) == b"x"
    inner = guest.open("d", oflags=DIRECTORY, rights=DIRECTORY_RIGHTS, inheriting=FILE_RIGHTS)
    with fails(Errno.PERM):
        guest.open("top/f", at=inner)


def test_symbolic_link_loops(guest: Remote) -> None:
    guest.symlink("b", "a")
    guest.symlink("a", "b")
    for lookup in (0, FOLLOW):
        with fails(Errno.LOOP):
            guest.open("a", lookup=lookup)
        with fails(Errno.LOOP):
            guest.open("a/x", lookup=lookup)
    with fails(Errno.LOOP):
        guest.stat("a", lookup=FOLLOW)
    assert guest.stat("a").filetype == SYMLINK
    guest.unlink("a")


def test_no_following_of_the_last_name(guest: Remote) -> None:
    guest.mkdir("target")
    guest.symlink("target", "link")
    with fails(Errno.LOOP, Errno.NOTDIR):
        guest.open("link", oflags=DIRECTORY)
    with fails(Errno.LOOP):
        guest.open("link")
    guest.open("link", oflags=DIRECTORY, lookup=FOLLOW)
    guest.open("link/", oflags=DIRECTORY)
    guest.unlink("link")
    guest.rmdir("target")
    guest.make("target")
    guest.symlink("target", "link")
    with fails(Errno.LOOP, Errno.NOTDIR):
        guest.open("link", oflags=DIRECTORY)
    with fails(Errno.NOTDIR):
        guest.open("link", oflags=DIRECTORY, lookup=FOLLOW)
    with fails(Errno.NOTDIR):
        guest.open("link/", lookup=FOLLOW)


def test_dangling_links(guest: Remote) -> None:
    guest.symlink("made", "link")
    with fails(Errno.LOOP, Errno.NOTDIR):
        guest.open("link", oflags=DIRECTORY)
    with fails(Errno.LOOP):
        guest.open("link")
    with fails(Errno.EXIST):
        guest.open("link", oflags=CREAT | EXCL, lookup=FOLLOW)
    with fails(Errno.NOENT):
        guest.open("link", lookup=FOLLOW)
    guest.fd_bytes(guest.open("link", oflags=CREAT, rights=WRITE, lookup=FOLLOW), b"through")
    assert guest.stat("made").size == 7


def test_a_link_where_a_slash_follows(guest: Remote) -> None:
    with fails(Errno.NOENT):
        guest.symlink("source", "target/")
    guest.symlink("source", "target")
    guest.unlink("target")
    guest.mkdir("target")
    for path in ("target", "target/"):
        with fails(Errno.EXIST):
            guest.symlink("source", path)
    guest.rmdir("target")
    guest.make("target")
    with fails(Errno.NOTDIR, Errno.EXIST):
        guest.symlink("source", "target/")
    with fails(Errno.EXIST):
        guest.symlink("source", "target")


def test_rename_directories(guest: Remote) -> None:
    guest.mkdir("source")
    guest.rename("source", "target")
    with fails(Errno.NOENT):
        guest.open("source", oflags=DIRECTORY)
    guest.open("target", oflags=DIRECTORY)
    guest.mkdir("source")
    guest.rename("source", "target")
    guest.mkdir("source")
    guest.make("target/file")
    with fails(Errno.NOTEMPTY, Errno.EXIST):
        guest.rename("source", "target")
    with fails(Errno.NOTDIR):
        guest.rename("source", "target/file")
    with fails(Errno.INVAL):
        guest.rename("target", "target/inside")
    guest.rename("source", "target/source")
    assert guest.stat("target/source").filetype == DIRECTORY_TYPE
    guest.rename("target/source/", "source/")
    assert guest.stat("source").filetype == DIRECTORY_TYPE
    for path in (".", "source/.."):
        with fails(Errno.BUSY, Errno.INVAL):
            guest.rename(path, "other")


def test_rename_files(guest: Remote) -> None:
    guest.make("source", b"new")
    guest.rename("source", "target")
    with fails(Errno.NOENT):
        guest.open("source")
    guest.make("source", b"newer")
    guest.rename("source", "target")
    assert guest.stat("target").size == 5
    guest.rename("target", "target")
    guest.mkdir("dir")
    with fails(Errno.ISDIR):
        guest.rename("target", "dir")
    for old, new in [("target/", "x"), ("target", "x/"), ("target", "dir/file/")]:
        with fails(Errno.NOTDIR, Errno.NOENT):
            guest.rename(old, new)
    with fails(Errno.NOENT):
        guest.rename("gone", "x")
    with fails(Errno.PERM):
        guest.rename("target", "../x")
    guest.symlink("target", "link")
    guest.rename("link", "moved")
    assert guest.readlink("moved") == b"target"
    assert guest.names_in(ROOT) == sorted(guest.names_in(ROOT), key=guest.names_in(ROOT).index)
    assert set(guest.names_in(ROOT)) == {"target", "dir", "moved"}


def test_rename_over_an_open_file(guest: Remote) -> None:
    guest.make("old", b"old")
    guest.make("new", b"new")
    fd = guest.open("old", rights=FILE_RIGHTS)
    guest.rename("new", "old")
    assert guest.fd_text(fd) == b"old"
    assert guest.fd_text(guest.open("old", rights=READ)) == b"new"
    assert guest.fstat(fd).nlink == 0


@pytest.mark.parametrize("name", ["path_link", "path_rename"])
def test_two_filesystems_are_two(guest: Remote, name: str) -> None:
    # /dev/null-like streams aside, whatever is not a directory cannot be where a path begins.
    guest.make("f")
    path = guest.text("f")
    arguments = (ROOT, 0, *path, 1, *path) if name == "path_link" else (ROOT, *path, 1, *path)
    assert getattr(guest, name)(*arguments) in (Errno.NOTDIR, Errno.NOTCAPABLE)
