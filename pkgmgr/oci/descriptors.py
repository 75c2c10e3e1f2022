"""What manifests and indexes name: read from bytes that anybody may have written.

Source: https://github.com/opencontainers/image-spec: descriptor.md, manifest.md and image-index.md
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.reference import check_digest
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST: Final = 10_000
_MOST_ANNOTATIONS: Final = 1000
_LONGEST: Final = 1 << 16
_LARGEST_BLOB: Final = 1 << 40
_UNKNOWN: Final = "unknown"


class Descriptor(NamedTuple):
    """What one document says of another, or of a blob.

    Attributes:
        digest: `sha256:HEX`.
        size: Its size in bytes.
        media_type: What it is; empty where that is not said.
        platform: `OS/ARCHITECTURE` or `OS/ARCHITECTURE/VARIANT`; empty where that is not said.
        annotations: Names with texts.
        artifact_type: What an artifact is; empty for anything else.
    """

    digest: str
    size: int
    media_type: str = ""
    platform: str = ""
    annotations: Mapping[str, str] = MappingProxyType({})
    artifact_type: str = ""


class ImageManifest(NamedTuple):
    """What a manifest names.

    Attributes:
        config: Its configuration.
        layers: Its layers, the lowest first.
        annotations: Names with texts.
    """

    config: Descriptor
    layers: tuple[Descriptor, ...]
    annotations: Mapping[str, str]


def parse_document(data: bytes) -> ImageManifest | tuple[Descriptor, ...]:
    """A manifest, or the manifests of an index: what the bytes are decides, not what a server calls them.

    Raises:
        WpmError: They are neither, or of the first version of Docker's format.
    """
    from pkgmgr.http.json_body import parse_json

    value = parse_json(data)
    if not isinstance(value, dict):
        raise WpmError("not a manifest: expected an object")
    if value.get("schemaVersion") == 1:
        raise WpmError("a manifest of version 1 of Docker's format, which has no digests to check: push it anew")
    if value.get("schemaVersion") != 2:
        raise WpmError("not a manifest: key schemaVersion: expected 2")
    if ("manifests" in value) == ("layers" in value or "config" in value):
        # A document that can be read in two ways would be checked in one and used in the other.
        raise WpmError("not a manifest: expected either config and layers, or manifests")
    if "manifests" in value:
        return tuple(parse_descriptor(each, "manifests") for each in _list(value, "manifests"))
    return ImageManifest(
        parse_descriptor(value.get("config"), "config"),
        tuple(parse_descriptor(each, "layers") for each in _list(value, "layers")),
        _annotations(value),
    )


def parse_descriptor(value: object, key: str) -> Descriptor:
    """A descriptor; raises `WpmError` that names the key where it is none."""
    if not isinstance(value, dict):
        raise WpmError(f"key {key}: expected a descriptor")
    size, digest = value.get("size"), value.get("digest")
    if type(size) is not int or not 0 <= size <= _LARGEST_BLOB:
        raise WpmError(f"key {key}.size: expected a number of bytes")
    if not isinstance(digest, str):
        raise WpmError(f"key {key}.digest: expected a digest")
    platform = value.get("platform")
    return Descriptor(
        check_digest(digest),
        size,
        _text(value, "mediaType"),
        _platform(platform) if isinstance(platform, dict) else "",
        _annotations(value),
        _text(value, "artifactType"),
    )


def _platform(value: Mapping[str, Any]) -> str:
    parts = [_text(value, "os") or _UNKNOWN, _text(value, "architecture") or _UNKNOWN, _text(value, "variant")]
    return one_line("/".join(part for part in parts if part), 200)


def _annotations(value: Mapping[str, Any]) -> Mapping[str, str]:
    found = value.get("annotations")
    if found is None:
        return {}
    if not isinstance(found, dict) or len(found) > _MOST_ANNOTATIONS:
        raise WpmError(f"key annotations: expected a table of at most {_MOST_ANNOTATIONS} texts")
    return {key: text for key, text in found.items() if isinstance(text, str) and len(text) <= _LONGEST}


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if not isinstance(found, list) or len(found) > _MOST:
        raise WpmError(f"key {key}: expected an array of at most {_MOST} descriptors")
    return found


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    if found is None:
        return ""
    if not isinstance(found, str) or len(found) > 1000:
        raise WpmError(f"key {key}: expected a text")
    return found
