"""What a tar archive has, as entries: the one place that decides which members of strangers' archives are taken, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import DEEPEST, DIRECTORY_MODE, Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.tar_members import tar_members
from runtime.fs.whiteout import OPAQUE
from runtime.fs.whiteout import PREFIX as WHITEOUT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.rootfs.tar_members import Member

MOST_ENTRIES: Final = 1_000_000
"""No archive has more names than this."""
LONGEST_PATH: Final = 4096
"""No path has more bytes than this: as PATH_MAX of Linux."""
LONGEST_PART: Final = 255
"""No name in a directory has more bytes than this: as NAME_MAX of Linux."""

_MOST_CHARACTERS: Final = 256 << 20
_RESERVED: Final = WHITEOUT_PREFIX * 2
_KINDS: Final = {"0": Kind.FILE, "2": Kind.SYMLINK, "5": Kind.DIRECTORY}
_UNWANTED: Final = {
    "3": "a character device",
    "4": "a block device",
    "6": "a named pipe",
    "S": "a sparse file",
    "M": "a part of a file in another archive",
}


class TarIndex(NamedTuple):
    """What an archive has.

    Attributes:
        entries: Ordered by `path_order`, each once, with every directory on the way to it; of names of the same file the first
            is the file, the others are hard links to it.
        replaces_all: Whether nothing stays of lower layers (the root itself is opaque).
    """

    entries: tuple[Entry, ...]
    replaces_all: bool = False


def index_tar(
    path: Path,
    *,
    layer: bool = False,
    below: Callable[[str], Entry | None] | None = None,
    name: object = None,
) -> TarIndex:
    """Read the names of an archive that is not compressed; contents stay where they are, as spans of the file.

    As when an archive is unpacked, the last member of a name counts. A directory that only its contents tell of has mode 0755,
    time 0 and is root's. Fractions of seconds, names of owners and extended attributes are left out.

    Args:
        path: The archive, which stays as it is while the entries are used.
        layer: Whether it is a layer of an OCI image, whose names `.wh.NAME` take NAME of lower layers away (image-spec,
            layer.md).
        below: What lower layers have at a path, for hard links to files that only they have; None lets there be none.
        name: What the archive is called in messages, as that of which it was unpacked; None is its path.

    Raises:
        WpmError: It cannot be read or is damaged, or a member cannot or must not be taken: a path that is absolute or has
            `..`, lies beneath a link or a file or is too long, a device or a pipe, a link to what is not there, too many names.
    """
    return _Indexing(path, layer, below, path if name is None else name).index()


class _Indexing:
    def __init__(self, path: Path, layer: bool, below: Callable[[str], Entry | None] | None, name: object) -> None:
        self._path = path
        self._name = name
        self._layer = layer
        self._below = below
        # Names of the same file share one entry, until `_linked` tells which of them is the file.
        self._names: dict[str, Entry] = {}
        self._whiteouts: dict[str, Entry] = {}
        self._opaque: dict[str, Entry] = {}
        self._directories: set[str] = {""}
        self._characters = 0

    def index(self) -> TarIndex:
        for member in tar_members(self._path, self._name):
            path = self._clean(member, member.name)
            # What a volume is called.
            if member.kind != "V" and not (self._layer and self._took_away(member, path)):
                self._add(member, path)
        self._join_whiteouts()
        self._check_parents()
        return TarIndex(tuple(self._linked()), "" in self._opaque)

    def _add(self, member: Member, path: str) -> None:
        if not path:
            if member.kind not in "5D":
                raise self._error(member, "names the root, and is no directory")
            return
        match member.kind:
            case "1":
                entry = self._linked_to(member)
            case "0" | "2" | "5" | "D":
                entry = self._entry(member, path)
            case kind:
                raise self._error(
                    member, f"is {_UNWANTED.get(kind, f'of the unknown type {kind!r}')}, which no image has"
                )
        if path not in self._names:
            self._count(member, path)
        self._names[path] = entry
        self._imply(member, path)

    def _entry(self, member: Member, path: str) -> Entry:
        kind = _KINDS.get(member.kind, Kind.DIRECTORY)
        if kind is Kind.SYMLINK and not 0 < _length(member.link) <= LONGEST_PATH:
            raise self._error(member, f"is a symbolic link whose target is empty or longer than {LONGEST_PATH} bytes")
        file = kind is Kind.FILE
        return Entry(
            path,
            kind,
            member.mode,
            member.mtime,
            member.size if file else 0,
            HostFile(self._path, member.size, member.offset) if file else memoryview(b""),
            member.link if kind is Kind.SYMLINK else "",
            member.uid,
            member.gid,
        )

    def _linked_to(self, member: Member) -> Entry:
        target = self._clean(member, member.link)
        found = self._names.get(target)
        if found is None and self._below is not None and target not in self._whiteouts:
            found = self._below(target)
        if found is None:
            raise self._error(member, f"is a hard link to {_shown(target)}, which is not there")
        if found.kind not in (Kind.FILE, Kind.SYMLINK):
            raise self._error(member, f"is a hard link to {_shown(target)}, which is a directory")
        return found

    def _took_away(self, member: Member, path: str) -> bool:
        """Note a whiteout; whether the member is one, or another of the names that are kept for them."""
        folder, _, name = path.rpartition("/")
        if not name.startswith(WHITEOUT_PREFIX):
            if f"/{WHITEOUT_PREFIX}" in f"/{folder}":
                # What aufs keeps for itself lies in such directories.
                if f"/{_RESERVED}" in f"/{folder}":
                    return True
                raise self._error(member, f"lies in a directory whose name begins with {WHITEOUT_PREFIX}")
            return False
        if name == OPAQUE:
            self._opaque[folder] = Entry(folder, Kind.OPAQUE, DIRECTORY_MODE)
        elif not name.startswith(_RESERVED):
            hidden = name.removeprefix(WHITEOUT_PREFIX)
            if hidden in {"", ".", ".."}:
                raise self._error(member, "takes nothing away that has a name")
            gone = f"{folder}/{hidden}" if folder else hidden
            self._whiteouts[gone] = Entry(gone, Kind.WHITEOUT, 0)
        else:
            return True
        self._count(member, path)
        self._imply(member, path)
        return True

    def _join_whiteouts(self) -> None:
        """What is taken away and also there: whiteouts are about lower layers alone."""
        for path, entry in self._whiteouts.items():
            own = self._names.get(path)
            if own is None and path not in self._directories:
                self._names[path] = entry
            elif own is None or own.kind is Kind.DIRECTORY:
                self._opaque.setdefault(path, entry)
        for path in self._opaque:
            own = self._names.get(path) or Entry(path, Kind.DIRECTORY, DIRECTORY_MODE)
            if path and own.kind is Kind.DIRECTORY:
                self._names[path] = own._replace(kind=Kind.OPAQUE)

    def _check_parents(self) -> None:
        for path in self._directories:
            if not path:
                continue
            found = self._names.setdefault(path, Entry(path, Kind.DIRECTORY, DIRECTORY_MODE))
            if found.kind not in (Kind.DIRECTORY, Kind.OPAQUE):
                raise WpmError(
                    f"{self._name}: {_shown(path)} is a {found.kind.value}, and other members lie beneath it"
                )

    def _linked(self) -> Iterator[Entry]:
        firsts: dict[int, str] = {}
        for path in sorted(self._names, key=path_order):
            entry = self._names[path]
            if entry.kind is Kind.FILE and (first := firsts.setdefault(id(entry), path)) != path:
                yield Entry(
                    path, Kind.HARD_LINK, entry.mode, entry.mtime, 0, memoryview(b""), first, entry.uid, entry.gid
                )
            else:
                yield entry if entry.path == path else entry._replace(path=path)

    def _imply(self, member: Member, path: str) -> None:
        """Every name on the way to a path is a directory."""
        while (path := path.rpartition("/")[0]) not in self._directories:
            self._directories.add(path)
            self._count(member, path)

    def _count(self, member: Member, path: str) -> None:
        self._characters += len(path)
        if len(self._names) + len(self._directories) > MOST_ENTRIES or self._characters > _MOST_CHARACTERS:
            raise self._error(member, f"is one name too many: an archive has at most {MOST_ENTRIES}")

    def _clean(self, member: Member, name: str) -> str:
        """A member's path from the root, without needless parts; empty for the root itself."""
        if name.startswith("/"):
            raise self._error(
                member, f"has the absolute path {_shown(name)}" if name != member.name else "is an absolute path"
            )
        if "//" not in name and not name.startswith("./") and "/." not in name and name not in {".", ".."}:
            path = name.removesuffix("/")
            parts = path.split("/")
        else:
            parts = [part for part in name.split("/") if part not in {"", "."}]
            path = "/".join(parts)
        if ".." in parts:
            raise self._error(member, f"leads out of the archive by `..`: {_shown(name)}")
        if len(parts) > DEEPEST:
            raise self._error(member, f"lies deeper than {DEEPEST} directories: do not trust its source")
        if len(path) * 4 > LONGEST_PART and (
            _length(path) > LONGEST_PATH or any(_length(part) > LONGEST_PART for part in parts)
        ):
            raise self._error(
                member, f"has a path of more than {LONGEST_PATH} bytes, or a part of more than {LONGEST_PART}"
            )
        return path

    def _error(self, member: Member, message: str) -> WpmError:
        return WpmError(f"{self._name}: at offset {member.header}: the member {_shown(member.name)} {message}")


def _length(path: str) -> int:
    """How many bytes a path has."""
    return len(path.encode(errors="surrogateescape"))


def _shown(name: str) -> str:
    return one_line(name, 200) or "without a name"
