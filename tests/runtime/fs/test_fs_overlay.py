"""The upper layer takes every change; the lower ones never notice."""

import errno
import threading
from pathlib import Path

import pytest
from fs_model import Guest, read_all, tree

from runtime.fs.hostfs import HostFileSystem
from runtime.fs.node import Directory, File, FileSystem
from runtime.fs.overlay import OverlayFileSystem
from runtime.fs.readonly import ReadOnlyFileSystem, StaticDirectory, StaticFile
from runtime.fs.tmpfs import TmpFileSystem


def package(paths: dict[str, bytes]) -> ReadOnlyFileSystem:
    """A package with these files."""
    top: dict[str, object] = {}
    for path, content in paths.items():
        here = top
        *folders, name = path.split("/")
        for folder in folders:
            here = here.setdefault(folder, {})  # type: ignore[assignment]
        here[name] = content

    def made(entries: dict[str, object]) -> StaticDirectory:
        return StaticDirectory(
            {name: StaticFile(e, 9) if isinstance(e, bytes) else made(e) for name, e in entries.items()},  # type: ignore[arg-type]
            9,
        )

    return ReadOnlyFileSystem(made(top))


def over(*lowers: FileSystem) -> tuple[Guest, OverlayFileSystem, TmpFileSystem]:
    upper = TmpFileSystem()
    overlay = OverlayFileSystem(upper, lowers)
    return Guest(overlay), overlay, upper


def names(guest: Guest, path: str = "/") -> list[str]:
    return sorted(entry.name for entry in guest.at(path).found().directory.entries())


def test_the_first_layer_wins_and_directories_merge() -> None:
    guest, _, upper = over(package({"bin/a": b"1", "x": b"1"}), package({"bin/a": b"2", "bin/b": b"2", "x/y": b"2"}))
    assert names(guest, "bin") == ["a", "b"]
    assert (guest.read("bin/a"), guest.read("bin/b"), guest.read("x")) == (b"1", b"2", b"1")
    with pytest.raises(NotADirectoryError):
        guest.read("x/y")
    assert upper.root.entries() == []


def test_numbers_are_those_of_the_listing_and_survive_copying_up() -> None:
    guest, overlay, _ = over(package({"bin/a": b"1", "f": b"f"}), package({"bin/b": b"2", "g": b"g"}))
    before = {path: guest.at(path).found().node.stat() for path in ("/", "bin", "bin/a", "bin/b", "f", "g")}
    assert len({stat.ino for stat in before.values()}) == len(before)
    assert {stat.dev for stat in before.values()} == {overlay.root.stat().dev}
    guest.write("bin/a", 0, b"!")
    guest.write("g", 0, b"!")
    guest.set_times("f", 1, 2)
    for path, stat in before.items():
        assert guest.at(path).found().node.stat().ino == stat.ino
    for path in ("/", "bin"):
        for entry in guest.at(path).found().directory.entries():
            assert guest.at(f"{path}/{entry.name}").found().node.stat().ino == entry.ino
    guest.rename("bin", "moved")
    assert guest.at("moved").found().node.stat().ino == before["bin"].ino
    assert guest.at("moved/b").found().node.stat().ino == before["bin/b"].ino


def test_an_open_file_has_the_number_of_its_name() -> None:
    guest, _, _ = over(package({"f": b"f"}))
    reading = guest.open("f", write=False)
    writing = guest.open("f")
    ino = guest.at("f").found().node.stat().ino
    assert reading.stat().ino == writing.stat().ino == ino


def test_what_was_open_for_reading_keeps_the_old_content() -> None:
    guest, _, _ = over(package({"f": b"old"}))
    reading = guest.open("f", write=False)
    guest.write("f", 0, b"new")
    assert read_all(reading) == b"old"
    assert guest.read("f") == b"new"
    reading.set_times(5, 6)
    assert guest.at("f").found().node.stat().mtim == 6


def test_copying_up_keeps_times_and_truncating_copies_nothing() -> None:
    guest, _, upper = over(package({"d/f": b"x" * 100_000}))
    guest.at("d/f").found().node.set_times(3, None)
    assert guest.at("d/f").found().node.stat()[5:7] == (3, 9)
    assert guest.at("d").found().node.stat().mtim == 9
    guest.write("d/new", 0, b"")
    assert guest.at("d").found().node.stat().mtim > 9
    guest, _, upper = over(package({"d/f": b"x" * 100_000}))
    guest.open("d/f", truncate=True).close()
    assert guest.read("d/f") == b""
    assert upper.used_bytes == 0


def test_a_node_looked_up_before_sees_the_change() -> None:
    guest, _, _ = over(package({"f": b"old"}))
    node = guest.at("f").found().node
    guest.write("f", 0, b"new")
    assert isinstance(node, File)
    assert read_all(node.open(read=True, write=False)) == b"new"


def test_removing_and_making_again() -> None:
    guest, _, upper = over(package({"d/a": b"a", "d/e/f": b"f"}), package({"d/z": b"z"}))
    for path in ("d/a", "d/z", "d/e/f"):
        guest.unlink(path)
    guest.rmdir("d/e")
    guest.rmdir("d")
    assert names(guest) == []
    with pytest.raises(FileNotFoundError):
        guest.read("d/a")
    guest.mkdir("d")
    assert names(guest, "d") == []
    guest.write("d/a", 0, b"mine")
    assert guest.read("d/a") == b"mine"
    guest.unlink("d/a")
    guest.rmdir("d")
    assert names(guest) == []
    assert [entry.name for entry in upper.root.entries()] == [".wh.d"]


def test_a_removed_directory_shows_nothing_from_below() -> None:
    guest, _, _ = over(package({"d/a": b"a"}))
    held = guest.at("d").found().directory
    guest.unlink("d/a")
    guest.rmdir("d")
    assert held.entries() == []
    with pytest.raises(FileNotFoundError):
        held.lookup("a")
    with pytest.raises(FileNotFoundError):
        held.create("b")


@pytest.mark.parametrize("name", [".wh.a", ".wh..wh..opq", ".wh.", ".wh..wh.work.0"])
def test_guests_neither_see_nor_make_whiteouts(name: str) -> None:
    guest, overlay, _ = over(package({"a": b"a", "d/e": b""}))
    guest.unlink("a")
    guest.write("f", 0, b"")
    assert names(guest) == ["d", "f"]
    root = overlay.root
    with pytest.raises(FileNotFoundError):
        root.lookup(name)
    for attempt in (
        lambda: root.create(name),
        lambda: root.mkdir(name),
        lambda: root.symlink(name, "x"),
        lambda: root.link(name, root.lookup("f")),
        lambda: root.rename("f", root, name),
    ):
        with pytest.raises(OSError) as refused:
            attempt()
        assert refused.value.errno == errno.EINVAL
    for attempt in (lambda: root.unlink(name), lambda: root.rmdir(name), lambda: root.rename(name, root, "g")):
        with pytest.raises(FileNotFoundError):
            attempt()


def test_whiteouts_in_a_lower_layer_hide_what_is_below_them() -> None:
    guest, _, _ = over(
        package({"d/.wh.a": b"", "e/.wh..wh..opq": b"", "e/mine": b"1"}),
        package({"d/a": b"2", "d/b": b"2", "e/theirs": b"2"}),
    )
    assert names(guest, "d") == ["b"]
    assert names(guest, "e") == ["mine"]
    with pytest.raises(FileNotFoundError):
        guest.read("d/a")
    with pytest.raises(FileNotFoundError):
        guest.read("e/theirs")


def test_a_layer_added_later_is_seen_where_a_guest_already_is() -> None:
    guest, overlay, _ = over(package({"bin/a": b"1"}))
    guest.mkdir("lib")
    guest.unlink("bin/a")
    held = guest.at("bin").found().directory
    assert held.entries() == []
    overlay.add_lower(package({"bin/a": b"2", "bin/b": b"2", "lib/so": b"2", "new/x": b"2"}))
    assert [entry.name for entry in held.entries()] == ["b"]
    assert isinstance(held.lookup("b"), File)
    assert names(guest, "lib") == ["so"]
    assert guest.read("new/x") == b"2"
    overlay.add_lower(package({"bin/b": b"3", "bin/c": b"3"}))
    assert guest.read("bin/b") == b"2"
    assert guest.read("bin/c") == b"3"


def test_a_directory_made_where_one_was_removed_stays_opaque_to_later_layers() -> None:
    guest, overlay, _ = over(package({"d/a": b"1"}))
    guest.unlink("d/a")
    guest.rmdir("d")
    guest.mkdir("d")
    overlay.add_lower(package({"d/b": b"2"}))
    assert names(guest, "d") == []


def test_renaming_a_directory_of_a_lower_layer() -> None:
    guest, _, _ = over(package({"d/a": b"1", "d/e/f": b"1", "t/x": b"1"}), package({"d/b": b"2"}))
    guest.unlink("d/a")
    guest.rename("d", "moved")
    assert names(guest, "moved") == ["b", "e"]
    assert guest.read("moved/e/f") == b"1"
    with pytest.raises(FileNotFoundError):
        guest.at("d").found()
    guest.unlink("t/x")
    guest.rename("moved", "t")
    assert names(guest, "t") == ["b", "e"]
    guest.rename("t/e", "d")
    assert names(guest) == ["d", "t"]
    assert names(guest, "d") == ["f"]


def test_no_room_to_copy_up_changes_nothing() -> None:
    upper = TmpFileSystem(max_bytes=1000)
    guest = Guest(OverlayFileSystem(upper, [package({"d/f": b"x" * 5000})]))
    with pytest.raises(OSError) as full:
        guest.open("d/f")
    assert full.value.errno == errno.ENOSPC
    assert guest.read("d/f") == b"x" * 5000
    assert upper.used_bytes == 0
    with pytest.raises(OSError):
        guest.rename("d", "e")
    assert guest.read("d/f") == b"x" * 5000
    assert names(guest) == ["d"]


def test_a_host_directory_keeps_everything(tmp_path: Path) -> None:
    lowers = [package({"d/a": b"1", "d/b": b"1", "e/x": b"1", "f": b"1"})]
    guest = Guest(OverlayFileSystem(HostFileSystem(tmp_path), lowers))
    guest.unlink("d/a")
    guest.write("d/b", 1, b"2")
    guest.rename("e", "g")
    guest.mkdir("e")
    guest.symlink("e/l", "../f")
    again = Guest(OverlayFileSystem(HostFileSystem(tmp_path), lowers))
    assert tree(again) == tree(guest)
    assert names(again) == ["d", "e", "f", "g"]
    assert names(again, "e") == ["l"]


def test_what_a_killed_process_left_is_not_seen_and_stepped_over(tmp_path: Path) -> None:
    lowers = [package({"d/a": b"1"})]
    guest = Guest(OverlayFileSystem(HostFileSystem(tmp_path), lowers))
    guest.write("d/a", 0, b"2")
    for number in range(300):
        (tmp_path / "d" / f".wh..wh.work.{number}").mkdir()
    (tmp_path / "d" / ".wh..wh.work.7" / "deep").mkdir()
    (tmp_path / "d" / ".wh..wh.work.7" / "deep" / "file").touch()
    again = Guest(OverlayFileSystem(HostFileSystem(tmp_path), lowers))
    assert names(again, "d") == ["a"]
    again.unlink("d/a")
    again.rmdir("d")
    assert names(again) == []
    assert [path.name for path in tmp_path.iterdir()] == [".wh.d"]


def test_threads_that_copy_up_and_read() -> None:
    paths = {f"d/{number}": b"x" * 5000 for number in range(100)}
    guest, _, _ = over(package(paths), package(paths))
    failures: list[BaseException] = []

    def work(seed: int) -> None:
        try:
            for step in range(300):
                path = f"d/{(step * seed) % 100}"
                if step % 3:
                    content = guest.read(path)
                    assert isinstance(content, bytes)
                    assert len(content) == 5000
                else:
                    guest.write(path, 0, bytes([65 + seed]) * 5000)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(names(guest, "d")) == 100


def test_a_hundred_layers() -> None:
    guest, overlay, _ = over(*[package({"bin/all": b"%d" % n, f"bin/{n}": b"%d" % n}) for n in range(100)])
    assert guest.read("bin/all") == b"0"
    assert guest.read("bin/99") == b"99"
    assert len(names(guest, "bin")) == 101
    folder = guest.at("bin").found().directory
    assert isinstance(folder, Directory)
    with pytest.raises(FileNotFoundError):
        folder.lookup("100")
    overlay.add_lower(package({"bin/100": b""}))
    assert guest.read("bin/100") == b""
