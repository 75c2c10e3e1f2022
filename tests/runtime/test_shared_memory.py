"""Copies of a shared memory: each has the bytes of the original, whatever the memory was used for before."""

from __future__ import annotations

from ctypes import c_char, memset
from ctypes import string_at as bytes_at

import pytest

from runtime.engine import PAGE, MemoryType, SharedMemory
from runtime.errors import RuntimeFault


def fill(memory: SharedMemory, byte: int) -> None:
    memset(memory.base, byte, memory.size())


def test_a_copy_has_all_bytes_and_none_of_its_own() -> None:
    original = SharedMemory(MemoryType(2, 64, True))
    fill(original, 1)
    for grown in range(6):
        used = original.copy()
        fill(used, 0xEE)
        if grown % 2:
            used.grow(3)  # larger than the original: not to be given out for it
        del used
        copy = original.copy()
        assert copy.size() == original.size()
        assert bytes_at(copy.base, copy.size()) == b"\1" * copy.size()
        c_char.from_address(original.base).value = b"\2"
        assert bytes_at(copy.base, 1) == b"\1"
        c_char.from_address(original.base).value = b"\1"
        original.grow(1)
        fill(original, 1)


def test_a_copy_keeps_the_limit() -> None:
    original = SharedMemory(MemoryType(1, 64, True), limit=3 * PAGE)
    other = SharedMemory(MemoryType(1, 64, True), limit=2 * PAGE)
    del other
    copy = original.copy()
    copy.grow(2)
    with pytest.raises(RuntimeFault):
        copy.grow(1)
