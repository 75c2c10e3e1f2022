"""Programs without a factory: the modules that lie in the guest's own filesystem."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from runtime.engine import Module
from runtime.errors import RuntimeFault
from runtime.fs.node import Directory, File
from runtime.fs.walk import walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.env import WasiEnv

_CHUNK = 1 << 20


class GuestProgram:
    """A module in a file of the guest."""

    def __init__(self, name: str, module: Module) -> None:
        self.name = name
        self._module = module
        self.environ: Mapping[str, str] = {}

    def module(self) -> Module:
        """The compiled module."""
        return self._module

    def arguments(self, given: Sequence[str]) -> list[str]:
        """The arguments as they were given."""
        return list(given)


class GuestPrograms:
    """Finds modules by their path, and compiles each once."""

    def __init__(self) -> None:
        self._modules: dict[bytes, Module] = {}

    def find(self, path: str, env: WasiEnv) -> GuestProgram | None:
        """The module at this path.

        Raises:
            OSError: `EACCES` for a directory, `ENOEXEC` for what is no module.
        """
        node = walk(env.root, env.cwd, path, follow=True).node
        if node is None:
            return None
        if isinstance(node, Directory) or not isinstance(node, File):
            raise PermissionError(13, "not a file", path)
        wasm = _content(node)
        digest = sha256(wasm).digest()
        if digest not in self._modules:
            try:
                self._modules[digest] = Module.compile(wasm, path)
            except RuntimeFault as error:
                raise OSError(8, str(error), path) from None
        return GuestProgram(path, self._modules[digest])


def _content(node: File) -> bytes:
    file = node.open(read=True, write=False)
    try:
        data, buffer = bytearray(), bytearray(_CHUNK)
        while count := file.readv([memoryview(buffer)], len(data)):
            data += memoryview(buffer)[:count]
        return bytes(data)
    finally:
        file.close()
