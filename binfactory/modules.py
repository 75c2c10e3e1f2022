"""Compiled modules: from this process's memory, else from disk, else compiled."""

from __future__ import annotations

import threading
from collections import OrderedDict

from binfactory.artifacts import ArtifactStore
from binfactory.errors import FactoryError
from runtime.errors import RuntimeFault
from runtime.typed import NamedTuple, Protocol

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from runtime.engine import Module

MEMO_BYTES = 256 << 20


class ModuleSource(Protocol):
    """A module that can be compiled: `BinaryCommand` is one, and so is a guest's file."""

    @property
    def atom(self) -> memoryview:
        """The WebAssembly."""

    @property
    def atom_sha256(self) -> str:
        """Its sha256, in hex: computed, or told by someone who is believed."""

    @property
    def atom_label(self) -> str:
        """Its name in messages."""


class WasmBytes(NamedTuple):
    """A module that lies in memory, its sha256 computed.

    Attributes:
        atom: The WebAssembly.
        atom_sha256: Its sha256, in hex.
        atom_label: Its name in messages.
    """

    atom: memoryview
    atom_sha256: str
    atom_label: str

    @classmethod
    def of(cls, data: bytes | memoryview, label: str) -> WasmBytes:
        """A module from its bytes.

        Args:
            data: The WebAssembly.
            label: Its name in messages.
        """
        from hashlib import sha256

        return cls(memoryview(data), sha256(data).hexdigest(), label)


class ModuleCache:
    """Compiled modules by the sha256 of their WebAssembly.

    A checksum that someone only tells is enough to find an artifact, since an artifact is filed under the checksum of
    the bytes that were compiled, computed then. So no package can put its code in another's place.

    Args:
        directory: Where compiled modules are kept; `None` keeps them in this process only.
        memo_bytes: How many bytes of compiled code this process keeps at hand; the last one used is always kept.
    """

    def __init__(self, directory: Path | str | None, memo_bytes: int = MEMO_BYTES) -> None:
        self.artifacts = None if directory is None else ArtifactStore(directory)
        self._memo: OrderedDict[str, tuple[Module, int]] = OrderedDict()
        self._memo_limit = memo_bytes
        self._memo_size = 0
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(256))

    def module(self, source: ModuleSource) -> Module:
        """The compiled module.

        Args:
            source: The module.

        Raises:
            FactoryError: it is not WebAssembly that this engine can run, or not what its checksum says.
        """
        digest = source.atom_sha256
        if (found := self._remembered(digest)) is not None:
            return found
        with self._turn(digest):
            if (found := self._remembered(digest)) is not None:
                return found
            if (loaded := self._load(digest)) is not None:
                module, size = loaded
            else:
                module, size = self._compile(source, digest)
            self._remember(digest, module, size)
            return module

    def is_ready(self, source: ModuleSource) -> bool:
        """Whether the module is compiled already, here or on disk."""
        digest = source.atom_sha256
        with self._lock:
            if digest in self._memo:
                return True
        return self.artifacts is not None and self.artifacts.ready(digest) is not None

    def is_at_hand(self, digest: str) -> bool:
        """Whether the compiled module of this sha256 is in memory."""
        return self._remembered(digest) is not None

    def prepare(self, source: ModuleSource) -> bool:
        """Compile a module for later, keeping it on disk and not in memory.

        Returns:
            Whether it had to be compiled.

        Raises:
            FactoryError: as `module`.
        """
        digest = source.atom_sha256
        with self._turn(digest):
            if self.is_ready(source):
                return False
            module, size = self._compile(source, digest)
            if self.artifacts is None:
                self._remember(digest, module, size)
            return True

    def forget(self) -> None:
        """Drop the compiled modules that this process keeps at hand; those in use live on."""
        with self._lock:
            self._memo.clear()
            self._memo_size = 0

    def _remembered(self, digest: str) -> Module | None:
        with self._lock:
            if (entry := self._memo.get(digest)) is None:
                return None
            self._memo.move_to_end(digest)
            return entry[0]

    def _remember(self, digest: str, module: Module, size: int) -> None:
        with self._lock:
            if (before := self._memo.pop(digest, None)) is not None:
                self._memo_size -= before[1]
            self._memo[digest] = (module, size)
            self._memo_size += size
            while self._memo_size > self._memo_limit and len(self._memo) > 1:
                _, (_, dropped) = self._memo.popitem(last=False)
                self._memo_size -= dropped

    def _turn(self, digest: str) -> threading.Lock:
        """The lock under which one thread compiles a module while others wait for it."""
        return self._turns[int(digest[:2], 16)]

    def _load(self, digest: str) -> tuple[Module, int] | None:
        if self.artifacts is None or (ready := self.artifacts.ready(digest)) is None:
            return None
        from runtime.engine import Module

        path, size = ready
        try:
            return Module.load(path), size
        except RuntimeFault:
            # Of another build of the engine, or damaged in a way that the seal does not see.
            self.artifacts.remove(digest)
            return None

    def _compile(self, source: ModuleSource, digest: str) -> tuple[Module, int]:
        from hashlib import sha256

        from runtime.engine import Module

        wasm = source.atom
        if (actual := sha256(wasm).hexdigest()) != digest:
            raise FactoryError(
                f"{source.atom_label}: its sha256 is {actual}, not {digest} as its package says; get the package again"
            )
        try:
            module = Module.compile(wasm, source.atom_label)
            artifact = module.serialize()
        except RuntimeFault as error:
            raise FactoryError(str(error)) from error
        if self.artifacts is not None:
            self.artifacts.write(digest, artifact)
        return module, len(artifact)
