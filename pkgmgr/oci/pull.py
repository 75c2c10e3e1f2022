"""From a reference to an image layout: the manifest, its configuration and layers, each checked before it has its name.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, choose_platform, parse_document
from pkgmgr.oci.registry import Manifest, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pkgmgr.installing.progress import FetchProgress
    from pkgmgr.oci.reference import Reference
    from pkgmgr.store import Store

LAYOUT_FILE: Final = "oci-layout"
INDEX_FILE: Final = "index.json"
REF_NAME: Final = "org.opencontainers.image.ref.name"

_LAYOUT: Final = {"imageLayoutVersion": "1.0.0"}
_LARGEST_INDEX: Final = 16 << 20
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
        known: Folders `blobs/sha256` where blobs may be already.
        force: Whether to replace what is there.
        jobs: How many blobs are fetched at a time.
        repository: What is asked; None asks the reference's registry.

    Raises:
        WpmError: It cannot be had, or is not what it should be; the target is as it was.
        OSError: The disk failed; the target is as it was.
    """
    from pkgmgr.rootfs.output import new_place

    repository = repository or Repository(reference.host, reference.name)
    image = resolve_image(repository, reference, platform)
    entry = _entry(image, tag if tag is not None else reference.tag)
    if is_layout(target) and not force:
        report = fetch_blobs(image, target, repository, known, jobs)
        _add(target, entry)
        return report
    with new_place(target, directory=True, force=force) as place:
        report = fetch_blobs(image, place, repository, known, jobs)
        _write(place / LAYOUT_FILE, _LAYOUT)
        _write(place / INDEX_FILE, _index([entry]))
        place.chmod(0o755)
    return report


def pulled_layout(reference: Reference, store: Store, *, platform: str | None = None, offline: bool = False) -> Path:
    """An image of a registry as an image layout in the store, which has this image alone: nothing may write to it.

    Args:
        reference: Which image.
        store: The store.
        platform: Of an index, the platform that is wanted.
        offline: Whether the network must not be used: what was pulled before is taken then.

    Raises:
        WpmError: It cannot be had.
    """
    from pkgmgr.http.cache import MetadataCache
    from pkgmgr.store import METADATA

    root = store.root / "layers" / _PULLED
    cache = MetadataCache(store.root / METADATA)
    key = f"oci-image {platform or ''} {reference}"
    try:
        if offline:
            found = cache.get(key)
            folder = root / str(found.value) if found is not None else None
            if folder is None or not is_layout(folder):
                raise WpmError(f"{reference}: not in the store, and --offline forbids to fetch it")
            return folder
        repository = Repository(reference.host, reference.name)
        image = resolve_image(repository, reference, platform)
        name = image.manifest.digest.removeprefix("sha256:")
        if not _is_complete(root / name, image):
            import shutil

            # What `wpm cache prune` left of it, if anything.
            shutil.rmtree(root / name, ignore_errors=True)
            root.mkdir(parents=True, exist_ok=True)
            known = [each / "blobs" / "sha256" for each in root.glob("*")]
            pull(image.reference, root / name, tag="image", known=known, repository=repository)
        cache.put(key, name, None, None)
    finally:
        cache.close()
    for path in (root / name).rglob("*"):
        # `wpm cache prune` removes what nobody used for long.
        with suppress(OSError):
            os.utime(path)
    return root / name


def is_layout(path: Path) -> bool:
    """Whether a path is an image layout: a directory with a file `oci-layout`."""
    return (path / LAYOUT_FILE).is_file()


def fetch_blobs(
    image: ResolvedImage, folder: Path, repository: Repository, known: Sequence[Path], jobs: int | None
) -> PullReport:
    """Bring all that an image consists of into a folder as `blobs/sha256/HEX`.

    Args:
        image: The image.
        folder: The folder: of a layout that is there, or is being made.
        repository: What is asked.
        known: Folders where blobs may be already; they are linked, or copied, once their bytes were looked at.
        jobs: How many are fetched at a time.

    Raises:
        WpmError: A blob cannot be had, or is not what it should be.
        OSError: The disk failed.
    """
    from pkgmgr.files.replacing import replace_file
    from pkgmgr.files.unfinished import PARTIAL, is_abandoned
    from pkgmgr.installing.progress import fetch_progress
    from pkgmgr.oci.several import do_several

    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for path in blobs.parent.glob(f"*{PARTIAL}"):
        is_abandoned(path, remove=True)
    wanted = {each.digest: each for each in (image.document.config, *image.document.layers)}
    missing = [each for each in wanted.values() if not _take(each, blobs, known)]
    size = sum(each.size for each in missing)
    _check_room(folder, size, image.reference)
    with fetch_progress(len(missing), size, remote=True, noun="blobs") as progress:

        def bring(descriptor: Descriptor, check: Callable[[], None]) -> None:
            _fetch(descriptor, blobs, repository, progress, check)

        do_several(missing, bring, jobs)
    replace_file(blobs / _hex(image.manifest.digest), image.manifest.data, 0o644)
    return PullReport(image, len(missing), size, len(wanted) - len(missing))


def _fetch(
    descriptor: Descriptor,
    blobs: Path,
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

    with unfinished_file(blobs.parent) as (file, path):
        repository.fetch_blob(Partial(file, path), descriptor.digest, descriptor.size, count)
        finish(file, 0o644)
        path.rename(blobs / _hex(descriptor.digest))
    progress.end(name, descriptor.size, downloaded=True)


def _take(descriptor: Descriptor, blobs: Path, known: Sequence[Path]) -> bool:
    """Take a blob from where it is already, if its bytes are right."""
    import shutil

    name = _hex(descriptor.digest)
    for folder in (blobs, *known):
        path = folder / name
        with suppress(OSError):
            if path.is_symlink() or path.stat().st_size != descriptor.size or _hashed(path) != name:
                continue
            if folder == blobs:
                return True
            (blobs / name).unlink(missing_ok=True)
            try:
                os.link(path, blobs / name)
            except OSError:
                shutil.copyfile(path, blobs / name)
                if _hashed(blobs / name) != name:
                    (blobs / name).unlink()
                    continue
            return True
    return False


def _hashed(path: Path) -> str:
    import hashlib

    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_complete(folder: Path, image: ResolvedImage) -> bool:
    """Whether a layout of ours has all blobs; their bytes were looked at when they came."""
    if not is_layout(folder) or not (folder / INDEX_FILE).is_file():
        return False
    blobs = folder / "blobs" / "sha256"
    wanted = [(image.manifest.digest, len(image.manifest.data))]
    wanted += [(each.digest, each.size) for each in (image.document.config, *image.document.layers)]
    try:
        return all((blobs / _hex(digest)).stat().st_size == size for digest, size in wanted)
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


def _entry(image: ResolvedImage, tag: str) -> dict[str, Any]:
    """What `index.json` says of an image."""
    from pkgmgr.oci.registry import DOCKER_MANIFEST, MANIFEST

    said = image.manifest.media_type
    entry: dict[str, Any] = {
        "mediaType": said if said in (MANIFEST, DOCKER_MANIFEST) else MANIFEST,
        "digest": image.manifest.digest,
        "size": len(image.manifest.data),
    }
    if image.platform:
        system, _, rest = image.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        entry["platform"] = {"architecture": architecture, "os": system, **({"variant": variant} if variant else {})}
    if tag:
        entry["annotations"] = {REF_NAME: tag}
    return entry


def _index(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    from pkgmgr.oci.registry import INDEX

    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries)}


def _write(path: Path, value: object) -> None:
    from pkgmgr.files.replacing import replace_file

    replace_file(path, _json(value), 0o644)


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _add(target: Path, entry: dict[str, Any]) -> None:
    """Add an image whose blobs are there to a layout."""
    from pkgmgr.files.holding import held_folder
    from pkgmgr.files.reading import read_small_file

    with held_folder(target):
        path = target / INDEX_FILE
        try:
            index = json.loads(read_small_file(path, _LARGEST_INDEX))
            manifests = index["manifests"]
            others = [each for each in manifests if not _is_same(each, entry)]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            raise WpmError(f"{path}: not the index of an image layout: choose another place") from None
        _write(path, {**index, "manifests": [*others, entry]})


def _is_same(known: Any, entry: Mapping[str, Any]) -> bool:
    """Whether an entry of an index is replaced by another: it has the same tag, or is the same image without one."""
    tag = entry.get("annotations", {}).get(REF_NAME)
    annotations = known.get("annotations") or {}
    if (other := annotations.get(REF_NAME)) is not None:
        return bool(other == tag)
    return bool(known.get("digest") == entry["digest"])


def _hex(digest: str) -> str:
    return digest.removeprefix("sha256:")
