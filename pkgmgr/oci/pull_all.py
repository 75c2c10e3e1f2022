"""From a reference to an image layout, with the images of every platform: what the registry has, as it is.

Source: https://github.com/opencontainers/image-spec/blob/main/image-index.md
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, parse_document
from pkgmgr.oci.pull import fetch_blobs, open_target, pull, resolve_image
from pkgmgr.oci.registry import INDEX, Repository

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pkgmgr.oci.reference import Reference

ALL: Final = "all"
"""What stands for every platform, where one may be named."""
_MOST_IMAGES: Final = 1000


class PulledAll(NamedTuple):
    """What a pull of every platform did.

    Attributes:
        digest: The digest of the index, or of the manifest where there is but one image.
        fetched: How many blobs were fetched.
        fetched_bytes: And their bytes.
        reused: How many were there already, of another of the images too.
    """

    digest: str
    fetched: int
    fetched_bytes: int
    reused: int


def pull_all(
    reference: Reference,
    target: Path,
    *,
    tag: str | None = None,
    known: Sequence[Path] = (),
    force: bool = False,
    jobs: int | None = None,
    repository: Repository | None = None,
) -> PulledAll:
    """Pull an image for all its platforms into an image layout, whole or not at all; arguments and errors are those of `pull`.

    The digest in the layout is that in the registry.
    """
    repository = repository or Repository(reference.host, reference.name)
    top = repository.manifest(reference.target)
    try:
        document = parse_document(top.data)
    except WpmError as error:
        raise WpmError(f"{reference}: {error}") from None
    exact = reference.with_digest(top.digest)
    tag = tag or reference.tag or None
    if isinstance(document, ImageManifest):
        report = pull(exact, target, tag=tag, known=known, force=force, jobs=jobs, repository=repository)
        return PulledAll(top.digest, report.fetched, report.fetched_bytes, report.reused)
    if len(document) > _MOST_IMAGES:
        raise WpmError(f"{reference}: an index of {len(document)} images, more than {_MOST_IMAGES}")
    images = [resolve_image(repository, reference.with_digest(each.digest)) for each in document]
    for described, image in zip(document, images, strict=True):
        if image.manifest.digest != described.digest:
            raise WpmError(
                f"{reference}: there is an index in the index: pull that one by its digest, {described.digest}"
            )
    with open_target(target, force=force) as layout:
        reports = [fetch_blobs(image, layout, repository, known, jobs) for image in images]
        layout.blobs.add([top.data])
        layout.add(Descriptor(top.digest, len(top.data), top.media_type or INDEX), tag)
    fetched, size, reused = (sum(column) for column in zip(*(report[1:] for report in reports), strict=True))
    return PulledAll(top.digest, fetched, size, reused)
