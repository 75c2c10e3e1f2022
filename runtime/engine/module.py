"""The engine's settings, and modules: compile, keep as native code, load again, and what a module imports and exports."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from _thread import start_new_thread
from ctypes import byref, c_char_p, c_uint64, c_void_p, cast
from functools import cached_property

from runtime.engine.globals import PREFIX, export_mutable_globals
from runtime.engine.library import ByteVec, PointerVec, check, lib, library_version, text
from runtime.errors import RuntimeFault
from runtime.host_threads import leave_signals_to_main
from runtime.same_processor import same_processor
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = "iIfF"
"""A letter for each `wasm_valkind_t`: i32, i64, f32, f64; a signature is written `iiI:i`, parameters first."""

PAGE = 65536
"""Bytes in a page of guest memory (WebAssembly core specification, 4.2.8)."""

_INTERRUPT_SECONDS = 0.01
_WASM_STACK = 2 << 20
_SETTINGS = "epoch,threads,exceptions,tail-call,may-move=0,reservation=4G,stack=2M,opt=speed,globals=2"


class MemoryType(NamedTuple):
    """A memory's limits, in pages; `maximum` is `None` when the module states none."""

    minimum: int
    maximum: int | None
    shared: bool


class Import(NamedTuple):
    """One import: its `signature` when it is a function (`handle` is the library's function type), its limits when a memory."""

    module: str
    name: str
    signature: str | None
    memory: MemoryType | None
    handle: int


class Engine:
    """One compiler and runtime configuration, shared by every guest of this process."""

    def __init__(self) -> None:
        config = lib.wasm_config_new()
        lib.wasmtime_config_epoch_interruption_set(config, True)
        lib.wasmtime_config_wasm_threads_set(config, True)
        lib.wasmtime_config_shared_memory_set(config, True)
        lib.wasmtime_config_wasm_exceptions_set(config, True)
        lib.wasmtime_config_wasm_tail_call_set(config, True)
        # A memory that never moves can be viewed by one buffer for its whole life.
        lib.wasmtime_config_memory_may_move_set(config, False)
        lib.wasmtime_config_memory_reservation_set(config, 4 << 30)
        lib.wasmtime_config_max_wasm_stack_set(config, _WASM_STACK)
        self.handle: int = lib.wasm_engine_new_with_config(config)
        self._lock = threading.Lock()
        self._undone: list[Callable[[], bool]] = []
        self._ticking = False

    def interrupt(self) -> None:
        """Make every running guest look whether it has to stop."""
        lib.wasmtime_engine_increment_epoch(self.handle)

    def insist(self, done: Callable[[], bool]) -> None:
        """Interrupt again and again until it is done.

        Once is not enough: a guest that looked just before is given its next deadline just after, and misses what happened
        in between.
        """
        with self._lock:
            self._undone.append(done)
            if not self._ticking:
                self._ticking = True
                start_new_thread(self._tick, ())

    def _tick(self) -> None:
        leave_signals_to_main()
        same_processor.leave()
        while True:
            time.sleep(_INTERRUPT_SECONDS)
            with self._lock:
                self._undone = [done for done in self._undone if not done()]
                if not self._undone:
                    self._ticking = False
                    return
            self.interrupt()

    @staticmethod
    def fingerprint() -> str:
        """What a compiled module depends on beside its own bytes: the library's version, these settings, the machine."""
        machine = os.uname()
        return f"{library_version()} {_SETTINGS} {machine.sysname}-{machine.machine} {_cpu()}"


def _cpu() -> str:
    """The processor's features, by name: native code is only good for the kind of processor it was made for."""
    try:
        with open("/proc/cpuinfo", "rb") as file:
            for line in file:
                if line.startswith((b"flags", b"Features")):
                    return line.partition(b":")[2].decode("ascii", "replace").strip()
    except OSError:
        pass
    return os.uname().version


_engine: Engine | None = None
_engine_lock = threading.Lock()


def engine() -> Engine:
    """The engine of this process, made when first asked for."""
    global _engine
    if _engine is None:
        with _engine_lock:
            _engine = _engine or Engine()
    return _engine


class Module:
    """A compiled module; made by `compile` or `load`."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.engine = engine()
        self.shapes: set[tuple[str, int]] = set()
        """The exported functions, with so many arguments each, that were seen to be callable."""
        self.asyncify_globals: tuple[str, str] | tuple[()] | None = None
        """Asyncify's state and data, by the names of their exports: `None` before somebody has looked for them."""

    @classmethod
    def compile(cls, wasm: bytes | bytearray | memoryview, name: str = "module") -> Module:
        """Compile a module from its binary form; other threads run meanwhile.

        Raises:
            RuntimeFault: the bytes are not a valid module.
        """
        if bytes(wasm[:4]) != b"\0asm":
            raise RuntimeFault(f"{name}: not a WebAssembly module: it does not start with \\0asm")
        # The first compilation makes threads, which are for ever where their maker is.
        same_processor.leave()
        out = c_void_p()
        wasm = export_mutable_globals(wasm if isinstance(wasm, bytes) else bytes(wasm))
        address = cast(c_char_p(wasm), c_void_p).value
        check(lib.wasmtime_module_new(engine().handle, address, len(wasm), byref(out)), f"{name}: cannot compile")
        assert out.value is not None
        return cls(out.value)

    @classmethod
    def load(cls, path: Path | str) -> Module:
        """Map a file of native code that `serialize` gave.

        The file is trusted as code of this process is: the caller has made sure who wrote it.

        Raises:
            RuntimeFault: the file is not what this engine made.
        """
        out = c_void_p()
        check(
            lib.wasmtime_module_deserialize_file(engine().handle, os.fsencode(path), byref(out)),
            f"{path}: cannot load compiled code",
        )
        assert out.value is not None
        return cls(out.value)

    def serialize(self) -> bytes:
        """The native code of this module, for `load`."""
        vector = ByteVec()
        check(lib.wasmtime_module_serialize(self.handle, byref(vector)), "cannot serialize compiled code")
        code = ctypes.string_at(vector.data, vector.size)
        lib.wasm_byte_vec_delete(byref(vector))
        return code

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Everything that the module imports, in order."""
        # The vector stays alive with the module: the handles of the function types point into it.
        self._import_types = PointerVec()
        lib.wasmtime_module_imports(self.handle, byref(self._import_types))
        return tuple(_import(handle) for handle in _items(self._import_types))

    @cached_property
    def exports(self) -> frozenset[str]:
        """The names of everything that the module exports."""
        vector = PointerVec()
        lib.wasmtime_module_exports(self.handle, byref(vector))
        names = frozenset(text(lib.wasm_exporttype_name(handle).contents) for handle in _items(vector))
        lib.wasm_exporttype_vec_delete(byref(vector))
        return names

    @cached_property
    def mutable_globals(self) -> tuple[str, ...]:
        """The names that `export_mutable_globals` gave."""
        return tuple(sorted(name for name in self.exports if name.startswith(PREFIX)))

    @cached_property
    def is_wasix(self) -> bool:
        """Whether the module was built for WASIX: its paths may be absolute and may climb, as POSIX paths do."""
        return any(item.module.startswith("wasix_") for item in self.imports)

    def __del__(self) -> None:
        if types := self.__dict__.get("_import_types"):
            lib.wasm_importtype_vec_delete(byref(types))
        lib.wasmtime_module_delete(self.handle)


def _items(vector: PointerVec) -> Iterator[int]:
    for index in range(vector.size):
        handle = vector.data[index]
        assert handle is not None
        yield handle


def _import(handle: int) -> Import:
    kind = lib.wasm_importtype_type(handle)
    module, name = text(lib.wasm_importtype_module(handle).contents), text(lib.wasm_importtype_name(handle).contents)
    if function := lib.wasm_externtype_as_functype_const(kind):
        parameters = _letters(lib.wasm_functype_params(function).contents)
        results = _letters(lib.wasm_functype_results(function).contents)
        return Import(module, name, f"{parameters}:{results}", None, function)
    if memory := lib.wasm_externtype_as_memorytype_const(kind):
        maximum = c_uint64()
        bounded = lib.wasmtime_memorytype_maximum(memory, byref(maximum))
        limits = MemoryType(
            lib.wasmtime_memorytype_minimum(memory),
            maximum.value if bounded else None,
            bool(lib.wasmtime_memorytype_isshared(memory)),
        )
        return Import(module, name, None, limits, memory)
    return Import(module, name, None, None, kind)


def _letters(types: PointerVec) -> str:
    kinds = (lib.wasm_valtype_kind(handle) for handle in _items(types))
    return "".join(KINDS[kind] if kind < len(KINDS) else "?" for kind in kinds)
