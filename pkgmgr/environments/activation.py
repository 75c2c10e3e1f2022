"""What makes a shell of the host a shell of a project: the launchers first on `PATH`, and `WPM_PROJECT`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.projects.project import Project

PROJECT: Final = "WPM_PROJECT"
"""Names the variable that has the project's directory."""
SHELL: Final = "WPM_SHELL"
"""Names the variable that has what the prompt of `wpm shell` shows: the project, behind those of the shells around it."""

_INSIDE: Final = " > "
_LONGEST: Final = 120


def variables(project: Project, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to set in the environment `environ` for a project.

    Raises:
        WpmError: The project's path cannot stand in `PATH`.
    """
    root = str(project.root)
    if os.pathsep in root:
        raise WpmError(f"{root}: there is a '{os.pathsep}' in the project's path, which cannot stand in PATH: move it")
    launchers = str(_launchers(project))
    others = [folder for folder in environ.get("PATH", os.defpath).split(os.pathsep) if folder != launchers]
    return {"PATH": os.pathsep.join([launchers, *others]), PROJECT: root}


def shown_name(project: Project, environ: Mapping[str, str]) -> str:
    """What the prompt of a shell for the project shows; nested shells are told apart by all that they are in.

    Shells expand what stands in a prompt: nothing of a name stays that means something to one.
    """
    name = project.manifest.name or Path(os.path.realpath(project.root)).name
    around = environ.get(SHELL, "")
    parts = [*around.split(_INSIDE), name] if around else [name]
    return _INSIDE.join(re.sub(r"[^A-Za-z0-9_./@+-]+", "_", part) for part in parts)[-_LONGEST:]


def activation(project: Project, shell: str) -> str:
    """Commands for a shell that is there already, for `eval`; evaluated twice they change nothing more.

    Args:
        project: The project.
        shell: `sh` for those of POSIX, zsh among them, or `fish`.

    Raises:
        WpmError: The project is not installed, or its path cannot stand in `PATH`.
    """
    from shlex import quote

    variables(project, {})
    launchers = _launchers(project)
    if not launchers.is_dir():
        raise WpmError(f"{launchers}: not there: run: wpm install")
    check_launchers(project)
    root, folder = str(project.root), str(launchers)
    if shell == "fish":
        quoted = quoted_for_fish(folder)
        return (
            f"set -gx {PROJECT} {quoted_for_fish(root)}\ncontains -- {quoted} $PATH; or set -gx PATH {quoted} $PATH\n"
        )
    return (
        f"{PROJECT}={quote(root)}; export {PROJECT}\n"
        f'case ":$PATH:" in *:{quote(folder)}:*) ;; *) PATH={quote(folder)}":$PATH"; export PATH ;; esac\n'
    )


def check_launchers(project: Project) -> None:
    """Raise `WpmError` where something would come first on `PATH` that wpm did not write."""
    from pkgmgr.environments.folder import EnvironmentFolder

    if (stranger := EnvironmentFolder(project.root).stranger(project)) is not None:
        raise WpmError(
            f"{one_line(str(stranger))}: not what wpm writes there, and would be first on PATH: remove it, and run: wpm install"
        )


def quoted_for_fish(text: str) -> str:
    """A text as one word of fish."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _launchers(project: Project) -> Path:
    from pkgmgr.environments.folder import EnvironmentFolder

    return EnvironmentFolder(project.root).bin
