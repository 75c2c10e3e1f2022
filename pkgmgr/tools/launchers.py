"""Launchers: small scripts in a directory on PATH, each of which runs a command of an installed tool.

A launcher names the interpreter and the wpm that wrote it by their absolute paths, so it works in every environment that
somebody activates, and listens to no `PYTHON*` variable and no file of the current directory. Its second line says
whose it is: what does not say so belongs to somebody else, and is left alone.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterable

VARIABLE: Final = "WPM_BIN_DIR"
_MARK: Final = "# wpm tool: "
_HEAD: Final = "#!/bin/sh\n"
_TEMPORARY: Final = ".wpm-launcher-"
_LEFTOVER_SECONDS: Final = 3600.0
_LARGEST_HEAD: Final = 16_384
_START: Final = (
    "import sys; wpm = sys.argv.pop(1); wpm in sys.path or sys.path.insert(0, wpm); "
    "from pkgmgr.cli.main import script; script()"
)


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
        path = self.path(name)
        try:
            if path.is_symlink() or not path.is_file():
                return "" if path.is_symlink() or path.exists() else None
            with path.open("rb") as file:
                lines = file.read(_LARGEST_HEAD).decode("utf-8", "replace").split("\n", 2)
        except OSError:
            return ""
        if len(lines) < 3 or lines[0] + "\n" != _HEAD or not lines[1].startswith(_MARK):
            return ""
        try:
            match json.loads(lines[1].removeprefix(_MARK)):
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
        self._remove_leftovers()
        prepared: dict[str, Path] = {}
        try:
            for name in names:
                temporary = self.root / f"{_TEMPORARY}{os.urandom(8).hex()}"
                prepared[name] = temporary
                with temporary.open("x", encoding="utf-8", errors="surrogateescape") as file:
                    file.write(launcher(tool, self._tools, name))
                    file.flush()
                    os.fchmod(file.fileno(), 0o755)
        except BaseException:
            discard(prepared)
            raise
        return prepared

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
        if replace:
            prepared.replace(path)
            return
        try:
            # A link never replaces anything, whoever made a file there just now.
            path.hardlink_to(prepared)
        except FileExistsError:
            raise WpmError(f"{path}: there is such a file already: --force replaces it") from None
        except OSError:
            if os.path.lexists(path):
                raise WpmError(f"{path}: there is such a file already: --force replaces it") from None
            prepared.replace(path)
            return
        prepared.unlink()

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

    def _remove_leftovers(self) -> None:
        for leftover in self.root.glob(_TEMPORARY + "*"):
            with suppress(OSError):
                if time.time() - leftover.lstat().st_mtime > _LEFTOVER_SECONDS:
                    leftover.unlink()


def discard(prepared: dict[str, Path]) -> None:
    """Remove prepared launchers that were not put in their place."""
    for path in prepared.values():
        with suppress(OSError):
            path.unlink(missing_ok=True)


def launcher(tool: str, tools: Path, name: str) -> str:
    """The script that runs a command of a tool.

    Args:
        tool: The tool's name.
        tools: Where tools are recorded.
        name: The launcher's name.
    """
    interpreter = sys.executable
    if not interpreter:
        raise WpmError("this Python does not know where it is itself, so no launcher can start it")
    wpm = str(Path(__file__).resolve().parents[2])
    return (
        f"{_HEAD}{_MARK}{json.dumps([tool, str(tools)])}\n"
        f"if [ ! -x {quote(interpreter)} ]; then\n"
        f"  echo {quote(f'wpm: {name}: {interpreter} is gone: install wpm again, and run: wpm tool upgrade --all')} >&2\n"
        "  exit 127\n"
        "fi\n"
        f"exec {quote(interpreter)} -E -P -c {quote(_START)} {quote(wpm)} \\\n"
        f'  tool run --directory {quote(str(tools))} --tool {quote(tool)} -- {quote(name)} "$@"\n'
    )


def check_launcher_name(name: str) -> str:
    """The name, which must be good for a file that is typed; raises `WpmError` where it is not."""
    if not name.isprintable() or "/" in name or name.startswith((".", "-")) or not 0 < len(name.encode()) <= 200:
        raise WpmError(f"{name[:60]!r}: not a name for a launcher: no '/', and no '.' or '-' at its start")
    return name
