"""The lowest layer: the directories that programs expect of a root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from binfactory.roots import ROOT_DIRECTORIES
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.modes import directory_mode

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE: Final = "base"
"""What the layer is called."""


class BaseLayer:
    """The usual directories, empty; the same in every image."""

    title = BASE

    def entries(self) -> Iterator[Entry]:
        """As `Layer.entries`."""
        paths = {way for path in ROOT_DIRECTORIES for way in (*ways_to(path), path)}
        for path in sorted(paths, key=path_order):
            yield Entry(path, Kind.DIRECTORY, directory_mode(path))
