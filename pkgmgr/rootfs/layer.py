"""What images are made of: layers, each a part of the root filesystem by itself, those above over those below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pkgmgr.rootfs.entry import Entry


class Layer(Protocol):
    """A part of a root filesystem.

    What a layer has depends on nothing but itself, so that images with the same package have the same layer.
    """

    @property
    def title(self) -> str:
        """What it is of: a package's id, or what people call it (`base`, `files`, `settings`)."""
        ...

    def entries(self) -> Iterator[Entry]:
        """Every name in it, ordered by `path_order`, each once, with every directory on the way to it; the root is not one.

        Raises:
            WpmError: What it is made of cannot be read.
        """
        ...
