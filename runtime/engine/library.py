"""The C library of wasmtime, loaded straight from the `wasmtime` distribution, and the functions of it that we call.

Importing the `wasmtime` package itself declares fifteen hundred functions and takes longer (40 ms) than all the rest of a
small run; this room declares the few that are needed. The names, types and ownership rules are those of wasmtime's C API
(`wasm.h`, `wasmtime.h`, version 50). Pointers to opaque objects are plain integers.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p

from runtime.errors import RuntimeFault

SUPPORTED_MAJOR = 50
"""The major version of wasmtime whose C structures are declared here; pyproject.toml pins the same."""


class ByteVec(ctypes.Structure):
    """`wasm_byte_vec_t`."""

    _fields_ = (("size", c_size_t), ("data", c_void_p))


class PointerVec(ctypes.Structure):
    """`wasm_importtype_vec_t` and its like: a counted array of pointers."""

    _fields_ = (("size", c_size_t), ("data", ctypes.POINTER(c_void_p)))


class Extern(ctypes.Structure):
    """`wasmtime_extern_t`: a kind and a union of handles, the largest of which is 24 bytes."""

    _fields_ = (("kind", c_uint8), ("handle", c_uint64 * 3))


class Instance(ctypes.Structure):
    """`wasmtime_instance_t`."""

    _fields_ = (("store_id", c_uint64), ("index", c_size_t))


class Value(ctypes.Structure):
    """`wasmtime_val_t`: a kind and a 24-byte union, of which only the integers and floats are used here."""

    _fields_ = (("kind", c_uint8), ("of", c_uint64 * 3))


EXTERN_FUNC, EXTERN_GLOBAL, EXTERN_TABLE, EXTERN_MEMORY, EXTERN_SHARED_MEMORY = range(5)
"""`wasmtime_extern_kind_t`."""

HOST_CALL = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_size_t, c_size_t)
"""`wasmtime_func_unchecked_callback_t`: (data, caller, values, count of values) to a trap or 0."""

EPOCH_CALLBACK = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, ctypes.POINTER(c_uint64), ctypes.POINTER(c_uint8))
"""`func` of `wasmtime_store_epoch_deadline_callback`: (context, data, ticks to add, kind of update) to an error or 0."""

_OUT = ctypes.POINTER(c_void_p)
_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "wasm_config_new": (c_void_p, []),
    "wasm_engine_new_with_config": (c_void_p, [c_void_p]),
    "wasmtime_engine_increment_epoch": (None, [c_void_p]),
    "wasmtime_config_epoch_interruption_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_wasm_threads_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_shared_memory_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_wasm_exceptions_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_wasm_tail_call_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_memory_may_move_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_memory_reservation_set": (None, [c_void_p, c_uint64]),
    "wasmtime_config_max_wasm_stack_set": (None, [c_void_p, c_size_t]),
    "wasmtime_config_cranelift_opt_level_set": (None, [c_void_p, c_uint8]),
    "wasmtime_config_parallel_compilation_set": (None, [c_void_p, c_bool]),
    "wasmtime_config_native_unwind_info_set": (None, [c_void_p, c_bool]),
    "wasmtime_module_new": (c_void_p, [c_void_p, c_void_p, c_size_t, _OUT]),
    "wasmtime_module_delete": (None, [c_void_p]),
    "wasmtime_module_serialize": (c_void_p, [c_void_p, ctypes.POINTER(ByteVec)]),
    "wasmtime_module_deserialize_file": (c_void_p, [c_void_p, c_char_p, _OUT]),
    "wasmtime_module_imports": (None, [c_void_p, ctypes.POINTER(PointerVec)]),
    "wasmtime_module_exports": (None, [c_void_p, ctypes.POINTER(PointerVec)]),
    "wasm_importtype_vec_delete": (None, [ctypes.POINTER(PointerVec)]),
    "wasm_exporttype_vec_delete": (None, [ctypes.POINTER(PointerVec)]),
    "wasm_importtype_module": (ctypes.POINTER(ByteVec), [c_void_p]),
    "wasm_importtype_name": (ctypes.POINTER(ByteVec), [c_void_p]),
    "wasm_importtype_type": (c_void_p, [c_void_p]),
    "wasm_exporttype_name": (ctypes.POINTER(ByteVec), [c_void_p]),
    "wasm_exporttype_type": (c_void_p, [c_void_p]),
    "wasm_externtype_kind": (c_uint8, [c_void_p]),
    "wasm_externtype_as_functype_const": (c_void_p, [c_void_p]),
    "wasm_externtype_as_memorytype_const": (c_void_p, [c_void_p]),
    "wasm_functype_params": (ctypes.POINTER(PointerVec), [c_void_p]),
    "wasm_functype_results": (ctypes.POINTER(PointerVec), [c_void_p]),
    "wasm_valtype_kind": (c_uint8, [c_void_p]),
    "wasmtime_memorytype_new": (
        c_void_p,
        [c_uint64, c_bool, c_uint64, c_bool, c_bool, c_uint8, _OUT],
    ),
    "wasmtime_memorytype_minimum": (c_uint64, [c_void_p]),
    "wasmtime_memorytype_maximum": (c_bool, [c_void_p, ctypes.POINTER(c_uint64)]),
    "wasmtime_memorytype_isshared": (c_bool, [c_void_p]),
    "wasm_memorytype_delete": (None, [c_void_p]),
    "wasmtime_sharedmemory_new": (c_void_p, [c_void_p, c_void_p, _OUT]),
    "wasmtime_sharedmemory_delete": (None, [c_void_p]),
    "wasmtime_sharedmemory_data": (c_void_p, [c_void_p]),
    "wasmtime_sharedmemory_data_size": (c_size_t, [c_void_p]),
    "wasmtime_sharedmemory_grow": (c_void_p, [c_void_p, c_uint64, ctypes.POINTER(c_uint64)]),
    "wasmtime_memory_new": (c_void_p, [c_void_p, c_void_p, c_void_p]),
    "wasmtime_memory_data": (c_void_p, [c_void_p, c_void_p]),
    "wasmtime_memory_data_size": (c_size_t, [c_void_p, c_void_p]),
    "wasmtime_memory_grow": (c_void_p, [c_void_p, c_void_p, c_uint64, ctypes.POINTER(c_uint64)]),
    "wasmtime_linker_new": (c_void_p, [c_void_p]),
    "wasmtime_linker_clone": (c_void_p, [c_void_p]),
    "wasmtime_linker_delete": (None, [c_void_p]),
    "wasmtime_linker_define_wasi": (c_void_p, [c_void_p]),
    "wasmtime_linker_get": (
        c_bool,
        [c_void_p, c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, ctypes.POINTER(Extern)],
    ),
    "wasi_config_new": (c_void_p, []),
    "wasmtime_context_set_wasi": (c_void_p, [c_void_p, c_void_p]),
    "wasmtime_linker_allow_shadowing": (None, [c_void_p, c_bool]),
    "wasmtime_linker_define": (
        c_void_p,
        [c_void_p, c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, ctypes.POINTER(Extern)],
    ),
    "wasmtime_linker_define_func_unchecked": (
        c_void_p,
        [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t, c_void_p, HOST_CALL, c_void_p, c_void_p],
    ),
    "wasmtime_linker_instantiate_pre": (c_void_p, [c_void_p, c_void_p, _OUT]),
    "wasmtime_instance_pre_instantiate": (c_void_p, [c_void_p, c_void_p, ctypes.POINTER(Instance), _OUT]),
    "wasmtime_instance_pre_delete": (None, [c_void_p]),
    "wasmtime_linker_instantiate": (c_void_p, [c_void_p, c_void_p, c_void_p, ctypes.POINTER(Instance), _OUT]),
    "wasmtime_instance_new": (
        c_void_p,
        [c_void_p, c_void_p, ctypes.POINTER(Extern), c_size_t, ctypes.POINTER(Instance), _OUT],
    ),
    "wasmtime_instance_export_get": (
        c_bool,
        [c_void_p, ctypes.POINTER(Instance), c_char_p, c_size_t, ctypes.POINTER(Extern)],
    ),
    "wasmtime_table_get": (c_bool, [c_void_p, c_void_p, c_uint64, ctypes.POINTER(Value)]),
    "wasmtime_func_type": (c_void_p, [c_void_p, c_void_p]),
    "wasm_functype_delete": (None, [c_void_p]),
    "wasmtime_global_get": (None, [c_void_p, c_void_p, ctypes.POINTER(Value)]),
    "wasmtime_global_set": (c_void_p, [c_void_p, c_void_p, ctypes.POINTER(Value)]),
    "wasmtime_store_new": (c_void_p, [c_void_p, c_void_p, c_void_p]),
    "wasmtime_store_delete": (None, [c_void_p]),
    "wasmtime_store_context": (c_void_p, [c_void_p]),
    "wasmtime_store_limiter": (None, [c_void_p, c_int64, c_int64, c_int64, c_int64, c_int64]),
    "wasmtime_store_epoch_deadline_callback": (None, [c_void_p, EPOCH_CALLBACK, c_void_p, c_void_p]),
    "wasmtime_context_set_epoch_deadline": (None, [c_void_p, c_uint64]),
    "wasmtime_func_call_unchecked": (c_void_p, [c_void_p, c_void_p, c_void_p, c_size_t, _OUT]),
    "wasmtime_trap_new": (c_void_p, [c_char_p, c_size_t]),
    "wasmtime_trap_code": (c_bool, [c_void_p, ctypes.POINTER(c_uint8)]),
    "wasm_trap_message": (None, [c_void_p, ctypes.POINTER(ByteVec)]),
    "wasm_trap_trace": (None, [c_void_p, ctypes.POINTER(PointerVec)]),
    "wasm_trap_delete": (None, [c_void_p]),
    "wasm_frame_func_index": (c_uint32, [c_void_p]),
    "wasm_frame_module_offset": (c_size_t, [c_void_p]),
    "wasmtime_frame_func_name": (ctypes.POINTER(ByteVec), [c_void_p]),
    "wasmtime_frame_module_name": (ctypes.POINTER(ByteVec), [c_void_p]),
    "wasm_frame_vec_delete": (None, [ctypes.POINTER(PointerVec)]),
    "wasmtime_error_new": (c_void_p, [c_char_p]),
    "wasmtime_error_message": (None, [c_void_p, ctypes.POINTER(ByteVec)]),
    "wasmtime_error_delete": (None, [c_void_p]),
    "wasm_byte_vec_delete": (None, [ctypes.POINTER(ByteVec)]),
}


_SHORT = frozenset(
    (
        "wasmtime_engine_increment_epoch",
        "wasmtime_context_set_epoch_deadline",
        "wasmtime_error_new",
        "wasmtime_error_delete",
        "wasmtime_trap_new",
        "wasm_trap_delete",
        "wasmtime_global_get",
        "wasmtime_global_set",
        "wasmtime_store_context",
        "wasmtime_store_new",
        "wasmtime_store_limiter",
        "wasmtime_store_epoch_deadline_callback",
        "wasmtime_linker_clone",
        "wasmtime_linker_define",
        "wasmtime_linker_delete",
        "wasmtime_linker_instantiate_pre",
        "wasmtime_instance_pre_delete",
        "wasmtime_func_type",
        "wasm_functype_params",
        "wasm_functype_results",
        "wasm_functype_delete",
        "wasm_valtype_kind",
        "wasmtime_instance_export_get",
        "wasmtime_sharedmemory_data",
        "wasmtime_sharedmemory_data_size",
        "wasmtime_memory_data",
        "wasmtime_memory_data_size",
    )
)
"""What takes less time than letting another thread have the interpreter, and getting it back, does.

With many threads that is a turn of each of them: a thread that leaves must not wait for it more often than it has to.
"""


def _load() -> ctypes.CDLL:
    # What `importlib.util.find_spec` does, which takes a millisecond to import.
    spec = next((spec for finder in sys.meta_path if (spec := finder.find_spec("wasmtime", None))), None)
    if spec is None or spec.origin is None:
        raise RuntimeFault("the wasmtime library is not installed: install the PyPI package `wasmtime`")
    machine = os.uname().machine.replace("arm64", "aarch64")
    suffix = "dylib" if sys.platform == "darwin" else "so"
    path = f"{os.path.dirname(spec.origin)}/{sys.platform}-{machine}/_libwasmtime.{suffix}"
    try:
        library, keeping = ctypes.CDLL(path), ctypes.PyDLL(path)
        for name, (result, arguments) in _SIGNATURES.items():
            if name in _SHORT:
                setattr(library, name, getattr(keeping, name))
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise RuntimeFault(f"{path}: not the wasmtime {SUPPORTED_MAJOR} library that we need: {error}") from None
    return library


def library_version() -> str:
    """Which build of wasmtime this is: the name of its installation record, as `wasmtime-50.0.1.dist-info`.

    Asking `importlib.metadata` for the same takes longer (18 ms) than running a small guest.
    """
    packages = os.path.dirname(os.path.dirname(os.path.dirname(lib._name)))
    records = sorted(name for name in os.listdir(packages) if name.startswith("wasmtime-"))
    status = os.stat(lib._name)
    return f"{' '.join(records)} {status.st_size} {status.st_mtime_ns}"


lib = _load()


def keeping(name: str) -> ctypes._NamedFuncPointer:
    """A function of the library, for calls that take no time, as those in `_SHORT` do."""
    function = getattr(ctypes.PyDLL(lib._name), name)
    function.restype, function.argtypes = _SIGNATURES[name]
    return function  # type: ignore[no-any-return]


def text(vector: ByteVec) -> str:
    """The text of a byte vector that somebody else owns."""
    return ctypes.string_at(vector.data, vector.size).decode("utf-8", "replace") if vector.size else ""


def check(error: int | None, doing: str) -> None:
    """Raise the error that the library returned, if it returned one, and free it.

    Raises:
        RuntimeFault: naming what was being done.
    """
    if error:
        message = ByteVec()
        lib.wasmtime_error_message(error, ctypes.byref(message))
        words = " ".join(text(message).split())
        lib.wasm_byte_vec_delete(ctypes.byref(message))
        lib.wasmtime_error_delete(error)
        raise RuntimeFault(f"{doing}: {words}")
