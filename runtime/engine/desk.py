"""The desk: a memory of ours in which pipes between guests lie, so that guests move bytes through it without the host.

Every guest that transfers often has `desk.wat` beside it, which reads and writes here; the host does so through views. No
guest can reach it. What it holds, from its start:

    0x001000  cells of 8 bytes: for how far the time of day of an environment is ahead of the host's
    0x010000  tables of 512 bytes: for each of 64 descriptors of a process the ring that is read (u32) and written (u32)
    0x100000  rings of 64 bytes, as numbers of 32 bits: lock, start, filled, given up, from how many bytes on whoever wants
              to read is told, down to how many whoever wants to write, bytes taken so far (modulo 2^32), where the bytes
              are, whether a transfer is whole or the host's
    0x200000  the bytes of the rings, 2 MiB each
"""

from __future__ import annotations

import ctypes
import threading
import time
from ctypes import byref, c_char, c_uint64, c_void_p

from runtime.engine import beside
from runtime.engine.exports import Exports, trap_of
from runtime.engine.instance import SharedMemory, Store
from runtime.engine.library import Extern, check, keeping, lib
from runtime.engine.module import PAGE, MemoryType

RING_BYTES = 1 << 21
"""How many bytes a ring holds."""
DESCRIPTORS = 64
"""The descriptors below this number can be served here."""
_CELLS, _TABLES, _RINGS, _BYTES = 0x1000, 0x1_0000, 0x10_0000, 0x20_0000
_TABLE, _RING = 8 * DESCRIPTORS, 64
_MOST_RINGS = 32
_SIZE = _BYTES + _MOST_RINGS * RING_BYTES
_MADV_DONTNEED = 4
_call = keeping("wasmtime_func_call_unchecked")


class Desk(Exports):
    """The desk of this process, with the host's own instance beside it, which takes locks."""

    def __init__(self) -> None:
        """Make it.

        Raises:
            RuntimeFault: the host has no memory for it.
        """
        pages = _SIZE // PAGE
        self.memory = SharedMemory(MemoryType(pages, pages, True))
        super().__init__(Store(bool))
        given, trap = (Extern * 1)(self.memory.extern()), c_void_p()
        error = lib.wasmtime_instance_new(
            self.store.context, beside.module("keeper").handle, given, 1, byref(self.instance), byref(trap)
        )
        if trap.value:
            raise trap_of(trap.value)
        check(error, "cannot lock the rings of pipes")
        self.bytes = memoryview((c_char * _SIZE).from_address(self.memory.base)).cast("B")
        self.words, self.longs = self.bytes.cast("I"), self.bytes.cast("Q")
        self._turn = threading.Lock()
        self._values, self._trap = (c_uint64 * 2)(), c_void_p()
        self._lock, self._unlock = self._function("lock"), self._function("unlock")
        # Lists and no lock: what is here may be given back by the collector, amid anything.
        self._cells = [*range(_CELLS, _TABLES, 8)]
        self._tables = [*range(_TABLES, _RINGS, _TABLE)]
        self._rings = [*range(_RINGS, _RINGS + _MOST_RINGS * _RING, _RING)]

    def _function(self, name: str) -> int:
        extern = self.export(name)
        assert extern is not None
        return ctypes.addressof(extern) + Extern.handle.offset

    def lock(self, ring: int) -> None:
        """Lock a ring, which a guest has for no longer than it takes to copy a piece; one thread of the host at a time."""
        while not self._called(self._lock, ring):
            # It has the ring, and somebody else the processor.
            time.sleep(0)

    def unlock(self, ring: int) -> None:
        """Give the lock back."""
        self._called(self._unlock, ring)

    def _called(self, function: int, ring: int) -> int:
        with self._turn:
            self._values[0] = ring
            check(_call(self.store.context, function, self._values, 1, byref(self._trap)), "cannot lock a ring")
            return int(self._values[0])

    def new_cell(self) -> int:
        """A cell, with 0 in it; 0 when there is none left."""
        return self._new(self._cells, 8)

    def new_table(self) -> int:
        """A table for a process, empty; 0 when there is none left."""
        return self._new(self._tables, _TABLE)

    def new_ring(self, spare: int = 0) -> int:
        """A ring, empty; 0 when there is none left, or would then be none for so many others."""
        try:
            if len(self._rings) <= spare:
                return 0
            ring: int = self._rings.pop()
        except IndexError:
            return 0
        at = ring >> 2
        # All but the lock, which a guest may take even now, whose descriptor had this ring before: it gives up at once.
        self.words[at + 3] = 1
        self.words[at + 1] = self.words[at + 2] = self.words[at + 6] = 0
        self.words[at + 4] = self.words[at + 5] = 0xFFFF_FFFF
        self.words[at + 8] = 0
        self.words[at + 7] = _BYTES + (ring - _RINGS) // _RING * RING_BYTES
        self.words[at + 3] = 0
        return ring

    def _new(self, free: list[int], size: int) -> int:
        try:
            place = free.pop()
        except IndexError:
            return 0
        self.bytes[place : place + size] = bytes(size)
        return place

    def free_cell(self, cell: int) -> None:
        """Take a cell back."""
        self._cells.append(cell)

    def free_table(self, table: int) -> None:
        """Take a table back: nobody looks into it."""
        self.bytes[table : table + _TABLE] = bytes(_TABLE)
        self._tables.append(table)

    def free_ring(self, ring: int) -> None:
        """Take a ring back, which was given up; its pages go back to the host."""
        _give_back(self.memory.base + self.words[(ring >> 2) + 7], RING_BYTES, _MADV_DONTNEED)
        self._rings.append(ring)

    def data(self, ring: int) -> memoryview:
        """The bytes of a ring."""
        start = self.words[(ring >> 2) + 7]
        return self.bytes[start : start + RING_BYTES]


_give_back = ctypes.CDLL(None).madvise
_give_back.restype, _give_back.argtypes = ctypes.c_int, [c_void_p, ctypes.c_size_t, ctypes.c_int]

_desk: Desk | None = None
_making = threading.Lock()


def desk() -> Desk:
    """The desk, made when first asked for.

    Raises:
        RuntimeFault: as `Desk`.
    """
    global _desk
    with _making:
        if _desk is None:
            _desk = Desk()
        return _desk
