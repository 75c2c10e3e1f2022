"""From a reference to an image layout: the manifest, its configuration and layers, each checked before it has its name.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.blobs import Blobs
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, parse_document
from pkgmgr.oci.layout import INDEX_FILE, ImageLayout
from pkgmgr.oci.marker import is_layout
from pkgmgr.oci.platforms import choose_platform
from pkgmgr.oci.registry import DOCKER_MANIFEST, MANIFEST, Manifest, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.installing.progress import FetchProgress
    from pkgmgr.oci.known import Known
    from pkgmgr.oci.reference import Reference
    from pkgmgr.rootfs.image import RootfsImage
    from pkgmgr.store import Store

_PULLED: Final = "pulled"


class ResolvedImage(NamedTuple):
    """The manifest that a reference means.

    Attributes:
        reference: The reference with the digest of this manifest.
        manifest: Its bytes.
        document: What it names.
        platform: What the index said that it is for; empty where there was no index.
    """

    reference: Reference
    manifest: Manifest
    document: ImageManifest
    platform: str = ""


class PullReport(NamedTuple):
    """What a pull did.

    Attributes:
        image: What was pulled.
        fetched: How many blobs were fetched.
        fetched_bytes: And their bytes.
        reused: How many were there already.
    """

    image: ResolvedImage
    fetched: int
    fetched_bytes: int
    reused: int


def resolve_image(
    repository: Repository, reference: Reference, platform: str | None = None, *, native: bool = True
) -> ResolvedImage:
    """Find the manifest that a reference means.

    Args:
        repository: The repository of the reference.
        reference: What is wanted.
        platform: Of an index, the platform that is wanted; None takes WebAssembly first.
        native: Whether to take what this machine would run where WebAssembly is not there.

    Raises:
        WpmError: There is none, or it is not what its digest says.
    """
    manifest = repository.manifest(reference.target)
    try:
        document = parse_document(manifest.data)
        if isinstance(document, ImageManifest):
            return ResolvedImage(reference.with_digest(manifest.digest), manifest, document)
        chosen = choose_platform(document, platform, native=native)
    except WpmError as error:
        raise WpmError(f"{reference}: {error}") from None
    manifest = repository.manifest(chosen.digest)
    reference = reference.with_digest(chosen.digest)
    try:
        document = parse_document(manifest.data)
    except WpmError as error:
        raise WpmError(f"{reference}: {error}") from None
    if not isinstance(document, ImageManifest):
        raise WpmError(
            f"{reference}: an index in an index, of which it is not clear what is meant: name it by its digest"
        )
    return ResolvedImage(reference, manifest, document, chosen.platform)


def pull(
    reference: Reference,
    target: Path,
    *,
    platform: str | None = None,
    tag: str | None = None,
    known: Sequence[Path] = (),
    force: bool = False,
    jobs: int | None = None,
    repository: Repository | None = None,
) -> PullReport:
    """Pull an image into an image layout, whole or not at all.

    Args:
        reference: What is pulled.
        target: The layout: a folder that is not there yet, or a layout, to which the image is added.
        platform: Of an index, the platform that is wanted.
        tag: What the image is called in the layout; None is the reference's tag.
        known: Other layouts on the same disk, of ours, where blobs may be already.
        force: Whether to replace what is there.
        jobs: How many blobs are fetched at a time.
        repository: What is asked; None asks the reference's registry.

    Raises:
        WpmError: It cannot be had, or is not what it should be; the target is as it was.
        OSError: The disk failed; the target is as it was.
    """
    repository = repository or Repository(reference.host, reference.name)
    image = resolve_image(repository, reference, platform)
    said = image.manifest.media_type
    media_type = said if said in (MANIFEST, DOCKER_MANIFEST) else MANIFEST
    with open_target(target, force=force) as layout:
        report = fetch_blobs(image, layout, repository, known, jobs)
        described = Descriptor(image.manifest.digest, len(image.manifest.data), media_type, image.platform)
        layout.add(described, tag or reference.tag or None)
    return report


@contextmanager
def open_target(target: Path, *, force: bool) -> Iterator[ImageLayout]:
    """The layout into which something is pulled: the one that is there, else one that is there when the block is done.

    Raises:
        WpmError: Something else is there.
        OSError: It cannot be made.
    """
    from pkgmgr.rootfs.output import new_place

    if is_layout(target) and not force:
        yield ImageLayout.prepared(target)
        return
    with new_place(target, directory=True, force=force) as place:
        yield ImageLayout.prepared(place)


def pull_image(
    text: str,
    store: Store,
    *,
    platform: str | None = None,
    offline: bool = False,
    install: InstallOptions | None = None,
) -> RootfsImage:
    """An image of a registry, or a package as an image, opened from the store.

    Args:
        text: `oci://HOST/NAME:TAG` or `oci://HOST/NAME@DIGEST`.
        store: Where what is fetched goes.
        platform: Of an index, the platform that is wanted.
        offline: Whether the network must not be used: what was pulled before is taken then.
        install: How to come by what a package needs; None asks the usual registries.

    Raises:
        WpmError: It cannot be had.
    """
    from pkgmgr.installing.options import InstallOptions
    from pkgmgr.oci.known import Known
    from pkgmgr.oci.reference import parse_reference

    reference = parse_reference(text)
    install = install or InstallOptions(offline=offline)
    with Known(store) as known:
        if offline:
            return _opened_offline(reference, platform, store, install, known)
        repository = Repository(reference.host, reference.name)
        image = resolve_image(repository, reference, platform)
        opened = image_of(image, repository, store, install=install)
        known.note_manifest(reference, platform, image)
    return opened


def _opened_offline(
    reference: Reference, platform: str | None, store: Store, install: InstallOptions, known: Known
) -> RootfsImage:
    """What a reference meant when it was last asked for."""
    exact = known.manifest(reference, platform)
    if exact is not None:
        folder = pulled_folder(store) / exact.digest.removeprefix("sha256:")
        if is_layout(folder):
            from pkgmgr.rootfs.read_oci import read_oci

            return read_oci(folder, None, store)
        if (package := known.package(exact)) is not None:
            from pkgmgr.rootfs.read_webc import read_webc

            return read_webc(package.stored.path, store, install)
    raise WpmError(f"{reference}: not in the store, and --offline forbids to fetch it")


def image_of(
    image: ResolvedImage,
    repository: Repository,
    store: Store,
    *,
    jobs: int | None = None,
    install: InstallOptions | None = None,
) -> RootfsImage:
    """An image, or a package as one, whose manifest is known; arguments and errors are those of `pull_image`."""
    from pkgmgr.oci.artifact import package_of, webc_layer

    if webc_layer(image.document) is not None:
        from pkgmgr.installing.options import InstallOptions
        from pkgmgr.rootfs.read_webc import read_webc

        return read_webc(package_of(image, repository, store).path, store, install or InstallOptions())
    from pkgmgr.rootfs.read_oci import read_oci

    return read_oci(layout_of(image, repository, store, jobs=jobs), None, store)


def layout_of(image: ResolvedImage, repository: Repository, store: Store, *, jobs: int | None = None) -> Path:
    """An image as a layout in the store, which has this image alone: nothing but this may write to it.

    Raises:
        WpmError: It cannot be had.
    """
    import shutil

    root = pulled_folder(store)
    folder = root / image.manifest.digest.removeprefix("sha256:")
    if not _is_complete(folder, image):
        # What `wpm cache prune` left of it, if anything.
        shutil.rmtree(folder, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        known = list(root.glob("*"))
        pull(image.reference, folder, tag="image", known=known, jobs=jobs, repository=repository)
    for path in folder.rglob("*"):
        # `wpm cache prune` removes what nobody used for long.
        with suppress(OSError):
            os.utime(path)
    return folder


def pulled_folder(store: Store) -> Path:
    """The folder below a store that has the layouts of pulled images, by the hashes of their manifests."""
    from pkgmgr.store import LAYERS

    return store.root / LAYERS / _PULLED


def fetch_blobs(
    image: ResolvedImage, layout: ImageLayout, repository: Repository, known: Sequence[Path], jobs: int | None
) -> PullReport:
    """Bring all that an image consists of into a layout.

    Args:
        image: The image.
        layout: The layout.
        repository: What is asked.
        known: Other layouts on the same disk, of ours, from which blobs are linked once their bytes were looked at.
        jobs: How many are fetched at a time.

    Raises:
        WpmError: A blob cannot be had, or is not what it should be.
        OSError: The disk failed.
    """
    from pkgmgr.installing.progress import fetch_progress
    from pkgmgr.oci.several import do_several

    wanted = {each.digest: each for each in (image.document.config, *image.document.layers)}
    missing = [each for each in wanted.values() if not _take(each, layout, known)]
    size = sum(each.size for each in missing)
    _check_room(layout.folder, size, image.reference)
    with fetch_progress(len(missing), size, remote=True, noun="blobs") as progress:

        def bring(descriptor: Descriptor, check: Callable[[], None]) -> None:
            _fetch(descriptor, layout, repository, progress, check)

        do_several(missing, bring, jobs)
    layout.blobs.add([image.manifest.data])
    return PullReport(image, len(missing), size, len(wanted) - len(missing))


def _fetch(
    descriptor: Descriptor,
    layout: ImageLayout,
    repository: Repository,
    progress: FetchProgress,
    check: Callable[[], None],
) -> None:
    from pkgmgr.files.replacing import finish
    from pkgmgr.files.unfinished import unfinished_file
    from pkgmgr.http.partial import Partial

    name = descriptor.digest.removeprefix("sha256:")[:12]
    show = progress.begin(name, descriptor.size)

    def count(number: int) -> None:
        check()
        show(number)

    with unfinished_file(layout.folder) as (file, path):
        repository.fetch_blob(Partial(file, path), descriptor.digest, descriptor.size, count)
        finish(file, 0o644)
        path.replace(layout.blobs.path(descriptor.digest))
    progress.end(name, descriptor.size, downloaded=True)


def _take(descriptor: Descriptor, layout: ImageLayout, known: Sequence[Path]) -> bool:
    """Whether a blob is in a layout, or could be taken from where it is already; its bytes are looked at."""
    with suppress(WpmError):
        layout.blobs.check(descriptor)
        return True
    for folder in known:
        with suppress(WpmError, OSError):
            path = Blobs(folder).check(descriptor)
            layout.blobs.path(descriptor.digest).unlink(missing_ok=True)
            # Both folders are ours, and nobody writes into a blob.
            layout.blobs.path(descriptor.digest).hardlink_to(path)
            return True
    return False


def _is_complete(folder: Path, image: ResolvedImage) -> bool:
    """Whether a layout of ours has all blobs; their bytes were looked at when they came."""
    if not is_layout(folder) or not (folder / INDEX_FILE).is_file():
        return False
    wanted = [(image.manifest.digest, len(image.manifest.data))]
    wanted += [(each.digest, each.size) for each in (image.document.config, *image.document.layers)]
    try:
        return all(Blobs(folder).path(digest).stat().st_size == size for digest, size in wanted)
    except OSError:
        return False


def _check_room(folder: Path, size: int, reference: Reference) -> None:
    """Refuse at once what cannot be kept."""
    import shutil

    free = shutil.disk_usage(folder).free
    if size > free:
        from pkgmgr.cli.output import bytes_for_people

        raise WpmError(
            f"{reference}: it has {bytes_for_people(size)}, and {bytes_for_people(free)} are free at {folder.parent}"
        )
