"""Values by path, of which a directory's can be taken out with all that is below it, in time for what is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from pkgmgr.rootfs.entry import path_order

if TYPE_CHECKING:
    from collections.abc import Iterator

_T = TypeVar("_T")


class PathTree(Generic[_T]):
    """What stands at which path. Which of the values are directories only the caller knows."""

    __slots__ = ("_below", "_folder", "_found", "_names")

    def __init__(self) -> None:
        self._found: dict[str, _T] = {}
        self._below: dict[str, dict[str, None]] = {"": {}}
        # Where something was put last: as a rule the next goes there too.
        self._folder = ""
        self._names = self._below[""]

    def __len__(self) -> int:
        return len(self._found)

    def get(self, path: str) -> _T | None:
        """What stands at a path."""
        return self._found.get(path)

    def put(self, path: str, value: _T) -> None:
        """Let something stand at a path, instead of what is there; what is below it stays."""
        if path not in self._found:
            folder = path.rpartition("/")[0]
            if folder != self._folder:
                self._names = self._below.setdefault(folder, {})
                self._folder = folder
            self._names[path] = None
        self._found[path] = value

    def remove(self, path: str) -> None:
        """Take out a path and all that is below it; one that is not there is none to take out."""
        self.remove_below(path)
        if self._found.pop(path, None) is not None:
            del self._below[path.rpartition("/")[0]][path]

    def remove_below(self, path: str) -> None:
        """Take out all that is below a path; the root is none."""
        left = [path]
        self._folder = ""
        self._names = self._below[""]
        while left:
            below = self._below.pop(left.pop(), ())
            for each in below:
                del self._found[each]
            left.extend(below)

    def ordered(self) -> Iterator[tuple[str, _T]]:
        """Every path with what stands there, what is in a directory right behind it."""
        for path in sorted(self._found, key=path_order):
            yield path, self._found[path]
