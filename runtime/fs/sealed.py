"""A directory that nobody changes."""

# ruff: noqa: ARG002 (a refusal does not look at what it refuses)

from __future__ import annotations

import errno
from abc import ABC

from runtime.fs.failure import failure
from runtime.fs.names import check_name
from runtime.fs.node import Directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import File, Node


class SealedDirectory(Directory, ABC):
    """A directory of a filesystem that only reads: every change fails, with `EROFS` where it would have worked."""

    __slots__ = ()

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Refuse, with `EROFS`."""
        raise failure(errno.EROFS)

    def _refusal(self, name: str) -> OSError:
        """Why a name cannot be bound: it is taken, or the filesystem does not take any."""
        check_name(name)
        try:
            self.lookup(name)
        except FileNotFoundError:
            return failure(errno.EROFS, name)
        return failure(errno.EEXIST, name)

    def create(self, name: str) -> File:
        """Refuse, with `EEXIST` or `EROFS`."""
        raise self._refusal(name)

    def mkdir(self, name: str) -> Directory:
        """Refuse, with `EEXIST` or `EROFS`."""
        raise self._refusal(name)

    def symlink(self, name: str, target: str) -> None:
        """Refuse, with `EEXIST` or `EROFS`."""
        raise self._refusal(name)

    def link(self, name: str, node: Node) -> None:
        """Refuse, with `EEXIST` or `EROFS`."""
        raise self._refusal(name)

    def unlink(self, name: str) -> None:
        """Refuse, with `EROFS`."""
        self.lookup(name)
        raise failure(errno.EROFS, name)

    def rmdir(self, name: str) -> None:
        """Refuse, with `EROFS`."""
        self.lookup(name)
        raise failure(errno.EROFS, name)

    def rename(self, name: str, target: Directory, new_name: str) -> None:
        """Refuse, with `EXDEV` into another filesystem and `EROFS` otherwise."""
        self.lookup(name)
        target = target.rename_target(new_name)
        raise failure(errno.EROFS if target.stat().dev == self.stat().dev else errno.EXDEV, name)
