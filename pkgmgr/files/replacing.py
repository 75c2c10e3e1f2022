"""Small files, replaced whole or not at all: written beside their place, synced and renamed."""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO, Final

_SUFFIX: Final = ".part"
_RANDOM: Final = re.compile(r"[0-9a-f]{16}\.part")
_LEFTOVER_SECONDS: Final = 3600.0


def replace_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """Replace a file whole or not at all; nobody else can open it before it has its mode.

    Args:
        path: The file; a link is replaced, not followed.
        data: What it shall hold.
        mode: Who may do what with it; None leaves that to the umask.

    Raises:
        OSError: It cannot be written; it is as it was.
    """
    with replacing(path, mode) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int | None = None) -> Iterator[BinaryIO]:
    """As `replace_file`, for what is written piece by piece: it takes its place when the block ends well."""
    remove_leftovers(path)
    temporary = path.with_name(f"{_beginning(path)}{os.urandom(8).hex()}{_SUFFIX}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            finish(file, mode)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise


def finish(file: BinaryIO, mode: int | None = None) -> None:
    """See that all that was written into a file is on the disk, with its mode, before it is given its name."""
    file.flush()
    if mode is not None:
        os.fchmod(file.fileno(), mode)
    os.fsync(file.fileno())


def _beginning(path: Path) -> str:
    """What the names of unfinished files for a path start with, short enough for every file system."""
    return f".{path.name[:100]}."


def remove_leftovers(path: Path, seconds: float = _LEFTOVER_SECONDS) -> None:
    """Remove what writers of a file left that were killed so many seconds ago; all of it is for whoever keeps others out."""
    beginning = _beginning(path)
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if entry.name.startswith(beginning) and _RANDOM.fullmatch(entry.name, len(beginning)):
                with suppress(OSError):
                    if time.time() - entry.stat(follow_symlinks=False).st_mtime >= seconds:
                        path.with_name(entry.name).unlink()
