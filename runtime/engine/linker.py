"""Host functions for a module's imports: what the module imports decides which generation of a function it gets."""

from __future__ import annotations

from contextlib import contextmanager
from ctypes import byref
from typing import TYPE_CHECKING, TypeAlias

from runtime.engine.library import HOST_CALL, check, lib
from runtime.errors import RuntimeFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.engine.instance import SharedMemory, Store
    from runtime.engine.module import Import, Module

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
        self._callbacks: list[HostCall] = []
        for item in module.imports:
            if item.signature is not None:
                callback = resolve(item)
                self._callbacks.append(callback)
                space, name = item.module.encode(), item.name.encode()
                error = lib.wasmtime_linker_define_func_unchecked(
                    self.handle, space, len(space), name, len(name), item.handle, callback, None, None
                )
                # The same name imported twice is defined once: the second definition is refused, and not needed.
                if error:
                    lib.wasmtime_error_delete(error)
            elif item.memory is not None and self.memory is None:
                self.memory = item
            else:
                raise RuntimeFault(
                    f"the module imports {item.module}.{item.name}, which is neither a function nor its one memory: "
                    "it was not built for WASI"
                )

    @contextmanager
    def prepared(self, store: Store, memory: SharedMemory | None) -> Iterator[int]:
        """The library's linker with this memory defined in it."""
        if self.memory is None:
            yield self.handle
            return
        if memory is None:
            raise RuntimeFault(f"the module imports the memory {self.memory.module}.{self.memory.name}: none was given")
        clone = lib.wasmtime_linker_clone(self.handle)
        try:
            space, name = self.memory.module.encode(), self.memory.name.encode()
            error = lib.wasmtime_linker_define(
                clone, store.context, space, len(space), name, len(name), byref(memory.extern())
            )
            check(error, "cannot give the module its memory")
            yield clone
        finally:
            lib.wasmtime_linker_delete(clone)

    def __del__(self) -> None:
        lib.wasmtime_linker_delete(self.handle)


__all__ = ["HOST_CALL", "HostCall", "Linker"]
