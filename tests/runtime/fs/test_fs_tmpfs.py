"""What a filesystem in memory promises beyond being one: limits, holes, and files without a name."""

import errno
import gc
import threading

import pytest
from fs_model import Guest, read_all
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fs.chunks import CHUNK, ChunkedData
from runtime.fs.tmpfs import TmpFileSystem
from runtime.fs.walk import Location, top


def views(*pieces: bytes) -> list[memoryview]:
    return [memoryview(piece) for piece in pieces]


def test_a_full_filesystem_takes_exactly_its_size() -> None:
    fs = TmpFileSystem(max_bytes=CHUNK + 10)
    opened = fs.root.create("a").open(read=True, write=True)
    assert opened.writev(views(bytes(CHUNK), b"x" * 100), 0) == CHUNK + 10
    with pytest.raises(OSError) as full:
        opened.writev(views(b"x"), CHUNK + 10)
    assert full.value.errno == errno.ENOSPC
    assert opened.writev(views(b"over"), 3) == 4
    opened.truncate(5)
    assert fs.used_bytes == 5
    assert opened.append(views(b"more")) == (4, 9)


def test_holes_take_no_room() -> None:
    fs = TmpFileSystem(max_bytes=100)
    opened = fs.root.create("a").open(read=True, write=True)
    opened.truncate(1 << 60)
    assert opened.stat().size == 1 << 60
    into = memoryview(bytearray(b"x" * 10))
    assert opened.readv([into], 1 << 59) == 10
    assert bytes(into) == bytes(10)
    with pytest.raises(OSError) as big:
        opened.truncate(1 << 63)
    assert big.value.errno == errno.EFBIG
    with pytest.raises(OSError) as far:
        opened.writev(views(b"x"), (1 << 63) - 1)
    assert far.value.errno == errno.EFBIG


def test_inodes_are_counted_and_come_back() -> None:
    fs = TmpFileSystem(max_inodes=3)
    fs.root.create("a")
    fs.root.mkdir("b")
    for make in (fs.root.create, fs.root.mkdir, lambda name: fs.root.symlink(name, "x")):
        with pytest.raises(OSError) as full:
            make("c")
        assert full.value.errno == errno.ENOSPC
    fs.root.link("again", fs.root.lookup("a"))
    fs.root.unlink("a")
    fs.root.unlink("again")
    fs.root.rmdir("b")
    assert fs.used_inodes == 1
    fs.root.create("c")
    fs.root.create("d")


def test_an_open_file_outlives_its_name() -> None:
    fs = TmpFileSystem()
    node = fs.root.create("a")
    opened, other = node.open(read=True, write=True), node.open(read=True, write=True)
    opened.writev(views(b"here"), 0)
    fs.root.unlink("a")
    assert opened.stat().nlink == 0
    opened.close()
    assert read_all(other) == b"here"
    assert fs.used_bytes == 4
    other.close()
    assert fs.used_bytes == 0
    assert fs.used_inodes == 1
    late = node.open(read=True, write=False)  # by a thread that looked it up before
    assert read_all(late) == b"here"
    assert fs.used_bytes == 4
    late.close()
    assert (fs.used_bytes, fs.used_inodes) == (0, 1)


def test_a_file_that_is_replaced_all_the_time_is_always_there() -> None:
    guest = Guest(TmpFileSystem())
    guest.write("f", 0, b"0")

    def replace() -> None:
        for number in range(3000):
            guest.write("new", 0, b"%d" % number)
            guest.rename("new", "f")

    thread = threading.Thread(target=replace)
    thread.start()
    while thread.is_alive():
        assert guest.read("f")
    thread.join()


def test_a_very_deep_tree_goes_as_it_came() -> None:
    fs = TmpFileSystem()
    here, place = fs.root, top(fs)
    for _ in range(50_000):
        here = here.mkdir("d")
        place = Location(here, place, "d")
    assert len(place.path()) == 100_000
    del fs, here, place
    gc.collect()


def test_a_replaced_open_file_lives_on() -> None:
    fs = TmpFileSystem()
    opened = fs.root.create("a").open(read=True, write=True)
    opened.writev(views(b"old"), 0)
    fs.root.create("b")
    fs.root.rename("b", fs.root, "a")
    assert read_all(opened) == b"old"
    opened.close()
    assert fs.used_bytes == 0


def test_a_removed_directory_takes_nothing_any_more() -> None:
    fs = TmpFileSystem()
    removed = fs.root.mkdir("a")
    fs.root.rmdir("a")
    for make in (removed.create, removed.mkdir, lambda name: removed.symlink(name, "x")):
        with pytest.raises(FileNotFoundError):
            make("b")
    fs.root.create("c")
    with pytest.raises(FileNotFoundError):
        fs.root.rename("c", removed, "c")


def test_link_counts_and_times() -> None:
    fs = TmpFileSystem()
    directory = fs.root.mkdir("a")
    assert (fs.root.stat().nlink, directory.stat().nlink) == (3, 2)
    file = fs.root.create("f")
    directory.link("g", file)
    assert file.stat().nlink == 2
    before = file.stat()
    file.open(read=True, write=True).writev(views(b"x"), 0)
    after = file.stat()
    assert after.mtim >= before.mtim
    assert after.ctim >= before.ctim
    file.set_times(1, None)
    assert file.stat().atim == 1
    assert file.stat().mtim == after.mtim
    file.open(read=True, write=False).readv([memoryview(bytearray(1))], 0)
    assert file.stat().atim > 1


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "/"])
def test_what_is_no_name_is_refused(name: str) -> None:
    fs = TmpFileSystem()
    with pytest.raises(OSError) as refused:
        fs.root.create(name)
    assert refused.value.errno == errno.EINVAL


def test_a_long_name_is_refused_by_its_bytes() -> None:
    fs = TmpFileSystem()
    fs.root.create("é" * 127)
    with pytest.raises(OSError) as refused:
        fs.root.create("é" * 128)
    assert refused.value.errno == errno.ENAMETOOLONG


def test_a_file_opened_one_way_does_not_go_the_other() -> None:
    file = TmpFileSystem().root.create("a")
    with pytest.raises(OSError) as reading:
        file.open(read=False, write=True).readv([memoryview(bytearray(1))], 0)
    with pytest.raises(OSError) as writing:
        file.open(read=True, write=False).writev(views(b"x"), 0)
    assert (reading.value.errno, writing.value.errno) == (errno.EBADF, errno.EBADF)


def test_appends_of_several_threads_are_whole() -> None:
    fs = TmpFileSystem()
    file = fs.root.create("log")

    def work(letter: bytes) -> None:
        opened = file.open(read=False, write=True)
        for _ in range(300):
            opened.append(views(letter * 50, letter * 49, b"\n"))
        opened.close()

    threads = [threading.Thread(target=work, args=(bytes([65 + number]),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = read_all(file.open(read=True, write=False)).splitlines()
    assert len(lines) == 1800
    assert all(len(line) == 99 and len(set(line)) == 1 for line in lines)


def test_threads_that_rename_lose_nothing() -> None:
    fs = TmpFileSystem()
    folders = [fs.root.mkdir(name) for name in "abcd"]
    for number in range(40):
        folders[0].create(str(number))

    def work(seed: int) -> None:
        for step in range(2000):
            old, new = folders[(step * seed) % 4], folders[(step + seed) % 4]
            try:
                old.rename(str(step % 40), new, str(step % 40))
            except FileNotFoundError:
                continue

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 3, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = sorted(int(entry.name) for folder in folders for entry in folder.entries())
    assert names == list(range(40))
    assert fs.used_inodes == 45


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["write", "truncate"]),
            st.one_of(st.integers(0, 3 * CHUNK), st.sampled_from([CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])),
            st.sampled_from([0, 1, 7, 1000, CHUNK, CHUNK + 3]),
        ),
        max_size=12,
    )
)
def test_chunks_are_one_array(steps: list[tuple[str, int, int]]) -> None:
    data, model = ChunkedData(), bytearray()
    for number, (kind, position, length) in enumerate(steps, 1):
        if kind == "write":
            piece = bytes([number]) * length
            data.write(views(piece[: length // 3], piece[length // 3 :]), position, None)
            if length:
                model.extend(bytes(max(0, position - len(model))))
                model[position : position + length] = piece
        else:
            data.truncate(position)
            del model[position:]
            model.extend(bytes(position - len(model)))
    found = bytearray(len(model) + 1)
    assert data.read([memoryview(found)], 0) == len(model) == data.size
    assert found[: len(model)] == model
    assert data.stored <= data.size


def test_a_rename_into_itself_and_over_its_parent() -> None:
    guest = Guest(TmpFileSystem())
    guest.mkdir("a")
    guest.mkdir("a/b")
    with pytest.raises(OSError) as into:
        guest.rename("a", "a/b/c")
    with pytest.raises(OSError) as over:
        guest.rename("a/b", "a")
    assert (into.value.errno, over.value.errno) == (errno.EINVAL, errno.ENOTEMPTY)
