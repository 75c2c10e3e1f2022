"""The images of a directory registry, below its folder `oci`.

    oci/blobs/sha256/HEX                       configurations, layers and manifests, of all repositories together
    oci/repositories/NAME/_blobs/HEX           an empty file: the repository has this blob
    oci/repositories/NAME/_manifests/HEX       the media type of a manifest that the repository has
    oci/repositories/NAME/_tags/TAG            the digest that a tag means

No part of a repository's name begins with an underscore, so that these folders are none. Every file is written beside its
place and renamed: what is there is whole, among any number of writers.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.files.replacing import finish, replace_file
from pkgmgr.oci.reference import check_digest, check_name, check_tag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

FOLDER: Final = "oci"
MOST_TAGS: Final = 100_000
_LONGEST_NOTE: Final = 1000


class StoredManifest(NamedTuple):
    """A manifest that is there: its digest, its media type, and its file."""

    digest: str
    media_type: str
    path: Path


class Repositories:
    """The repositories of a registry.

    Args:
        root: The registry's directory.
    """

    def __init__(self, root: Path) -> None:
        self._blobs = root / FOLDER / "blobs" / "sha256"
        self._repositories = root / FOLDER / "repositories"

    def has(self, name: str) -> bool:
        """Whether there is anything in a repository."""
        return (self._of(name) / "_manifests").is_dir()

    def blob(self, name: str, digest: str) -> Path | None:
        """The file of a blob that a repository has; None where it has none of this digest."""
        path = self._blobs / _hex(digest)
        return path if (self._of(name) / "_blobs" / _hex(digest)).is_file() and path.is_file() else None

    def mount(self, name: str, digest: str, source: str) -> bool:
        """Give a repository a blob that another has; gives whether that has it."""
        if self.blob(source, digest) is None:
            return False
        self._note(self._of(name) / "_blobs" / _hex(digest), b"")
        return True

    def add_blob(self, name: str, digest: str, file: BinaryIO, path: Path) -> None:
        """Take a file as a blob.

        Args:
            name: The repository.
            digest: The blob's digest, which the caller has seen to be right.
            file: The file, open for writing; it is synced.
            path: Where it is, on the same disk; it is renamed.
        """
        self._blobs.mkdir(parents=True, exist_ok=True)
        finish(file, 0o644)
        path.replace(self._blobs / _hex(digest))
        self._note(self._of(name) / "_blobs" / _hex(digest), b"")

    def manifest(self, name: str, target: str) -> StoredManifest | None:
        """A manifest by its tag or digest; None where there is none."""
        digest = target
        if ":" not in target:
            digest = self._read(self._of(name) / "_tags" / check_tag(target)) or ""
        if not digest:
            return None
        media_type = self._read(self._of(name) / "_manifests" / _hex(digest))
        path = self._blobs / _hex(digest)
        return StoredManifest(digest, media_type, path) if media_type and path.is_file() else None

    def put_manifest(self, name: str, digest: str, media_type: str, data: bytes, tag: str | None) -> None:
        """Keep a manifest all of whose blobs are there, and give it a tag."""
        self._blobs.mkdir(parents=True, exist_ok=True)
        replace_file(self._blobs / _hex(digest), data, 0o644)
        self._note(self._of(name) / "_manifests" / _hex(digest), media_type.encode())
        if tag is not None:
            self._note(self._of(name) / "_tags" / check_tag(tag), digest.encode())

    def tags(self, name: str) -> Iterator[str]:
        """The tags of a repository, in order."""
        try:
            with os.scandir(self._of(name) / "_tags") as entries:
                names = [entry.name for entry, _ in zip(entries, range(MOST_TAGS), strict=False)]
        except OSError:
            return
        yield from sorted(each for each in names if not each.startswith("."))

    def _of(self, name: str) -> Path:
        return self._repositories / check_name(name)

    def _note(self, path: Path, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, data, 0o644)

    def _read(self, path: Path) -> str:
        with suppress(OSError, ValueError), path.open("rb") as file:
            return file.read(_LONGEST_NOTE).decode()
        return ""


def _hex(digest: str) -> str:
    return check_digest(digest).removeprefix("sha256:")
