"""Blobs that are being uploaded: one file each, until somebody says its digest."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final

from pkgmgr.server.images.refusals import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from pkgmgr.server.images.repositories import Repositories

MOST_OPEN: Final = 64
"""So many uploads of one user may be under way."""

_SECONDS: Final = 3600.0
_STALE_SECONDS: Final = 2 * _SECONDS
_PIECE: Final = 1 << 20
_SUFFIX: Final = ".blob"


class BlobUpload:
    """One upload.

    Attributes:
        key: What it is called.
        name: The repository.
        username: Who began it.
        path: The file.
        size: How many bytes are there.
        touched: When something was last done with it: seconds of the monotonic clock.
        lock: Held by who writes.
    """

    def __init__(self, key: str, name: str, username: str, path: Path) -> None:
        self.key = key
        self.name = name
        self.username = username
        self.path = path
        self.size = 0
        self.digest = hashlib.sha256()
        self.touched = time.monotonic()
        self.lock = threading.Lock()

    def append(self, body: BinaryIO, length: int, most: int) -> None:
        """Add a request's body.

        Raises:
            Refusal: It is too long, or shorter than was said: then nothing of it stays.
        """
        if self.size + length > most:
            raise Refusal(413, "SIZE_INVALID", f"a blob may have at most {most} bytes here")
        digest = self.digest.copy()
        with self.path.open("r+b" if self.path.exists() else "xb") as file:
            file.seek(self.size)
            file.truncate()
            left = length
            while left and (piece := body.read(min(left, _PIECE))):
                file.write(piece)
                digest.update(piece)
                left -= len(piece)
        if left:
            raise Refusal(400, "SIZE_INVALID", "the body is shorter than its Content-Length")
        self.size += length
        self.digest = digest


class BlobUploads:
    """The uploads of a server.

    Args:
        folder: Where their files are, on the disk of the blobs.
        largest: No blob may have more bytes.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.largest = largest
        self._folder = folder
        self._open: dict[str, BlobUpload] = {}
        self._lock = threading.Lock()

    def begin(self, name: str, username: str) -> BlobUpload:
        """Begin an upload to a repository; raises `Refusal` where somebody has too many."""
        key = secrets.token_hex(24)
        with self._lock:
            self._expire()
            if sum(each.username == username for each in self._open.values()) >= MOST_OPEN:
                raise Refusal(429, "TOOMANYREQUESTS", f"{username} has {MOST_OPEN} uploads open: finish them")
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            upload = self._open[key] = BlobUpload(key, name, username, self._folder / f"{key}{_SUFFIX}")
        return upload

    def find(self, name: str, key: str, username: str) -> BlobUpload:
        """An upload of somebody's to a repository; raises `Refusal` where there is none."""
        with self._lock:
            self._expire()
            upload = self._open.get(key)
            if upload is None or upload.name != name or upload.username != username:
                raise Refusal(404, "BLOB_UPLOAD_UNKNOWN", "no such upload: it was finished or given up, or never was")
            upload.touched = time.monotonic()
            return upload

    def settle(self, upload: BlobUpload, digest: str, repositories: Repositories) -> None:
        """Make an upload a blob; raises `Refusal` where its bytes are not those of the digest, and forgets it."""
        try:
            if f"sha256:{upload.digest.hexdigest()}" != digest:
                raise Refusal(400, "DIGEST_INVALID", f"the bytes have the digest sha256:{upload.digest.hexdigest()}")
            with upload.path.open("ab") as file:
                repositories.add_blob(upload.name, digest, file, upload.path)
        finally:
            self.end(upload)

    def end(self, upload: BlobUpload) -> None:
        """Forget an upload and remove its file."""
        with self._lock:
            self._open.pop(upload.key, None)
        upload.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove what a server left that was killed."""
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()

    def _expire(self) -> None:
        now = time.monotonic()
        for key, upload in list(self._open.items()):
            if now - upload.touched > _SECONDS and not upload.lock.locked():
                del self._open[key]
                upload.path.unlink(missing_ok=True)
