"""What differs between two images: names, what stands there, and how they want to be run."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image import ImageConfig
from pkgmgr.rootfs.listing import time_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pkgmgr.rootfs.image import RootfsImage


class Status(Enum):
    """What became of a name, by the letter that git has for it."""

    ADDED = "A"
    REMOVED = "D"
    CHANGED = "M"
    RETYPED = "T"
    """Something else is there than before: a link for a file, say."""


class Change(NamedTuple):
    """A name that is not the same in both.

    Attributes:
        path: The name, from the root.
        status: What became of it.
        what: Of a name that is in both what differs: `type`, `mode`, `owner`, `size`, `bytes`, `target`, `link` (of which
            names are the same file), `time`.
        before: What the first image has there.
        after: What the second image has there.
    """

    path: str
    status: Status
    what: tuple[str, ...]
    before: Entry | None
    after: Entry | None


class ConfigChange(NamedTuple):
    """A part of the configuration that is not the same: its name, and what it says in both."""

    key: str
    before: object
    after: object


class Comparison(NamedTuple):
    """What differs between two images.

    Attributes:
        changes: The names, ordered by path.
        config: What differs in how they want to be run.
        added_bytes: How many more bytes the files of the second have; less than 0 for fewer.
    """

    changes: tuple[Change, ...]
    config: tuple[ConfigChange, ...]
    added_bytes: int

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not self.changes and not self.config


def compare_images(before: RootfsImage, after: RootfsImage, *, times: bool = True) -> Comparison:
    """Compare two images by what a guest would see, however they are cut into layers.

    Args:
        before: One.
        after: The other.
        times: Whether times count.

    Raises:
        WpmError: One cannot be read.
    """
    config = tuple(_config_changes(before.config, after.config))
    if _same_layers(before, after):
        return Comparison((), config, 0)
    one, other = _Side(flatten(before.layers).entries), _Side(flatten(after.layers).entries)
    changes = tuple(_changes(one, other, times))
    return Comparison(changes, config, other.bytes - one.bytes)


def _same_layers(before: RootfsImage, after: RootfsImage) -> bool:
    """Whether two images are made of the same layers, as far as their digests tell: those of OCI images have some."""
    one, other = ([getattr(layer, "diff_id", None) for layer in image.layers] for image in (before, after))
    return one == other and None not in one and bool(one)


class _Side:
    """An image: what is at each path."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = {entry.path: entry for entry in entries}
        self.bytes = sum(entry.size for entry in self.entries.values())

    def file(self, entry: Entry) -> Entry:
        """The file that a hard link is; any other entry is itself."""
        return self.entries[entry.target] if entry.kind is Kind.HARD_LINK else entry


def _changes(one: _Side, other: _Side, times: bool) -> Iterator[Change]:
    for path in sorted(one.entries.keys() | other.entries.keys(), key=path_order):
        before, after = one.entries.get(path), other.entries.get(path)
        if before is None:
            yield Change(path, Status.ADDED, (), None, after)
        elif after is None:
            yield Change(path, Status.REMOVED, (), before, None)
        elif what := tuple(_differences(one.file(before), other.file(after), times)):
            status = Status.RETYPED if what[0] == "type" else Status.CHANGED
            yield Change(path, status, what, one.file(before), other.file(after))


def _differences(old: Entry, new: Entry, times: bool) -> Iterator[str]:
    if old.kind is not new.kind:
        yield "type"
    if old.mode != new.mode:
        yield "mode"
    if (old.uid, old.gid) != (new.uid, new.gid):
        yield "owner"
    if old.kind is Kind.FILE and new.kind is Kind.FILE:
        if old.size != new.size:
            yield "size"
        elif not same_bytes(old, new):
            yield "bytes"
        if old.path != new.path:  # each is the first of the names of its file
            yield "link"
    if old.kind is Kind.SYMLINK and new.kind is Kind.SYMLINK and old.target != new.target:
        yield "target"
    if times and old.mtime != new.mtime:
        yield "time"


def described(change: Change) -> list[str]:
    """What differs at a name that is in both, for people: `mode 0644 -> 0755`."""
    old, new = change.before, change.after
    if old is None or new is None:
        return []
    values = {
        "type": (old.kind.value, new.kind.value),
        "mode": (f"{old.mode:04o}", f"{new.mode:04o}"),
        "owner": (f"{old.uid}/{old.gid}", f"{new.uid}/{new.gid}"),
        "size": (str(old.size), str(new.size)),
        "target": (one_line(old.target), one_line(new.target)),
        "link": (one_line(old.path), one_line(new.path)),
        "time": (time_text(old), time_text(new)),
    }
    return [f"{what} {' -> '.join(values[what])}" if what in values else what for what in change.what]


def same_bytes(one: Entry, other: Entry) -> bool:
    """Whether two files of the same size have the same bytes; a span of one file of the host is not read twice.

    Raises:
        WpmError: One cannot be read.
    """
    if isinstance(one.content, HostFile) and one.content == other.content:
        return True
    left, right = b"", b""
    pieces, others = one.pieces(), other.pieces()
    while True:
        left = left or bytes(next(pieces, b""))
        right = right or bytes(next(others, b""))
        if not left or not right:
            return not left and not right
        size = min(len(left), len(right))
        if left[:size] != right[:size]:
            return False
        left, right = left[size:], right[size:]


def _config_changes(before: ImageConfig, after: ImageConfig) -> Iterator[ConfigChange]:
    for key in ImageConfig._fields:
        one, other = _plain(getattr(before, key)), _plain(getattr(after, key))
        if one != other:
            yield ConfigChange(key, one, other)


def _plain(value: object) -> object:
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return list(value)
    return dict(value)  # type: ignore[call-overload]
