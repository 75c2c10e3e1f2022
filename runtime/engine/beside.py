"""The modules of our own that run beside a guest, in its store, to do without the host what it asks for often.

Their sources, in WebAssembly's text form, are in `runtime/engine/wat`.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from ctypes import byref, c_void_p

from runtime.engine.exports import Exports, trap_of
from runtime.engine.library import Extern, check, lib
from runtime.engine.module import Module
from runtime.errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.engine.instance import Machine

SLOT = ("wasix_32v1", "stack_checkpoint")
"""The import that a guest gets from `trampoline.wat`, so that it can be replaced while the guest runs."""
_SIGNATURE = "ii:i"
FRONT = frozenset({"fd_read", "fd_write", "clock_time_get"})
"""The imports that a guest gets from `front.wat`, where that is at hand."""
_NAMES = ("trampoline", "checkpoints")
_SHORTCUTS = ("keeper", "front", "desk", "desk_own", "clock", "clock_own")
_START, _THREAD_START = "_start", "wasi_thread_start"

_modules: dict[str, Module] = {}
_lock = threading.Lock()
_begun = threading.Event()
_shortcuts_begun = threading.Event()


def module(name: str) -> Module:
    """One of our modules, compiled when first asked for."""
    with _lock:
        found = _modules.get(name)
        if found is None:
            with open(f"{os.path.dirname(__file__)}/wat/{name}.wasm", "rb") as file:
                found = _modules[name] = Module.compile(file.read(), name)
    return found


def prepare() -> None:
    """Compile our modules now."""
    for name in _NAMES:
        module(name)


def ready() -> bool:
    """Whether our modules are compiled; they are from now on, by another thread, if they are not.

    The first compilation of a process takes longer (17 ms) than many a program that runs from native code.
    """
    if all(name in _modules for name in _NAMES):
        return True
    if not _begun.is_set():
        _begun.set()
        threading.Thread(target=prepare, name="wasm-prepare", daemon=True).start()
    return False


def prepare_shortcuts() -> None:
    """Compile what answers host calls in the host's stead, if it is not, on a thread of its own.

    A guest that starts when that is done has a front before it; to wait for it takes longer (8 ms) than a small program.
    """
    if not _shortcuts_begun.is_set():
        _shortcuts_begun.set()
        with suppress(RuntimeError):
            threading.Thread(target=_prepare_shortcuts, name="wasm-shortcuts", daemon=True).start()


def _prepare_shortcuts() -> None:
    for name in _SHORTCUTS:
        module(name)


def front() -> Module | None:
    """The module before a guest that counts its calls; None as long as not all that may follow is compiled."""
    return _modules["front"] if all(name in _modules for name in _SHORTCUTS) else None


def fits(guest: Module) -> bool:
    """Whether a guest of this module can have a module of ours beside it.

    It has to be one whose instances share their memory, so that it can be instantiated anew while it runs, and that
    asyncify has transformed.
    """
    return (
        {"asyncify_start_unwind", _START, _THREAD_START} <= guest.exports
        and any(item.memory is not None and item.memory.shared for item in guest.imports)
        and any((item.module, item.name, item.signature) == (*SLOT, _SIGNATURE) for item in guest.imports)
    )


class Checkpointer(Exports):
    """`checkpoints.wat` beside a machine: takes the guest's stack apart and puts it together without the host."""

    def __init__(self, machine: Machine, pointer: str, state: str, data: str) -> None:
        """Instantiate it beside `machine`, and let the guest's `stack_checkpoint` be its own from now on.

        Args:
            machine: the guest.
            pointer: the export that is its stack pointer.
            state: the export that is asyncify's state.
            data: the export that is asyncify's data.

        Raises:
            RuntimeFault: the guest is not made so that this is possible.
        """
        super().__init__(machine.store, machine.unwinding)
        slot, memory = machine.slot, machine.shared
        if slot is None or memory is None:
            raise RuntimeFault("the guest's stack_checkpoint cannot be replaced")
        given = [
            memory.extern(),
            *(machine.export(name) for name in (pointer, state, data, _START, _THREAD_START)),
            *(slot.export(name) for name in ("slot", "host", "room")),
        ]
        externs = (Extern * len(given))(*(extern for extern in given if extern is not None))
        trap = c_void_p()
        error = lib.wasmtime_instance_new(
            self.store.context, module("checkpoints").handle, externs, len(given), byref(self.instance), byref(trap)
        )
        if trap.value:
            raise trap_of(trap.value)
        check(error, "cannot keep checkpoints beside the guest")

    def run(self, entry: str, arguments: tuple[int, ...]) -> None:
        """Call the guest's entry function, until it leaves for a reason that is the host's.

        Raises:
            Trap: as `call`.
        """
        self.call("run", int(entry == _THREAD_START), *(arguments or (0, 0)))

    @staticmethod
    def serves(entry: str, arguments: tuple[int, ...]) -> bool:
        """Whether `run` can call this entry function."""
        return (entry, len(arguments)) in {(_START, 0), (_THREAD_START, 2)}
