"""A root filesystem in a tar, compressed or not, as an image of one layer.

Nothing is unpacked into files: every file is a span of the archive. A compressed archive cannot be read from its middle, so
what comes of it is kept in the store, where the next one who opens it finds it.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.oci.marker import LAYOUT_FILE
from pkgmgr.rootfs.decompressing import decompressed, method_of, most_bytes
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.read_config import config_of_layers
from pkgmgr.rootfs.tar_index import index_tar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.store import Store

_PIECE: Final = 1 << 20
_HEAD: Final = 4
_LAYOUT: Final = frozenset({LAYOUT_FILE, "index.json", "blobs"})


class TarLayer:
    """What is in a tar.

    Args:
        path: The archive.
        plain: The same without compression.

    Attributes:
        title: What it is of.
    """

    title = "files"

    def __init__(self, path: Path, plain: Path) -> None:
        self._path = path
        self._plain = plain

    def entries(self) -> Iterator[Entry]:
        """As `Layer.entries`; read once."""
        return iter(self._entries)

    @cached_property
    def _entries(self) -> tuple[Entry, ...]:
        try:
            entries = index_tar(self._plain).entries
        except WpmError as error:
            # People know the archive by its own name.
            raise WpmError(str(error).replace(str(self._plain), str(self._path))) from None
        if {entry.path for entry in entries} >= _LAYOUT:
            raise WpmError(f"{self._path}: has an OCI layout in it: unpack it with tar, and name the directory")
        return entries


def read_tar(path: Path, store: Store) -> RootfsImage:
    """A tar as an image.

    Args:
        path: The archive: plain, gzip or Zstandard.
        store: Where what comes of a compressed one is kept.

    Raises:
        WpmError: It is no tar, is damaged, or has a member that no image may have.
    """
    layer = TarLayer(path, _plain(path, store))
    return RootfsImage((layer,), config_of_layers([layer], str(path)))


def _plain(path: Path, store: Store) -> Path:
    """The archive without compression."""
    from hashlib import file_digest

    from pkgmgr.store.layers import UnpackedLayers

    try:
        with path.open("rb") as file:
            method = method_of(file.read(_HEAD))
            if method == "none":
                return path
            file.seek(0)
            digest = file_digest(file, "sha256").hexdigest()
            most = most_bytes(file.tell())
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    return UnpackedLayers(store).unpacked(digest, lambda: decompressed(_pieces(path), method, path, most)).path


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
