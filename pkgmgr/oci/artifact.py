"""WebAssembly packages in OCI registries: a package file as an artifact, and any image as a package.

An artifact has one layer, which is the WEBC byte for byte (`application/vnd.wasmer.webc`), and an empty configuration. Of
anything else the root filesystem is written as a WEBC, always the same for the same manifest.

Source: https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.oci.reference import Reference, parse_reference
from pkgmgr.oci.registry import MANIFEST, Manifest, Repository, digest_of
from pkgmgr.store import LAYERS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pkgmgr.oci.descriptors import Descriptor, ImageManifest
    from pkgmgr.oci.pull import ResolvedImage
    from pkgmgr.oci.push import Contents
    from pkgmgr.store import Store, StoredObject

WEBC: Final = "application/vnd.wasmer.webc"
EMPTY: Final = "application/vnd.oci.empty.v1+json"

CONVERTED: Final = f"{LAYERS}/converted"
"""The folder below a store where images become packages."""

_WEBC_TYPES: Final = (WEBC, f"{WEBC}.v1", "application/webc")
_EMPTY_JSON: Final = b"{}"
_ANNOTATION: Final = "org.opencontainers.image."
_SUFFIX: Final = ".webc"


class OciPackage(NamedTuple):
    """A package of a registry, in the store.

    Attributes:
        reference: The manifest that it is of, by its digest.
        stored: The package.
    """

    reference: Reference
    stored: StoredObject


def webc_layer(document: ImageManifest) -> Descriptor | None:
    """The layer that is a package file; None where the manifest is of something else."""
    if len(document.layers) == 1 and document.layers[0].media_type in _WEBC_TYPES:
        return document.layers[0]
    return None


def artifact_contents(path: Path, folder: Path) -> Contents:
    """A package file as an artifact, always the same for the same file.

    Args:
        path: The `.webc`.
        folder: Where what goes with it is written; it must last until it was pushed.

    Raises:
        WpmError: It is no package.
    """
    from pkgmgr.oci.push import Contents
    from pkgmgr.oci.uploads import Blob
    from webc_parser import Container, WebcError

    try:
        with Container.open(path) as container:
            container.verify()
            info = container.manifest.package
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except WebcError as error:
        raise WpmError(f"{path}: {error}") from None
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    empty = folder / "empty.json"
    empty.write_bytes(_EMPTY_JSON)
    texts = {
        "title": info.name,
        "version": info.version,
        "description": info.description,
        "licenses": info.license,
        "url": info.homepage,
        "source": info.repository,
    }
    title = "-".join(part.replace("/", "-") for part in (info.name, info.version) if part) or "package"
    config = {"mediaType": EMPTY, "digest": digest_of(_EMPTY_JSON), "size": len(_EMPTY_JSON), "data": "e30="}
    layer = {
        "mediaType": WEBC,
        "digest": f"sha256:{sha256}",
        "size": size,
        "annotations": {f"{_ANNOTATION}title": title + _SUFFIX},
    }
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": WEBC,
        "config": config,
        "layers": [layer],
        "annotations": {f"{_ANNOTATION}{key}": text for key, text in texts.items() if text},
    }
    data = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    blobs = (Blob(f"sha256:{sha256}", size, path), Blob(digest_of(_EMPTY_JSON), len(_EMPTY_JSON), empty))
    return Contents(blobs, (Manifest(data, MANIFEST, digest_of(data)),))


def fetch_package(reference: Reference, store: Store) -> OciPackage:
    """Bring the package that a reference means into the store, showing how that goes.

    Raises:
        Unreachable: The registry cannot be asked.
        WpmError: It cannot be had, or is no package.
    """
    from pkgmgr.oci.pull import resolve_image

    repository = Repository(reference.host, reference.name)
    image = resolve_image(repository, reference, native=False)
    return OciPackage(image.reference, package_of(image, repository, store, str(reference)))


def package_of(image: ResolvedImage, repository: Repository, store: Store, name: str | None = None) -> StoredObject:
    """Bring a package into the store whose manifest is known, showing how that goes; errors are those of `fetch_package`.

    Args:
        image: The manifest.
        repository: What is asked.
        store: Where it goes.
        name: What it is called while it is fetched.
    """
    from pkgmgr.installing.progress import fetch_progress

    if (layer := webc_layer(image.document)) is None:
        return _converted(image, repository, store)
    name = name or str(image.reference)
    with fetch_progress(1, layer.size, remote=True) as progress:
        brought = 0
        show = progress.begin(name, layer.size)

        def count(number: int) -> None:
            nonlocal brought
            brought += number
            show(number)

        stored = _layer_into_store(image, layer, repository, store, count, lambda: progress.waiting(name))
        progress.end(name, stored.size, downloaded=brought > 0)
    return stored


def bring_locked(
    source: str,
    store: Store,
    sha256: str | None,
    size: int | None,
    count: Callable[[int], object] | None,
    waiting: Callable[[], object] | None,
) -> StoredObject:
    """Bring a package into the store that a lock names.

    Args:
        source: `oci://HOST/NAME@sha256:MANIFEST`.
        store: Where it goes.
        sha256: The hash that the package must have.
        size: Its size in bytes.
        count: As for `pkgmgr.http.download.download`.
        waiting: Likewise.

    Raises:
        NotAsPromised: What the manifest gives is another package.
        WpmError: It cannot be had.
    """
    from pkgmgr.oci.pull import resolve_image

    reference = parse_reference(source)
    repository = Repository(reference.host, reference.name)
    image = resolve_image(repository, reference, native=False)
    if (layer := webc_layer(image.document)) is not None:
        if sha256 not in (None, layer.digest.removeprefix("sha256:")) or size not in (None, layer.size):
            raise NotAsPromised(f"{reference}: its package is {layer.digest} where sha256:{sha256} was promised")
        return _layer_into_store(image, layer, repository, store, count, waiting)
    stored = _converted(image, repository, store)
    if sha256 not in (None, stored.sha256):
        raise NotAsPromised(f"{reference}: as a package its sha256 is {stored.sha256} where {sha256} was promised")
    return stored


def _layer_into_store(
    image: ResolvedImage,
    layer: Descriptor,
    repository: Repository,
    store: Store,
    count: Callable[[int], object] | None,
    waiting: Callable[[], object] | None,
) -> StoredObject:
    from pkgmgr.http.download import download

    sha256 = layer.digest.removeprefix("sha256:")
    if store.use(sha256, layer.size):
        return store.object(sha256)
    stored = download(repository.blob_url(layer.digest), store, sha256, layer.size, count, repository, waiting)
    _check_package(stored, image.reference)
    return stored


def _check_package(stored: StoredObject, reference: Reference) -> None:
    """What is no package has no business in the store."""
    from webc_parser import Container, WebcError

    try:
        with Container.open(stored.path) as container:
            _ = container.manifest
    except WebcError as error:
        stored.path.unlink(missing_ok=True)
        raise WpmError(f"{reference}: what is there is no package: {error}") from None


def _converted(image: ResolvedImage, repository: Repository, store: Store) -> StoredObject:
    """An image as a package: always the same bytes for the same manifest."""
    import tempfile
    from pathlib import Path

    from pkgmgr.files.folders import make_folder
    from pkgmgr.oci.pull import layout_of
    from pkgmgr.rootfs.read_oci import read_oci
    from pkgmgr.rootfs.write_webc import write_webc

    temporary = store.root / CONVERTED
    make_folder(temporary)
    with tempfile.TemporaryDirectory(dir=temporary) as folder:
        path = Path(folder, "image.webc")
        try:
            write_webc(read_oci(layout_of(image, repository, store), None, store), path)
            return store.add_file(path)
        except WpmError as error:
            raise type(error)(f"{image.reference}: it cannot be made a package: {error}") from None
