"""Values by path, of which a directory's can be taken out with all that is below it, in time for what is taken out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from pkgmgr.rootfs.entry import path_order

if TYPE_CHECKING:
    from collections.abc import Mapping

_T = TypeVar("_T")


class PathTree(Generic[_T]):
    """What stands at which path. Which of the values are directories only the caller knows."""

    __slots__ = ("_below", "_found")

    def __init__(self) -> None:
        self._found: dict[str, _T] = {}
        # What is in which directory: worked out when something is taken out for the first time, which is seldom.
        self._below: dict[str, set[str]] | None = None

    def __len__(self) -> int:
        return len(self._found)

    def get(self, path: str) -> _T | None:
        """What stands at a path."""
        return self._found.get(path)

    def shared(self, values: Mapping[str, object]) -> set[str]:
        """The paths of a mapping at which something stands."""
        return self._found.keys() & values.keys()

    def put(self, path: str, value: _T) -> None:
        """Let something stand at a path, instead of what is there; what is below it stays."""
        self._found[path] = value
        if self._below is not None:
            self._below.setdefault(path.rpartition("/")[0], set()).add(path)

    def put_all(self, values: Mapping[str, _T]) -> None:
        """Put everything of a mapping at its path."""
        if self._below is None:
            self._found.update(values)
        else:
            for path, value in values.items():
                self.put(path, value)

    def remove(self, path: str) -> None:
        """Take out a path and all that is below it; one that is not there is none to take out."""
        below = self.remove_below(path)
        if self._found.pop(path, None) is not None:
            below[path.rpartition("/")[0]].discard(path)

    def remove_below(self, path: str) -> dict[str, set[str]]:
        """Take out all that is below a path; the root is none. Gives what is in which directory now."""
        if self._below is None:
            self._below = {}
            for each in self._found:
                self._below.setdefault(each.rpartition("/")[0], set()).add(each)
        left = [path]
        while left:
            below = self._below.pop(left.pop(), ())
            for each in below:
                del self._found[each]
            left.extend(below)
        return self._below

    def ordered(self) -> dict[str, _T]:
        """Every path with what stands there, what is in a directory right behind it."""
        return {path: self._found[path] for path in sorted(self._found, key=path_order)}
