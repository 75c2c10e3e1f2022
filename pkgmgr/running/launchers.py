"""Launchers: small scripts in a directory on PATH, each of which runs a command by wpm.

A launcher names the interpreter and the wpm that wrote it by their absolute paths, so it works in every environment that
somebody activates, and listens to no `PYTHON*` variable and no file of the current directory. Its second line says
whose it is: what does not say so belongs to somebody else, and is left alone.
"""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Mapping

TEMPORARY: Final = ".wpm-launcher-"
"""How the names of launchers begin that are being written."""

_HEAD: Final = "#!/bin/sh\n"
_MARK: Final = "# wpm "
_LEFTOVER_SECONDS: Final = 3600.0
_LARGEST_HEAD: Final = 16_384
# Until somebody waits for a guest an interrupt ends it as it ends any program, without a word.
_START: Final = (
    "import _signal as s, sys; s.getsignal(2) is s.default_int_handler and s.signal(2, s.SIG_DFL); "
    "wpm = sys.argv.pop(1); wpm in sys.path or sys.path.insert(0, wpm); from pkgmgr.cli.main import script; script()"
)


def launcher_script(mark: str, name: str, remedy: str, words: str) -> str:
    """The script of a launcher.

    Args:
        mark: Whose it is, one line; `mark_of` gives it back.
        name: The launcher's name.
        remedy: What to run where the interpreter is gone.
        words: What it runs, as the words of `wpm` in the shell's spelling; its own arguments follow.

    Raises:
        WpmError: This Python does not know where it is.
    """
    interpreter = sys.executable
    if not interpreter:
        raise WpmError("this Python does not know where it is itself, so no launcher can start it")
    wpm = str(Path(__file__).resolve().parents[2])
    return (
        f"{_HEAD}{_MARK}{mark}\n"
        f"if [ ! -x {quote(interpreter)} ]; then\n"
        f"  echo {quote(f'wpm: {name}: {interpreter} is gone: install wpm again, and run: {remedy}')} >&2\n"
        "  exit 127\n"
        "fi\n"
        f"exec {quote(interpreter)} -E -P -c {quote(_START)} {quote(wpm)} \\\n"
        f'  {words} "$@"\n'
    )


def mark_of(path: Path) -> str | None:
    """Whose launcher a file is: empty where it is none of wpm, None where there is no file."""
    try:
        if path.is_symlink() or not path.is_file():
            return "" if path.is_symlink() or path.exists() else None
        with path.open("rb") as file:
            lines = file.read(_LARGEST_HEAD).decode("utf-8", "replace").split("\n", 2)
    except OSError:
        return ""
    if len(lines) < 3 or lines[0] + "\n" != _HEAD or not lines[1].startswith(_MARK):
        return ""
    return lines[1].removeprefix(_MARK)


def prepare(folder: Path, scripts: Mapping[str, str]) -> dict[str, Path]:
    """Write launchers beside where they belong; `place` puts them there, `discard` removes what was not placed.

    Args:
        folder: Where they belong.
        scripts: The script of each by its name.

    Raises:
        OSError: The directory cannot be written to; nothing of them stays.
    """
    remove_leftovers(folder)
    prepared: dict[str, Path] = {}
    try:
        for name, script in scripts.items():
            temporary = folder / f"{TEMPORARY}{os.urandom(8).hex()}"
            prepared[name] = temporary
            with temporary.open("x", encoding="utf-8", errors="surrogateescape") as file:
                file.write(script)
                file.flush()
                os.fchmod(file.fileno(), 0o755)
    except BaseException:
        discard(prepared)
        raise
    return prepared


def place(path: Path, prepared: Path, *, replace: bool) -> None:
    """Put a launcher in its place.

    Args:
        path: Its place.
        prepared: The file that `prepare` wrote.
        replace: Whether a file of that name may be replaced.

    Raises:
        FileExistsError: There is a file of that name, which may not be replaced.
        OSError: The disk failed, or there is a directory of that name.
    """
    if replace:
        prepared.replace(path)
        return
    try:
        # A link never replaces anything, whoever made a file there just now.
        path.hardlink_to(prepared)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise FileExistsError(str(path)) from None
        prepared.replace(path)
        return
    prepared.unlink()


def discard(prepared: Mapping[str, Path]) -> None:
    """Remove prepared launchers that were not put in their place."""
    for path in prepared.values():
        with suppress(OSError):
            path.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers left in a folder that were killed long ago."""
    for leftover in folder.glob(TEMPORARY + "*"):
        with suppress(OSError):
            if time.time() - leftover.lstat().st_mtime > _LEFTOVER_SECONDS:
                leftover.unlink()


def check_launcher_name(name: str) -> str:
    """The name, which must be good for a file that is typed; raises `WpmError` where it is not."""
    if not name.isprintable() or "/" in name or name.startswith((".", "-")) or not 0 < len(name.encode()) <= 200:
        raise WpmError(f"{name[:60]!r}: not a name for a launcher: no '/', and no '.' or '-' at its start")
    return name
