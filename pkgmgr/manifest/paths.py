"""Paths in a manifest: guest paths, and host paths that must stay inside the package's directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown

if TYPE_CHECKING:
    from pathlib import Path

_DRIVE = re.compile(r"[A-Za-z]:(?:/|$)")

MAX_PATH = 4096
"""The longest path, in characters."""


def inside(path: str) -> str | None:
    """A relative host path without `.` and `..`, or `None` when it leaves the directory that it is relative to.

    Windows' separators count as separators, so that a manifest means the same everywhere. The directory itself is `""`.
    """
    text = path.replace("\\", "/")
    if len(text) > MAX_PATH or "\0" in text or text.startswith("/") or _DRIVE.match(text):
        return None
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    relative = "/".join(parts)
    # `./a:` would name a drive once the dot is gone.
    return None if _DRIVE.match(relative) else relative


def guest_path(path: str) -> str | None:
    """A guest path made absolute and normalised as Wasmer does (`usr` is `/usr`); `None` when it climbs above `/`."""
    relative = inside(path.replace("\\", "/").lstrip("/"))
    return None if relative is None else "/" + relative


def resolve_inside(directory: Path, relative: str, where: str) -> Path:
    """The real file or directory behind a manifest's path, every symbolic link followed.

    Args:
        directory: The package's directory.
        relative: The path below it, as `inside` gives it.
        where: The file and key that named the path, for the error.

    Raises:
        WpmError: There is no such file, or a symbolic link leads out of the directory.
    """
    root = directory.resolve()
    path = root / relative
    try:
        real = path.resolve(strict=True)
    except FileNotFoundError:
        raise WpmError(f"{where}: there is no {shown(relative)} in {root}: create it or correct the path") from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be resolved"
        raise WpmError(f"{where}: cannot open {shown(relative)} in {root}: {reason}") from None
    if real != root and root not in real.parents:
        raise WpmError(
            f"{where}: {shown(relative)} is a link out of the package's directory {root}: copy the files into it"
        )
    return real
