"""Directories of the host that guests see."""

from __future__ import annotations

from pathlib import Path
from posixpath import normpath
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.library.arguments import check_texts
from runtime.fs.hostfs import HostFileSystem

if TYPE_CHECKING:
    import os


class Volume(NamedTuple):
    """A directory of the host that a guest sees; no `..` and no link leads out of it.

    Attributes:
        host: The directory; a relative path starts at the current directory.
        guest: Where the guest sees it: an absolute path.
        read_only: Whether the guest can only read.
    """

    host: str | os.PathLike[str]
    guest: str
    read_only: bool = False


def opened(volume: Volume) -> tuple[str, HostFileSystem]:
    """A volume as what is mounted, and where.

    Raises:
        TypeError: It is no volume.
        WpmError: There is no such directory, or the guest's path is not absolute.
    """
    if not isinstance(volume, tuple) or not 2 <= len(volume) <= 3:
        raise TypeError(f'a volume: expected Volume("folder", "/data"), not {volume!r}')
    host, guest, read_only = Volume(*volume)
    check_texts(f"the volume {host}: its path in the guest", [guest])
    if not guest.startswith("/") or "\0" in guest:
        raise WpmError(f"the volume {host}: {guest!r} is not an absolute path of the guest, as /data")
    path = "/" + normpath(guest).lstrip("/")
    if path == "/":
        raise WpmError(
            f"the volume {host}: it would hide the guest's whole filesystem: choose a path below /, as /data"
        )
    try:
        return path, HostFileSystem(Path(host), read_only=read_only)
    except OSError as error:
        raise WpmError(f"the volume {host}: cannot be opened: {error.strerror or error}") from None
