"""Which names and paths a container may hold: every one comes from outside and ends in a filesystem."""

from __future__ import annotations

from webc_parser.errors import WebcError

MAX_NAME = 1024
MAX_PATH = 4096


def entry_name(raw: bytes, offset: int | None = None) -> str:
    """Decode and check the name of a file, a directory or an atom.

    Raises:
        WebcError: it is empty, `.` or `..`, holds `/` or NUL, is too long or not UTF-8.
    """
    try:
        name = raw[: MAX_NAME + 4].decode()
    except UnicodeDecodeError:
        raise WebcError(f"the name {raw[:80]!r} is not UTF-8", offset) from None
    if not name or name in {".", ".."} or "/" in name or "\0" in name or len(raw) > MAX_NAME:
        raise WebcError(f"the name {name[:80]!r} may not stand in a container", offset)
    return name


def volume_name(name: str, offset: int | None = None) -> str:
    """Check the name of a volume: a path, absolute or not, that stays where it is put.

    Raises:
        WebcError: it is empty or too long, or one of its parts is `.` or `..` or holds NUL.
    """
    if not name or "\0" in name or len(name) > MAX_PATH or not {".", ".."}.isdisjoint(name.split("/")):
        raise WebcError(f"{name[:80]!r} may not name a volume", offset)
    return name


def link_target(raw: bytes, offset: int | None = None) -> str:
    """Decode and check the target of a symbolic link.

    Raises:
        WebcError: it is empty, holds NUL, is too long or not UTF-8.
    """
    try:
        target = raw[: MAX_PATH + 4].decode()
    except UnicodeDecodeError:
        raise WebcError(f"the target {raw[:80]!r} of a symbolic link is not UTF-8", offset) from None
    if not target or "\0" in target or len(raw) > MAX_PATH:
        raise WebcError(f"a symbolic link may not lead to {target[:80]!r}", offset)
    return target
