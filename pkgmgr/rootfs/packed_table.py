"""The table of a package's layer as bytes, with the headers that its names have in a tar: what the store keeps of it.

To parse a package, to make its entries and then their headers takes longer than to write an image of it; all of that depends
on nothing but the package. The numbers are as this machine has them, as nobody else gets the bytes:

    how many names and origins, and the bytes of paths, targets, headers and texts (8 bytes each)
    of each name its size, where its bytes begin, its time, where it ends in the layer's tar (8 bytes each), where all that is
        below it ends, where its headers end (4 bytes each), its mode (2 bytes), its kind, and whose its bytes are (1 byte
        each), column by column
    the sha256 of each origin, a container; the origin of number 0 are the texts here, which are in no container
    paths, and targets of links, each with NUL behind it; headers, the usual end of a file's left out; texts
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from operator import add, lt
from struct import Struct
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import Entry, HostFile, Kind
from pkgmgr.rootfs.table import DIRECTORY, KINDS, NUMBERS, Table, subtree_ends
from pkgmgr.rootfs.tar_header import BLOCK, FILE_END, PADDINGS, file_start, headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_HEAD: Final = Struct("=6Q")
_COLUMNS: Final = "QQqQIIHBB"
_DIGEST: Final = 32
_MOST_ORIGINS: Final = 255
_SHORT: Final = BLOCK - len(FILE_END)
_FILE: Final = NUMBERS[Kind.FILE]
_FIRST_LINK: Final = NUMBERS[Kind.SYMLINK]
_EMPTY: Final = memoryview(b"")


class PackedTable(Table):
    """The table of a package's layer.

    Args:
        data: Its bytes, as `packed` gives them.

    Attributes:
        origins: The sha256 of each container that it has bytes of, in hex.
        latest: The latest time of a name, in seconds since the epoch.
        views: The texts, and behind them the bytes of each container.

    Raises:
        ValueError: The bytes are none of a table.
    """

    __slots__ = (
        "_head_ends",
        "_heads",
        "_modes",
        "_numbers",
        "_positions",
        "_starts",
        "_targets",
        "_times",
        "latest",
        "origins",
        "views",
    )

    def __init__(self, data: bytes | memoryview) -> None:
        if len(data) < _HEAD.size:
            raise ValueError("it is cut off")
        count, origins, *lengths = _HEAD.unpack_from(data)
        view = memoryview(data)
        at = _HEAD.size

        def taken(size: int) -> memoryview:
            nonlocal at
            at += size
            return view[at - size : at]

        columns = [array(code, bytes(taken(count * array(code).itemsize))) for code in _COLUMNS]
        sizes, self._starts, self._times, self._positions, ends, self._head_ends, self._modes, kinds, numbers = columns
        self._numbers = numbers
        self.origins = tuple([bytes(taken(_DIGEST)).hex() for _ in range(min(origins, _MOST_ORIGINS))])
        paths, targets, self._heads, texts = [taken(length) for length in lengths]
        names = str(paths, "utf-8", "surrogateescape").split("\0")[:-1]
        if at != len(data) or len(names) != count or not _are_ends(ends):
            raise ValueError("its parts do not fit one another")
        super().__init__(names, kinds.tobytes(), sizes, ends)
        said = str(targets, "utf-8", "surrogateescape").split("\0")[:-1]
        links = [number for number, kind in enumerate(self.kinds) if kind >= _FIRST_LINK] if said else []
        self._targets = dict(zip(links, said, strict=True))
        self.latest = max(self._times, default=0)
        self.views: list[memoryview] = [texts]

    def attach(self, containers: Mapping[str, memoryview]) -> None:
        """Say where the bytes are.

        Args:
            containers: Those of each of `origins`, by sha256.

        Raises:
            ValueError: They are not all there.
        """
        self.views += [containers[origin] for origin in self.origins]
        needed = [0] * len(self.views)
        for number, end in zip(self._numbers, map(add, self._starts, self.sizes), strict=True):
            if end > needed[number]:
                needed[number] = end
        if any(end > len(view) for end, view in zip(needed, self.views, strict=True)):
            raise ValueError("it has files behind the end of their container")

    def entries(self, start: int, stop: int) -> Iterator[Entry]:
        """As `Table.entries`."""
        views, targets = self.views, self._targets
        each = zip(
            range(start, stop),
            self.paths[start:stop],
            self.kinds[start:stop],
            self._modes[start:stop],
            self._times[start:stop],
            self.sizes[start:stop],
            self._numbers[start:stop],
            self._starts[start:stop],
            strict=True,
        )
        file, numbered = Kind.FILE, KINDS
        for row, path, kind, mode, time, size, number, begin in each:
            if kind == _FILE:
                yield Entry(path, file, mode, time, size, views[number][begin : begin + size])
            else:
                yield Entry(path, numbered[kind], mode, time, 0, _EMPTY, targets.get(row, ""))

    def contents(self) -> Iterable[memoryview | HostFile]:
        """As `Table.contents`."""
        return self.views

    def spans(self, start: int, stop: int, most: int) -> Iterator[tuple[int, int, int]]:
        """Names as parts of a tar of about as many bytes: from which number up to which, and how many bytes.

        Args:
            start: The first number.
            stop: The last one, not counted.
            most: No span has more bytes, but for one of a single name.
        """
        positions = self._positions
        begin = positions[start - 1] if start else 0
        while start < stop:
            last = max(bisect_right(positions, begin + most, start, stop), start + 1)
            end = positions[last - 1]
            yield start, last, end - begin
            start, begin = last, end

    def tar_parts(self, start: int, stop: int) -> list[bytes | bytearray | memoryview]:
        """Names as the bytes of a tar, in parts."""
        heads, views = self._heads, self.views
        head_ends = self._head_ends[start:stop]
        head_starts = [self._head_ends[start - 1] if start else 0, *head_ends[:-1]]
        parts: list[bytes | bytearray | memoryview] = []
        for head, end, number, begin, size in zip(
            head_starts,
            head_ends,
            self._numbers[start:stop],
            self._starts[start:stop],
            self.sizes[start:stop],
            strict=True,
        ):
            # Half of what is left to do for each file: nothing is formatted or summed up any more.
            parts.append(heads[head:end])
            if end - head == _SHORT:
                parts.append(FILE_END)
            if size:
                parts += (views[number][begin : begin + size], PADDINGS[size % BLOCK])
        return parts


def packed(entries: Sequence[Entry], containers: Mapping[str, object], offsets: Mapping[str, int]) -> bytes | None:
    """A layer as the bytes of a table.

    Args:
        entries: All of the layer.
        containers: What the bytes of its files are views of, by the sha256 of the container in hex. Bytes of anything else are
            put into the table.
        offsets: Where in its container the bytes of each file begin, by path.

    Returns:
        The bytes; None where it has no table: it is not in order, takes something of other layers away, has names that no tar
        can have, owners, files of the host, or links to what is no file before them.
    """
    owners = {id(mapped): number for number, mapped in enumerate(containers.values(), 1)}
    kinds, numbers, texts = bytearray(), bytearray(), bytearray()
    starts, ends_in_tar, head_ends, heads, links = [], [], [], [], []
    files: dict[str, tuple[int, int]] = {}
    position = head_end = 0
    # By identity: to ask an enumeration for its hash takes as long as all else here.
    file, directory, symlink, hard_link = KINDS
    try:
        for entry in entries:
            path, kind, mode, mtime, size, content, target, uid, gid = entry
            number = start = 0
            start_only = file_start(path, mode, mtime, size) if kind is file else None
            head = start_only or headers(entry)
            position += len(head) if start_only is None else BLOCK
            if kind is file:
                kinds.append(_FILE)
                files[path] = mode, mtime
                if size:
                    if isinstance(content, HostFile):
                        return None
                    number = owners.get(id(content.obj), 0)
                    start = offsets[path] if number else len(texts)
                    if not number:
                        texts += content
                    position += size + -size % BLOCK
            elif kind is directory:
                kinds.append(DIRECTORY)
            elif kind is symlink or (kind is hard_link and files.get(target) == (mode, mtime)):
                kinds.append(_FIRST_LINK if kind is symlink else _FIRST_LINK + 1)
                links.append(target)
            else:
                return None
            if uid or gid:
                return None
            numbers.append(number)
            starts.append(start)
            ends_in_tar.append(position)
            heads.append(head)
            head_end += len(head)
            head_ends.append(head_end)
        paths = [entry.path for entry in entries]
        ends = subtree_ends(paths, kinds)
        if ends is None or len(containers) > _MOST_ORIGINS:
            return None
        sizes = [entry.size for entry in entries]
        times = [entry.mtime for entry in entries]
        modes = [entry.mode for entry in entries]
        columns: tuple[Iterable[int], ...]
        columns = (sizes, starts, times, ends_in_tar, ends, head_ends, modes, kinds, numbers)
        parts: list[bytes | bytearray] = [_joined(paths), _joined(links), b"".join(heads), texts]
        return b"".join(
            [
                _HEAD.pack(len(entries), len(containers), *map(len, parts)),
                *[array(code, column).tobytes() for code, column in zip(_COLUMNS, columns, strict=True)],
                *map(bytes.fromhex, containers),
                *parts,
            ]
        )
    except (WpmError, UnicodeEncodeError, OverflowError):
        # Who writes it as a tar is told.
        return None


def _are_ends(ends: Sequence[int]) -> bool:
    return all(map(lt, range(len(ends)), ends)) and max(ends, default=0) <= len(ends)


def _joined(texts: Sequence[str]) -> bytes:
    return "\0".join([*texts, ""]).encode(errors="surrogateescape")
