"""The bytes of tars, read back by Python's tarfile, GNU tar and bsdtar."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.tar_stream import tar_pieces

if TYPE_CHECKING:
    from pathlib import Path


def tar_of(*entries: Entry) -> bytes:
    return b"".join(tar_pieces(entries))


def members(data: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(data), errorlevel=2) as tar:
        return tar.getmembers()


def a_file(path: str, content: bytes = b"x", mode: int = 0o644, mtime: int = 0) -> Entry:
    return Entry(path, Kind.FILE, mode, mtime, len(content), memoryview(content))


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]) | st.sampled_from([chr(0xDC80), chr(0xDCFF)]),
    min_size=1,
    max_size=120,
).filter(lambda name: name not in {".", ".."} and not name.startswith(".wh.") and len(os.fsencode(name)) <= 255)
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
MTIMES = st.integers(0, 8**11 - 1) | st.sampled_from([-1, 8**11, 1 << 40])
IDS = st.integers(0, 8**7) | st.just(1 << 31)
TARGETS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200)


@st.composite
def some_entry(draw: st.DrawFn) -> Entry:
    kind = draw(st.sampled_from([Kind.FILE, Kind.DIRECTORY, Kind.SYMLINK, Kind.HARD_LINK]))
    content = draw(st.binary(max_size=1500)) if kind is Kind.FILE else b""
    target = draw(TARGETS) if kind is Kind.SYMLINK else draw(PATHS) if kind is Kind.HARD_LINK else ""
    mode = draw(st.integers(0, 0o7777))
    return Entry(draw(PATHS), kind, mode, draw(MTIMES), len(content), memoryview(content), target, draw(IDS), draw(IDS))


@settings(max_examples=150, deadline=None)
@given(st.lists(some_entry(), max_size=6))
def test_tarfile_reads_back_what_was_written(entries: list[Entry]) -> None:
    data = tar_of(*entries)
    assert len(data) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(data), errorlevel=2) as tar:
        read = tar.getmembers()
        assert len(read) == len(entries)
        for member, entry in zip(read, entries, strict=True):
            # Python takes every slash from the end of a directory's name, and of pax names.
            assert os.fsencode(member.name) == os.fsencode(entry.path)
            assert (member.mode, member.mtime, member.uid, member.gid) == (
                entry.mode,
                entry.mtime,
                entry.uid,
                entry.gid,
            )
            assert (member.isdir(), member.issym(), member.islnk()) == (
                entry.kind is Kind.DIRECTORY,
                entry.kind is Kind.SYMLINK,
                entry.kind is Kind.HARD_LINK,
            )
            if entry.target:
                assert os.fsencode(member.linkname) == os.fsencode(entry.target)
            if entry.kind is Kind.FILE:
                content = tar.extractfile(member)
                assert content is not None
                assert content.read() == bytes(entry.pieces().__next__() if entry.size else b"")


@pytest.mark.parametrize("length", [99, 100, 101, 154, 155, 156, 255, 256, 257, 500, 1000])
def test_names_of_every_length(length: int) -> None:
    deep = ("d" * 49 + "/") * (length // 50) + "x" * (length % 50 or 1)
    deep = deep[:length].rstrip("/") or "x"
    for path in (deep, "y" * min(length, 255)):
        read = members(tar_of(a_file(path), Entry(path + "D", Kind.DIRECTORY), Entry("l", Kind.SYMLINK, target=path)))
        assert [member.name for member in read] == [path, path + "D", "l"]
        assert read[2].linkname == path


def test_no_extended_header_where_none_is_needed() -> None:
    assert len(tar_of(a_file("a/" * 60 + "b" * 100))) == 512 * 4
    assert b"PaxHeader" not in tar_of(a_file("d" * 155 + "/" + "n" * 100))
    assert b"PaxHeader" in tar_of(a_file("d" * 156 + "/" + "n" * 100))


def test_sizes_from_8_gib_on_are_said_in_an_extended_header(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    sparse.touch()
    os.truncate(sparse, 8 << 30)
    pieces = tar_pieces([Entry("big", Kind.FILE, size=8 << 30, content=HostFile(sparse, 8 << 30))])
    first = bytes(next(pieces))
    read = tarfile.TarInfo.frombuf(first[-512:], "utf-8", "strict")
    assert read.name == "big"
    assert b"size=8589934592\n" in first


def test_whiteouts_and_opaque_directories_are_members_of_the_oci_names() -> None:
    data = tar_of(
        Entry("a", Kind.OPAQUE, 0o755, 5), Entry("a/b", Kind.WHITEOUT), Entry("gone", Kind.WHITEOUT), a_file("a/c")
    )
    assert [(m.name, m.isdir(), m.size) for m in members(data)] == [
        ("a", True, 0),
        ("a/.wh..wh..opq", False, 0),
        ("a/.wh.b", False, 0),
        (".wh.gone", False, 0),
        ("a/c", False, 1),
    ]


@pytest.mark.parametrize("path", [".wh.x", "a/.wh.x", "a/.wh..wh..opq"])
def test_a_name_that_would_mean_a_deletion_is_refused(path: str) -> None:
    with pytest.raises(WpmError, match="means a deletion"):
        tar_of(a_file(path))
    assert tar_of(a_file("a/x.wh.y"), a_file(".wh/x"))


def test_files_of_the_host_and_large_ones_in_memory(tmp_path: Path) -> None:
    large, path = os.urandom(3_000_001), tmp_path / "data"
    path.write_bytes(b"--" + large + b"--")
    inside = Entry("host", Kind.FILE, size=len(large), content=HostFile(path, len(large), 2))
    small = Entry("small", Kind.FILE, size=2, content=HostFile(path, 2))
    data = tar_of(a_file("memory", large), inside, small, a_file("last", b"end"))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        contents = [tar.extractfile(member).read() for member in tar]  # type: ignore[union-attr]
    assert contents == [large, large, b"--", b"end"]
    path.write_bytes(b"shorter")
    with pytest.raises(WpmError, match="became shorter"):
        tar_of(inside)


ODD = ["plain", "ümlaut", "日本/" + "語" * 80, "sp ace\n\"quote'", "l" * 250, "d" * 90 + "/" + "e" * 90, "bad\udcff"]


@pytest.mark.parametrize("program", ["tar", "bsdtar"])
def test_other_programs_unpack_it(program: str, tmp_path: Path) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not there")
    entries = [Entry(path, Kind.DIRECTORY, 0o755, 7) for path in ("日本", "d" * 90)]
    entries += [a_file(name, name.encode(errors="surrogateescape"), 0o640, 1_700_000_000) for name in ODD]
    entries += [Entry("sym", Kind.SYMLINK, 0o777, 3, target="x" * 150), Entry("日本語", Kind.HARD_LINK, target=ODD[2])]
    entries.sort(key=lambda entry: path_order(entry.path))
    subprocess.run(
        [program, "-xpf", "-", "-C", str(tmp_path)],
        input=tar_of(*entries),
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    for name in ODD:
        at = tmp_path / name
        assert at.read_bytes() == name.encode(errors="surrogateescape")
        assert at.stat().st_mtime == 1_700_000_000
        assert at.stat().st_mode & 0o7777 == 0o640
    assert os.readlink(tmp_path / "sym") == "x" * 150
    assert (tmp_path / "日本語").stat().st_ino == (tmp_path / ODD[2]).stat().st_ino
    assert (tmp_path / "日本").stat().st_mtime == 7
