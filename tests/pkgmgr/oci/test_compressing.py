"""Compression: the same bytes everywhere, that every program reads; and decompression of what anybody wrote."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.compressing import Compressors, compressed
from pkgmgr.rootfs.compressor import SETTINGS
from pkgmgr.rootfs.decompressing import decompressed, method_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

METHODS = ("gzip", "zstd")


def sample(size: int) -> bytes:
    """Bytes like those of programs: some repeat, some do not; the same on every machine."""
    parts, state, made = [], 1, 0
    while made < size:
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        part = b"%016x" % state if state % 3 else b"the same words again and again, " * (state % 7)
        parts.append(part)
        made += len(part)
    return b"".join(parts)[:size]


SAMPLE = sample(5_000_000)


def packed(data: bytes | Sequence[bytes], method: str) -> bytes:
    return b"".join(compressed([data] if isinstance(data, bytes) else data, method))


def unpacked(data: bytes, method: str, step: int = 1 << 20, most: int = 1 << 30) -> bytes:
    return b"".join(decompressed([data[at : at + step] for at in range(0, len(data), step)], method, "x.tar", most))


# A change of these changes the digest of every image: it needs new versions of the compressors, and a word to the users.
@pytest.mark.parametrize(
    ("method", "size", "sha256"),
    [
        ("gzip", 0, "30e6fa98fb48c2b132824d1ac5e2243c0be9e9082ff32598d34d7687ca7f6c7f"),
        ("gzip", 100, "17654395203bfd6c8245bb6f436b9833f2b8ff52df23af3d47d4505173f0d9cb"),
        ("gzip", 5_000_000, "8b75779f3731f9d7aa93c7db0f81e518053482c87b6ad4de09e2b2545e82df5a"),
        ("zstd", 0, "f96deff1816083fdff8bc3e46c3fe6ca46a6bb49f4d5a00627616c13237a512c"),
        ("zstd", 100, "01676c8cf62941897eed14f48d76c0ccf30ef2234e2dbd4666b6505d78025444"),
        ("zstd", 5_000_000, "b050f6c2d6d0b3dcacb6d63c858fd0974d8d3ccfa57e4b3116ce11c8410a47b1"),
    ],
)
def test_the_bytes_never_change(method: str, size: int, sha256: str) -> None:
    data = packed(SAMPLE[:size], method)
    assert hashlib.sha256(data).hexdigest() == sha256
    assert unpacked(data, method) == SAMPLE[:size]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1, 7919, 1 << 20, 3 << 20])
def test_how_the_input_comes_does_not_matter(method: str, size: int) -> None:
    pieces = [memoryview(SAMPLE)[at : at + size] for at in range(0, 3000 if size == 1 else len(SAMPLE), size)]
    whole = b"".join(pieces)
    with Compressors(method, 2) as those:
        assert b"".join(compressed(pieces, method, those)) == packed(whole, method)
        assert b"".join(those.compressed(iter(pieces), 0)) == packed(whole, method)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_how_many_threads_does_not_matter(jobs: int) -> None:
    with Compressors("gzip", jobs) as those:
        assert b"".join(those.compressed([SAMPLE])) == packed(SAMPLE, "gzip")


def test_members_are_independent_and_say_nothing_of_the_machine() -> None:
    data = packed(SAMPLE, "gzip")
    size = SETTINGS["gzip"].piece
    members = []
    while data:
        # No flags, no time, no hint how well it was compressed, and nobody knows on which system (RFC 1952, 2.3).
        assert data[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
        member = zlib.decompressobj(31)
        members.append(member.decompress(data))
        data = member.unused_data
    assert [len(member) for member in members[:-1]] == [size] * (len(SAMPLE) // size)
    assert b"".join(members) == SAMPLE


@pytest.mark.parametrize("method", METHODS)
def test_the_programs_read_it(method: str) -> None:
    if shutil.which(method) is None:
        pytest.skip(f"{method} is not here")
    data = packed(SAMPLE, method)
    subprocess.run([method, "-t"], input=data, capture_output=True, check=True)
    assert subprocess.run([method, "-dc"], input=data, capture_output=True, check=True).stdout == SAMPLE


def test_python_reads_it() -> None:
    assert gzip.decompress(packed(SAMPLE, "gzip")) == SAMPLE
    assert zstandard.ZstdDecompressor().stream_reader(packed(SAMPLE, "zstd"), read_across_frames=True).read() == SAMPLE


def test_none_and_unknown_methods() -> None:
    assert packed([b"ab", b"c"], "none") == b"abc"
    with pytest.raises(WpmError, match="no such compression: choose one of none, gzip, zstd"):
        packed(b"", "bzip2")


def test_an_error_of_the_source_comes_through_and_a_reader_may_stop() -> None:
    def failing() -> Iterator[bytes]:
        yield SAMPLE
        raise WpmError("the disk is gone")

    with pytest.raises(WpmError, match="the disk is gone"):
        packed(failing(), "gzip")  # type: ignore[arg-type]
    pieces = compressed([SAMPLE], "gzip")
    assert next(iter(pieces))
    pieces.close()  # type: ignore[attr-defined]


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=3000), max_size=4), st.sampled_from(METHODS), st.integers(1, 100))
def test_everything_comes_back(pieces: list[bytes], method: str, step: int) -> None:
    data = packed(pieces, method)
    assert method_of(data[:4]) == method
    assert unpacked(data, method, step) == b"".join(pieces)


OTHERS = {"gzip": gzip.compress(b"abc" * 1000, mtime=0), "zstd": zstandard.compress(b"abc" * 1000)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_members_of_others(method: str, step: int) -> None:
    data = OTHERS[method]
    assert unpacked(data + data, method, step) == b"abc" * 2000


def test_what_may_stand_between_members() -> None:
    assert unpacked(OTHERS["gzip"] + bytes(1000), "gzip") == b"abc" * 1000
    skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc"
    assert method_of(skippable) == "zstd"
    assert unpacked(skippable + OTHERS["zstd"] + skippable, "zstd") == b"abc" * 1000


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("step", [1, 1 << 20])
@pytest.mark.parametrize("damage", ["empty", "cut", "garbage", "behind", "sum"])
def test_damage_is_told_in_one_line(method: str, step: int, damage: str) -> None:
    data = OTHERS[method] if damage != "sum" else packed(b"abc" * 1000, method)
    bad = {
        "empty": b"",
        "cut": data[:-1],
        "garbage": b"no archive at all",
        "behind": data + b"\0\0something",
        "sum": data[:-6] + b"abcdef",
    }[damage]
    with pytest.raises(WpmError, match=r"x\.tar: damaged (gzip|Zstandard): [^\n]*get it again$"):
        unpacked(bad, method, step)


@pytest.mark.parametrize("method", METHODS)
def test_bombs_are_refused(method: str) -> None:
    zeros = bytes(64 << 20)
    bomb = gzip.compress(zeros, mtime=0) if method == "gzip" else zstandard.compress(zeros)
    count = 0
    with pytest.raises(WpmError, match="becomes larger than 1000000 bytes"):
        for piece in decompressed([bomb], method, "x.tar", 1_000_000):
            count += len(piece)
    assert count <= 1_000_000


@settings(max_examples=100)
@given(st.sampled_from(METHODS), st.integers(0, 10_000), st.binary(min_size=1, max_size=3))
def test_changed_bytes_never_come_back_as_something_else(method: str, at: int, change: bytes) -> None:
    text = b"the words of a file, " * 30
    data = packed(text, method)
    at %= len(data)
    changed = data[:at] + change + data[at + len(change) :]
    try:
        assert unpacked(changed, method, most=10_000) in (text, b"")
    except WpmError as error:
        assert "\n" not in str(error)


def test_many_empty_members_take_no_hours() -> None:
    empty = gzip.compress(b"", mtime=0)
    data = empty * 400_000 + gzip.compress(b"end")
    assert b"".join(decompressed([data], "gzip", "x.tar")) == b"end"
