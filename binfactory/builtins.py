"""Commands that the host itself provides: found before anything of a package or of the guest's filesystem."""

from __future__ import annotations

from binfactory.command_layer import COMMAND_DIRECTORIES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime.env import WasiEnv
    from runtime.programs import Program


class Builtins:
    """Programs by name, each made for the environment that asks for it.

    A builtin is called by its bare name or as a file in `/bin` or `/usr/bin`, whether or not there is one.
    """

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[WasiEnv], Program]] = {}

    def register(self, name: str, make: Callable[[WasiEnv], Program]) -> None:
        """Provide a command.

        Args:
            name: What guests call it; without a slash.
            make: Makes the program when it is called.

        Raises:
            ValueError: the name cannot be that of a file.
        """
        if not name or "/" in name or "\0" in name or name in (".", ".."):
            raise ValueError(f"{name!r} cannot name a command")
        self._makers[name] = make

    def find(self, path: str, env: WasiEnv) -> Program | None:
        """The builtin of this bare name or absolute path."""
        directory, slash, name = path.rpartition("/")
        if (slash and directory not in COMMAND_DIRECTORIES) or (make := self._makers.get(name)) is None:
            return None
        return make(env)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)
