"""Trees for `ReadOnlyFileSystem`, made of dictionaries and of functions that are called when they are needed."""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from runtime.fs.readonly import TreeDirectory, TreeEntry, TreeFile


class StaticFile:
    """A file with this content.

    Args:
        content: the bytes; a `memoryview` is kept, not copied.
        modified_ns: nanoseconds since the epoch, if known.
    """

    __slots__ = ("content", "modified_ns")

    def __init__(self, content: bytes | memoryview, modified_ns: int | None = None) -> None:
        self.content: bytes | memoryview = content
        self.modified_ns: int | None = modified_ns

    @property
    def size(self) -> int:
        """The length of the content, in bytes."""
        return len(self.content)


class StaticDirectory:
    """A directory with these entries.

    Args:
        entries: names, each with its file, directory or symbolic link.
        modified_ns: nanoseconds since the epoch, if known.
    """

    __slots__ = ("entries", "modified_ns")

    def __init__(self, entries: Mapping[str, TreeEntry], modified_ns: int | None = None) -> None:
        self.entries: Mapping[str, TreeEntry] = entries
        self.modified_ns: int | None = modified_ns


class StaticSymlink:
    """A symbolic link to this target.

    Args:
        target: kept as it is.
        modified_ns: nanoseconds since the epoch, if known.
    """

    __slots__ = ("modified_ns", "target")

    def __init__(self, target: str, modified_ns: int | None = None) -> None:
        self.target: str = target
        self.modified_ns: int | None = modified_ns


class LazyFile:
    """A file that is made when its content or its size is first asked for.

    Args:
        load: makes it; called once, unless it fails.
    """

    __slots__ = ("_load", "_loaded", "_lock")

    def __init__(self, load: Callable[[], TreeFile]) -> None:
        self._load = load
        self._loaded: TreeFile | None = None
        self._lock = threading.RLock()

    def _file(self) -> TreeFile:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
        return self._loaded

    @property
    def size(self) -> int:
        """The length of the content, in bytes."""
        return self._file().size

    @property
    def modified_ns(self) -> int | None:
        """When it was modified."""
        return self._file().modified_ns

    @property
    def content(self) -> bytes | memoryview:
        """The bytes."""
        return self._file().content


class LazyDirectory:
    """A directory that is made when a name in it is first asked for.

    Args:
        load: makes it; called once, unless it fails.
    """

    __slots__ = ("_load", "_loaded", "_lock")

    def __init__(self, load: Callable[[], TreeDirectory]) -> None:
        self._load = load
        self._loaded: TreeDirectory | None = None
        self._lock = threading.RLock()

    def _directory(self) -> TreeDirectory:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
        return self._loaded

    @property
    def entries(self) -> Mapping[str, TreeEntry]:
        """Names, each with its file, directory or symbolic link."""
        return self._directory().entries

    @property
    def modified_ns(self) -> int | None:
        """When it was modified."""
        return self._directory().modified_ns
