"""What a name turned out to be: a package's command, a module in a file, or a script with its interpreter."""

from __future__ import annotations

import errno

from binfactory.errors import FactoryError
from binfactory.prepare import command_arguments

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from binfactory.command import BinaryCommand
    from binfactory.modules import ModuleCache, ModuleSource
    from binfactory.settings import CommandSettings
    from runtime.engine import Module
    from runtime.programs import Program


class CommandProgram:
    """A command of a package.

    Attributes:
        command: The command.
        modules: Where its compiled module is.
    """

    __slots__ = ("command", "modules")

    def __init__(self, command: BinaryCommand, modules: ModuleCache) -> None:
        self.command = command
        self.modules = modules

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.command.name

    def module(self) -> Module:
        """The compiled module.

        Raises:
            OSError: `ENOEXEC`: it cannot run here; the message says why.
        """
        return executable(self.modules, self.command)

    def arguments(self, given: Sequence[str]) -> list[str]:
        """The whole argument list, with the command's main arguments and exec name."""
        return command_arguments(self.command, given)

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of the command."""
        return self.command.env


class ModuleProgram:
    """A module that stands in a file of the guest or of the host.

    Attributes:
        name: What messages call it.
        source: The module.
        modules: Where its compiled module is.
        settings: How it wants to be started, where something beside it says so.
    """

    __slots__ = ("modules", "name", "settings", "source")

    def __init__(
        self, name: str, source: ModuleSource, modules: ModuleCache, settings: CommandSettings | None = None
    ) -> None:
        self.name = name
        self.source = source
        self.modules = modules
        self.settings = settings

    def module(self) -> Module:
        """The compiled module.

        Raises:
            OSError: `ENOEXEC`: it cannot run here; the message says why.
        """
        return executable(self.modules, self.source)

    def arguments(self, given: Sequence[str]) -> list[str]:
        """The argument list as it was given, with main arguments and exec name where it has settings."""
        name, *rest = given or (self.name,)
        if (settings := self.settings) is None:
            return [name, *rest]
        return [name if settings.name is None else settings.name, *settings.args, *rest]

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables of its settings: a file has none of its own."""
        return {} if self.settings is None else self.settings.env


class ScriptProgram:
    """A script: its first line says what runs it (`execve(2)`, "Interpreter scripts").

    Attributes:
        name: The script's path, as it was looked for.
        interpreter: What runs it.
        prefix: The interpreter's path and, if the line has one, its argument.
    """

    __slots__ = ("interpreter", "name", "prefix")

    def __init__(self, name: str, interpreter: Program, prefix: tuple[str, ...]) -> None:
        self.name = name
        self.interpreter = interpreter
        self.prefix = prefix

    def module(self) -> Module:
        """The interpreter's compiled module."""
        return self.interpreter.module()

    def arguments(self, given: Sequence[str]) -> list[str]:
        """Interpreter, its argument, the script's path, and the arguments given after `argv[0]`."""
        return self.interpreter.arguments([*self.prefix, self.name, *given[1:]])

    @property
    def environ(self) -> Mapping[str, str]:
        """The interpreter's variables."""
        return self.interpreter.environ


def executable(modules: ModuleCache, source: ModuleSource) -> Module:
    """The compiled module, failing as `exec` fails.

    Raises:
        OSError: `ENOEXEC`, with what is wrong.
    """
    try:
        return modules.module(source)
    except FactoryError as error:
        raise OSError(errno.ENOEXEC, str(error)) from error
