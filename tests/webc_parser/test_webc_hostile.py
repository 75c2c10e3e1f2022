"""Containers that were made to do harm."""

import random
import struct
import time
from pathlib import Path

import pytest
from fuzz import look_at_everything, mutate
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webc_samples import leb128, samples, v1_container, v1_volume, written

from webc_parser import Container, Version, Volume, VolumeDirectory, VolumeEntry, VolumeFile, WebcError

SAMPLES = samples()


def outcome(data: bytes) -> WebcError | None:
    try:
        look_at_everything(data)
    except WebcError as error:
        return error
    return None


def with_header(header: bytes, data: bytes = b"") -> bytes:
    """A version 1 container whose only volume has this header."""
    volume = leb128(len(header)) + header + data
    return v1_container({}, {}, {}) + leb128(1) + b"v" + leb128(len(volume)) + volume


def v1_entry(name: bytes, kind: int, start: int, end: int) -> bytes:
    return struct.pack("<QQQ", len(name) | kind << 56, start, end) + name


def v1_level(*entries: bytes) -> bytes:
    body = b"".join(entries)
    return struct.pack("<Q", len(body)) + body


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation(name: str) -> None:
    data = SAMPLES[name]
    for size in range(len(data)):
        error = outcome(data[:size])
        if error is None:  # version 1 is a sequence of volumes: a whole number of them is a container
            assert name == "v1 of old"
        else:
            assert error.offset is None or error.offset <= size


@pytest.mark.parametrize("name", SAMPLES)
def test_every_flipped_byte(name: str) -> None:
    data = bytearray(SAMPLES[name])
    for at in range(len(data)):
        flip = (1, 0x80, 0xFF)[at % 3]
        data[at] ^= flip
        outcome(bytes(data))
        data[at] ^= flip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 1 << 60))
def test_mutations(name: str, seed: int) -> None:
    outcome(mutate(SAMPLES[name], random.Random(seed)))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"001", b"002", b"003"]), st.binary(max_size=200))
def test_noise(version: bytes, noise: bytes) -> None:
    error = outcome(b"\0webc" + version + noise)
    assert error is not None and "\n" not in str(error)


@pytest.mark.parametrize("name", [b"..", b".", b"", b"a/b", b"/", b"a\0", b"\xff", b"n" * 2000])
def test_hostile_names(name: bytes) -> None:
    error = outcome(with_header(v1_level(v1_entry(name, 1, 0, 0))))
    assert error is not None and error.offset is not None and len(str(error)) < 300
    for version in (Version.V2, Version.V3):  # the same length in place of a name that was good
        if name and len(name) < 100:
            data = written(version, volumes={"/v": {"q" * len(name): b""}})
            assert outcome(data.replace(b"q" * len(name), name)) is not None


def test_a_name_that_comes_twice() -> None:
    error = outcome(with_header(v1_level(v1_entry(b"x", 1, 0, 0), v1_entry(b"x", 1, 0, 0))))
    assert "comes twice" in str(error)
    for version in (Version.V2, Version.V3):
        data = written(version, volumes={"/v": {"aaaa": b"", "bbbb": b""}})
        assert "comes twice" in str(outcome(data.replace(b"bbbb", b"aaaa")))


def test_a_directory_in_itself() -> None:
    level = v1_level(v1_entry(b"again", 0, 0, 37))
    assert len(level) == 37
    container = Container.from_bytes(with_header(level))
    with pytest.raises(WebcError, match="overlap, or one contains itself"):
        list(container.volumes["v"].walk())
    again: VolumeEntry = Container.from_bytes(with_header(level)).volumes["v"].root
    with pytest.raises(WebcError):
        for _ in range(10):
            assert isinstance(again, VolumeDirectory)
            again = again.entries["again"]


@pytest.mark.parametrize("version", [Version.V2, Version.V3])
def test_a_directory_that_leads_back(version: Version) -> None:
    data = bytearray(written(version, volumes={"/v": {"first-one": {"two": {}}}}))
    name = data.index(b"first-one")
    offset = name - (16 if version is Version.V2 else 48)
    assert struct.unpack_from("<Q", data, offset)[0] > 0
    struct.pack_into("<Q", data, offset, 0)
    error = outcome(bytes(data))
    assert "overlap, or one contains itself" in str(error)


def test_a_small_header_cannot_describe_a_large_tree() -> None:
    """Levels that all lead to the next one twice would be 2^30 files; they end at the header's own size."""
    header, size = b"", 8 + 2 * 25
    for level in range(30):
        start = (level + 1) * size
        header += v1_level(*(v1_entry(name, 0, start, start + size) for name in (b"a", b"b")))
    header += v1_level(v1_entry(b"a", 1, 0, 0), v1_entry(b"b", 1, 0, 0))
    started = time.perf_counter()
    assert "overlap" in str(outcome(with_header(header)))
    assert time.perf_counter() - started < 5


def test_nesting_ends() -> None:
    header, position = b"", 0
    for _ in range(5000):
        position += 8 + 25
        header += v1_level(v1_entry(b"d", 0, position, position + 33))
    assert "nested deeper" in str(outcome(with_header(header + v1_level())))


def test_files_that_share_bytes_are_not_hashed_over_and_over() -> None:
    """In version 2 and 3 each file has a checksum: thousands of files over the same megabytes would take hours."""
    data = bytearray(written(Version.V2, volumes={"/v": {f"{i:04}": b"x" * 1000 for i in range(1000)}}))
    region = Container.from_bytes(data).volumes["/v"].root
    for node in region.entries.values():
        assert isinstance(node, VolumeFile)
        at = data.index(struct.pack("<QQ", *(lambda start: (start, start + 1000))(node._start)))
        struct.pack_into("<QQ", data, at, node._start % 7, 900_000 + node._start % 100)
    assert outcome(bytes(data)) is not None


def test_sections_may_not_overlap() -> None:
    data = SAMPLES["v3"]
    container = Container.from_bytes(data)
    assert isinstance(container.volumes["/data"], Volume)
    index_end = 8 + 9 + struct.unpack_from("<Q", data, 9)[0]
    index = data[:index_end]
    manifest = container._layout.seals[0].offset
    atoms = container._layout.seals[1].offset
    assert struct.pack(">H", atoms) in index
    moved = index.replace(struct.pack(">H", atoms), struct.pack(">H", manifest)) + data[index_end:]
    assert outcome(moved) is not None


def test_lengths_that_lie() -> None:
    huge = b"\xff" * 9 + b"\x01"
    base = v1_container({}, {}, {})
    for data in (
        base + huge,
        base[:1308] + huge,
        base + b"\x80" * 20,
        base + b"\x05ab",
        base[:1308] + b"\xff\xff\xff\xff\x7f",
    ):
        error = outcome(data)
        assert error is not None and error.offset is not None
    assert outcome(with_header(struct.pack("<Q", (1 << 64) - 1))) is not None
    assert outcome(with_header(v1_level(v1_entry(b"x", 1, 5, 2)))) is not None
    assert outcome(with_header(v1_level(v1_entry(b"x", 1, 0, 1 << 60)))) is not None
    assert outcome(with_header(v1_level(v1_entry(b"x", 0, 1 << 60, 1 << 61)))) is not None
    assert outcome(with_header(v1_level(v1_entry(b"x", 7, 0, 0)))) is not None


def test_volume_names_are_checked() -> None:
    volume = v1_volume({})
    for name in (b"../x", b"a/../b", b"", b"\xff", b"a\0b"):
        data = v1_container({}, {}, {}) + leb128(len(name)) + name + leb128(len(volume)) + volume
        assert outcome(data) is not None
    twice = (leb128(1) + b"v" + leb128(len(volume)) + volume) * 2
    assert "comes twice" in str(outcome(v1_container({}, {}, {}) + twice))


def test_messages_are_one_line(tmp_path: Path) -> None:
    error = outcome(v1_container({"commands": {"a\nb\x1b[31m": {"runner": 1}}}, {}, {}))
    assert error is not None and str(error).isprintable()
    path = tmp_path / "a\nb.webc"
    path.write_bytes(b"no")
    with pytest.raises(WebcError) as caught:
        Container.open(path)
    assert str(caught.value).isprintable()
