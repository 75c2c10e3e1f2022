"""Host functions for a module's imports: what the module imports decides which generation of a function it gets."""

from __future__ import annotations

from _thread import allocate_lock
from contextlib import contextmanager
from ctypes import byref

from runtime.engine import beside
from runtime.engine.exports import Exports, instantiate_linked
from runtime.engine.library import HOST_CALL, Extern, check, lib
from runtime.errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from runtime.engine.instance import SharedMemory, Store
    from runtime.engine.module import Import, Module

_WASI = ("wasi_unstable", "wasi_snapshot_preview1", "wasix_32v1")

HostCall: TypeAlias = "Callable[[int, int, int, int], int]"
"""A callback made by `HOST_CALL`: native code, kept alive by whoever holds it."""


class Linker:
    """The host functions of one module, defined once and shared by all its instances in every store."""

    def __init__(self, module: Module, resolve: Callable[[Import], HostCall]) -> None:
        """Define a callback for each function that the module imports.

        Args:
            module: whose imports.
            resolve: gives the callback for an import.

        Raises:
            RuntimeFault: the module imports something that no host function can be (a table, a global).
        """
        self.handle: int = lib.wasmtime_linker_new(module.engine.handle)
        self.memory: Import | None = None
        self._fronted = {
            (item.module, item.name)
            for item in module.imports
            if item.name in beside.FRONT and item.signature is not None and item.module in _WASI
        }
        self._callbacks: list[HostCall] = []
        self._before: int = 0
        self._resolve = resolve
        self._lock = allocate_lock()
        for item in module.imports:
            if item.signature is not None:
                self._define(self.handle, item)
            elif item.memory is not None and self.memory is None:
                self.memory = item
            else:
                raise RuntimeFault(
                    f"the module imports {item.module}.{item.name}, which is neither a function nor its one memory: "
                    "it was not built for WASI"
                )

    def _define(self, handle: int, item: Import) -> None:
        callback = self._resolve(item)
        self._callbacks.append(callback)
        space, name = item.module.encode(), item.name.encode()
        error = lib.wasmtime_linker_define_func_unchecked(
            handle, space, len(space), name, len(name), item.handle, callback, None, None
        )
        # The same name imported twice is defined once: the second definition is refused, and not needed.
        if error:
            lib.wasmtime_error_delete(error)

    @contextmanager
    def prepared(
        self, store: Store, memory: SharedMemory | None, replaceable: bool
    ) -> Iterator[tuple[int, Exports | None, Exports | None]]:
        """The library's linker with what belongs to this store.

        Args:
            store: where the module is about to be instantiated.
            memory: what the module gets for the memory that it imports.
            replaceable: give it a `stack_checkpoint` that can be replaced: the second of what this gives.

        Returns:
            What there is before the guest to replace host calls comes third, where it is at hand and the guest has such calls.
        """
        module = beside.front() if self._fronted else None
        if self.memory is None and module is None:
            yield self.handle, None, None
            return
        if self.memory is not None and memory is None:
            raise RuntimeFault(f"the module imports the memory {self.memory.module}.{self.memory.name}: none was given")
        clone = lib.wasmtime_linker_clone(self.handle)
        try:
            if self.memory is not None and memory is not None:
                _define_in(clone, store, (self.memory.module, self.memory.name), memory.extern())
            slot = self._slot(clone, store) if replaceable else None
            yield clone, slot, self._front(clone, store, module) if module is not None else None
        finally:
            lib.wasmtime_linker_delete(clone)

    def _slot(self, handle: int, store: Store) -> Exports:
        module, slot = beside.module("trampoline"), Exports(store)
        for item in module.imports:
            self._define(handle, item)
        instantiate_linked(handle, module, slot)
        function = slot.export(beside.SLOT[1])
        assert function is not None
        lib.wasmtime_linker_allow_shadowing(handle, True)
        _define_in(handle, store, beside.SLOT, function)
        return slot

    def _front(self, handle: int, store: Store, module: Module) -> Exports:
        front = Exports(store)
        with self._lock:
            if not self._before:
                self._before = lib.wasmtime_linker_new(module.engine.handle)
                for item in module.imports:
                    self._define(self._before, item)
        instantiate_linked(self._before, module, front)
        lib.wasmtime_linker_allow_shadowing(handle, True)
        for key in self._fronted:
            function = front.export(key[1])
            assert function is not None
            _define_in(handle, store, key, function)
        return front

    def __del__(self) -> None:
        lib.wasmtime_linker_delete(self.handle)
        if getattr(self, "_before", 0):
            lib.wasmtime_linker_delete(self._before)


def _define_in(handle: int, store: Store, key: tuple[str, str], extern: Extern) -> None:
    space, name = key[0].encode(), key[1].encode()
    error = lib.wasmtime_linker_define(handle, store.context, space, len(space), name, len(name), byref(extern))
    check(error, f"cannot give the module {key[0]}.{key[1]}")


__all__ = ["HOST_CALL", "HostCall", "Linker"]
