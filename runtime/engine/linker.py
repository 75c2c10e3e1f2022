"""Host functions for a module's imports: what the module imports decides which generation of a function it gets."""

from __future__ import annotations

from _thread import allocate_lock
from contextlib import contextmanager
from ctypes import byref, c_void_p

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


class Prepared:
    """A module whose imports have been found, a certain memory among them: to be instantiated any number of times.

    Attributes:
        key: of the linker that has found them.
        handle: the library's.
    """

    __slots__ = ("handle", "key")

    def __init__(self, key: object, handle: int) -> None:
        self.key = key
        self.handle = handle

    def __del__(self, _delete: Callable[[int], None] = lib.wasmtime_instance_pre_delete) -> None:
        # Bound when the class is made: memories that are kept for the next one end after this module's names do.
        _delete(self.handle)


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
        self.prepared: Prepared | None = None
        self._key = object()
        self._module = module.handle
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

    def prepare(self, store: Store, memory: SharedMemory | None) -> Prepared:
        """The module with its imports found: looking each up, by its name, was half of an instantiation.

        Args:
            store: where the module is about to be instantiated.
            memory: what the module gets for the memory that it imports.

        Raises:
            RuntimeFault: an import is missing or does not fit.
        """
        holder = self if self.memory is None else memory
        prepared = None if holder is None else holder.prepared
        if prepared is not None and prepared.key is self._key:
            return prepared
        with self._with_memory(store, memory) as handle:
            out = c_void_p()
            check(
                lib.wasmtime_linker_instantiate_pre(handle, self._module, byref(out)), "cannot instantiate the module"
            )
        # Another thread may be doing the same, and replace this one, which stays with whoever has it.
        prepared = Prepared(self._key, out.value or 0)
        (holder or self).prepared = prepared
        return prepared

    def front(self) -> Module | None:
        """What can stand before an instance to replace its host calls; None where it is not at hand, or none of them can be."""
        return beside.front() if self._fronted else None

    @contextmanager
    def replaceable(
        self, store: Store, memory: SharedMemory | None, front: Module | None, *, checkpoints: bool
    ) -> Iterator[tuple[int, Exports | None, Exports | None]]:
        """The library's linker with imports of one instance alone, which can be replaced.

        Args:
            store: where the module is about to be instantiated.
            memory: what the module gets for the memory that it imports.
            front: what to put before it.
            checkpoints: whether its `stack_checkpoint` is to be one that can be replaced.

        Returns:
            The linker, what gives `stack_checkpoint`, and what stands before the instance.
        """
        with self._with_memory(store, memory, clones=True) as handle:
            slot = self._slot(handle, store) if checkpoints and memory is not None else None
            yield handle, slot, None if front is None else self._front(handle, store, front)

    @contextmanager
    def _with_memory(self, store: Store, memory: SharedMemory | None, *, clones: bool = False) -> Iterator[int]:
        if self.memory is None and not clones:
            yield self.handle
            return
        if self.memory is not None and memory is None:
            raise RuntimeFault(f"the module imports the memory {self.memory.module}.{self.memory.name}: none was given")
        clone = lib.wasmtime_linker_clone(self.handle)
        try:
            if self.memory is not None and memory is not None:
                _define_in(clone, store, (self.memory.module, self.memory.name), memory.extern())
            yield clone
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
