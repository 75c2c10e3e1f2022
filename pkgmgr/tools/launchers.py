"""Launchers of tools: in a directory on PATH that others use too, each of the tool that its second line names."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.running.launchers import launcher_script, mark_of, place, prepare

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE: Final = "WPM_BIN_DIR"
_MARK: Final = "tool: "


class LauncherFolder:
    """The directory that launchers are in.

    Args:
        root: The directory; it is made when the first launcher is written.
        tools: Where the tools are recorded, whose launchers these are.
    """

    def __init__(self, root: Path, tools: Path) -> None:
        self.root = root
        self._tools = tools

    @classmethod
    def default(cls, tools: Path) -> LauncherFolder:
        """The user's: `WPM_BIN_DIR`, else `~/.local/bin`."""
        try:
            return cls(Path(os.environ.get(VARIABLE) or "~/.local/bin").expanduser().absolute(), tools)
        except RuntimeError as error:
            raise WpmError(f"{VARIABLE}: {error}") from None

    def path(self, name: str) -> Path:
        """Where the launcher of this name is, or would be."""
        return self.root / name

    def owner(self, name: str) -> str | None:
        """The tool whose launcher is there: empty where the file is somebody else's, None where there is no file."""
        mark = mark_of(self.path(name))
        if mark is None or not mark.startswith(_MARK):
            return None if mark is None else ""
        try:
            match json.loads(mark.removeprefix(_MARK)):
                case [str() as tool, str() as tools] if tools == str(self._tools):
                    return tool
        except ValueError:
            pass
        return ""

    def prepare(self, tool: str, names: Iterable[str]) -> dict[str, Path]:
        """Write the launchers of a tool beside where they belong; `place` puts them there.

        Raises:
            OSError: The directory cannot be written to; nothing of them stays.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        return prepare(self.root, {name: launcher(tool, self._tools, name) for name in names})

    def place(self, name: str, prepared: Path, *, replace: bool) -> None:
        """Put a launcher in its place.

        Args:
            name: Its name.
            prepared: The file that `prepare` wrote.
            replace: Whether a file of that name may be replaced.

        Raises:
            WpmError: There is a file of that name, which may not be replaced.
            OSError: The disk failed, or there is a directory of that name.
        """
        path = self.path(name)
        try:
            place(path, prepared, replace=replace)
        except FileExistsError:
            raise WpmError(f"{path}: there is such a file already: --force replaces it") from None

    def remove(self, tool: str, names: Iterable[str]) -> list[str]:
        """Remove the launchers of a tool; gives the names of files that are somebody else's by now, and stay."""
        foreign = []
        for name in names:
            match self.owner(name):
                case owner if owner == tool:
                    self.path(name).unlink(missing_ok=True)
                case None:
                    pass
                case _:
                    foreign.append(name)
        return foreign

    def is_on_path(self) -> bool:
        """Whether a shell finds the launchers."""
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            with suppress(OSError):
                if folder and (Path(folder) == self.root or Path(folder).samefile(self.root)):
                    return True
        return False

    def rivals(self, names: Iterable[str]) -> list[tuple[str, Path, bool]]:
        """Programs on PATH that are called as launchers: the name, the program, and whether the launcher wins."""
        from shutil import which

        folders = [folder for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
        ours = [number for number, folder in enumerate(folders) if Path(folder) == self.root]
        if not ours:
            return []
        before, behind = os.pathsep.join(folders[: ours[0]]), os.pathsep.join(folders[ours[0] + 1 :])
        found = []
        for name in names:
            for path, wins in ((before, False), (behind, True)):
                program = which(name, path=path) if path else None
                if program is not None and not self._is_same(Path(program), name):
                    found.append((name, Path(program), wins))
                    break
        return found

    def _is_same(self, program: Path, name: str) -> bool:
        try:
            return program.samefile(self.path(name))
        except OSError:
            return False


def launcher(tool: str, tools: Path, name: str) -> str:
    """The script that runs a command of a tool.

    Args:
        tool: The tool's name.
        tools: Where tools are recorded.
        name: The launcher's name.
    """
    words = f"tool run --directory {quote(str(tools))} --tool {quote(tool)} -- {quote(name)}"
    return launcher_script(f"{_MARK}{json.dumps([tool, str(tools)])}", name, "wpm tool upgrade --all", words)
