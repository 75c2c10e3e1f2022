"""Symbolic links of a package: shown as they are, followed by the walker, and never out of the guest's root."""

from __future__ import annotations

import errno
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fs_model import Guest, read_all
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.abi.filetype import Filetype
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.mounts import MountTable
from runtime.fs.node import File, Symlink
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.readonly import ReadOnlyFileSystem, StaticDirectory, StaticFile, StaticSymlink
from runtime.fs.tmpfs import TmpFileSystem
from runtime.fs.walk import top, walk
from webc_parser import Container, DirectorySource, FileSource, SymlinkSource, Version, write_container

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.fs.node import FileSystem

SECOND = 1_700_000_000 * 10**9
LINKS = {
    "rel": "etc/motd",
    "abs": "/etc/motd",
    "dangling": "etc/nothing",
    "climbing": "../../../../../../etc/motd",
    "passwd": "../../../../../../../../etc/passwd",
    "loop": "loop",
    "folder": "/etc/conf.d/",
    "é": "ünï/\u2192",
}
LEADS_TO_MOTD = ("rel", "abs", "climbing", "etc/conf.d/up", "folder/up", "etc/conf.d/chain")


def volume() -> ReadOnlyFileSystem:
    """A volume with links of a container of version 3, as it was written and read again."""
    below = {"up": SymlinkSource("../motd", SECOND), "chain": SymlinkSource("../../rel", SECOND)}
    tree = DirectorySource(
        {
            "etc": DirectorySource(
                {"motd": FileSource(b"welcome\n", SECOND), "conf.d": DirectorySource(below, SECOND)}, SECOND
            ),
            **{name: SymlinkSource(target, SECOND) for name, target in LINKS.items()},
        },
        SECOND,
    )
    target = io.BytesIO()
    write_container(target, manifest={}, atoms={}, volumes={"/v": tree}, version=Version.V3)
    container = Container.from_bytes(target.getvalue())
    container.verify()
    return ReadOnlyFileSystem(container.volumes["/v"].root)


def in_place(_: Path) -> FileSystem:
    return volume()


def over_memory(_: Path) -> FileSystem:
    return OverlayFileSystem(TmpFileSystem(), [volume()])


def over_host(folder: Path) -> FileSystem:
    return OverlayFileSystem(HostFileSystem(folder), [volume()])


def mounted(_: Path) -> FileSystem:
    table = MountTable(TmpFileSystem())
    table.mount("/", volume())
    return table


@pytest.fixture(params=[in_place, over_memory, over_host, mounted], ids=lambda made: made.__name__)
def filesystem(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    made: Callable[[Path], FileSystem] = request.param
    return made(tmp_path)


def link_at(guest: Guest, path: str) -> Symlink:
    node = guest.at(path, follow=False).found().node
    assert isinstance(node, Symlink)
    return node


def test_links_are_shown_as_they_are(filesystem: FileSystem) -> None:
    guest = Guest(filesystem)
    for name, target in LINKS.items():
        link = link_at(guest, name)
        stat = link.stat()
        assert link.readlink() == target
        assert stat[2:] == (Filetype.SYMBOLIC_LINK, 1, len(target.encode()), SECOND, SECOND, SECOND)
        assert link_at(guest, name).stat().ino == stat.ino
    listed = {entry.name: entry.filetype for entry in guest.at("/").found().directory.entries()}
    assert listed == {"etc": Filetype.DIRECTORY} | dict.fromkeys(LINKS, Filetype.SYMBOLIC_LINK)
    numbers = {entry.name: entry.ino for entry in guest.at("/").found().directory.entries()}
    assert numbers == {name: guest.at(name, follow=False).found().node.stat().ino for name in numbers}


def test_the_walker_follows_them_from_the_guests_root(filesystem: FileSystem) -> None:
    guest = Guest(filesystem)
    for path in LEADS_TO_MOTD:
        assert guest.at(path).found().path() == "/etc/motd"
        assert guest.read(path) == b"welcome\n"
    assert guest.at("folder").found().path() == "/etc/conf.d"


def test_what_leads_nowhere(filesystem: FileSystem) -> None:
    guest = Guest(filesystem)
    dangling = guest.at("dangling")
    assert (dangling.node, dangling.parent.path(), dangling.name) == (None, "/etc", "nothing")
    # The host has this file: `..` ends at the guest's root, and so it is only a name that is free there.
    assert Path("/etc/passwd").exists() and guest.at("passwd").node is None
    for path, code in {"loop": errno.ELOOP, "rel/x": errno.ENOTDIR, "rel/": errno.ENOTDIR, "é": errno.ENOENT}.items():
        with pytest.raises(OSError) as failed:
            guest.at(path).found()
        assert failed.value.errno == code


@pytest.mark.parametrize("path", ["abs", "climbing", "folder/up", "etc/../../pack/rel"])
def test_the_capability_rule_holds_for_a_packages_links(path: str) -> None:
    """Of a guest that was given the package's directory, not the root."""
    table = MountTable(TmpFileSystem())
    table.mount("/pack", volume())
    root = top(table)
    start = walk(root, root, "pack", follow=True).found()
    with pytest.raises(PermissionError) as failed:
        walk(root, start, path, follow=True, beneath=True)
    assert failed.value.errno == errno.EPERM


def test_a_link_does_not_change() -> None:
    root = volume().root
    link = root.lookup("rel")
    refused: list[Callable[[], object]] = [
        lambda: link.set_times(1, 1),
        lambda: root.unlink("rel"),
        lambda: root.rename("rel", root, "x"),
        lambda: root.symlink("new", "x"),
    ]
    for operation in refused:
        with pytest.raises(OSError) as failed:
            operation()
        assert failed.value.errno == errno.EROFS
    with pytest.raises(FileExistsError):
        root.symlink("rel", "x")


@pytest.fixture(params=["memory", "host"])
def upper(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    return TmpFileSystem() if request.param == "memory" else HostFileSystem(tmp_path)


def test_a_link_is_copied_up_as_a_link(upper: FileSystem) -> None:
    lower = volume()
    guest = Guest(OverlayFileSystem(upper, [lower]))
    before = guest.at("passwd", follow=False).found().node.stat()
    link_at(guest, "passwd").set_times(5 * 10**9, 6 * 10**9)
    copy = upper.root.lookup("passwd")
    assert isinstance(copy, Symlink) and copy.readlink() == LINKS["passwd"]
    after = link_at(guest, "passwd").stat()
    assert (after.ino, after.size, after.mtim) == (before.ino, before.size, 6 * 10**9)
    assert guest.at("passwd").node is None
    assert link_at(Guest(lower), "passwd").stat().mtim == SECOND


def test_writing_through_a_link_copies_up_the_file_and_leaves_the_link(upper: FileSystem) -> None:
    lower = volume()
    guest = Guest(OverlayFileSystem(upper, [lower]))
    guest.write("abs", 0, b"W")
    assert guest.read("climbing") == b"Welcome\n"
    assert [entry.name for entry in upper.root.entries()] == ["etc"]
    assert Guest(lower).read("abs") == b"welcome\n"


def test_links_move_and_go_with_the_directory_that_they_are_in(upper: FileSystem) -> None:
    overlay = OverlayFileSystem(upper, [volume()])
    guest = Guest(overlay)
    etc = guest.at("etc").found().directory
    etc.rename("conf.d", overlay.root, "moved")
    assert link_at(guest, "moved/up").readlink() == "../motd"
    assert guest.at("moved/up").node is None
    overlay.root.unlink("rel")
    assert guest.at("rel", follow=False).node is None
    overlay.root.symlink("rel", "etc")
    assert guest.at("rel").found().path() == "/etc"
    again = Guest(OverlayFileSystem(upper, [volume()]))
    assert link_at(again, "rel").readlink() == "etc" and link_at(again, "moved/chain").readlink() == "../../rel"


def test_a_tree_that_cannot_tell_its_target() -> None:
    class Broken:
        modified_ns = None

        @property
        def target(self) -> str:
            raise ValueError("offset 7")

    root = ReadOnlyFileSystem(StaticDirectory({"broken": Broken(), "good": StaticSymlink("x")})).root
    broken, good = root.lookup("broken"), root.lookup("good")
    assert isinstance(broken, Symlink) and isinstance(good, Symlink)
    assert (good.readlink(), good.stat().mtim) == ("x", 0)
    for operation in (broken.readlink, broken.stat):
        with pytest.raises(OSError) as failed:
            operation()
        assert failed.value.errno == errno.EIO


parts = st.sampled_from(["", ".", "..", "a", "b", "l", "f", "..", "x" * 300])
targets = st.lists(parts, min_size=1, max_size=6).map("/".join).filter(bool)


@given(st.lists(targets, min_size=1, max_size=4), st.lists(parts, min_size=1, max_size=5).map("/".join), st.booleans())
@settings(max_examples=200)
def test_no_link_leads_out(chosen: list[str], path: str, follow: bool) -> None:
    """Whatever the targets are, a walk ends at a node of this filesystem or in an error of the operating system's."""
    tree = StaticDirectory({"f": StaticFile(b"f"), "l": StaticSymlink(chosen[0])})
    for target in chosen:
        tree = StaticDirectory({"a": tree, "b": StaticDirectory({}), "l": StaticSymlink(target)})
    filesystem = ReadOnlyFileSystem(tree)
    try:
        walked = Guest(filesystem).at(path, follow=follow)
    except OSError as error:
        assert error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG}
        return
    for place in (walked.parent, walked.location):
        while place is not None:
            assert place.node.stat().dev == filesystem.device
            if place.parent is None:
                assert place.node is filesystem.root
            place = place.parent
    if isinstance(walked.node, File):
        assert read_all(walked.node.open(read=True, write=False)) == b"f"
