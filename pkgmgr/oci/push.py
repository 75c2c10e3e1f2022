"""From an image layout, or a package file, to a registry: blobs first, those that are not there yet; the manifest last.

Sources: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push,
https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, parse_document
from pkgmgr.oci.layout import ImageLayout
from pkgmgr.oci.reference import check_name, check_tag
from pkgmgr.oci.registry import DOCKER_INDEX, INDEX, LARGEST_MANIFEST, MANIFEST_TYPES, Manifest, Repository
from pkgmgr.oci.uploads import Blob, mount, upload

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from pkgmgr.oci.reference import Reference

_MOST_MANIFESTS: Final = 1000
_DEEPEST: Final = 3


class Contents(NamedTuple):
    """What is pushed.

    Attributes:
        blobs: The configurations and layers.
        manifests: The manifests; what one names comes before it, and the last one gets the tags.
    """

    blobs: tuple[Blob, ...]
    manifests: tuple[Manifest, ...]


class PushReport(NamedTuple):
    """What a push did.

    Attributes:
        digest: The digest of what was pushed.
        tags: The tags that it has now.
        sent: How many blobs were sent.
        sent_bytes: And their bytes.
        mounted: How many the registry took from another repository.
        present: How many it had already.
    """

    digest: str
    tags: tuple[str, ...]
    sent: int
    sent_bytes: int
    mounted: int
    present: int


def push(
    contents: Contents,
    reference: Reference,
    *,
    tags: Sequence[str] = (),
    mount_from: Sequence[str] = (),
    jobs: int | None = None,
    repository: Repository | None = None,
) -> PushReport:
    """Push to a registry.

    Args:
        contents: What.
        reference: Where to, with the first tag.
        tags: More tags.
        mount_from: Repositories of the same registry that may have some of the blobs.
        jobs: How many blobs are sent at a time.
        repository: What is asked; None asks the reference's registry.

    Raises:
        Unreachable: The registry cannot be asked.
        WpmError: It does not take it, or a blob is damaged.
    """
    if reference.digest:
        raise WpmError(f"{reference}: a digest cannot be chosen: name a tag to push to")
    all_tags = tuple(dict.fromkeys((reference.tag, *(check_tag(tag) for tag in tags))))
    sources = [check_name(name) for name in mount_from if name != reference.name]
    repository = repository or Repository(reference.host, reference.name, push=True, mount_from=sources)
    tally = _send_blobs(contents.blobs, repository, sources, jobs)
    *children, top = contents.manifests
    for manifest in children:
        repository.put_manifest(manifest.digest, manifest)
    for tag in all_tags:
        repository.put_manifest(tag, top)
    return PushReport(top.digest, all_tags, *tally)


def layout_contents(folder: Path, tag: str | None = None, platform: str | None = None) -> Contents:
    """What an image layout has of one image.

    Args:
        folder: The layout.
        tag: Which image; None where there is but one.
        platform: Of an index, the platform that is wanted; None takes all of it.

    Raises:
        WpmError: It is no layout, has no such image, or is damaged.
    """
    return _LayoutReader(folder).contents(tag, platform)


class _LayoutReader:
    def __init__(self, folder: Path) -> None:
        self._layout = ImageLayout(folder)
        self._blobs: dict[str, Blob] = {}
        self._manifests: dict[str, Manifest] = {}

    def contents(self, tag: str | None, platform: str | None) -> Contents:
        self._manifest(self._layout.find(tag) if platform is None else self._layout.manifest(tag, platform)[0], 0)
        return Contents(tuple(self._blobs.values()), tuple(self._manifests.values()))

    def _manifest(self, descriptor: Descriptor, depth: int) -> None:
        if descriptor.digest in self._manifests:
            return
        if depth > _DEEPEST or len(self._manifests) >= _MOST_MANIFESTS:
            raise WpmError(f"{self._layout.folder}: too many manifests in it, or indexes within indexes")
        data = self._layout.blobs.read(descriptor, LARGEST_MANIFEST)
        try:
            document = parse_document(data)
        except WpmError as error:
            raise WpmError(f"{self._layout.blobs.path(descriptor.digest)}: {error}") from None
        if isinstance(document, ImageManifest):
            for each in (document.config, *document.layers):
                self._blobs.setdefault(each.digest, Blob(each.digest, each.size, self._layout.blobs.path(each.digest)))
        else:
            for each in document:
                self._manifest(each, depth + 1)
        self._manifests[descriptor.digest] = Manifest(data, _media_type(data, descriptor), descriptor.digest)


def _media_type(data: bytes, descriptor: Descriptor) -> str:
    """What a manifest is sent as: what it says itself, else what names it."""
    value: Any = json.loads(data)
    said = value.get("mediaType") or descriptor.media_type
    if said in MANIFEST_TYPES:
        return str(said)
    return INDEX if "manifests" in value or said == DOCKER_INDEX else MANIFEST_TYPES[1]


def _send_blobs(
    blobs: Sequence[Blob], repository: Repository, sources: Sequence[str], jobs: int | None
) -> tuple[int, int, int, int]:
    """Send what the registry does not have: how many were sent, their bytes, how many were mounted, and were there."""
    from pkgmgr.installing.progress import fetch_progress
    from pkgmgr.oci.several import do_several

    lock = threading.Lock()
    sent = sent_bytes = mounted = present = 0
    total = sum(blob.size for blob in blobs)
    with fetch_progress(len(blobs), total, remote=True, noun="blobs", done="sent") as progress:

        def bring(blob: Blob, check: Callable[[], None]) -> None:
            nonlocal sent, sent_bytes, mounted, present
            name = blob.digest.removeprefix("sha256:")[:12]
            show = progress.begin(name, blob.size)
            if repository.blob_size(blob.digest) in (blob.size, -1):
                with lock:
                    present += 1
            elif mount(repository, blob.digest, sources):
                with lock:
                    mounted += 1
            else:
                _check(blob)

                def count(number: int) -> None:
                    check()
                    show(number)

                upload(repository, blob, count)
                with lock:
                    sent, sent_bytes = sent + 1, sent_bytes + blob.size
                progress.end(name, blob.size, downloaded=True)
                return
            show(blob.size)
            progress.end(name, blob.size, downloaded=False)

        do_several(blobs, bring, jobs)
    return sent, sent_bytes, mounted, present


def _check(blob: Blob) -> None:
    """See that a file is what its digest says, before a registry has to say it."""
    import hashlib

    try:
        with blob.path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise WpmError(f"{blob.path}: cannot be read: {error.strerror or error}: get the image again") from None
    if f"sha256:{found}" != blob.digest or size != blob.size:
        raise WpmError(f"{blob.path}: its bytes are not those of its name: get the image again")
