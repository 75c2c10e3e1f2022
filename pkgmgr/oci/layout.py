"""Image layouts: folders with images that share their blobs, and an index that says which images there are.

    FOLDER/oci-layout          the version of the format
    FOLDER/index.json          the images, with their tags
    FOLDER/blobs/sha256/HEX    manifests, configurations, layers

An image is there from the moment in which the index is replaced, its blobs being there already: whole or not at all, whoever
else writes at the same time. Writers take turns by a lock on `blobs`: the folder itself may be held by whoever makes it.

Source: https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from pkgmgr.errors import WpmError
from pkgmgr.files.folders import sync_folder
from pkgmgr.files.holding import held_folder
from pkgmgr.files.reading import read_small_file
from pkgmgr.files.unfinished import PARTIAL, replace_from
from pkgmgr.oci.blobs import BLOBS, Blobs
from pkgmgr.oci.descriptors import Descriptor, ImageManifest, parse_descriptor, parse_document
from pkgmgr.oci.documents import canonical_json, descriptor_value, index_json
from pkgmgr.oci.marker import LAYOUT_FILE, is_layout
from pkgmgr.oci.platforms import choose_platform
from pkgmgr.oci.registry import LARGEST_MANIFEST, MANIFEST_TYPES
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from pathlib import Path

INDEX_FILE: Final = "index.json"
REF_NAME: Final = "org.opencontainers.image.ref.name"
"""The annotation that is an image's tag in a layout."""

_VERSION: Final = "1.0.0"
_LARGEST_LAYOUT: Final = 1 << 16
_LARGEST_INDEX: Final = 16 << 20
_MOST_IMAGES: Final = 100_000
_DEEPEST: Final = 4
# As annotations.md of the image specification has it, or as tags of registries are.
_TAG: Final = re.compile(r"[A-Za-z0-9]+(?:(?:[-._:@/+]|--)[A-Za-z0-9]+)*|[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_LONGEST_TAG: Final = 255
_SHA256: Final = "sha256:"
_LOCKED: Final = BLOBS.parts[0]


class ImageLayout:
    """An image layout that is there. Any number of processes may read it and write to it.

    Args:
        folder: Its folder.

    Attributes:
        folder: Its folder.
        blobs: Its blobs.

    Raises:
        WpmError: It is none, or of a version that this wpm does not know.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = Blobs(folder)
        path = folder / LAYOUT_FILE
        value = _read(path, _LARGEST_LAYOUT, "no OCI image layout")
        version = value.get("imageLayoutVersion")
        if not isinstance(version, str) or version.partition(".")[0] != "1":
            raise WpmError(
                f"{path}: an image layout of version {one_line(str(version), 50)}, where {_VERSION} is known"
            )

    @classmethod
    def prepared(cls, folder: Path) -> ImageLayout:
        """A layout to write to: the one that is there, else one that is made of an empty folder or of none.

        Raises:
            WpmError: Something else is there.
            OSError: It cannot be made.
        """
        folder.mkdir(mode=0o755, exist_ok=True)
        if not is_layout(folder) and any(not _is_of_beginning(path) for path in folder.iterdir()):
            raise WpmError(f"{folder}: is there already, and no OCI image layout: choose another place")
        (folder / BLOBS).mkdir(mode=0o755, parents=True, exist_ok=True)
        with held_folder(folder / _LOCKED):
            if not is_layout(folder):
                for each in (folder, folder / _LOCKED, folder / BLOBS):
                    each.chmod(0o755)
                replace_from(folder, folder / INDEX_FILE, index_json([]))
                # The mark comes last: what has it is whole.
                replace_from(folder, folder / LAYOUT_FILE, canonical_json({"imageLayoutVersion": _VERSION}))
                sync_folder(folder)
        return cls(folder)

    def remove_if_empty(self) -> None:
        """Remove a layout in which there is no image, nor anybody who writes one: what a writer who failed would leave."""
        with suppress(OSError, WpmError), held_folder(self.folder / _LOCKED):
            if not self.images() and not any(path.suffix == PARTIAL for path in self.folder.iterdir()):
                shutil.rmtree(self.folder)

    def images(self) -> tuple[Descriptor, ...]:
        """What the index names, in its order; a tag is in the annotation `REF_NAME`.

        Raises:
            WpmError: It is no index.
        """
        return tuple(descriptor for descriptor, _ in self._entries()[1])

    def add(self, descriptor: Descriptor, tag: str | None = None) -> None:
        """Name an image whose blobs are all there.

        Args:
            descriptor: Its manifest, or an index.
            tag: What it is called from now on, instead of what was called so; None gives it no name.

        Raises:
            WpmError: The tag is none, or what is there is no layout.
            OSError: The disk failed; then the index is as it was.
        """
        annotations = {key: text for key, text in descriptor.annotations.items() if key != REF_NAME}
        if tag is not None:
            annotations[REF_NAME] = check_layout_tag(tag)
        self.blobs.settle()
        new = descriptor._replace(annotations=annotations)
        with held_folder(self.folder / _LOCKED):
            value, entries = self._entries()
            kept = [raw for known, raw in entries if not _is_replaced(known, new)]
            index = {**value, "manifests": [*kept, descriptor_value(new)]}
            replace_from(self.folder, self.folder / INDEX_FILE, canonical_json(index))
            sync_folder(self.folder)

    def find(self, name: str | None = None) -> Descriptor:
        """What a name means: an image's manifest, or an index of several.

        Args:
            name: A tag, or `sha256:HEX` of a manifest; None is the only image that there is.

        Raises:
            WpmError: There is none of that name, or several without one.
        """
        images = self.images()
        if name is None:
            found = tuple({each.digest: each for each in images}.values())
        elif name.startswith(_SHA256):
            found = tuple(each for each in images if each.digest == name)[:1]
        else:
            found = tuple(each for each in images if each.annotations.get(REF_NAME) == name)
        if len(found) == 1:
            return found[0]
        path = self.folder / INDEX_FILE
        if not images:
            raise WpmError(f"{path}: there is no image in it")
        there_is = _names(images)
        if name is None:
            raise WpmError(f"{path}: there are several images in it: choose one with {self.folder}:TAG, of {there_is}")
        more = "several images are" if found else "no image is"
        raise WpmError(f"{path}: {more} called {one_line(name, 100)}: there is {there_is}")

    def manifest(
        self, name: str | None = None, platform: str | None = None, *, native: bool = True
    ) -> tuple[Descriptor, ImageManifest]:
        """An image's manifest, with what says of it where and what it is.

        Args:
            name: As `find` takes it.
            platform: Of an index, the platform that is wanted, as `wasi/wasm`; None takes WebAssembly first.
            native: Whether to take what this machine would run where WebAssembly is not there.

        Raises:
            WpmError: There is none, or it is not what its digest says, or no manifest.
        """
        descriptor = self.find(name)
        for _ in range(_DEEPEST):
            path = self.blobs.path(descriptor.digest)
            if descriptor.media_type not in MANIFEST_TYPES:
                raise WpmError(f"{path}: {one_line(descriptor.media_type, 100)!r} is no manifest of an image")
            data = self.blobs.read(descriptor, LARGEST_MANIFEST)
            try:
                document = parse_document(data)
                if isinstance(document, ImageManifest):
                    return descriptor, document
                descriptor = choose_platform(document, platform, native=native)
            except WpmError as error:
                raise WpmError(f"{path}: {error}") from None
        raise WpmError(f"{self.blobs.path(descriptor.digest)}: indexes within indexes, deeper than {_DEEPEST}")

    def _entries(self) -> tuple[dict[str, Any], list[tuple[Descriptor, Any]]]:
        """The index, and what it names: as it was read, and as it stands there, so that nothing of others is lost."""
        path = self.folder / INDEX_FILE
        value = _read(path, _LARGEST_INDEX, "no index of an image layout")
        manifests = value.get("manifests")
        if value.get("schemaVersion") != 2 or not isinstance(manifests, list) or len(manifests) > _MOST_IMAGES:
            raise WpmError(
                f"{path}: no index of an image layout: key manifests: expected at most {_MOST_IMAGES} images"
            )
        try:
            return value, [(parse_descriptor(each, "manifests"), each) for each in manifests]
        except WpmError as error:
            raise WpmError(f"{path}: {error}") from None


def check_layout_tag(tag: str) -> str:
    """A name for an image in a layout (image-spec, annotations.md: `org.opencontainers.image.ref.name`).

    Raises:
        WpmError: It is none.
    """
    if len(tag) > _LONGEST_TAG or not _TAG.fullmatch(tag):
        raise WpmError(
            f"{one_line(tag, 100)!r}: no name for an image in a layout: use letters and digits, and - . _ : @ / + between them"
        )
    return tag


def _is_of_beginning(path: Path) -> bool:
    """Whether something in a folder is what another writer, who makes a layout of it too, has first."""
    return path.name in {_LOCKED, INDEX_FILE, LAYOUT_FILE} or path.suffix == PARTIAL


def _is_replaced(known: Descriptor, new: Descriptor) -> bool:
    """Whether an entry goes when a new one comes: it has the same tag, or is the same image without one."""
    tag = known.annotations.get(REF_NAME)
    if tag is not None:
        return tag == new.annotations.get(REF_NAME)
    return known.digest == new.digest


def _names(images: tuple[Descriptor, ...]) -> str:
    names = [one_line(each.annotations.get(REF_NAME, each.digest), 100) for each in images]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(names[:10]) + more


def _read(path: Path, most: int, otherwise: str) -> dict[str, Any]:
    """An object of JSON in a file that anybody may have written."""
    from pkgmgr.http.json_body import parse_json

    try:
        data = read_small_file(path, most)
    except OSError as error:
        raise WpmError(f"{path}: {otherwise}: {error.strerror or error}") from None
    if len(data) > most:
        raise WpmError(f"{path}: {otherwise}: larger than {most} bytes")
    try:
        value = parse_json(data)
    except WpmError as error:
        raise WpmError(f"{path}: {otherwise}: {str(error).removeprefix('the reply is ')}") from None
    if not isinstance(value, dict):
        raise WpmError(f"{path}: {otherwise}: expected an object")
    return value
