"""A path leads where POSIX says, and never out."""

import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from fs_model import Guest, Host, outcome
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.fs import naming
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.node import Directory
from runtime.fs.tmpfs import TmpFileSystem
from runtime.fs.walk import Location, Walked, top, walk


def small_tree() -> Location:
    """/a/b/file, /file, and links to what is there, to what is not, and to themselves."""
    fs = TmpFileSystem()
    a = fs.root.mkdir("a")
    a.mkdir("b").create("file")
    fs.root.create("file")
    for name, target in {"up": "..", "abs": "/a/b", "loop": "loop", "gone": "a/new", "d": "a/", "f": "file/"}.items():
        fs.root.symlink(name, target)
    a.symlink("rel", "../file")
    return top(fs)


def resolve(path: str, *, follow: bool = True, beneath: bool = False, start: str = "/", name: bool = False) -> Walked:
    root = small_tree()
    here = walk(root, root, start, follow=True).found()
    return walk(root, here, path, follow=follow, beneath=beneath, naming=name)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("a/b/file", "/a/b/file"),
        ("/a//b/./file", "/a/b/file"),
        ("a/b/../../file", "/file"),
        ("../../a", "/a"),
        ("up/up/a", "/a"),
        ("abs/file", "/a/b/file"),
        ("abs/../rel", "/file"),
        ("a/rel", "/file"),
        ("d", "/a"),
        ("d/b/", "/a/b"),
        ("/", "/"),
        (".", "/"),
        ("a/.", "/a"),
        ("a/b/..", "/a"),
    ],
)
def test_where_a_path_leads(path: str, place: str) -> None:
    assert resolve(path).found().path() == place


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("", errno.ENOENT),
        ("missing/x", errno.ENOENT),
        ("missing/.", errno.ENOENT),
        ("file/", errno.ENOTDIR),
        ("file/x", errno.ENOTDIR),
        ("file/..", errno.ENOTDIR),
        ("file/.", errno.ENOTDIR),
        ("f", errno.ENOTDIR),
        ("loop", errno.ELOOP),
        ("loop/x", errno.ELOOP),
        ("a\0", errno.EINVAL),
        ("x" * 256, errno.ENAMETOOLONG),
        ("é" * 128 + "/x", errno.ENAMETOOLONG),
        ("a/../" * 819 + "a", errno.ENAMETOOLONG),
    ],
)
def test_what_fails(path: str, code: int) -> None:
    with pytest.raises(OSError) as failed:
        resolve(path)
    assert failed.value.errno == code


def test_a_path_just_short_enough() -> None:
    path = "a/../" * 818 + "a/b"
    assert len(path) == 4093
    assert resolve(path + "/.").found().path() == "/a/b"


@pytest.mark.parametrize("path", ["..", "b/../..", "/a", "../a/b", "out", "abs", "b/../../a", "updown/b"])
def test_beneath_nothing_above_can_be_named(path: str) -> None:
    fs = TmpFileSystem()
    a = fs.root.mkdir("a")
    a.mkdir("b").create("file")
    a.symlink("out", "../a")
    a.symlink("abs", "/a/b")
    a.symlink("updown", "b/../../a")
    root = top(fs)
    start = walk(root, root, "a", follow=True).found()
    with pytest.raises(PermissionError) as refused:
        walk(root, start, path, follow=True, beneath=True)
    assert refused.value.errno == errno.EPERM
    assert walk(root, start, "b/../b/./file", follow=True, beneath=True).found().path() == "/a/b/file"
    assert walk(root, start, "abs", follow=False, beneath=True).found().name == "abs"


def test_beneath_the_root_absolute_links_are_followed() -> None:
    """What they name is beneath it; absolute paths, and what climbs above the root, are refused there too."""
    root = small_tree()
    root.directory.symlink("high", "/a/../../file")
    for path, place in {"abs": "/a/b", "abs/file": "/a/b/file", "abs/../rel": "/file"}.items():
        assert walk(root, root, path, follow=True, beneath=True).found().path() == place
    for path in ("/a", "..", "up", "high", "abs/../../.."):
        with pytest.raises(PermissionError):
            walk(root, root, path, follow=True, beneath=True)


def test_what_is_missing_has_its_parent() -> None:
    walked = resolve("a/b/new")
    assert (walked.node, walked.name, walked.parent.path(), walked.slashed) == (None, "new", "/a/b", False)
    walked = resolve("gone")
    assert (walked.node, walked.name, walked.parent.path()) == (None, "new", "/a")
    assert resolve("a/new/").slashed
    with pytest.raises(FileNotFoundError):
        walked.found()


def test_a_link_at_the_end() -> None:
    assert resolve("abs", follow=False).found().name == "abs"
    assert resolve("abs/", follow=False).found().path() == "/a/b"
    assert resolve("abs/", follow=False, name=True).found().name == "abs"
    assert resolve("loop", follow=False).found().name == "loop"


def test_forty_links_but_not_more() -> None:
    fs = TmpFileSystem()
    fs.root.create("0")
    for number in range(41):
        fs.root.symlink(str(number + 1), str(number))
    root = top(fs)
    assert walk(root, root, "40", follow=True).found().name == "0"
    with pytest.raises(OSError) as failed:
        walk(root, root, "41", follow=True)
    assert failed.value.errno == errno.ELOOP


def test_the_root_is_where_a_process_says() -> None:
    whole = small_tree()
    jail = walk(whole, whole, "a", follow=True).found()
    assert walk(jail, jail, "../../b", follow=True).found().node is walk(whole, whole, "a/b", follow=True).found().node
    with pytest.raises(FileNotFoundError):
        walk(jail, jail, "rel", follow=True).found()


@pytest.mark.parametrize(
    ("operation", "path", "code"),
    [
        ("mkdir", "a/", errno.EEXIST),
        ("mkdir", ".", errno.EEXIST),
        ("mkdir", "/", errno.EEXIST),
        ("mkdir", "gone", errno.EEXIST),
        ("rmdir", ".", errno.EINVAL),
        ("rmdir", "a/..", errno.ENOTEMPTY),
        ("rmdir", "/", errno.EBUSY),
        ("rmdir", "file/", errno.ENOTDIR),
        ("rmdir", "d/", errno.ENOTDIR),
        ("unlink", "file/", errno.ENOTDIR),
        ("unlink", "d/", errno.ENOTDIR),
        ("unlink", "a/", errno.EISDIR),
        ("unlink", ".", errno.EISDIR),
        ("symlink", "new/", errno.ENOENT),
        ("symlink", "a/", errno.EEXIST),
        ("symlink", "file/", errno.ENOTDIR),
        ("symlink", "gone", errno.EEXIST),
    ],
)
def test_the_last_name(operation: str, path: str, code: int) -> None:
    guest = Guest(TmpFileSystem())
    guest.top = small_tree()
    arguments = ("target",) if operation == "symlink" else ()
    with pytest.raises(OSError) as failed:
        getattr(guest, operation)(path, *arguments)
    assert failed.value.errno == code


def test_renaming_with_slashes() -> None:
    guest = Guest(TmpFileSystem())
    guest.mkdir("source")
    guest.rename("source/", "target")
    guest.rename("target", "source/")
    guest.rename("source/", "target/")
    guest.write("file", 0, b"")
    for old, new in [("file", "new/"), ("file/", "new")]:
        with pytest.raises(NotADirectoryError):
            guest.rename(old, new)
    for old, new in [(".", "x"), ("target/..", "x"), ("target", "."), ("target", "/")]:
        with pytest.raises(OSError) as busy:
            guest.rename(old, new)
        assert busy.value.errno == errno.EBUSY


def test_creating_through_a_dangling_link() -> None:
    root = small_tree()
    naming.create_file(walk(root, root, "gone", follow=True))
    assert walk(root, root, "a/new", follow=True).found().path() == "/a/new"
    with pytest.raises(IsADirectoryError):
        naming.create_file(walk(root, root, "other/", follow=True))
    with pytest.raises(FileExistsError):
        naming.create_file(walk(root, root, "file", follow=True))


COMPONENT = st.sampled_from(["a", "b", "c", "..", ".", "", "a", "b", "..", "x" * 300])
PATH = st.lists(COMPONENT, min_size=1, max_size=8).map("/".join).filter(bool)
LINKS = st.lists(
    st.tuples(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3), st.one_of(PATH, PATH)), max_size=10
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(links=LINKS, paths=st.lists(PATH, max_size=8))
def test_as_the_kernel_walks_but_never_out(links: list[tuple[list[str], str]], paths: list[str]) -> None:
    """In a tree of links every path comes to the inode that the kernel finds, unless it leads out of the tree."""
    with tempfile.TemporaryDirectory() as outer:
        inside = Path(outer, "1", "2", "inside")
        (inside / "a" / "b").mkdir(parents=True)
        (inside / "b").mkdir()
        (inside / "c").write_text("c")
        for names, target in links:
            outcome(lambda: (inside / "/".join(names)).symlink_to(target))  # noqa: B023
        root = top(HostFileSystem(inside))
        outermost = top(HostFileSystem(Path(outer)))
        start = walk(outermost, outermost, "1/2/inside", follow=True).found()
        host = Host(inside)
        for path in [*paths, *("/".join(names) for names, _ in links)]:
            for beneath in (True, False):
                try:
                    place = walk(root, root, path, follow=True, beneath=beneath).found()
                except OSError:
                    continue
                check_inside(place, root)
            with suppress(OSError):
                check_inside(walk(outermost, start, path, follow=True, beneath=True).found(), start)
            try:
                expected = os.stat(host.at(path)).st_ino
                found = walk(outermost, start, path, follow=True, beneath=True).found().node.stat().ino
            except PermissionError:
                continue
            except OSError as error:
                if not path.startswith("/"):
                    check_same_failure(error, outermost, start, path, host)
                continue
            assert found == expected


def check_same_failure(error: OSError, root: Location, start: Location, path: str, host: Host) -> None:
    guest = outcome(lambda: walk(root, start, path, follow=True, beneath=True).found() and None)
    if guest != ("failed", "EPERM"):
        kernel = outcome(lambda: os.stat(host.at(path)) and None)
        assert guest == kernel, (path, error)


def check_inside(place: Location, top: Location) -> None:
    """Going down by names from the top leads to the very node: it is in the tree."""
    names = place.path().split("/")[1:]
    above = top.path().split("/")[1:] if top.parent is not None else []
    assert names[: len(above)] == above
    here = top.node
    for name in names[len(above) :]:
        if name:
            assert isinstance(here, Directory)
            here = here.lookup(name)
    assert here.stat()[:2] == place.node.stat()[:2]


def test_creating_a_file_whose_name_has_a_slash_behind_it() -> None:
    filesystem = TmpFileSystem()
    filesystem.root.create("a")
    filesystem.root.symlink("b", "a/")
    root = top(filesystem)
    for path in ("a/", "b"):
        with pytest.raises(IsADirectoryError):
            walk(root, root, path, follow=True, creating=True)
        with pytest.raises(NotADirectoryError):
            walk(root, root, path, follow=True)
