"""Reading what an image itself says of how it wants to be run: `usr/lib/wpm/image.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from binfactory.settings import is_text
from pkgmgr.errors import WpmError
from pkgmgr.rootfs.image import ImageConfig
from pkgmgr.rootfs.settings_layer import IMAGE_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pkgmgr.rootfs.entry import Entry
    from pkgmgr.rootfs.layer import Layer

LARGEST_CONFIG: Final = 4 << 20


def parse_config(data: bytes, where: str) -> ImageConfig:
    """Read a configuration; keys that nobody knows are left alone.

    Args:
        data: The JSON.
        where: What to name in errors.

    Raises:
        WpmError: It is no such JSON.
    """
    import json

    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        raise WpmError(f"{where}: no JSON: build the image again") from None
    if not isinstance(raw, dict):
        raise WpmError(f"{where}: expected an object: build the image again")
    cwd = _text(raw, "cwd", where)
    if cwd and not cwd.startswith("/"):
        raise WpmError(f"{where}: cwd: expected an absolute path")
    env = _texts_by_name(raw, "env", where)
    if any(not name or "=" in name for name in env):
        raise WpmError(f"{where}: env: the name of a variable is empty or holds '='")
    return ImageConfig(
        env=env,
        entrypoint=_texts(raw, "entrypoint", where),
        command=_texts(raw, "command", where),
        cwd=cwd,
        user=_text(raw, "user", where),
        labels=_texts_by_name(raw, "labels", where),
    )


def config_of_layers(layers: Iterable[Layer], where: str) -> ImageConfig:
    """The configuration that layers hold, lowest first; an empty one where they have none.

    Args:
        layers: The layers; each is read once.
        where: What to name in errors.

    Raises:
        WpmError: It cannot be read.
    """
    found: Entry | None = None
    for layer in layers:
        for entry in layer.entries():
            if entry.path == IMAGE_SETTINGS:
                found = entry
    return config_of_entry(found, where)


def config_of_entry(entry: Entry | None, where: str) -> ImageConfig:
    """The configuration that stands in a file of an image; an empty one where there is none.

    Raises:
        WpmError: It cannot be read.
    """
    from pkgmgr.rootfs.entry import Kind

    if entry is None or entry.kind is not Kind.FILE:
        return ImageConfig()
    place = f"{where}: {IMAGE_SETTINGS}"
    if entry.size > LARGEST_CONFIG:
        raise WpmError(f"{place}: larger than {LARGEST_CONFIG} bytes: no configuration of an image")
    return parse_config(b"".join(entry.pieces()), place)


def _text(raw: Mapping[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if value is None:
        return ""
    if not is_text(value):
        raise WpmError(f"{where}: {key}: expected a text without NUL")
    return str(value)


def _texts(raw: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = raw.get(key)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(is_text(each) for each in value):
        raise WpmError(f"{where}: {key}: expected a list of texts without NUL")
    return tuple(value)


def _texts_by_name(raw: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    value = raw.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(is_text(name) and is_text(text) for name, text in value.items()):
        raise WpmError(f"{where}: {key}: expected names with texts without NUL")
    return dict(value)
