"""`GuestMemory` with any pointer and length: inside it is memory, outside it is `FAULT`, and nothing else ever happens."""

import mmap
from collections.abc import Callable
from ctypes import addressof, c_char
from struct import Struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.abi.errno import Errno, GuestError
from runtime.memory import GuestMemory

SIZE = 65536
_backing = mmap.mmap(-1, SIZE)
_held = (c_char * SIZE).from_buffer(_backing)
LAYOUT = Struct("<BxHQ")

POINTERS = st.one_of(
    st.integers(0, SIZE + 16), st.integers(0, (1 << 32) - 1), st.sampled_from([SIZE - 1, SIZE, (1 << 32) - 1])
)
LENGTHS = st.one_of(st.integers(0, 64), st.integers(0, SIZE + 16), st.integers(0, (1 << 32) - 1))


def memory(size: int = SIZE) -> GuestMemory:
    return GuestMemory(addressof(_held), lambda: size)


def outcome(access: Callable[[], object]) -> object:
    """What the access gives, or `FAULT`."""
    try:
        return access()
    except GuestError as error:
        assert error.errno is Errno.FAULT
        return Errno.FAULT


@given(POINTERS, LENGTHS)
def test_ranges(pointer: int, length: int) -> None:
    guest = memory()
    inside = pointer + length <= SIZE
    view = outcome(lambda: guest.view(pointer, length))
    data = outcome(lambda: guest.read(pointer, length))
    text = outcome(lambda: guest.text(pointer, length))
    assert (outcome(lambda: guest.check(pointer, length)) is None) == inside
    if inside:
        assert isinstance(view, memoryview)
        assert isinstance(data, bytes)
        assert isinstance(text, str)
        assert len(view) == len(data) == length
        assert text.encode("utf-8", "surrogateescape") == data
    else:
        assert view is data is text is Errno.FAULT


@given(POINTERS, st.binary(max_size=64))
def test_writing(pointer: int, data: bytes) -> None:
    guest = memory()
    before = bytes(_backing)
    if pointer + len(data) <= SIZE:
        guest.write(pointer, data)
        assert bytes(_backing) == before[:pointer] + data + before[pointer + len(data) :]
    else:
        assert outcome(lambda: guest.write(pointer, data)) is Errno.FAULT
        assert bytes(_backing) == before


@given(POINTERS, st.integers(0, (1 << 64) - 1))
def test_numbers(pointer: int, value: int) -> None:
    guest = memory()
    for size, put, get in [
        (1, guest.set_u8, guest.u8),
        (4, guest.set_u32, guest.u32),
        (8, guest.set_u64, guest.u64),
    ]:
        cut = value & ((1 << (8 * size)) - 1)
        if pointer + size <= SIZE:
            put(pointer, cut)
            assert get(pointer) == cut == int.from_bytes(_backing[pointer : pointer + size], "little")
        else:
            assert outcome(lambda put=put, cut=cut: put(pointer, cut)) is Errno.FAULT  # type: ignore[misc]
            assert outcome(lambda get=get: get(pointer)) is Errno.FAULT  # type: ignore[misc]
    assert (outcome(lambda: guest.set_u16(pointer, value & 0xFFFF)) is None) == (pointer + 2 <= SIZE)


@given(POINTERS, st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, (1 << 64) - 1))
def test_structures(pointer: int, one: int, two: int, three: int) -> None:
    guest = memory()
    if pointer + LAYOUT.size <= SIZE:
        guest.pack(LAYOUT, pointer, one, two, three)
        assert guest.unpack(LAYOUT, pointer) == (one, two, three)
    else:
        assert outcome(lambda: guest.pack(LAYOUT, pointer, one, two, three)) is Errno.FAULT
        assert outcome(lambda: guest.unpack(LAYOUT, pointer)) is Errno.FAULT


@given(POINTERS, st.lists(st.tuples(POINTERS, LENGTHS), max_size=6))
def test_iovecs(table: int, buffers: list[tuple[int, int]]) -> None:
    guest = memory()
    raw = b"".join(Struct("<II").pack(*buffer) for buffer in buffers)
    if table + len(raw) <= SIZE:
        guest.write(table, raw)
    good = table + len(raw) <= SIZE and all(start + length <= SIZE for start, length in buffers)
    found = outcome(lambda: guest.iovecs(table, len(buffers)))
    if good:
        assert isinstance(found, list)
        assert [len(view) for view in found] == [length for _, length in buffers]
    else:
        assert found is Errno.FAULT


@given(st.integers(1025, (1 << 32) - 1))
def test_too_many_iovecs(count: int) -> None:
    with pytest.raises(GuestError) as caught:
        memory().iovecs(0, count)
    assert caught.value.errno is Errno.INVAL


def test_a_memory_that_grows() -> None:
    sizes = [16]
    guest = GuestMemory(addressof(_held), lambda: sizes[0])
    assert outcome(lambda: guest.read(16, 1)) is Errno.FAULT
    sizes[0] = 32
    assert isinstance(guest.read(16, 16), bytes)
    assert guest.size == 32
    assert outcome(lambda: guest.read(17, 16)) is Errno.FAULT
