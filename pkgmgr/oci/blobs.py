"""The blobs of an image layout: files named by the sha256 of their bytes, which is looked at whenever they are read.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md#blobs
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.files.folders import sync_folder
from pkgmgr.files.unfinished import PARTIAL, is_abandoned, unfinished_file
from pkgmgr.oci.descriptors import Descriptor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOBS: Final = Path("blobs", "sha256")
"""Where blobs are in a layout."""

_PIECE: Final = 1 << 20
_SYNCS: Final = 16


class NewBlob(NamedTuple):
    """A blob that was written: its digest as `sha256:HEX`, and its size in bytes."""

    digest: str
    size: int


class Blobs:
    """The blobs of a layout, for any number of readers and writers.

    Args:
        folder: The layout's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._blobs = folder / BLOBS
        self._new: list[Path] = []

    def path(self, digest: str) -> Path:
        """Where the blob of a digest is, or would be; `check_digest` has looked at the digest."""
        return self._blobs / digest.removeprefix("sha256:")

    def add(self, pieces: Iterable[bytes | memoryview]) -> NewBlob:
        """Write a blob: whole or not at all. It is safe from a power failure when `settle` was called.

        Raises:
            WpmError: As `pieces` raises.
            OSError: The disk failed.
        """
        digest = hashlib.sha256()
        size = 0
        with unfinished_file(self._folder) as (file, temporary):
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            blob = NewBlob(f"sha256:{digest.hexdigest()}", size)
            path = self.path(blob.digest)
            if not self._is_there(blob):
                if os.path.lexists(path):
                    # What other images need is not replaced by what the disk does not have yet.
                    os.fsync(file.fileno())
                temporary.replace(path)
                self._new.append(path)
        return blob

    def settle(self) -> None:
        """See that what was added outlives a power failure; what killed writers left behind is removed.

        All at the end, many at once: then the disk has to be waited for a few times, not once for each blob.
        """
        from concurrent.futures import ThreadPoolExecutor

        paths, self._new = self._new, []
        with ThreadPoolExecutor(max(1, min(_SYNCS, len(paths)))) as pool:
            for _ in pool.map(_sync, paths):
                pass
        sync_folder(self._blobs)
        for path in self._folder.glob(f"*{PARTIAL}"):
            is_abandoned(path, remove=True)

    def _is_there(self, blob: NewBlob) -> bool:
        """Whether a blob is there already, and right."""
        descriptor = Descriptor(*blob)
        if not self.path(blob.digest).is_file():
            return False
        try:
            self.check(descriptor)
        except WpmError:
            return False
        return True

    def read(self, descriptor: Descriptor, most: int) -> bytes:
        """A small blob.

        Args:
            descriptor: Which one.
            most: How many bytes it may have.

        Raises:
            WpmError: It is not there or too large, or not what its digest and size say.
        """
        path = self.path(descriptor.digest)
        if descriptor.size > most:
            raise WpmError(f"{path}: {descriptor.size} bytes are more than the {most} that are read of such a document")
        return b"".join(self.pieces(descriptor))

    def check(self, descriptor: Descriptor) -> Path:
        """Look at all of a blob; gives where it is.

        Raises:
            WpmError: It is not there, or not what its digest and size say.
        """
        for _ in self.pieces(descriptor):
            pass
        return self.path(descriptor.digest)

    def pieces(self, descriptor: Descriptor) -> Iterator[bytes]:
        """A blob's bytes; that they are right is known only when all were given.

        Raises:
            WpmError: It is not there, or not what its digest and size say.
        """
        path = self.path(descriptor.digest)
        digest = hashlib.sha256()
        left = descriptor.size
        try:
            with _opened(path) as file:
                if (size := os.fstat(file.fileno()).st_size) != left:
                    raise NotAsPromised(f"{path}: it has {size} bytes where {left} were promised: get the image again")
                while left and (piece := file.read(min(left, _PIECE))):
                    digest.update(piece)
                    left -= len(piece)
                    yield piece
        except OSError as error:
            raise WpmError(f"{path}: cannot be read: {error.strerror or error}: get the image again") from None
        if (found := f"sha256:{digest.hexdigest()}") != descriptor.digest:
            raise NotAsPromised(f"{path}: its digest is {found}, which is not its name: get the image again")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _opened(path: Path) -> BinaryIO:
    """Open what shall be a file: a pipe is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise WpmError(f"{path}: is no file: get the image again")
    return os.fdopen(descriptor, "rb", buffering=0)
