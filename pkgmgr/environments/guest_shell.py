"""A shell among a project's packages: which it is, and what it sees."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.tools.starting import HERE, SEEN_AS

if TYPE_CHECKING:
    from collections.abc import Container

    from pkgmgr.manifest import ProjectManifest
    from pkgmgr.projects.project import Project
    from pkgmgr.tools.record import GuestSettings

SHELLS: Final = ("bash", "sh", "dash", "ash", "zsh", "fish")
"""What the commands are called that are taken for a shell; the first that a project has is its shell."""


def shell_of(manifest: ProjectManifest, commands: Container[str]) -> str | None:
    """The command that is the project's shell; None where there is none.

    It is the one that `[wpm] shell` names, else the first that is called as a shell is.

    Args:
        manifest: The project's manifest.
        commands: The names of its commands.

    Raises:
        WpmError: The manifest names a command that is not there.
    """
    if manifest.shell is not None:
        if manifest.shell not in commands:
            raise WpmError(
                f"{manifest.path}: wpm.shell: {manifest.shell[:60]!r} is no command of the project: wpm list"
            )
        return manifest.shell
    return next((name for name in SHELLS if name in commands), None)


def shell_settings(project: Project, settings: GuestSettings, *, sandbox: bool) -> GuestSettings:
    """What a project's shell is given: what a tool is that is started in the project's directory, unless options say else.

    It begins where we are in the project.

    Args:
        project: The project.
        settings: The options.
        sandbox: Whether it shall see no directory of the host at all.
    """
    from pkgmgr.tools.starting import settings_of

    if settings_of(settings, sandbox=sandbox) is settings:
        return settings
    # `GUEST:HOST`: a directory of the host may have colons in it.
    return settings._replace(mapdir=(f"{SEEN_AS}:{project.root}",), cwd=settings.cwd or _here(project))


def _here(project: Project) -> str:
    """The current directory as it is seen in the project's; that itself where we are elsewhere."""
    try:
        inside = Path(HERE).resolve().relative_to(project.root.resolve())
    except (ValueError, OSError):
        return SEEN_AS
    return str(Path(SEEN_AS, inside))


def prompt(name: str) -> str:
    """The prompt of a shell that somebody types into, with what it is for."""
    return f"({name}) $ "
