"""The guest's linear memory, as host calls see it: every access is checked, and a bad pointer is `Errno.FAULT`.

The engine reserves the whole 4 GiB address range of a memory at once and never moves it, so that one view serves for the
memory's life; what changes is its size, which only grows. An access beyond the last size seen asks again before it fails.
"""

from __future__ import annotations

from ctypes import addressof, c_char
from struct import Struct

from runtime.abi.errno import Errno, GuestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_RESERVED = c_char * (1 << 32)
_U8, _U16, _U32, _U64 = Struct("<B"), Struct("<H"), Struct("<I"), Struct("<Q")
_IOV_MAX = 1024


class GuestMemory:
    """Checked access to a guest's memory; pointers and lengths are unsigned numbers from the guest, never trusted."""

    __slots__ = ("_ask_size", "_size", "_view")

    def __init__(self, base: int, size: Callable[[], int]) -> None:
        """Look at the memory whose reservation starts at the host address `base`; `size` asks its length in bytes."""
        self._view = memoryview(_RESERVED.from_address(base)).cast("B")
        self._ask_size = size
        self._size = size()

    def check(self, pointer: int, length: int) -> None:
        """Make sure that the range is in memory.

        Raises:
            GuestError: `FAULT`.
        """
        if pointer + length > self._size:
            self._size = self._ask_size()
            if pointer + length > self._size:
                raise GuestError(Errno.FAULT)

    @property
    def size(self) -> int:
        """The size now, in bytes."""
        self._size = self._ask_size()
        return self._size

    def view(self, pointer: int, length: int) -> memoryview:
        """The range itself, without a copy."""
        if pointer + length > self._size:
            self.check(pointer, length)
        return self._view[pointer : pointer + length]

    def read(self, pointer: int, length: int) -> bytes:
        """A copy of the range."""
        if pointer + length > self._size:
            self.check(pointer, length)
        return self._view[pointer : pointer + length].tobytes()

    def write(self, pointer: int, data: bytes | bytearray | memoryview) -> None:
        """Put the bytes at `pointer`."""
        end = pointer + len(data)
        if end > self._size:
            self.check(pointer, len(data))
        self._view[pointer:end] = data

    def text(self, pointer: int, length: int) -> str:
        """A string that the guest gives by pointer and length; bytes that are not UTF-8 survive as surrogates."""
        end = pointer + length
        if end > self._size:
            self.check(pointer, length)
        return self._view[pointer:end].tobytes().decode("utf-8", "surrogateescape")

    def u8(self, pointer: int) -> int:
        """The byte at `pointer`."""
        self.check(pointer, 1)
        return self._view[pointer]

    def u32(self, pointer: int) -> int:
        """The little-endian 32-bit number at `pointer`."""
        if pointer + 4 > self._size:
            self.check(pointer, 4)
        return int(_U32.unpack_from(self._view, pointer)[0])

    def u64(self, pointer: int) -> int:
        """The little-endian 64-bit number at `pointer`."""
        if pointer + 8 > self._size:
            self.check(pointer, 8)
        return int(_U64.unpack_from(self._view, pointer)[0])

    def set_u8(self, pointer: int, value: int) -> None:
        """Put a byte."""
        self.check(pointer, 1)
        self._view[pointer] = value

    def set_u16(self, pointer: int, value: int) -> None:
        """Put a 16-bit number."""
        self.check(pointer, 2)
        _U16.pack_into(self._view, pointer, value)

    def set_u32(self, pointer: int, value: int) -> None:
        """Put a 32-bit number."""
        if pointer + 4 > self._size:
            self.check(pointer, 4)
        _U32.pack_into(self._view, pointer, value)

    def set_u64(self, pointer: int, value: int) -> None:
        """Put a 64-bit number."""
        if pointer + 8 > self._size:
            self.check(pointer, 8)
        _U64.pack_into(self._view, pointer, value)

    def unpack(self, layout: Struct, pointer: int) -> tuple[int, ...]:
        """The fields of a structure at `pointer`."""
        if pointer + layout.size > self._size:
            self.check(pointer, layout.size)
        return layout.unpack_from(self._view, pointer)

    def pack(self, layout: Struct, pointer: int, *fields: int) -> None:
        """Put a structure at `pointer`."""
        if pointer + layout.size > self._size:
            self.check(pointer, layout.size)
        layout.pack_into(self._view, pointer, *fields)

    def iovecs(self, pointer: int, count: int) -> list[memoryview]:
        """The buffers of an array of `iovec` or `ciovec` (pointer and length, 8 bytes each).

        Raises:
            GuestError: `FAULT`; `INVAL` for more than 1024 buffers.
        """
        if count == 1:
            if pointer + 8 > self._size:
                self.check(pointer, 8)
            start, length = _IOVEC.unpack_from(self._view, pointer)
            end = start + length
            if end > self._size:
                self.check(start, length)
            return [self._view[start:end]]
        if count > _IOV_MAX:
            raise GuestError(Errno.INVAL)
        table = self.view(pointer, 8 * count)
        return [self.view(start, length) for start, length in _IOVEC.iter_unpack(table)]


_IOVEC = Struct("<II")


def nowhere() -> GuestMemory:
    """The memory of a module that is being instantiated: a host call of its start function finds nothing in it."""
    return GuestMemory(addressof(_NOTHING), lambda: 0)


_NOTHING = c_char()
