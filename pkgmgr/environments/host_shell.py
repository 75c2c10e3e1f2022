"""A shell of the host with a project's commands: `wpm shell --host`.

It is the user's own shell with the user's own configuration, in whose place ours is read first, as that may set `PATH`
and the prompt anew. It takes this process's place, so that a terminal, signals and the exit code are entirely its own.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from pkgmgr.environments.activation import SHELL, shown_name, variables
from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkgmgr.projects.project import Project

_FILES: Final = Path(__file__).parent / "shells"
_POSIX: Final = frozenset({"sh", "dash", "ash", "ksh", "ksh93", "mksh"})


class HostShell(NamedTuple):
    """What is to be executed.

    Attributes:
        program: The shell.
        arguments: Its arguments, without `argv[0]`.
        environ: All of its variables.
    """

    program: str
    arguments: tuple[str, ...]
    environ: Mapping[str, str]

    def replace_this_process(self) -> NoReturn:
        """Be that shell from now on.

        Raises:
            WpmError: It cannot be executed.
        """
        try:
            os.execve(self.program, [self.program, *self.arguments], dict(self.environ))
        except OSError as error:
            raise WpmError(f"{self.program}: cannot be executed: {error.strerror}: see the variable SHELL") from None


def host_shell(
    project: Project, arguments: Sequence[str], environ: Mapping[str, str], *, interactive: bool
) -> HostShell:
    """The user's shell for a project.

    Args:
        project: The project.
        arguments: What to give the shell.
        environ: The variables that there are; `SHELL` names the shell.
        interactive: Whether somebody types into it, who wants a prompt.

    Raises:
        WpmError: The project's path cannot stand in `PATH`.
    """
    program = environ.get("SHELL") or "/bin/sh"
    changed = {**environ, **variables(project, environ), SHELL: shown_name(project, environ)}
    if not interactive:
        return HostShell(program, tuple(arguments), changed)
    # The user's own configuration runs with the user's own programs: what is read behind it changes PATH.
    launchers, _, others = changed["PATH"].partition(os.pathsep)
    changed["PATH"] = others
    first: tuple[str, ...] = ()
    match Path(program).name:
        case "bash":
            first = ("--rcfile", str(_FILES / "bashrc"))
        case "zsh":
            changed |= {"WPM_ZDOTDIR": environ.get("ZDOTDIR", ""), "ZDOTDIR": str(_FILES / "zsh")}
        case "fish":
            from pkgmgr.environments.activation import quoted_for_fish

            first = ("--init-command", f"source {quoted_for_fish(str(_FILES / 'config.fish'))}")
        case name if name in _POSIX:
            changed |= {"WPM_ENV": environ.get("ENV", ""), "ENV": str(_FILES / "posix")}
        case _:
            changed["PATH"] = os.pathsep.join([launchers, others])
    return HostShell(program, (*first, *arguments), changed)
