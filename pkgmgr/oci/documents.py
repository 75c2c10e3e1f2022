"""The documents of an image as bytes: its configuration, its manifest and the index of a layout, always the same for the same.

What manifests and indexes name is read by `descriptors`; the configuration is read here.

Source: https://github.com/opencontainers/image-spec: config.md, manifest.md, image-index.md
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.oci.platforms import Platform
from pkgmgr.oci.reference import check_digest
from pkgmgr.oci.registry import INDEX, MANIFEST
from pkgmgr.rootfs.image import ImageConfig

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pkgmgr.oci.descriptors import Descriptor

CONFIG: Final = "application/vnd.oci.image.config.v1+json"
"""The media type of an image's configuration."""
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
"""The same, as Docker calls it."""
LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
"""The media type of a layer that is not compressed; `+gzip` and `+zstd` follow it where it is."""
LARGEST_CONFIG: Final = 8 << 20
"""No configuration has more bytes."""

_MOST_LAYERS: Final = 10_000
_MOST_TEXTS: Final = 10_000
_METHODS: Final = {
    LAYER: "none",
    f"{LAYER}+gzip": "gzip",
    f"{LAYER}+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar": "none",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "none",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
}


class Step(NamedTuple):
    """How a layer came about: words for people, and when, in seconds since the epoch."""

    made_by: str
    created: int = 0


class ImageDocument(NamedTuple):
    """An image's configuration.

    Attributes:
        platform: For what it is.
        config: How it wants to be run.
        created: When it was made, in seconds since the epoch.
        diff_ids: Of each layer, the lowest first, `sha256:HEX` of its archive before it was compressed.
        steps: How the layers came about, one for each layer.
    """

    platform: Platform
    config: ImageConfig = ImageConfig()
    created: int = 0
    diff_ids: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def canonical_json(value: object) -> bytes:
    """JSON whose bytes depend on nothing but the value: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def layer_media_type(compression: str) -> str:
    """The media type of a layer that is compressed so: `none`, `gzip` or `zstd`."""
    return LAYER if compression == "none" else f"{LAYER}+{compression}"


def layer_compression(media_type: str) -> str | None:
    """How a layer of this media type is compressed; None if it is none of an image's."""
    return _METHODS.get(media_type)


def manifest_json(config: Descriptor, layers: Sequence[Descriptor], annotations: Mapping[str, str]) -> bytes:
    """The bytes of an image's manifest."""
    value: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor_value(config),
        "layers": [descriptor_value(layer) for layer in layers],
    }
    if annotations:
        value["annotations"] = dict(annotations)
    return canonical_json(value)


def index_json(manifests: Sequence[Descriptor]) -> bytes:
    """The bytes of an index: of a layout, or of an image for several platforms."""
    return canonical_json(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": [descriptor_value(each) for each in manifests]}
    )


def descriptor_value(descriptor: Descriptor) -> dict[str, Any]:
    """A descriptor as a value of JSON."""
    value: dict[str, Any] = {
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest,
        "size": descriptor.size,
    }
    if descriptor.platform:
        system, _, rest = descriptor.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        value["platform"] = {"os": system, "architecture": architecture} | ({"variant": variant} if variant else {})
    if descriptor.artifact_type:
        value["artifactType"] = descriptor.artifact_type
    if descriptor.annotations:
        value["annotations"] = dict(descriptor.annotations)
    return value


def image_json(document: ImageDocument) -> bytes:
    """The bytes of an image's configuration.

    Raises:
        WpmError: It was made later than the year 9999.
    """
    config = document.config
    run: dict[str, Any] = {
        "User": config.user,
        "Env": [f"{name}={value}" for name, value in sorted(config.env.items())],
        "Entrypoint": list(config.entrypoint),
        "Cmd": list(config.command),
        "WorkingDir": config.cwd,
        "Labels": dict(config.labels),
    }
    value: dict[str, Any] = {
        "architecture": document.platform.architecture,
        "os": document.platform.system,
        "created": _date(document.created),
        "config": {key: each for key, each in run.items() if each},
        "rootfs": {"type": "layers", "diff_ids": list(document.diff_ids)},
        "history": [{"created": _date(step.created), "created_by": step.made_by} for step in document.steps],
    }
    if document.platform.variant:
        value["variant"] = document.platform.variant
    return canonical_json(value)


def parse_image(data: bytes) -> ImageDocument:
    """Read an image's configuration, that anybody may have written; keys that nobody knows are left alone.

    Raises:
        WpmError: It is none; the message names the key, and not where the bytes are from.
    """
    from pkgmgr.http.json_body import parse_json

    value = _table(parse_json(data), "")
    run = _table(value.get("config"), "config")
    layers = _table(value.get("rootfs"), "rootfs")
    diff_ids = tuple(check_digest(each) for each in _texts(layers, "diff_ids", "rootfs.", _MOST_LAYERS))
    platform = Platform(_text(value, "os"), _text(value, "architecture"), _text(value, "variant"))
    cwd = _text(run, "WorkingDir", "config.")
    if cwd and not cwd.startswith("/"):
        raise WpmError("key config.WorkingDir: expected an absolute path")
    config = ImageConfig(
        MappingProxyType(_variables(_texts(run, "Env", "config.", _MOST_TEXTS))),
        _texts(run, "Entrypoint", "config.", _MOST_TEXTS),
        _texts(run, "Cmd", "config.", _MOST_TEXTS),
        cwd,
        _text(run, "User", "config."),
        MappingProxyType(_labels(run.get("Labels"))),
    )
    return ImageDocument(platform, config, _seconds(value, "created", ""), diff_ids, _steps(value, len(diff_ids)))


def _steps(value: Mapping[str, Any], count: int) -> tuple[Step, ...]:
    """What made the layers; a history that does not fit them is left out, as nothing hangs on it."""
    history = value.get("history")
    if not isinstance(history, list) or len(history) > _MOST_TEXTS:
        return ()
    made = [each for each in history if isinstance(each, dict) and not each.get("empty_layer")]
    if len(made) != count:
        return ()
    return tuple(Step(_text(each, "created_by", "history."), _seconds(each, "created", "history.")) for each in made)


def _variables(texts: Sequence[str]) -> dict[str, str]:
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not name:
            raise WpmError("key config.Env: a variable has no name")
        found[name] = value
    return found


def _labels(value: object) -> dict[str, str]:
    labels = _table(value, "config.Labels")
    if len(labels) > _MOST_TEXTS:
        raise WpmError(f"key config.Labels: more than {_MOST_TEXTS} labels")
    return {name: _text(labels, name, "config.Labels.") for name in labels}


def _table(value: object, key: str) -> dict[str, Any]:
    if value is None and key:
        return {}
    if not isinstance(value, dict):
        raise WpmError(f"key {key}: expected an object" if key else "no image configuration: expected an object")
    return value


def _texts(value: Mapping[str, Any], key: str, place: str, most: int) -> tuple[str, ...]:
    found = value.get(key)
    if found is None:
        return ()
    if not isinstance(found, list) or len(found) > most or not all(_is_text(each) for each in found):
        raise WpmError(f"key {place}{key}: expected an array of at most {most} texts without NUL")
    return tuple(found)


def _text(value: Mapping[str, Any], key: str, place: str = "") -> str:
    found = value.get(key)
    if found is None:
        return ""
    if not _is_text(found):
        from pkgmgr.plain_text import one_line

        raise WpmError(f"key {one_line(place + key, 100)}: expected a text without NUL")
    return str(found)


def _is_text(value: object) -> bool:
    """Whether a value is a text that can be given to a program: JSON can spell halves of characters, and NUL."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _date(seconds: int) -> str:
    """A moment as RFC 3339 writes it."""
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
    except (OverflowError, ValueError, OSError):
        raise WpmError(f"{seconds}: no moment that a date can say: it is behind the year 9999") from None


def _seconds(value: Mapping[str, Any], key: str, place: str) -> int:
    """A moment in seconds since the epoch; 0 where none is given, and for those before."""
    from datetime import UTC, datetime

    text = _text(value, key, place)
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WpmError(f"key {place}{key}: expected a date and a time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return max(0, int(moment.timestamp()))
    except (OverflowError, ValueError):
        return 0
