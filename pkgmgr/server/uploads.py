"""What is uploaded before it is published: files that only who got their address can write.

An address is given by a query, with a token. Its last part is random: who knows it may write, until it expires. It takes a
whole file in one PUT, or pieces in the way of Google's resumable uploads, which Wasmer's clients use: POST with
`x-goog-resumable: start` gives the address to write to, then PUT with `Content-Range: bytes FIRST-LAST/TOTAL` appends, and
308 asks for more.

Source: https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from pkgmgr.server.session import refuse

if TYPE_CHECKING:
    from pathlib import Path

PREFIX: Final = "/uploads/"
MOST_SECONDS: Final = 24 * 3600
MOST_OPEN: Final = 32
"""So many uploads of one user may be under way."""

_USUAL_SECONDS: Final = 900
_PIECE: Final = 1 << 20
_STALE_SECONDS: Final = 2 * MOST_SECONDS
_RANGE: Final = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15}|\*)")


class Upload:
    """One address.

    Attributes:
        path: The file.
        username: Who asked for it.
        expires: When nobody can write any more: seconds of the monotonic clock.
        received: How many bytes are there.
        is_whole: Whether that is all.
    """

    def __init__(self, path: Path, username: str, expires: float) -> None:
        self.path = path
        self.username = username
        self.expires = expires
        self.received = 0
        self.is_whole = False
        self.lock = threading.Lock()


class Answer(NamedTuple):
    """What is answered to a PUT: the status, and how many bytes are there."""

    status: int
    received: int
    message: str = ""


class Uploads:
    """The addresses of a server.

    Args:
        folder: Where their files are.
        largest: No file may have more bytes.
    """

    def __init__(self, folder: Path, largest: int) -> None:
        self.largest = largest
        self._folder = folder
        self._open: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def begin(self, username: str, seconds: int | None) -> str:
        """Give a new address: the path of its URL. `seconds` is how long it may be used."""
        seconds = max(1, min(seconds or _USUAL_SECONDS, MOST_SECONDS))
        key = secrets.token_hex(24)
        with self._lock:
            self._expire()
            if sum(each.username == username for each in self._open.values()) >= MOST_OPEN:
                refuse(f"{username} has {MOST_OPEN} uploads open: publish them, or wait until they expire")
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._open[key] = Upload(self._folder / f"{key}.upload", username, time.monotonic() + seconds)
        return PREFIX + key

    def find(self, path: str) -> Upload | None:
        """The upload whose URL has this path; None where there is none, or it has expired."""
        with self._lock:
            self._expire()
            return self._open.get(path.rpartition("/")[2]) if path.startswith(PREFIX) else None

    def write(self, upload: Upload, body: BinaryIO, length: int, content_range: str | None) -> Answer:
        """Take a body, or a piece of one.

        Args:
            upload: Where to.
            body: The bytes.
            length: How many there are.
            content_range: The header `Content-Range`, where there is one.
        """
        with upload.lock:
            if content_range is None:
                return self._write_at(upload, body, 0, length, length)
            if (match := _RANGE.fullmatch(content_range.strip())) is None:
                return Answer(400, upload.received, "Content-Range: expected bytes FIRST-LAST/TOTAL")
            first, last, total = match.groups()
            if first is None:
                return Answer(200 if upload.is_whole else 308, upload.received)
            start, end = int(first), int(last) + 1
            whole = None if total == "*" else int(total)
            if end - start != length or (whole is not None and end > whole):
                return Answer(400, upload.received, "Content-Range: does not say how long the body is")
            if start > upload.received or upload.is_whole:
                return Answer(416 if upload.is_whole else 308, upload.received, "continue where the last piece ended")
            return self._write_at(upload, body, start, length, whole)

    def _write_at(self, upload: Upload, body: BinaryIO, start: int, length: int, whole: int | None) -> Answer:
        if start + length > self.largest or (whole or 0) > self.largest:
            return Answer(413, upload.received, f"a package may have at most {self.largest} bytes here")
        upload.is_whole = False
        with upload.path.open("r+b" if upload.path.exists() else "xb") as file:
            file.seek(start)
            file.truncate()
            left = length
            while left and (piece := body.read(min(left, _PIECE))):
                file.write(piece)
                left -= len(piece)
        upload.received = start + length - left
        upload.is_whole = left == 0 and upload.received == whole
        if left:
            return Answer(400, upload.received, "the body is shorter than its Content-Length")
        return Answer(200 if upload.is_whole else 308, upload.received)

    def take(self, url: str) -> Upload:
        """The upload that a URL names, which must be whole; raises `Denied` where it is not."""
        from urllib.parse import urlsplit

        try:
            path = urlsplit(url).path
        except ValueError:
            path = ""
        if (upload := self.find(path)) is None:
            refuse("no such upload: its address is not of this registry, or has expired")
        if not upload.is_whole:
            refuse(f"the upload is not whole: {upload.received} bytes are there")
        return upload

    def end(self, upload: Upload) -> None:
        """Forget an upload and remove its file."""
        with self._lock:
            self._open = {key: each for key, each in self._open.items() if each is not upload}
        upload.path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the files of all uploads, and what a server left that was killed long ago."""
        with self._lock:
            for upload in self._open.values():
                upload.path.unlink(missing_ok=True)
            self._open.clear()
        for path in self._folder.glob("*.upload"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                    path.unlink()

    def _expire(self) -> None:
        now = time.monotonic()
        for key, upload in list(self._open.items()):
            if upload.expires < now and not upload.lock.locked():
                del self._open[key]
                upload.path.unlink(missing_ok=True)
