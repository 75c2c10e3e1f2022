"""The highest layer: a file that says how the image wants to be run, in every format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pkgmgr.rootfs.entry import Entry, Kind, ways_to
from pkgmgr.rootfs.modes import directory_mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pkgmgr.rootfs.image import ImageConfig

SETTINGS: Final = "settings"
"""What the layer is called."""
IMAGE_SETTINGS: Final = "usr/lib/wpm/image.json"
"""Where an image says how it wants to be run: canonical JSON of `ImageConfig`, empty values left out."""


class SettingsLayer:
    """A file with the configuration of the image.

    Args:
        config: What it says.
        mtime: The file's time, in seconds since the epoch.
    """

    title = SETTINGS

    def __init__(self, config: ImageConfig, mtime: int = 0) -> None:
        self._config = config
        self._mtime = mtime

    def entries(self) -> Iterator[Entry]:
        """As `Layer.entries`."""
        for way in ways_to(IMAGE_SETTINGS):
            yield Entry(way, Kind.DIRECTORY, directory_mode(way))
        text = canonical_json({key: value for key, value in self._config._asdict().items() if value})
        yield Entry(IMAGE_SETTINGS, Kind.FILE, mtime=self._mtime, size=len(text), content=memoryview(text))


def canonical_json(value: Mapping[str, object]) -> bytes:
    """A value as the only JSON text that there is of it: sorted keys, no spaces, ASCII, a newline at the end."""
    # Mappings that cannot be changed are none that json knows.
    return json.dumps(dict(value), sort_keys=True, separators=(",", ":"), default=dict).encode() + b"\n"
