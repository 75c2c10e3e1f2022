"""The engine: the one room that knows wasmtime's C API. Modules, stores, instances, and host functions. Internal."""

from runtime.engine.beside import Checkpointer
from runtime.engine.exports import Cell, Exports
from runtime.engine.instance import Machine, SharedMemory, Store
from runtime.engine.linker import HOST_CALL, HostCall, Linker
from runtime.engine.module import PAGE, Engine, Import, MemoryType, Module, engine

__all__ = [
    "HOST_CALL",
    "PAGE",
    "Cell",
    "Checkpointer",
    "Engine",
    "Exports",
    "HostCall",
    "Import",
    "Linker",
    "Machine",
    "MemoryType",
    "Module",
    "SharedMemory",
    "Store",
    "engine",
]
