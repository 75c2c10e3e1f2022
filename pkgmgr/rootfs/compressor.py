"""One compressor: an instance of a WebAssembly module of ours, for one thread at a time."""

from __future__ import annotations

import atexit
import hashlib
import threading
from ctypes import c_char, string_at
from functools import cached_property
from pathlib import Path
from struct import Struct
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, NoReturn, TypeAlias

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from runtime.engine import Module

Method: TypeAlias = Literal["gzip", "zstd"]
"""How to compress."""


class Setting(NamedTuple):
    """How a method is used: its level, and the bytes of input that become a member or a frame of their own.

    Smaller pieces take less memory and let more threads help; gzip looks back 32 KiB only, so that they cost it nothing.
    """

    level: int
    piece: int


SETTINGS: Final[dict[Method, Setting]] = {"gzip": Setting(6, 1 << 20), "zstd": Setting(3, 4 << 20)}

_FOLDER: Final = Path(__file__).parent / "compress"
# `struct piece` of compress/piece.h: where input and output are, how many bytes of output fit, how many there are.
_PIECE: Final = Struct("<4I")
_MOST_MEMORY: Final = 256 << 20

_modules: dict[Method, Module] = {}
_lock: Final = threading.Lock()


class Compressor:
    """A compressor with room for one piece of input.

    Args:
        method: How it compresses.

    Raises:
        WpmError: Its module cannot be run here.
    """

    def __init__(self, method: Method) -> None:
        from runtime.engine import Linker, Machine, Store
        from runtime.errors import RuntimeFault

        level, self._room = SETTINGS[method]
        self._method = method
        try:
            module = _module(method)
            # The module imports nothing, so that no host function is asked for.
            self._machine = Machine(Store(bool, _MOST_MEMORY), Linker(module, lambda item: _imports(item.name)), module)
            self._machine.call("_initialize")
            self._machine.call("prepare", level, self._room)
        except RuntimeFault as error:
            raise WpmError(f"{method}: the compressor cannot be started: {error}") from None
        memory, place = self._machine.memory(), self._machine.global_value("piece")
        if memory is None or place is None:
            raise WpmError(f"{method}: the compressor is not the one that belongs to this wpm: install wpm again")
        self._base, self._place = memory[0], memory[0] + place
        source, _, _, ready = self._state()
        if not ready:
            raise WpmError(f"{method}: there is no memory for the compressor")
        self._input = memoryview((c_char * self._room).from_address(self._base + source)).cast("B")

    def compress(self, parts: Iterable[bytes | memoryview]) -> bytes:
        """A piece of input as a gzip member or a Zstandard frame; other threads run meanwhile.

        Args:
            parts: The piece, in parts that lie behind one another: no more than the method's setting says.

        Raises:
            WpmError: The compressor failed.
        """
        from runtime.errors import RuntimeFault

        end = 0
        for part in parts:
            self._input[end : end + len(part)] = part
            end += len(part)
        try:
            self._machine.call("compress", end)
        except RuntimeFault as error:
            raise WpmError(f"{self._method}: the compressor failed: {error}") from None
        _, output, _, made = self._state()
        if not made:
            raise WpmError(f"{self._method}: the compressor failed")
        return string_at(self._base + output, made)

    def _state(self) -> tuple[int, int, int, int]:
        source, output, room, made = _PIECE.unpack(string_at(self._place, _PIECE.size))
        return source, output, room, made


class _Source:
    """A module of ours, as whoever compiles and keeps modules wants it."""

    def __init__(self, method: Method) -> None:
        self.atom_label = f"{method}.wasm"

    @cached_property
    def atom(self) -> memoryview:
        return memoryview((_FOLDER / self.atom_label).read_bytes())

    @cached_property
    def atom_sha256(self) -> str:
        return hashlib.sha256(self.atom).hexdigest()


def _module(method: Method) -> Module:
    """The compiled module, compiled once on a machine and loaded once in a process."""
    from binfactory.errors import FactoryError
    from binfactory.modules import ModuleCache
    from pkgmgr.store.store import Store

    with _lock:
        found = _modules.get(method)
        if found is None:
            # They must not outlive the library.
            atexit.register(_modules.clear)
            try:
                found = _modules[method] = ModuleCache(Store.default().modules).module(_Source(method))
            except (FactoryError, OSError) as error:
                raise WpmError(f"{method}: the compressor cannot be loaded: {error}") from None
        return found


def _imports(name: str) -> NoReturn:
    raise WpmError(f"the compressor wants {name}: it is not the one that belongs to this wpm: install wpm again")
