"""Images in OCI image layouts, of strangers too: every blob is looked at before anything in it is believed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.oci.documents import CONFIG, DOCKER_CONFIG, LARGEST_CONFIG, Step, layer_compression, parse_image
from pkgmgr.oci.layout import ImageLayout
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.decompressing import decompressed, most_bytes
from pkgmgr.rootfs.entry import Kind
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.tar_index import index_tar
from pkgmgr.rootfs.write_oci import MADE_BY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pkgmgr.oci.blobs import Blobs
    from pkgmgr.oci.descriptors import Descriptor
    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.store import Store
    from pkgmgr.store.layers import UnpackedLayers

_MOST_ENTRIES: Final = 4_000_000
_LONGEST_TITLE: Final = 100


class OciLayer(NamedTuple):
    """A layer of an image in a layout.

    Attributes:
        title: What it is of, as the image's history says it.
        digest: `sha256:HEX` of its blob.
        diff_id: `sha256:HEX` of its archive, before it was compressed.
        names: What it has, ordered by `path_order`; contents are spans of the unpacked archive.
    """

    title: str
    digest: str
    diff_id: str
    names: tuple[Entry, ...]

    def entries(self) -> Iterator[Entry]:
        """Every name in it, as `pkgmgr.rootfs.layer.Layer` wants them."""
        return iter(self.names)


def read_oci(
    folder: Path,
    tag: str | None = None,
    store: Store | None = None,
    platform: str | None = None,
    *,
    native: bool = True,
) -> RootfsImage:
    """Open an image of a layout: its layers are unpacked into the store, unless they are there, and looked through.

    Args:
        folder: The layout.
        tag: What the image is called in it, or `sha256:HEX` of its manifest; None is the only one there is.
        store: Where unpacked layers are kept; None is the user's store.
        platform: Of an image for several platforms the one that is wanted, `OS/ARCHITECTURE`; None takes WebAssembly first.
        native: Whether to take what this machine would run where WebAssembly is not there.

    Raises:
        WpmError: There is no such image, a blob is missing or is not what its digest says, or a layer has what no image may
            have.
    """
    layout = ImageLayout(folder)
    found, manifest = layout.manifest(tag, platform, native=native)
    place = layout.blobs.path(found.digest)
    if manifest.config.media_type not in (CONFIG, DOCKER_CONFIG):
        kind = one_line(manifest.config.media_type, _LONGEST_TITLE)
        raise WpmError(f"{place}: no image that can be run, but an artifact ({kind})")
    methods = [_method(layer, place) for layer in manifest.layers]
    data = layout.blobs.read(manifest.config, LARGEST_CONFIG)
    try:
        document = parse_image(data)
    except WpmError as error:
        raise WpmError(f"{layout.blobs.path(manifest.config.digest)}: {error}") from None
    if len(document.diff_ids) != len(manifest.layers):
        raise WpmError(
            f"{place}: it has {len(manifest.layers)} layers, and its configuration says {len(document.diff_ids)}: get it again"
        )
    archives = _unpacked(layout.blobs, manifest.layers, methods, document.diff_ids, store)
    steps = document.steps or tuple(Step("") for _ in manifest.layers)
    layers = _indexed(layout.blobs, archives, manifest.layers, document.diff_ids, steps)
    return RootfsImage(layers, document.config, document.created)


def _method(layer: Descriptor, place: Path) -> str:
    method = layer_compression(layer.media_type)
    if method is None:
        raise WpmError(
            f"{place}: a layer is {one_line(layer.media_type, _LONGEST_TITLE)!r}, which is no layer of files"
        )
    return method


def _unpacked(
    blobs: Blobs, layers: Sequence[Descriptor], methods: Sequence[str], diff_ids: Sequence[str], store: Store | None
) -> list[Path]:
    """The archives of layers, several at a time: whoever hashes and decompresses lets others run."""
    from concurrent.futures import ThreadPoolExecutor

    from pkgmgr.rootfs.compressing import processors
    from pkgmgr.store import Store
    from pkgmgr.store.layers import UnpackedLayers

    kept = UnpackedLayers(store or Store.default())
    wanted = list(zip(layers, methods, diff_ids, strict=True))
    # The same blob may be there twice.
    keys = [(layer.digest, layer.size, method, diff_id) for layer, method, diff_id in wanted]
    bound = _Bound(sum(layer.size for layer in layers))
    with ThreadPoolExecutor(max(1, min(4, processors(), len(keys))), "wpm-unpack") as pool:
        unique = dict(zip(keys, wanted, strict=True))
        waiting = {key: pool.submit(_unpack, blobs, *job, kept, bound) for key, job in unique.items()}
        try:
            return [waiting[key].result() for key in keys]
        finally:
            pool.shutdown(cancel_futures=True)


class _Bound:
    """How many bytes an image may become: many layers together may be a bomb, too."""

    def __init__(self, packed: int) -> None:
        self._left = most_bytes(packed)
        self._lock = threading.Lock()

    def counted(self, pieces: Iterator[bytes | memoryview], path: Path) -> Iterator[bytes | memoryview]:
        """The same pieces, as long as all that was given stays within the bound."""
        for piece in pieces:
            with self._lock:
                self._left -= len(piece)
                if self._left < 0:
                    raise WpmError(
                        f"{path}: the image becomes larger than its layers let expect: do not trust its source"
                    )
            yield piece


def _unpack(blobs: Blobs, layer: Descriptor, method: str, diff_id: str, kept: UnpackedLayers, bound: _Bound) -> Path:
    """A layer's archive, decompressed, with its blob and itself as their digests say."""
    path = blobs.check(layer)
    if method == "none":
        if diff_id != layer.digest:
            raise WpmError(f"{path}: the configuration says that its digest is {diff_id}: get the image again")
        return path
    try:
        return kept.unpacked(
            layer.digest.removeprefix("sha256:"),
            lambda: bound.counted(decompressed(blobs.pieces(layer), method, path), path),
            diff_id.removeprefix("sha256:"),
        ).path
    except NotAsPromised as error:
        raise NotAsPromised(f"{path}: {error}") from None
    except OSError as error:
        raise WpmError(f"{path}: cannot be unpacked: {error.strerror or error}") from None


def _indexed(
    blobs: Blobs, archives: Sequence[Path], layers: Sequence[Descriptor], diff_ids: Sequence[str], steps: Sequence[Step]
) -> tuple[OciLayer, ...]:
    found: list[OciLayer] = []
    below: list[Mapping[str, Entry]] = []
    count = 0
    for path, layer, diff_id, step in zip(archives, layers, diff_ids, steps, strict=True):

        def lower(name: str) -> Entry | None:
            # Made only where a layer has a hard link to what only lower ones have, which hardly any has.
            below.extend({entry.path: entry for entry in each.names} for each in found[len(below) :])
            return _seen(below, name)

        index = index_tar(path, layer=True, below=lower, name=blobs.path(layer.digest))
        if index.replaces_all:
            found.clear()
            below.clear()
        count += len(index.entries)
        if count > _MOST_ENTRIES:
            raise WpmError(
                f"{blobs.path(layer.digest)}: with this layer the image has more than {_MOST_ENTRIES} names: too many"
            )
        found.append(OciLayer(_title(step, layer), layer.digest, diff_id, index.entries))
    return tuple(found)


def _seen(layers: Sequence[Mapping[str, Entry]], path: str) -> Entry | None:
    """What layers have at a path, the lowest first; a hard link is the file that it is."""
    parents = [path]
    while "/" in parents[-1]:
        parents.append(parents[-1].rpartition("/")[0])
    for names in reversed(layers):
        entry = names.get(path)
        if entry is not None:
            entry = names.get(entry.target) if entry.kind is Kind.HARD_LINK else entry
            return None if entry is None or entry.kind is Kind.WHITEOUT else entry
        if any((over := names.get(each)) is not None and over.kind is not Kind.DIRECTORY for each in parents[1:]):
            return None
    return None


def _title(step: Step, layer: Descriptor) -> str:
    return one_line(step.made_by.removeprefix(MADE_BY), _LONGEST_TITLE) or layer.digest[:19]
