"""What all nodes of one overlay share: its lock, its device number, and which inode has which number."""

from __future__ import annotations

import threading

from runtime.fs.device_numbers import next_device

_SPREAD = 0x9E37_79B9_7F4A_7C15  # keeps the inode numbers of the layers apart
_INODES = (1 << 64) - 1


class OverlayNumbers:
    """The inode numbers of an overlay. Nodes know this, and not the filesystem, which can so be freed with its last user."""

    __slots__ = ("_origins", "device", "lock")

    def __init__(self) -> None:
        self.device = next_device()
        self.lock = threading.RLock()
        self._origins: dict[int, int] = {}

    def inode(self, layer: int, ino: int) -> int:
        """The overlay's number for inode `ino` of a layer (0 is the upper one)."""
        if not layer:
            return self._origins.get(ino, ino)
        return (ino + layer * _SPREAD) & _INODES

    def remember(self, upper_ino: int, ino: int) -> None:
        """An inode was copied up: it keeps its number."""
        self._origins[upper_ino] = ino

    def forget(self, upper_ino: int) -> None:
        """An inode of the upper layer is gone: its number there may come again for another."""
        self._origins.pop(upper_ino, None)
