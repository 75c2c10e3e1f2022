"""The errors of the runtime."""

from __future__ import annotations


class RuntimeFault(Exception):
    """The runtime cannot do what it was asked: a module that does not load, an import nobody provides, a bad option.

    A guest's own failures are not faults: an exit code is a result, a bad pointer is `Errno.FAULT`, a trap is a `Trap`.
    """


class Trap(Exception):
    """The guest's code trapped: WebAssembly's own way of crashing.

    Args:
        reason: the trap in words, as "unreachable" or "out of bounds memory access".
        code: wasmtime's trap code, `None` when a host call raised the trap.
        frames: the guest's call stack, the innermost first: a function's name and its offset in the module, in bytes.
    """

    def __init__(self, reason: str, code: int | None, frames: tuple[tuple[str, int], ...]) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.frames = frames

    def backtrace(self) -> str:
        """The call stack as lines of text."""
        return "\n".join(f"  {depth:3}: {name} at 0x{offset:x}" for depth, (name, offset) in enumerate(self.frames))
