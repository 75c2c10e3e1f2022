"""A host directory never lets a guest out, never waits, and keeps few descriptors."""

import errno
import gc
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fs_model import Guest, read_all

from runtime.abi.filetype import Filetype
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.node import Directory, File
from runtime.fs.walk import top, walk


@pytest.fixture
def jail(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret")
    inside = tmp_path / "inside"
    inside.mkdir()
    yield inside


def open_descriptors() -> int:
    folder = "/dev/fd" if not Path("/proc/self/fd").exists() else "/proc/self/fd"
    return len(os.listdir(folder))


@pytest.mark.parametrize(
    "path",
    [
        "../outside/secret",
        "up/outside/secret",
        "absolute/secret",
        "link",
        "dir/../../outside/secret",
        "/../outside/secret",
    ],
)
def test_no_path_leads_out(jail: Path, path: str) -> None:
    (jail / "dir").mkdir()
    (jail / "up").symlink_to("..")
    (jail / "absolute").symlink_to(jail.parent / "outside")
    (jail / "link").symlink_to("../outside/secret")
    guest = Guest(HostFileSystem(jail))
    with pytest.raises(FileNotFoundError):
        guest.read(path)


@pytest.mark.parametrize("name", ["", ".", "..", "../outside", "a/b", "a\0b"])
def test_no_odd_name_reaches_the_system(jail: Path, name: str) -> None:
    root = HostFileSystem(jail).root
    root.create("x")
    operations: list[Callable[[], object]] = [
        lambda: root.lookup(name),
        lambda: root.create(name),
        lambda: root.mkdir(name),
        lambda: root.symlink(name, "x"),
        lambda: root.link(name, root.lookup("x")),
        lambda: root.unlink(name),
        lambda: root.rmdir(name),
        lambda: root.rename(name, root, "y"),
        lambda: root.rename("x", root, name),
    ]
    for operation in operations:
        with pytest.raises(OSError) as refused:
            operation()
        assert refused.value.errno == errno.EINVAL
    with pytest.raises(OSError) as refused:
        root.symlink("y", "a\0b")
    assert refused.value.errno == errno.EINVAL


def test_exchanging_directories_for_links_never_leads_out(jail: Path) -> None:
    """Another process swaps a directory for a link to the outside while guests walk through it."""
    (jail / "a").mkdir()
    (jail / "a" / "secret").write_text("inside")
    (jail / "link").symlink_to("../outside")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(jail / "a", jail / "kept")
            os.rename(jail / "link", jail / "a")
            os.rename(jail / "a", jail / "link")
            os.rename(jail / "kept", jail / "a")

    swapper = threading.Thread(target=swap)
    swapper.start()
    found = 0
    try:
        for _ in range(3000):
            fs = HostFileSystem(jail)
            root = top(fs)
            try:
                node = walk(root, root, "a/secret", follow=True).found().node
                assert isinstance(node, File)
                opened = node.open(read=True, write=False)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                assert error.errno == errno.ELOOP
                continue
            assert read_all(opened) == b"inside"
            opened.close()
            found += 1
    finally:
        stop.set()
        swapper.join()
    assert found


def test_exchanging_files_for_links_never_leads_out(jail: Path) -> None:
    (jail / "f").write_text("inside")
    (jail / "link").symlink_to("../outside/secret")
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            os.rename(jail / "f", jail / "kept")
            os.symlink("../outside/secret", jail / "f")
            os.rename(jail / "kept", jail / "f")

    swapper = threading.Thread(target=swap)
    swapper.start()
    fs = HostFileSystem(jail)
    try:
        for turn in range(3000):
            try:
                node = fs.root.lookup("f")
                if not isinstance(node, File):
                    continue
                opened = node.open(read=True, write=True, truncate=turn % 7 == 0)
            except OSError as error:
                assert error.errno in {errno.ENOENT, errno.ELOOP}
                continue
            assert read_all(opened) in {b"inside", b""}
            opened.close()
    finally:
        stop.set()
        swapper.join()
    assert (jail.parent / "outside" / "secret").read_text() == "secret"


def test_a_file_that_is_replaced_all_the_time_is_always_there(jail: Path) -> None:
    (jail / "f").write_text("0")
    guest = Guest(HostFileSystem(jail))

    def replace() -> None:
        for number in range(3000):
            (jail / "new").write_text(str(number))
            os.rename(jail / "new", jail / "f")

    thread = threading.Thread(target=replace)
    thread.start()
    while thread.is_alive():
        assert guest.read("f")
        assert guest.stat("f")
    thread.join()


def test_a_directory_moved_away_is_not_found_by_its_old_name(jail: Path) -> None:
    (jail / "a" / "b").mkdir(parents=True)
    fs = HostFileSystem(jail)
    a = fs.root.lookup("a")
    assert isinstance(a, Directory)
    os.rename(jail / "a", jail / "moved")
    (jail / "a").symlink_to("../outside")
    with pytest.raises(OSError) as gone:
        a.lookup("secret")
    assert gone.value.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}


def test_fifos_and_devices_never_wait(jail: Path) -> None:
    os.mkfifo(jail / "fifo")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(jail)  # a socket's path is limited to about a hundred bytes
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
    fs = HostFileSystem(jail)
    fifo = fs.root.lookup("fifo")
    assert isinstance(fifo, File)
    assert fifo.filetype is Filetype.UNKNOWN
    reader = fifo.open(read=True, write=False)
    assert not reader.seekable
    writer = fifo.open(read=False, write=True)
    with pytest.raises(BlockingIOError):
        reader.readv([memoryview(bytearray(5))], 0)
    assert writer.writev([memoryview(b"hello")], 77) == 5
    into = memoryview(bytearray(9))
    assert reader.readv([into], 99) == 5
    reader.close()
    writer.close()
    node = fs.root.lookup("socket")
    assert isinstance(node, File)
    assert node.filetype is Filetype.SOCKET_STREAM
    with pytest.raises(OSError) as refused:
        node.open(read=True, write=True)
    assert refused.value.errno == errno.ENXIO


def test_device_nodes_are_refused() -> None:
    node = HostFileSystem("/dev").root.lookup("null")
    assert isinstance(node, File)
    assert node.filetype is Filetype.CHARACTER_DEVICE
    with pytest.raises(OSError) as refused:
        node.open(read=True, write=False)
    assert refused.value.errno == errno.EACCES


def test_a_large_tree_needs_few_descriptors(jail: Path) -> None:
    for number in range(400):
        (jail / str(number) / "below").mkdir(parents=True)
        (jail / str(number) / "below" / "file").write_text(str(number))
    gc.collect()
    before = open_descriptors()
    guest = Guest(HostFileSystem(jail))
    held = [guest.at(f"{number}/below/file").found() for number in range(400)]
    assert open_descriptors() - before <= 140
    for number, place in enumerate(held):
        node = place.node
        assert isinstance(node, File)
        opened = node.open(read=True, write=False)
        assert read_all(opened) == str(number).encode()
        opened.close()
    del held, place, node, opened, guest
    gc.collect()
    assert open_descriptors() == before


def test_a_deep_tree_is_reached_again_from_the_root(jail: Path) -> None:
    fs = HostFileSystem(jail)
    here: Directory = fs.root
    path = [here]
    for _ in range(1500):
        here = here.mkdir("d")
        path.append(here)
    here.create("file")
    assert [entry.name for entry in here.entries()] == ["file"]
    assert [entry.name for entry in path[3].entries()] == ["d"]
    here.unlink("file")
    for directory in reversed(path[:-1]):
        directory.rmdir("d")


def test_a_renamed_directory_keeps_its_node(jail: Path) -> None:
    fs = HostFileSystem(jail)
    below = fs.root.mkdir("a").mkdir("b")
    below.create("file")
    fs.root.rename("a", fs.root, "c")
    below.forget_descriptor()
    assert [entry.name for entry in below.entries()] == ["file"]
    assert fs.root.lookup("c").stat().ino == fs.root.lookup("c").stat().ino


def test_read_only_refuses_every_change(jail: Path) -> None:
    (jail / "f").write_text("f")
    (jail / "d").mkdir()
    root = HostFileSystem(jail, read_only=True).root
    file = root.lookup("f")
    assert isinstance(file, File)
    operations: list[Callable[[], object]] = [
        lambda: root.create("x"),
        lambda: root.mkdir("x"),
        lambda: root.symlink("x", "y"),
        lambda: root.link("x", file),
        lambda: root.unlink("f"),
        lambda: root.rmdir("d"),
        lambda: root.rename("f", root, "x"),
        lambda: file.set_times(1, 1),
        lambda: root.set_times(1, 1),
        lambda: file.open(read=True, write=True),
        lambda: file.open(read=True, write=False, truncate=True),
        lambda: file.open(read=True, write=False).set_times(1, 1),
    ]
    for operation in operations:
        with pytest.raises(OSError) as refused:
            operation()
        assert refused.value.errno == errno.EROFS
    opened = file.open(read=True, write=False)
    with pytest.raises(OSError):
        opened.writev([memoryview(b"x")], 0)
    with pytest.raises(OSError):
        opened.truncate(0)
    assert (jail / "f").read_text() == "f"


def test_appends_of_two_openings_are_whole(jail: Path) -> None:
    fs = HostFileSystem(jail)
    file = fs.root.create("log")
    first, second = file.open(read=True, write=True), file.open(read=True, write=True)
    assert first.append([memoryview(b"one"), memoryview(b"\n")]) == (4, 4)
    assert second.append([memoryview(b"two\n")]) == (4, 8)
    assert first.writev([memoryview(b"O")], 0) == 1
    assert first.append([memoryview(b"three\n")]) == (6, 14)
    assert read_all(second) == b"One\ntwo\nthree\n"
    assert first.append([]) == (0, 14)


def test_an_unlinked_open_file_and_odd_offsets(jail: Path) -> None:
    fs = HostFileSystem(jail)
    opened = fs.root.create("f").open(read=True, write=True)
    opened.writev([memoryview(b"x")] * 3000, 0)
    assert opened.stat().size == 1024  # as many buffers as the system takes at once
    fs.root.unlink("f")
    assert opened.stat().nlink == 0
    assert opened.readv([memoryview(bytearray(4))], (1 << 64) - 1) == 0
    with pytest.raises(OSError) as far:
        opened.writev([memoryview(b"x")], (1 << 64) - 1)
    assert far.value.errno == errno.EFBIG
    opened.allocate(0, 5000)
    assert opened.stat().size == 5000
    opened.set_times(5, None)
    assert opened.stat().atim == 5
    opened.close()
    with pytest.raises(OSError) as closed:
        opened.readv([memoryview(bytearray(4))], 0)
    assert closed.value.errno == errno.EBADF


def test_names_that_are_not_utf8(jail: Path) -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    root = HostFileSystem(jail).root
    try:
        root.create(name)
    except OSError:
        pytest.skip("this host takes only UTF-8 names")
    assert os.listdir(os.fsencode(jail)) == [b"caf\xe9"]
    assert [entry.name for entry in root.entries()] == [name]


def test_the_root_has_to_be_a_directory() -> None:
    with tempfile.NamedTemporaryFile() as file, pytest.raises(NotADirectoryError):
        HostFileSystem(file.name)


def test_a_removed_directory_that_is_open_still_tells(jail: Path) -> None:
    fs = HostFileSystem(jail)
    removed, replaced, other = (fs.root.mkdir(name) for name in ("removed", "replaced", "other"))
    numbers = [directory.stat().ino for directory in (removed, replaced)]
    for directory in (removed, replaced):
        directory.forget_descriptor()
    fs.root.rmdir("removed")
    fs.root.rename("other", fs.root, "replaced")
    assert [directory.stat().ino for directory in (removed, replaced)] == numbers
    assert list(removed.entries()) == []
    with pytest.raises(FileNotFoundError):
        removed.create("file")
    with pytest.raises(FileNotFoundError):
        removed.lookup("file")
    assert fs.root.lookup("replaced") is other
    before = open_descriptors()
    del removed, replaced, directory
    assert open_descriptors() == before - 2
