"""Where an image goes: which format, and a place beside its own until it is whole.

What is unfinished is locked by who makes it, so that the next one for the same place can tell what nobody finishes any more,
and removes it; see `pkgmgr.files.unfinished`.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.files.holding import hold, try_hold
from pkgmgr.files.removing import mounted_in, remove_tree
from pkgmgr.files.swapping import swap
from pkgmgr.oci.marker import LAYOUT_FILE
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUFFIX: Final = ".part"
_RANDOM: Final = re.compile(r"[0-9a-f]{16}\.part")
_STALE_SECONDS: Final = 24 * 3600.0
_LAYOUT: Final = frozenset({LAYOUT_FILE, "index.json", "blobs", "manifest.json", "repositories", "ingest"})


@contextmanager
def new_place(out: Path, *, directory: bool, force: bool, private: bool = True) -> Iterator[Path]:
    """A new file or directory beside a place, that takes it when the block is done, and is gone when that fails.

    Args:
        out: The place, as `checked_place` gives it.
        directory: Whether it is a directory.
        force: Whether it takes the place of what is there, in one step where the system has one.
        private: Whether a directory is closed to others while it is filled; its mode is then the caller's affair.

    Raises:
        WpmError: Something is at the place.
        OSError: It cannot be made.
    """
    remove_leftovers(out)
    while True:
        path = out.with_name(f"{_beginning(out)}{os.urandom(8).hex()}{_SUFFIX}")
        if directory:
            path.mkdir(0o700 if private else 0o777)
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        else:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            hold(descriptor)
            # Somebody who was clearing up may have taken it before it was locked: then make another.
            if not path.exists():
                continue
            try:
                yield path
                _take(path, out, force=force)
            finally:
                _remove(path)
            return
        finally:
            os.close(descriptor)


def checked_place(out: Path, *, force: bool) -> Path:
    """Where an image may be written, as an absolute path.

    Raises:
        WpmError: Its directory is not there, or something is at the place that may not be replaced.
    """
    # Not resolved: a link is replaced, not followed.
    place = Path(os.path.abspath(out))  # noqa: PTH100 - resolve() follows the last name too
    if not place.name:
        raise WpmError(f"{out}: the root of a file system cannot be an image's place: name a new directory")
    if not place.parent.is_dir():
        raise WpmError(f"{one_line(str(out))}: there is no directory {one_line(str(place.parent))}: make it")
    if os.path.lexists(place):
        if not force:
            raise WpmError(f"{one_line(str(out))}: exists already: choose another name, or replace it with --force")
        _check_replaceable(place, out)
    return place


def is_unfinished(out: Path, name: str) -> bool:
    """Whether a name beside a place is one of something unfinished for it."""
    beginning = _beginning(out)
    return name.startswith(beginning) and _RANDOM.fullmatch(name, len(beginning)) is not None


def remove_leftovers(out: Path) -> None:
    """Remove what was unfinished when its maker was killed."""
    with suppress(OSError), os.scandir(out.parent) as found:
        names = [each.name for each in found if is_unfinished(out, each.name)]
        for name in names:
            path = out.with_name(name)
            if _is_abandoned(path):
                _remove(path)


def _beginning(out: Path) -> str:
    """What the names of unfinished images for a place start with, short enough for every file system."""
    return f".{os.fsdecode(os.fsencode(out.name)[:100])}."


def _check_replaceable(place: Path, out: Path) -> None:
    """Refuse to replace a directory that does not look like an image: a slip of the hand is not to remove a home."""
    if place.is_symlink() or not place.is_dir():
        if not place.is_symlink() and not place.is_file():
            raise WpmError(f"{out}: is a device, a socket or a pipe: only files and directories are replaced")
        return
    if place in (here := Path.cwd()).parents or place == here or place.is_mount():
        raise WpmError(f"{one_line(str(out))}: is where you are, or a mount: choose another place")
    if (mount := mounted_in(place)) is not None:
        raise WpmError(f"{one_line(str(out))}: something is mounted at {one_line(str(mount))}: unmount it first")
    with os.scandir(place) as found:
        names = {each.name for each in found}
    is_root = {"bin", "dev", "etc", "home", "tmp", "usr"} <= names
    # Some tools write a layout into whatever directory they are given, beside what is there.
    is_layout = LAYOUT_FILE in names and all(name in _LAYOUT or name.endswith(_SUFFIX) for name in names)
    if names and not is_root and not is_layout:
        raise WpmError(
            f"{one_line(str(out))}: is a directory, but no image: --force replaces only images; remove it yourself, or choose "
            "another name"
        )


def _take(path: Path, out: Path, *, force: bool) -> None:
    """Give what is whole its place."""
    if not os.path.lexists(out):
        path.rename(out)
    elif not force:
        raise WpmError(f"{one_line(str(out))}: was made by somebody else in the meantime")
    elif path.is_dir() or (out.is_dir() and not out.is_symlink()):
        swap(path, out)
    else:
        path.replace(out)


def _is_abandoned(path: Path) -> bool:
    """Whether who made something unfinished is dead."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        held = try_hold(descriptor)
        if held is None:
            return time.time() - os.fstat(descriptor).st_mtime > _STALE_SECONDS
        return held
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    """Remove a file or a tree, if it is there; what cannot be removed is left to the next one."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
