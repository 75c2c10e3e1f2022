"""Images as OCI image layouts: a blob for each layer, and what engines must know to run them.

The architecture is `wasm`, as that is what the program needs, and the operating system `linux`, as the root filesystem is one
of its kind (paths, modes, links): umoci unpacks no other. Such an image is one manifest, without an index. So containerd
pulls and unpacks it on nodes of every kind, as nothing is there to choose from; its shims (runwasi) find the program in the
layers by the first word of the entrypoint. The annotation `module.wasm.image/variant` with the value `compat` makes crun run
it as WebAssembly; its other value, `compat-smart`, would want an entrypoint that ends in `.wasm`.

Docker wants `wasi/wasm`, which it is told to choose by; who asks for their own machine's platform alone wants that. So other
platforms may be given: one gives a manifest, several an index of manifests that differ in nothing but their configuration's
platform. An index must name the platform of each node, or containerd refuses it, and umoci unpacks no index at all.

Sources: https://github.com/opencontainers/image-spec, https://github.com/containerd/runwasi,
https://github.com/containers/crun/blob/main/docs/wasm-wasi-example.md
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor
from pkgmgr.oci.documents import (
    CONFIG,
    ImageDocument,
    Step,
    image_json,
    index_json,
    layer_media_type,
    manifest_json,
)
from pkgmgr.oci.layout import ImageLayout, check_layout_tag
from pkgmgr.oci.platforms import Platform
from pkgmgr.oci.registry import INDEX, MANIFEST
from pkgmgr.rootfs.compressing import METHODS, Compressors, processors
from pkgmgr.rootfs.mapped_pages import MappedPages
from pkgmgr.rootfs.package_layer import members_of
from pkgmgr.rootfs.tar_stream import tar_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pkgmgr.oci.blobs import Blobs
    from pkgmgr.rootfs.image import RootfsImage
    from pkgmgr.rootfs.layer import Layer

PLATFORM: Final = Platform("linux", "wasm")
"""For what the images are that are written here, where nobody says it."""
MADE_BY: Final = "wpm: "
"""How the history of a layer begins; its title follows."""

_ANNOTATIONS: Final = {"module.wasm.image/variant": "compat"}
_MOST_LAYERS_AT_ONCE: Final = 4


class _WrittenLayer(NamedTuple):
    """A layer's blob, and `sha256:HEX` of its archive before it was compressed."""

    descriptor: Descriptor
    diff_id: str


def write_oci(
    image: RootfsImage,
    folder: Path,
    tag: str | None = None,
    compression: str = "gzip",
    jobs: int | None = None,
    platforms: Sequence[Platform] = (PLATFORM,),
) -> str:
    """Write an image into an image layout, whole or not at all: beside what the layout has already, with which it shares blobs.

    The same image gives the same bytes, whatever the machine.

    Args:
        image: The image.
        folder: The layout: one that is there, an empty folder, or a folder that is made.
        tag: What the image is called in the layout, instead of what was called so; None gives it no name.
        compression: How the layers are compressed: `none`, `gzip` or `zstd`.
        jobs: How many threads compress; None takes one for each processor.
        platforms: For what the image says that it is; of several, each has a manifest of the same layers.

    Returns:
        The digest of the manifest, or of the index of several, `sha256:HEX`.

    Raises:
        WpmError: A layer cannot be read or has names that no layer can have, there is something else in the folder, or there
            is no such compression.
        OSError: The disk failed.
    """
    if compression not in METHODS:
        raise WpmError(f"{compression}: there is no such compression: choose one of {', '.join(METHODS)}")
    if tag is not None:
        check_layout_tag(tag)
    layout = ImageLayout.prepared(folder)
    try:
        return _write_image(image, layout, tag, compression, jobs, platforms)
    except BaseException:
        layout.remove_if_empty()
        raise


def _write_image(
    image: RootfsImage,
    layout: ImageLayout,
    tag: str | None,
    compression: str,
    jobs: int | None,
    platforms: Sequence[Platform],
) -> str:
    layers = _write_layers(image.layers, layout.blobs, compression, jobs)
    manifests = []
    for platform in platforms:
        document = ImageDocument(
            platform,
            image.config,
            image.created,
            tuple(layer.diff_id for layer in layers),
            tuple(Step(MADE_BY + layer.title, image.created) for layer in image.layers),
        )
        config = _add(layout.blobs, image_json(document), CONFIG)
        data = manifest_json(config, [layer.descriptor for layer in layers], _ANNOTATIONS)
        manifests.append(_add(layout.blobs, data, MANIFEST)._replace(platform=str(platform)))
    written = manifests[0] if len(manifests) == 1 else _add(layout.blobs, index_json(manifests), INDEX)
    layout.add(written, tag)
    return written.digest


def _write_layers(layers: tuple[Layer, ...], blobs: Blobs, compression: str, jobs: int | None) -> list[_WrittenLayer]:
    """Write every layer, several at a time; memory is for what is on the way, never for a whole layer."""
    from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

    jobs = jobs or processors()
    at_once = max(1, min(jobs, len(layers), _MOST_LAYERS_AT_ONCE))
    stop = threading.Event()
    with nullcontext() if compression == "none" else Compressors(compression, jobs) as compressors:
        # A layer that has the compressors for itself keeps all of them busy.
        ahead = None if at_once == 1 else 2
        pool = ThreadPoolExecutor(at_once, "wpm-layers")
        try:
            waiting = [
                pool.submit(_write_layer, layer, blobs, compressors, layer_media_type(compression), ahead, stop)
                for layer in layers
            ]
            wait(waiting, return_when=FIRST_EXCEPTION)
            for each in waiting:
                if each.done():
                    each.result()
            return [each.result() for each in waiting]
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _write_layer(
    layer: Layer,
    blobs: Blobs,
    compressors: Compressors | None,
    media_type: str,
    ahead: int | None,
    stop: threading.Event,
) -> _WrittenLayer:
    """Write a layer: archive, hash, compress, hash and write, a few pieces at a time."""
    entries = members_of(layer)
    archive = hashlib.sha256()
    pages = MappedPages(entries)

    def pieces() -> Iterator[bytes | memoryview]:
        for piece in pages.counted(tar_pieces(entries)):
            if stop.is_set():
                raise WpmError(f"{layer.title}: given up, as another layer could not be written")
            if compressors is not None:
                archive.update(piece)
            yield piece

    try:
        blob = blobs.add(pieces() if compressors is None else compressors.compressed(pieces(), ahead))
    except WpmError as error:
        raise WpmError(f"{layer.title}: {error}") from None
    finally:
        # Not before: what is compressed is read a second time.
        pages.release()
    # What is not compressed is the archive itself.
    archive_digest = blob.digest if compressors is None else f"sha256:{archive.hexdigest()}"
    return _WrittenLayer(Descriptor(blob.digest, blob.size, media_type), archive_digest)


def _add(blobs: Blobs, data: bytes, media_type: str) -> Descriptor:
    blob = blobs.add([data])
    return Descriptor(blob.digest, blob.size, media_type)
