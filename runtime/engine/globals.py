"""Gives a module that can fork, or switch contexts, names for its mutable globals.

The engine's API reads and sets exported globals only, and a forked process or another context needs all of them as they
were. Before such a module is compiled, its export section (WebAssembly core specification, 5.5.10) gets an entry for each
mutable global that the module defines. Nothing else changes, and nothing else could see the difference.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "wpm.global."
"""The added exports are named so, with the global's index behind it."""

_IMPORT, _GLOBAL, _EXPORT = 2, 6, 7
_IMPORTED_GLOBAL = 3
_MARKS = b"asyncify_start_unwind", b"context_create"
_NUMBERS = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64"}


class _Malformed(Exception):
    """The module is not what we think; the compiler will say what is wrong with it."""


class _Reader:
    def __init__(self, data: bytes, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def byte(self) -> int:
        if self.position >= self.end:
            raise _Malformed
        self.position += 1
        return self.data[self.position - 1]

    def number(self) -> int:
        """An unsigned LEB128 number of at most 32 bits, also good to skip a signed one of at most 64."""
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value
            if shift > 70:
                raise _Malformed

    def skip(self, count: int) -> None:
        if self.position + count > self.end:
            raise _Malformed
        self.position += count

    def limits(self) -> None:
        flags = self.number()
        self.number()
        if flags & 1:
            self.number()


def export_mutable_globals(wasm: bytes) -> bytes:
    """The module with an export for each mutable global of number type, if it is one that can fork or switch contexts.

    Any other module is returned as it is, as is one that we cannot read.
    """
    if not any(mark in wasm for mark in _MARKS):
        return wasm
    try:
        sections = list(_sections(wasm))
        imported = sum(_imported_globals(wasm, start, end) for kind, _, start, end in sections if kind == _IMPORT)
        found = [section for section in sections if section[0] == _GLOBAL]
        exports = [section for section in sections if section[0] == _EXPORT]
        if not found or not exports:
            return wasm
        indices = [imported + index for index in _mutable(wasm, *found[0][2:])]
        return _with_exports(wasm, exports[0], indices)
    except (_Malformed, IndexError):
        return wasm


def _sections(wasm: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Each section: its id, where it begins, where its content begins and ends."""
    reader = _Reader(wasm, 8)
    while reader.position < len(wasm):
        begin = reader.position
        kind, size = reader.byte(), reader.number()
        start = reader.position
        reader.skip(size)
        yield kind, begin, start, reader.position


def _imported_globals(wasm: bytes, start: int, end: int) -> int:
    reader = _Reader(wasm, start, end)
    count = 0
    for _ in range(reader.number()):
        for _name in range(2):
            reader.skip(reader.number())
        match reader.byte():
            case 0:
                reader.number()
            case 1:
                reader.byte()
                reader.limits()
            case 2:
                reader.limits()
            case 3:
                reader.skip(2)
                count += 1
            case 4:
                reader.byte()
                reader.number()
            case _:
                raise _Malformed
    return count


def _mutable(wasm: bytes, start: int, end: int) -> list[int]:
    """The indices, among those that the module defines, of its mutable globals of number type."""
    reader = _Reader(wasm, start, end)
    found = []
    for index in range(reader.number()):
        kind, mutable = reader.byte(), reader.byte()
        if mutable and kind in _NUMBERS:
            found.append(index)
        _skip_constant(reader)
    return found


def _skip_constant(reader: _Reader) -> None:
    """Skip an initialising expression; of those that there are, the ones that number globals have."""
    while (code := reader.byte()) != 0x0B:
        match code:
            case 0x41 | 0x42 | 0x23 | 0xD2 | 0xD0:
                reader.number()
            case 0x43:
                reader.skip(4)
            case 0x44:
                reader.skip(8)
            case 0x6A | 0x6B | 0x6C | 0x7C | 0x7D | 0x7E:
                pass
            case _:
                raise _Malformed


def _with_exports(wasm: bytes, section: tuple[int, int, int, int], indices: list[int]) -> bytes:
    _, begin, start, end = section
    reader = _Reader(wasm, start, end)
    count = reader.number()
    entries = bytearray()
    for index in indices:
        name = f"{PREFIX}{index}".encode()
        entries += bytes([len(name)]) + name + bytes([_IMPORTED_GLOBAL]) + _leb(index)
    content = _leb(count + len(indices)) + wasm[reader.position : end] + bytes(entries)
    return wasm[:begin] + bytes([_EXPORT]) + _leb(len(content)) + content + wasm[end:]


def _leb(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
