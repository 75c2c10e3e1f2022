"""Who may do what with what is in an image: the same for all that is made here, whoever made it and under which umask."""

from __future__ import annotations

from typing import Final

from pkgmgr.rootfs.entry import DIRECTORY_MODE, FILE_MODE, PROGRAM_MODE

_SHARED: Final = frozenset({"tmp", "var/tmp"})
_SHARED_MODE: Final = 0o1777


def directory_mode(path: str) -> int:
    """The mode of a directory that a layer has: everybody may write into those for temporary files."""
    return _SHARED_MODE if path in _SHARED else DIRECTORY_MODE


def file_mode(host_mode: int) -> int:
    """The mode of a copied file: who may execute it where it comes from may do so in the image, and nothing else is kept."""
    return PROGRAM_MODE if host_mode & 0o100 else FILE_MODE
