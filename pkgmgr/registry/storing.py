"""Put packages into a directory registry: whole or not at all, never over what is there, safe among many who do it at once.

    ROOT/tmp/*.part              what is being written, each locked (flock) by its writer
    ROOT/packages/NS/NAME/       locked while a version and the index are put into it
    ROOT/releases/SHA256.webc    what was pushed and goes by its hash

A file is copied to `tmp`, hashed while it is copied, synced and checked, and then linked to its place: a link never replaces
what is there, whoever else writes. What a killed writer leaves in `tmp` is removed by the next one, who sees by the lock
that nobody holds it.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.files.folders import sync_folder
from pkgmgr.files.holding import held_folder
from pkgmgr.files.replacing import finish
from pkgmgr.files.unfinished import PARTIAL, is_abandoned, replace_from, unfinished_file
from pkgmgr.registry.directory import RELEASES, SUFFIX, YANKED, DirectoryRegistry
from pkgmgr.source import check_name, check_sha256

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pkgmgr.version import Version

LARGEST: Final = 4 << 30
"""No package is larger than this many bytes."""

_PIECE: Final = 1 << 20
_NO_LINKS: Final = frozenset((errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV))


class AlreadyPublished(WpmError):
    """There is another package with this name and version."""


class Placed(NamedTuple):
    """A package in the registry.

    Attributes:
        path: Its file.
        sha256: The hash of the file.
        size: Its size in bytes.
        is_new: Whether it was put there now; else the same bytes were there already.
    """

    path: Path
    sha256: str
    size: int
    is_new: bool


def place_version(root: Path, file: Path, name: str, version: Version, *, sha256: str | None = None) -> Placed:
    """Put a package into the registry under its name and version, and into the index.

    Args:
        root: The registry.
        file: The package.
        name: Its name; the manifest in it must say the same, or nothing.
        version: Its version, likewise.
        sha256: The hash that it must have; None accepts what it has.

    Raises:
        AlreadyPublished: Another package with this name and version is there.
        WpmError: It is no sound package, is another one than it should be, or the registry cannot be written.
    """
    from pkgmgr.registry.indexing import update_index
    from pkgmgr.registry.record import read_record

    registry = DirectoryRegistry(root, "", str(root))
    target = registry.location(check_name(name), version)
    with _writing(root), _copied(root, file, sha256) as temporary:
        _check_sound(temporary, file)
        try:
            record = read_record(temporary, "", name, version)
        except WpmError as error:
            raise WpmError(str(error).replace(str(temporary), str(file))) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        with held_folder(target.parent):
            is_new = _link(temporary, target)
            if not is_new and registry.record(name, version).summary.sha256 != record.summary.sha256:
                raise AlreadyPublished(
                    f"{name} {version} is published already, with other bytes: versions do not change: raise the version"
                )
            found = read_record(target, "", name, version).summary
            if found.sha256 != record.summary.sha256:
                raise WpmError(f"{target}: has not the bytes that were written: check the disk")
            update_index(registry, name)
    return Placed(target, found.sha256, found.size, is_new)


def place_release(root: Path, file: Path, *, sha256: str | None = None) -> Placed:
    """Put a package into the registry under its hash alone.

    Raises:
        WpmError: It is no sound package, has another hash than it should, or the registry cannot be written.
    """
    from pkgmgr.registry.record import read_record

    folder = root / RELEASES
    with _writing(root), _copied(root, file, sha256) as temporary:
        _check_sound(temporary, file)
        found = read_record(temporary, "").summary
        target = folder / f"{found.sha256}{SUFFIX}"
        folder.mkdir(exist_ok=True)
        with held_folder(folder):
            is_new = _link(temporary, target)
    return Placed(target, found.sha256, found.size, is_new)


def yank(root: Path, name: str, version: Version, *, undo: bool = False, reason: str = "") -> bool:
    """Withdraw a version, or take that back.

    Args:
        root: The registry.
        name: The package's name.
        version: The version.
        undo: Whether to take it back.
        reason: Why, in one line.

    Returns:
        Whether anything changed.

    Raises:
        WpmError: The version is not there, or the registry cannot be written.
    """
    from pkgmgr.plain_text import one_line

    registry = DirectoryRegistry(root, "", str(root))
    path = registry.location(name, version)
    mark = path.with_name(f"{version}{YANKED}")
    with _writing(root):
        if not path.is_file():
            raise WpmError(f"{name} {version}: is not in {root}: see what is with wpm show {name}")
        with held_folder(path.parent):
            if undo == (not mark.exists()):
                return False
            if undo:
                mark.unlink()
            else:
                replace_from(unfinished_folder(root), mark, one_line(reason).encode())
            sync_folder(path.parent)
    return True


def unfinished_folder(root: Path) -> Path:
    """The folder of a registry for what is being written; what writers left there that are dead is removed."""
    folder = root / "tmp"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in folder.glob(f"*{PARTIAL}"):
        is_abandoned(path, remove=True)
    return folder


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """Say in words what the operating system refuses."""
    try:
        yield
    except OSError as error:
        where = error.filename or root
        raise WpmError(f"{where}: cannot be written: {error.strerror or error}") from None


@contextmanager
def _copied(root: Path, source: Path, sha256: str | None) -> Iterator[Path]:
    """A copy of a file among the temporary ones: nobody else changes it any more."""
    import hashlib

    if sha256 is not None:
        check_sha256(sha256)
    if not source.is_file():
        raise WpmError(f"{source}: there is no package file here")
    digest = hashlib.sha256()
    size = 0
    with unfinished_file(unfinished_folder(root)) as (file, temporary):
        with source.open("rb") as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > LARGEST:
                    raise WpmError(f"{source}: larger than the {LARGEST} bytes that a package may have")
                digest.update(piece)
                file.write(piece)
        finish(file, 0o644)
        if sha256 is not None and digest.hexdigest() != sha256:
            raise WpmError(f"{source}: its sha256 is {digest.hexdigest()} where {sha256} was promised")
        yield temporary


def _check_sound(path: Path, shown: Path) -> None:
    """Read every checksum of a package."""
    from webc_parser import Container, WebcError

    try:
        with Container.open(path) as container:
            container.verify()
    except WebcError as error:
        raise WpmError(f"{shown}: {str(error).replace(f'{path}: ', '').replace(str(path), 'it')}") from None


def _link(temporary: Path, target: Path) -> bool:
    """Give a file its place unless something is there: then False. The place is held by the caller."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            return False
        temporary.rename(target)
    sync_folder(target.parent)
    return True
