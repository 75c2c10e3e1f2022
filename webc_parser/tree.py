"""The files of a volume: a tree over the mapped container; a directory is parsed when it is first looked at."""

from __future__ import annotations

from _thread import allocate_lock

from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Iterator, Mapping

MAX_DEPTH = 128
MAX_ENTRIES = 1_000_000


class Region:
    """A volume's bytes: its header, which describes the tree, and its data, which the files' spans point into.

    Each directory's bytes are paid for when it is parsed, and a header can pay only once for every byte that it has. So
    directories that contain themselves or share their bytes end in an error, and no header describes a tree that is
    bigger than itself.
    """

    __slots__ = ("closed", "data", "data_base", "header", "header_base", "left", "lock", "spent")

    def __init__(self, header: memoryview, header_base: int, data: memoryview, data_base: int) -> None:
        self.header: memoryview = header
        self.header_base: int = header_base
        self.data: memoryview = data
        self.data_base: int = data_base
        self.closed: bool = False
        self.spent: int = 0
        self.left: int = MAX_ENTRIES
        self.lock: LockType = allocate_lock()

    def close(self) -> None:
        """Drop the views of the file; directories that were parsed can still be listed."""
        with self.lock:
            self.closed = True
            self.header.release()
            self.data.release()

    def spend(self, size: int, position: int) -> None:
        """Pay for `size` bytes at `position` in the header.

        Raises:
            WebcError: more was spent than the header has: directories overlap, or one contains itself.
        """
        self.spent += size
        if self.spent > len(self.header):
            raise WebcError("directories overlap, or one contains itself", self.header_base + position)

    def add(self, entries: dict[str, VolumeEntry], name: str, node: VolumeEntry, position: int) -> None:
        """Put an entry that stands at `position` in the header among the others of its directory.

        Raises:
            WebcError: its name is there already, or the volume has too many entries.
        """
        self.left -= 1
        if self.left < 0:
            raise WebcError(f"a volume of more than {MAX_ENTRIES} entries", self.header_base + position)
        if name in entries:
            raise WebcError(f"the name {name[:80]!r} comes twice", self.header_base + position)
        entries[name] = node

    def error(self, what: str, position: int) -> WebcError:
        """The error for a fault at `position` in the header."""
        return WebcError(what, self.header_base + position)

    def parse(self, start: int, end: int, depth: int) -> tuple[dict[str, VolumeEntry], bytes]:
        """The entries of the directory at `start`, and their hashes one after the other where the format has them."""
        raise NotImplementedError

    def file(
        self, start: int, end: int, position: int, modified_ns: int | None = None, checksum: bytes | None = None
    ) -> VolumeFile:
        """The file whose content is the span `start` to `end` of the data, described at `position` in the header."""
        if not start <= end <= len(self.data):
            what = f"a file spans bytes {start} to {end} of a volume's {len(self.data)} bytes of data"
            raise self.error(what, position)
        return VolumeFile(self, start, end, modified_ns, checksum)


class VolumeFile:
    """A file in a volume.

    Attributes:
        size: in bytes.
        modified_ns: of the last modification, in nanoseconds since the epoch; `None` in v1 and v2, which do not say.
        checksum: the sha256 of the content that the container carries; `None` in v1.
    """

    __slots__ = ("_region", "_start", "checksum", "modified_ns", "size")

    def __init__(self, region: Region, start: int, end: int, modified_ns: int | None, checksum: bytes | None) -> None:
        self._region = region
        self._start = start
        self.size: int = end - start
        self.modified_ns: int | None = modified_ns
        self.checksum: bytes | None = checksum

    @property
    def content(self) -> memoryview:
        """The content, read-only and not copied.

        Raises:
            WebcError: the container was closed.
        """
        try:
            return self._region.data[self._start : self._start + self.size]
        except ValueError:
            raise WebcError("the container is closed") from None

    @property
    def offset(self) -> int:
        """Where in the container the content begins, in bytes."""
        return self._region.data_base + self._start

    def __repr__(self) -> str:
        return f"<VolumeFile of {self.size} bytes>"


class VolumeSymlink:
    """A symbolic link in a volume of version 3. Nothing follows it here, and its target is as hostile as any path.

    Attributes:
        target: as the container has it, absolute or relative to the link's directory.
        modified_ns: of the last modification, in nanoseconds since the epoch.
        checksum: the 32 bytes that the container carries for it.
        offset: where in the container the link is described, in bytes.
    """

    __slots__ = ("checksum", "modified_ns", "offset", "target")

    def __init__(self, target: str, modified_ns: int, checksum: bytes, offset: int) -> None:
        self.target: str = target
        self.modified_ns: int = modified_ns
        self.checksum: bytes = checksum
        self.offset: int = offset

    def __repr__(self) -> str:
        return f"<VolumeSymlink to {self.target!r}>"


class VolumeDirectory:
    """A directory in a volume.

    Attributes:
        modified_ns: of the last modification, in nanoseconds since the epoch; `None` in v1 and v2, which do not say.
        checksum: the sha256 of the checksums of the entries, in the order of their names; `None` in v1 and v2.
    """

    __slots__ = ("_depth", "_end", "_entries", "_hashes", "_region", "_start", "checksum", "modified_ns")

    def __init__(
        self,
        region: Region,
        start: int,
        end: int,
        depth: int,
        modified_ns: int | None = None,
        checksum: bytes | None = None,
    ) -> None:
        if depth > MAX_DEPTH:
            raise region.error(f"directories nested deeper than {MAX_DEPTH}", start)
        self._region = region
        self._start = start
        self._end = end
        self._depth = depth
        self._entries: dict[str, VolumeEntry] | None = None
        self._hashes = b""
        self.modified_ns: int | None = modified_ns
        self.checksum: bytes | None = checksum

    @property
    def entries(self) -> Mapping[str, VolumeEntry]:
        """What the directory holds, sorted by name; parsed on first use.

        Raises:
            WebcError: the directory's bytes are faulty, or the container was closed before they were parsed.
        """
        if self._entries is None:
            region = self._region
            with region.lock:
                if self._entries is None:
                    if region.closed:
                        raise WebcError("the container is closed")
                    self._entries, self._hashes = region.parse(self._start, self._end, self._depth)
        return self._entries

    @property
    def entry_checksums(self) -> bytes:
        """The checksums of the entries as the directory itself holds them, 32 bytes each, sorted by name (v3)."""
        _ = self.entries
        return self._hashes

    @property
    def offset(self) -> int:
        """Where in the container the directory is described, in bytes."""
        return self._region.header_base + self._start

    def __repr__(self) -> str:
        return f"<VolumeDirectory at {self.offset}>"


VolumeEntry = VolumeFile | VolumeDirectory | VolumeSymlink


class Volume:
    """A tree of files in a container, under a name."""

    __slots__ = ("name", "root")

    def __init__(self, name: str, root: VolumeDirectory) -> None:
        self.name: str = name
        self.root: VolumeDirectory = root

    def get(self, path: str) -> VolumeEntry | None:
        """What is at a path from the root, `None` when nothing is; `..` leads nowhere, a link is not followed.

        Raises:
            WebcError: a directory on the way is faulty.
        """
        node: VolumeEntry | None = self.root
        for name in path.split("/"):
            if name not in {"", "."}:
                if not isinstance(node, VolumeDirectory):
                    return None
                node = node.entries.get(name)
        return node

    def walk(self) -> Iterator[tuple[str, VolumeEntry]]:
        """Everything below the root with its absolute path, depth first, sorted by name in each directory.

        Raises:
            WebcError: a directory is faulty.
        """
        stack = [("", iter(self.root.entries.items()))]
        while stack:
            prefix, entries = stack[-1]
            for name, node in entries:
                path = f"{prefix}/{name}"
                yield path, node
                if isinstance(node, VolumeDirectory):
                    stack.append((path, iter(node.entries.items())))
                    break
            else:
                stack.pop()

    def __repr__(self) -> str:
        return f"<Volume {self.name!r}>"
