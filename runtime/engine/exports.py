"""What an instance exports: functions to call, globals to read and set, and how a trap becomes a Python exception."""

from __future__ import annotations

import ctypes
from ctypes import byref, c_uint8, c_uint32, c_uint64, c_void_p

from runtime.engine.library import (
    EXTERN_FUNC,
    EXTERN_GLOBAL,
    EXTERN_MEMORY,
    ByteVec,
    Extern,
    Instance,
    PointerVec,
    Value,
    check,
    lib,
    text,
)
from runtime.errors import RuntimeFault, Trap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.engine.instance import Store
    from runtime.engine.module import Module

_I32 = 0
_F64 = 3

OUR_MODULES = frozenset({"checkpoint_slot", "checkpoints", "host_call_front", "host_call_desk", "host_call_clock"})
"""The names of the modules that run beside a guest: their functions are no part of its call stack."""


class Cell:
    """An exported global of type i32, to be read and set often: a single call of the library each time."""

    __slots__ = ("_address", "_bits", "_context", "_keep", "_value")

    def __init__(self, context: int, extern: Extern) -> None:
        """Hold the global `extern` of the store whose context this is."""
        self._context = context
        self._keep = extern
        self._address = ctypes.addressof(extern) + Extern.handle.offset
        self._value = Value()
        self._bits = c_uint32.from_buffer(self._value, Value.of.offset)

    def get(self) -> int:
        """Its value now, unsigned."""
        lib.wasmtime_global_get(self._context, self._address, self._value)
        return self._bits.value

    def set(self, bits: int) -> None:
        """Set it; it has to be mutable."""
        self._bits.value = bits
        error = lib.wasmtime_global_set(self._context, self._address, self._value)
        if error:
            check(error, "cannot set a global")


class Exports:
    """The exports of one instance in a store."""

    def __init__(self, store: Store, unwinding: Callable[[], bool] = bool) -> None:
        """Nothing yet: whoever instantiates fills `instance`.

        Args:
            store: where the instance is.
            unwinding: whether a host call is leaving the guest's code on purpose: its words are not asked for then.
        """
        self.store = store
        self.unwinding = unwinding
        self.instance = Instance()
        self.shapes: set[tuple[str, int]] = set()
        """The functions, with so many arguments each, that were seen to be callable: the module's own, if it keeps them."""
        self._externs: dict[str, Extern] = {}
        self._functions: dict[str, int] = {}
        self._globals: dict[str, tuple[int, Value]] = {}

    def export(self, name: str) -> Extern | None:
        """The export of that name."""
        extern = self._externs.get(name)
        if extern is None:
            encoded, extern = name.encode(), Extern()
            if not lib.wasmtime_instance_export_get(
                self.store.context, byref(self.instance), encoded, len(encoded), byref(extern)
            ):
                return None
            self._externs[name] = extern
        return extern

    def call(self, name: str, *arguments: int) -> None:
        """Call an exported function of integer arguments.

        Raises:
            RuntimeFault: no function of that name is exported, or it wants more than these numbers.
            Trap: the guest trapped, or a host call ended it; then without words, where `unwinding` says that it did.
        """
        address = self._functions.get(name)
        if address is None:
            function = self.export(name)
            if function is None or function.kind != EXTERN_FUNC:
                raise RuntimeFault(f"the module exports no function {name}")
            address = ctypes.addressof(function) + Extern.handle.offset
            if (name, len(arguments)) not in self.shapes:
                self._check_shape(name, address, len(arguments))
                self.shapes.add((name, len(arguments)))
            self._functions[name] = address
        count = len(arguments)
        values = (c_uint64 * (2 * count or 2))()
        for index in range(count):
            values[2 * index] = arguments[index] & 0xFFFF_FFFF_FFFF_FFFF
        trap = c_void_p()
        error = lib.wasmtime_func_call_unchecked(self.store.context, address, values, count or 1, byref(trap))
        if error:
            # What a host call raised comes back as an error with the guest's stack in its words: a trap all the same.
            if self.unwinding():
                lib.wasmtime_error_delete(error)
                raise Trap("left", None, ())
            raise Trap(_last_line(error), None, ())
        if trap.value:
            raise trap_of(trap.value)

    def _check_shape(self, name: str, address: int, count: int) -> None:
        """See that a function takes no more than it gets, and has room for its result: the library does not look."""
        kind = lib.wasmtime_func_type(self.store.context, address)
        try:
            parameters = lib.wasm_functype_params(kind).contents
            numbers = all(lib.wasm_valtype_kind(parameters.data[index]) <= _F64 for index in range(parameters.size))
            if parameters.size > count or not numbers or lib.wasm_functype_results(kind).contents.size > 1:
                raise RuntimeFault(f"the module's function {name} is not one of {count} numbers: it cannot be called")
        finally:
            lib.wasm_functype_delete(kind)

    def cell(self, name: str) -> Cell | None:
        """The exported global of that name, if there is one and it is an i32."""
        if self._global(name) is None or self._globals[name][1].kind != _I32:
            return None
        return Cell(self.store.context, self._externs[name])

    def global_value(self, name: str) -> int | None:
        """The bits of an exported global of number type; `None` where there is none of that name."""
        found = self._global(name)
        if found is None:
            return None
        address, value = found
        lib.wasmtime_global_get(self.store.context, address, value)
        return int(value.of[0]) & (0xFFFF_FFFF if value.kind == 0 else 0xFFFF_FFFF_FFFF_FFFF)

    def set_global(self, name: str, bits: int) -> None:
        """Set an exported mutable global of number type."""
        found = self._global(name)
        if found is None:
            raise RuntimeFault(f"the module exports no global {name}")
        address, value = found
        value.of[0] = bits
        check(lib.wasmtime_global_set(self.store.context, address, value), f"cannot set the global {name}")

    def memory_export(self, name: str) -> tuple[int, Callable[[], int]] | None:
        """Where an exported memory is and how to ask its size in bytes."""
        extern = self.export(name)
        if extern is None or extern.kind != EXTERN_MEMORY:
            return None
        context, address = self.store.context, ctypes.addressof(extern) + Extern.handle.offset

        def size(_keep: Extern = extern) -> int:
            return int(lib.wasmtime_memory_data_size(context, address))

        return lib.wasmtime_memory_data(context, address), size

    def grow_export(self, name: str, pages: int) -> None:
        """Grow an exported memory by so many pages.

        Raises:
            RuntimeFault: the limit is reached.
        """
        extern = self.export(name)
        if extern is None or extern.kind != EXTERN_MEMORY or pages <= 0:
            return
        address = ctypes.addressof(extern) + Extern.handle.offset
        error = lib.wasmtime_memory_grow(self.store.context, address, pages, byref(c_uint64()))
        check(error, "cannot grow the guest's memory")

    def _global(self, name: str) -> tuple[int, Value] | None:
        """Where the handle of an exported global is, and a value of its kind."""
        found = self._globals.get(name)
        if found is None:
            extern = self.export(name)
            if extern is None or extern.kind != EXTERN_GLOBAL:
                return None
            found = ctypes.addressof(extern) + Extern.handle.offset, Value()
            lib.wasmtime_global_get(self.store.context, *found)
            self._globals[name] = found
        return found


def instantiate_linked(linker: int, module: Module, exports: Exports) -> None:
    """Instantiate a module with what a linker of the library gives.

    Raises:
        RuntimeFault: an import is missing or does not fit.
        Trap: the start function trapped.
    """
    trap = c_void_p()
    error = lib.wasmtime_linker_instantiate(
        linker, exports.store.context, module.handle, byref(exports.instance), byref(trap)
    )
    _check_instance(error, trap)


def instantiate_prepared(prepared: int, exports: Exports) -> None:
    """Instantiate a module whose imports were all found before.

    Raises:
        Trap: the start function trapped.
    """
    trap = c_void_p()
    error = lib.wasmtime_instance_pre_instantiate(prepared, exports.store.context, byref(exports.instance), byref(trap))
    _check_instance(error, trap)


def _check_instance(error: int | None, trap: c_void_p) -> None:
    if trap.value:
        raise trap_of(trap.value)
    check(error, "cannot instantiate the module")


def _last_line(error: int) -> str:
    """The cause that an error names, and the error freed."""
    message = ByteVec()
    lib.wasmtime_error_message(error, byref(message))
    words = text(message)
    lib.wasm_byte_vec_delete(byref(message))
    lib.wasmtime_error_delete(error)
    return words.strip().splitlines()[-1].strip()


def trap_of(handle: int) -> Trap:
    """The exception for a trap of the library, which is freed."""
    message, code, frames = ByteVec(), c_uint8(), PointerVec()
    lib.wasm_trap_message(handle, byref(message))
    words = text(message).rstrip("\0")
    lib.wasm_byte_vec_delete(byref(message))
    known = lib.wasmtime_trap_code(handle, byref(code))
    lib.wasm_trap_trace(handle, byref(frames))
    trace = []
    for index in range(frames.size):
        frame = frames.data[index]
        module = lib.wasmtime_frame_module_name(frame)
        if module and text(module.contents) in OUR_MODULES:
            continue
        name = lib.wasmtime_frame_func_name(frame)
        offset = lib.wasm_frame_module_offset(frame)
        trace.append((text(name.contents) if name else f"function {lib.wasm_frame_func_index(frame)}", int(offset)))
    lib.wasm_frame_vec_delete(byref(frames))
    lib.wasm_trap_delete(handle)
    reason = words.splitlines()[-1].removeprefix("wasm trap: ").strip() if words else "trap"
    return Trap(reason, code.value if known else None, tuple(trace))
