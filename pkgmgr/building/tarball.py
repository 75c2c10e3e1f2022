"""Legacy packages: a `.tar.gz` with a `wapm.toml` (or `wasmer.toml`) at its top, unpacked into a folder for a build.

The archive is hostile: only files, directories and links that stay in the folder, a limited number of them, and limited
bytes after decompression. What the archive says of modes, owners and times is left there.
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from posixpath import dirname, normpath
from shutil import copyfileobj
from typing import TYPE_CHECKING, ClassVar

from pkgmgr.errors import WpmError
from pkgmgr.manifest.names import shown

if TYPE_CHECKING:
    from pathlib import Path

GZIP_MAGIC = b"\x1f\x8b"
MAX_MEMBERS = 200_000
MAX_BYTES = 4 << 30
"""The most that an archive may hold, in bytes."""

MAX_HEADER = 1 << 20
"""The largest extended header of a member, in bytes: Python reads those into memory as a whole."""


class _Member(tarfile.TarInfo):
    """A member whose extended headers are of a reasonable size."""

    _EXTENDED: ClassVar = {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Member:
        found = super().frombuf(buf, encoding, errors)
        if found.type in cls._EXTENDED and not 0 <= found.size <= MAX_HEADER:
            raise tarfile.ReadError(f"an extended header of {found.size} bytes")
        return found


class _Bounded:
    """A stream of at most `MAX_BYTES` bytes."""

    __slots__ = ("_file", "_left")

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file
        self._left = MAX_BYTES

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise tarfile.ReadError(f"more than {MAX_BYTES} bytes")
        return data


def is_tarball(path: Path) -> bool:
    """Whether a file begins as gzip data does."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def extract_tarball(archive: Path, folder: Path) -> None:
    """Extract an archive into an empty folder.

    Raises:
        WpmError: It is no gzipped tar archive, it is damaged, it is too large, or a member would leave the folder.
    """
    try:
        with (
            archive.open("rb") as raw,
            gzip.GzipFile(fileobj=raw) as plain,
            tarfile.open(fileobj=_Bounded(plain), mode="r|", tarinfo=_Member, errorlevel=2) as tar,  # type: ignore[call-overload]
        ):
            total = 0
            for count, member in enumerate(tar):
                total += max(member.size, 0)
                if count >= MAX_MEMBERS or total > MAX_BYTES:
                    raise WpmError(f"{archive}: more than {MAX_MEMBERS} files or {MAX_BYTES} bytes: not a package")
                if not _extracted(tar, member, folder):
                    raise WpmError(
                        f"{archive}: the member {shown(member.name)} would leave the folder or is a device: do not trust it"
                    )
    except (tarfile.TarError, EOFError, zlib.error, ValueError, OSError) as error:
        raise WpmError(f"{archive}: cannot be unpacked, {_reason(error)}: is it a complete .tar.gz?") from None


def _extracted(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> bool:
    """Extract a member, where it is a file, a directory or a link and stays in the folder.

    Not with a filter of tarfile's: Python 3.11 has them from 3.11.4 on only. Nothing is written through a link, so that it
    does not matter here where links lead by way of one another; the build looks where each of them ends.
    """
    if (path := _place(member.name, folder)) is None:
        return False
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return True
    if path == folder:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file():
        path.unlink()
    if member.isfile() and (content := tar.extractfile(member)) is not None:
        with content, path.open("xb") as file:
            copyfileobj(content, file)
        return True
    if member.issym():
        target = normpath(f"{dirname(member.name.lstrip('/'))}/./{member.linkname}".lstrip("/"))
        if member.linkname.startswith("/") or target.split("/")[0] == "..":
            return False
        path.symlink_to(member.linkname)
        return True
    if member.islnk() and (source := _place(member.linkname, folder)) is not None and source.is_file():
        path.hardlink_to(source)
        return True
    return False


def _place(name: str, folder: Path) -> Path | None:
    """Where a name of a member is in the folder; None where it leaves it, or leads through a link or to one."""
    path = folder
    for part in name.split("/"):
        if part in ("", "."):
            continue
        path /= part
        if part == ".." or path.is_symlink():
            return None
    return path


def _reason(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return shown(text or type(error).__name__)[1:-1]
