"""How the runtime asks for programs by name: the floor above implements this, so that the arrow still points down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from runtime.engine import Module
    from runtime.env import WasiEnv


class Program(Protocol):
    """An executable that was found by name: what it runs, and how its package wants it to be run."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    def module(self) -> Module:
        """The compiled module, from the cache where it is there."""
        ...

    def arguments(self, given: Sequence[str]) -> list[str]:
        """The whole argument list for a start with `given` (`argv[0]` first): main arguments and exec name applied."""
        ...

    @property
    def environ(self) -> Mapping[str, str]:
        """Variables that the package sets where the environment does not have them yet."""
        ...


class Programs(Protocol):
    """Finds executables: built-ins, commands of packages, and files of the guest's filesystem."""

    def find(self, path: str, env: WasiEnv) -> Program | None:
        """The program at this path, absolute or relative to the working directory, as it is now.

        A name that is not there now may be there at the next call: nothing negative is remembered.

        Raises:
            PermissionError: there is a file, and it is not a program.
        """
        ...
