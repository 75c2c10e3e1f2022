"""How a command wants to be started: its own arguments, its variables, its name and its directory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binfactory.command import BinaryCommand
    from runtime.env import WasiEnv


def command_arguments(command: BinaryCommand, given: Sequence[str]) -> list[str]:
    """The whole argument list: the exec name or the given one, the command's main arguments, the caller's.

    Args:
        command: The command.
        given: What the caller passes, `argv[0]` first; nothing at all stands for the command's own name.
    """
    name, *rest = given or (command.name,)
    return [name if command.exec_name is None else command.exec_name, *command.main_args, *rest]


def prepare_spawn(command: BinaryCommand, env: WasiEnv, *, own_cwd: bool = False) -> None:
    """Make an environment what the command wants: for a process that is about to start in it.

    Args:
        command: The command.
        env: Its arguments (`argv[0]` first) and variables are changed in place.
        own_cwd: Whether to start in the directory that the command asks for: the first process of an environment does
            when nobody chose a directory for it, a process that a guest starts inherits its parent's.

    Raises:
        RuntimeFault: there is no such directory.
    """
    env.args[:] = command_arguments(command, env.args)
    env.default_variables(command.env)
    if own_cwd and command.cwd is not None:
        env.cwd = env.locate(command.cwd)
