"""Sending a blob to a registry: mounted from another repository, in one request, or in pieces that go on where they broke.

Source: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-blobs
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import NotAsPromised, Refused, WpmError
from pkgmgr.http.retry import TryAgain
from pkgmgr.oci.registry import with_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import requests

    from pkgmgr.oci.registry import Repository

_PIECE: Final = 16 << 20
_LARGEST_PIECE: Final = 1 << 30
_BYTES: Final = {"Content-Type": "application/octet-stream"}
_NO_WHOLE: Final = frozenset({400, 404, 405, 411, 413, 415, 501})
"""Replies to a blob in one request after which pieces may still be taken: proxies that limit bodies say 413."""
_RANGE: Final = re.compile(r"(?:bytes=)?0-([0-9]{1,18})")


class Blob(NamedTuple):
    """A blob to send.

    Attributes:
        digest: `sha256:HEX`.
        size: Its size in bytes.
        path: The file that has it.
    """

    digest: str
    size: int
    path: Path


def mount(repository: Repository, digest: str, names: Sequence[str]) -> bool:
    """Have a registry take a blob from another of its repositories; gives whether it did.

    Args:
        repository: Where to.
        digest: Which blob.
        names: The repositories that may have it.
    """
    for name in names:
        url = with_query(f"{repository.url}/v2/{repository.name}/blobs/uploads/", mount=digest, **{"from": name})

        def attempt(url: str = url) -> bool:
            with repository.send("POST", url, {"Content-Length": "0"}) as reply:
                if reply.status_code == 201:
                    return True
                # An upload was begun instead, which nobody is going to finish.
                with suppress(WpmError, TryAgain):
                    repository.send("DELETE", repository.location(reply), {}).close()
                return False

        with suppress(Refused):
            if repository.told(f"oci://{repository.host}/{repository.name}@{digest}", attempt):
                return True
    return False


def upload(repository: Repository, blob: Blob, progress: Callable[[int], object]) -> None:
    """Send a blob.

    Args:
        repository: Where to.
        blob: The blob.
        progress: Called with the number of bytes after each piece; a negative number takes back what must be sent again.

    Raises:
        Unreachable: The registry cannot be asked.
        WpmError: It does not take the blob.
        OSError: The file cannot be read.
    """
    _Sending(repository, blob, progress).run()


class _Sending:
    """The tries that it takes to send one blob."""

    def __init__(self, repository: Repository, blob: Blob, progress: Callable[[int], object]) -> None:
        self._repository = repository
        self._blob = blob
        self._progress = progress
        self._label = f"oci://{repository.host}/{repository.name}@{blob.digest}"
        self._broken = False
        self._location = ""
        self._sent = 0
        self._piece = _PIECE
        self._furthest = 0

    def run(self) -> None:
        repository, blob = self._repository, self._blob
        if not self._whole():
            repository.told(self._label, self._in_pieces, progressed=self._progressed)
        # Registries that store elsewhere may find out late: what is named by the manifest must be there.
        if repository.blob_size(blob.digest) not in (blob.size, -1):
            raise WpmError(f"{self._label}: the registry took the blob, but does not have it now: try again")

    def _whole(self) -> bool:
        """Send it in one request; gives whether the registry has it then."""
        broken = False

        def attempt() -> bool:
            nonlocal broken
            if broken:
                # It may have arrived all the same; else it goes on in pieces, which can be taken up again.
                return self._repository.blob_size(self._blob.digest) == self._blob.size
            location = self._begin()
            broken = True
            try:
                self._put(with_query(location, digest=self._blob.digest), 0, self._blob.size)
            except Refused as error:
                if error.status in _NO_WHOLE and self._blob.size:
                    return False
                raise
            return True

        return self._repository.told(self._label, attempt)

    def _in_pieces(self) -> None:
        if self._location:
            self._take_up()
        if not self._location:
            self._count(-self._sent)
            self._sent = 0
            self._location = self._begin()
        while (left := self._blob.size - self._sent) > 0:
            size = min(left, self._piece)
            headers = {**_BYTES, "Content-Range": f"{self._sent}-{self._sent + size - 1}"}
            with self._patch(headers, size) as reply:
                self._location = self._repository.location(reply)
            self._sent += size
        try:
            self._close(self._repository.send("PUT", with_query(self._location, digest=self._blob.digest), {}))
        except Refused as error:
            if error.status == 404 and self._repository.blob_size(self._blob.digest) == self._blob.size:
                # The reply of an earlier try was lost, and with it the upload.
                return
            raise

    def _patch(self, headers: dict[str, str], size: int) -> requests.Response:
        """Send one piece; where that fails, what was counted of it is taken back."""
        from pkgmgr.http.upload import Upload

        counted = 0

        def count(number: int) -> None:
            nonlocal counted
            counted += number
            self._count(number)

        with Upload(self._blob.path, count, self._sent, size) as body:
            try:
                return self._repository.send("PATCH", self._location, headers, body.start)
            except BaseException:
                self._count(-counted)
                raise

    def _take_up(self) -> None:
        """Ask how far an upload has come that broke."""
        try:
            with self._repository.send("GET", self._location, {}) as reply:
                found = _RANGE.fullmatch(reply.headers.get("Range", "").strip())
                location = self._repository.location(reply) if reply.headers.get("Location") else self._location
        except Refused:
            self._location = ""
            return
        # "0-0" is said of one byte, and of none.
        sent = int(found[1]) + 1 if found else 0
        sent = 0 if sent == 1 else sent
        if sent > self._blob.size:
            self._location = ""
            return
        self._count(sent - self._sent)
        self._sent, self._location = sent, location

    def _progressed(self) -> bool:
        """Whether more has arrived than ever before: such a try failed, but was not in vain."""
        if self._sent <= self._furthest:
            return False
        self._furthest = self._sent
        return True

    def _begin(self) -> str:
        """Begin an upload; gives where to send the bytes."""
        repository = self._repository
        url = f"{repository.url}/v2/{repository.name}/blobs/uploads/"
        with repository.send("POST", url, {"Content-Length": "0"}) as reply:
            text = reply.headers.get("OCI-Chunk-Min-Length", "")
            if text.isascii() and text.isdigit() and len(text) < 12:
                self._piece = min(max(_PIECE, int(text)), _LARGEST_PIECE)
            return repository.location(reply)

    def _put(self, url: str, offset: int, size: int) -> None:
        from pkgmgr.http.upload import Upload

        if not size:
            return self._close(self._repository.send("PUT", url, {**_BYTES, "Content-Length": "0"}))
        counted = 0

        def count(number: int) -> None:
            nonlocal counted
            counted += number
            self._count(number)

        with Upload(self._blob.path, count, offset, size) as body:
            try:
                return self._close(self._repository.send("PUT", url, _BYTES, body.start))
            except BaseException:
                self._count(-counted)
                raise

    def _close(self, reply: requests.Response) -> None:
        reply.close()
        said = reply.headers.get("Docker-Content-Digest", "")
        if said.startswith("sha256:") and said != self._blob.digest:
            raise NotAsPromised(f"the registry calls it {said[:80]}")

    def _count(self, number: int) -> None:
        if number:
            self._progress(number)
