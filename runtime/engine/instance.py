"""Stores and instances: one guest thread's machine and its memory."""

from __future__ import annotations

import ctypes
from contextlib import contextmanager, suppress
from ctypes import byref, c_uint64, c_void_p

from runtime.engine.exports import Exports, instantiate_linked, instantiate_prepared
from runtime.engine.globals import PREFIX
from runtime.engine.library import (
    EPOCH_CALLBACK,
    EXTERN_FUNC,
    EXTERN_SHARED_MEMORY,
    EXTERN_TABLE,
    Extern,
    Value,
    check,
    lib,
)
from runtime.engine.module import PAGE, MemoryType, Module, engine
from runtime.errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.engine.linker import Linker, Prepared


TABLE_ENTRY = "wpm.table."
"""Functions of the table are known to `Machine.call` by this and their index: no export of a module is named so."""

_MOST_RETIRED, _LARGEST_RETIRED = 4, 8 << 20

_RED_ZONE = 128
"""Bytes below the stack pointer that a C compiler lets a function use that calls no other (LLVM's WebAssembly backend)."""


class SharedMemory:
    """A memory that lives outside any store, so that several guest threads and their host can hold it."""

    def __init__(self, limits: MemoryType, limit: int | None = None) -> None:
        """Reserve a shared memory.

        Args:
            limits: what the module's import asks for, in pages.
            limit: the most bytes that the guest may have.

        Raises:
            RuntimeFault: the module asks for more at the start than the limit allows.
        """
        maximum = 65536 if limits.maximum is None else limits.maximum
        if limit is not None:
            maximum = min(maximum, limit // PAGE)
        if maximum < limits.minimum:
            raise RuntimeFault(
                f"the module needs {limits.minimum * PAGE} bytes of memory to start and the limit is {limit}: raise it"
            )
        self._kind = limits.minimum, maximum
        self.prepared: Prepared | None = None
        self.handle = _reserve(*self._kind)
        self.base: int = lib.wasmtime_sharedmemory_data(self.handle)

    def copy(self) -> SharedMemory:
        """Another memory of this kind, with the same bytes as they are now.

        It may be one that nobody uses any more: to give the host's pages back and to be given them anew was a fifth of a fork.

        Raises:
            RuntimeFault: the host has no more memory.
        """
        # Asked once: another thread may be growing this one.
        size = self.size()
        copy = SharedMemory.__new__(SharedMemory)
        copy._kind = self._kind
        copy.handle, copy.prepared = _retired.take(self._kind, size) or (_reserve(*self._kind), None)
        copy.base = lib.wasmtime_sharedmemory_data(copy.handle)
        grow = (size - copy.size()) // PAGE
        if grow > 0:
            copy.grow(grow)
        ctypes.memmove(copy.base, self.base, size)
        return copy

    def size(self) -> int:
        """The size now, in bytes."""
        return int(lib.wasmtime_sharedmemory_data_size(self.handle))

    def grow(self, pages: int) -> None:
        """Grow by so many pages.

        Raises:
            RuntimeFault: the limit is reached.
        """
        check(lib.wasmtime_sharedmemory_grow(self.handle, pages, byref(c_uint64())), "cannot grow the guest's memory")

    def extern(self) -> Extern:
        """The handle by which a linker knows this memory."""
        return Extern(EXTERN_SHARED_MEMORY, (c_uint64 * 3)(self.handle, 0, 0))

    def __del__(self) -> None:
        # Whoever runs in this memory, or looks at it, holds this object: nobody does any more.
        if handle := getattr(self, "handle", 0):
            _retired.keep(self._kind, handle, self.prepared)


def _reserve(minimum: int, maximum: int) -> int:
    """The handle of a new shared memory, of so many pages at the start and at the most."""
    kind, out = c_void_p(), c_void_p()
    doing = "cannot reserve the guest's memory"
    check(lib.wasmtime_memorytype_new(minimum, True, maximum, False, True, 16, byref(kind)), doing)
    try:
        check(lib.wasmtime_sharedmemory_new(engine().handle, kind, byref(out)), doing)
    finally:
        lib.wasm_memorytype_delete(kind)
    return out.value or 0


class _Retired:
    """Memories that nobody uses, a few small ones: only for a copy, which overwrites all that is in them.

    Without a lock: a memory may be retired by the collector, amid anything.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[tuple[int, int], int, int, Prepared | None]] = []

    def keep(self, kind: tuple[int, int], handle: int, prepared: Prepared | None) -> None:
        size = int(lib.wasmtime_sharedmemory_data_size(handle))
        if size > _LARGEST_RETIRED:
            lib.wasmtime_sharedmemory_delete(handle)
            return
        self._kept.append((kind, size, handle, prepared))
        if len(self._kept) > _MOST_RETIRED:
            with suppress(IndexError):
                lib.wasmtime_sharedmemory_delete(self._kept.pop(0)[2])

    def take(self, kind: tuple[int, int], size: int) -> tuple[int, Prepared | None] | None:
        """The handle of a memory of this kind that is at most so large, and what was prepared for it, if there is one."""
        for entry in reversed(self._kept):
            if entry[0] == kind and entry[1] <= size:
                with suppress(ValueError):
                    self._kept.remove(entry)
                    return entry[2:]
        return None


_retired = _Retired()


_asked: dict[int, Callable[[], bool]] = {}
"""Whom to ask when the engine is interrupted, by the handle of the store."""


def _interrupted(_context: int, store: int, ticks: ctypes._Pointer[c_uint64], _kind: object) -> int:
    if _asked[store]():
        return int(lib.wasmtime_error_new(b"interrupted"))
    ticks[0] = 1
    return 0


# One for all stores: to make native code of a function for each took 4 us of a spawn.
_on_epoch = EPOCH_CALLBACK(_interrupted)


class Store:
    """A store: what one guest thread runs in. Used by one host thread at a time."""

    def __init__(self, interrupted: Callable[[], bool], memory_limit: int | None = None) -> None:
        """Make a store.

        Args:
            interrupted: asked whenever the engine is interrupted: whether this guest has to stop.
            memory_limit: the most bytes that a memory of this store may have.
        """
        self.handle: int = lib.wasmtime_store_new(engine().handle, None, None)
        self.context: int = lib.wasmtime_store_context(self.handle)

        _asked[self.handle] = interrupted
        lib.wasmtime_store_epoch_deadline_callback(self.handle, _on_epoch, self.handle, None)
        lib.wasmtime_context_set_epoch_deadline(self.context, 1)
        if memory_limit is not None:
            lib.wasmtime_store_limiter(self.handle, memory_limit, -1, -1, -1, -1)

    def allow(self, interrupts: int) -> None:
        """Let the guest's code run through so many interrupts of the engine before it is asked again."""
        lib.wasmtime_context_set_epoch_deadline(self.context, interrupts)

    def close(self) -> None:
        """Free the store with its instances and memories; nothing of it may be used afterwards."""
        if handle := self.handle:
            self.handle = self.context = 0
            del _asked[handle]
            lib.wasmtime_store_delete(handle)

    def __del__(self) -> None:
        self.close()


class Machine(Exports):
    """A module instantiated in a store.

    Attributes:
        slot: what it was given for `stack_checkpoint`, where that can be replaced (see `runtime.engine.beside`).
        front: what it was given for the host calls that can be answered beside it (see `runtime.engine.shortcuts`).
    """

    def __init__(
        self,
        store: Store,
        linker: Linker,
        module: Module,
        memory: SharedMemory | None = None,
        unwinding: Callable[[], bool] = bool,
        *,
        replaceable: bool = False,
    ) -> None:
        """Instantiate; a start function of the module runs now.

        Args:
            store: where.
            linker: the host functions that the module imports.
            module: what.
            memory: the shared memory that it imports, if it does.
            unwinding: whether a host call is leaving the guest's code on purpose: its words are not asked for then.
            replaceable: give it a `stack_checkpoint` that can be replaced.

        Raises:
            RuntimeFault: an import is missing or does not fit.
            Trap: the start function trapped.
        """
        super().__init__(store, unwinding)
        self.module = module
        self.shared = memory
        self.slot: Exports | None = None
        self.front: Exports | None = None
        self.shapes = module.shapes
        front = linker.front()
        if replaceable or front is not None:
            with linker.replaceable(store, memory, front, checkpoints=replaceable) as (handle, self.slot, self.front):
                instantiate_linked(handle, module, self)
        else:
            instantiate_prepared(linker.prepare(store, memory).handle, self)

    def entry_at(self, index: int) -> str | None:
        """The name by which `call` knows the function at this index of the function table.

        `None` when there is no function without parameters and results; the table has to be exported.
        """
        table = self.export("__indirect_function_table")
        if table is None or table.kind != EXTERN_TABLE:
            return None
        value = Value()
        place = ctypes.addressof(table) + Extern.handle.offset
        # A null reference is a function of no store.
        if not lib.wasmtime_table_get(self.store.context, place, index, byref(value)) or not value.of[0]:
            return None
        function = Extern(EXTERN_FUNC, value.of)
        kind = lib.wasmtime_func_type(self.store.context, ctypes.addressof(function) + Extern.handle.offset)
        try:
            if lib.wasm_functype_params(kind).contents.size or lib.wasm_functype_results(kind).contents.size:
                return None
        finally:
            lib.wasm_functype_delete(kind)
        name = f"{TABLE_ENTRY}{index}"
        self._externs[name] = function
        self._functions[name] = ctypes.addressof(function) + Extern.handle.offset
        return name

    def memory(self) -> tuple[int, Callable[[], int]] | None:
        """Where the guest's memory is and how to ask its size in bytes: the shared one, else the export `memory`."""
        if self.shared is not None:
            return self.shared.base, self.shared.size
        return self.memory_export("memory")

    def grow_memory(self, pages: int) -> None:
        """Grow the exported memory by so many pages.

        Raises:
            RuntimeFault: the limit is reached.
        """
        self.grow_export("memory", pages)

    @contextmanager
    def red_zone(self) -> Iterator[None]:
        """Call the guest amid its own code: what a function that calls nobody keeps below its stack pointer stays."""
        name = next((name for name in ("__stack_pointer", f"{PREFIX}0") if self._global(name) is not None), None)
        before = self.global_value(name) if name is not None else None
        if name is None or before is None or before < _RED_ZONE:
            yield
            return
        self.set_global(name, before - _RED_ZONE)
        try:
            yield
        finally:
            self.set_global(name, before)
