"""The members of a tar archive, one header after another, with nothing in it believed.

Read are the formats that exist: of Unix version 7, POSIX ustar and pax (IEEE Std 1003.1, `pax`), and GNU tar's long names
and large numbers. Not by the standard library's tarfile: it is slower, and lenient where nobody vouches for the archive.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from zlib import adler32

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BLOCK: Final = 512
"""Bytes in a header; contents begin and end at multiples of it."""

_LONGEST_EXTENSION: Final = 1 << 20
_LATEST_TIME: Final = 253402300799
_MOST_ID: Final = (1 << 32) - 2
_ZERO: Final = bytes(BLOCK)
_NO_CONTENT: Final = b"123456"
_LONG_NAME, _LONG_LINK = b"L", b"K"
_WINDOW: Final = 1 << 16
_SPARSE: Final = b"GNU.sparse."
_WANTED: Final = frozenset({b"path", b"linkpath", b"size", b"mtime", b"uid", b"gid", _SPARSE})


class Member(NamedTuple):
    """One member, as its headers say.

    Attributes:
        name: Its name as it is written, never empty; bytes that are no UTF-8 stand as `os.fsdecode` gives them.
        kind: The header's type flag: `0` a file, `1` a hard link, `2` a symbolic link, `5` a directory; anything else is as
            found.
        mode: The permission bits.
        uid: The owner's number.
        gid: The group's number.
        mtime: In whole seconds since the epoch, not before it.
        size: Bytes of content.
        offset: Where its content begins in the archive.
        link: What a link leads to.
        header: Where its header begins in the archive.
    """

    name: str
    kind: str
    mode: int
    uid: int
    gid: int
    mtime: int
    size: int
    offset: int
    link: str
    header: int


def tar_members(path: Path, name: object = None) -> Iterator[Member]:
    """The members of an archive that is not compressed, in its order.

    Args:
        path: The archive.
        name: What it is called in messages; None is its path.

    Raises:
        WpmError: It cannot be read, or is no tar archive.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            yield from _Archive(path if name is None else name, descriptor).members()
        finally:
            os.close(descriptor)
    except OSError as error:
        raise WpmError(f"{path if name is None else name}: cannot be read: {error.strerror or error}") from None


class _Archive:
    def __init__(self, name: object, descriptor: int) -> None:
        self._name = name
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size
        self._window = b""
        self._start = 0

    def members(self) -> Iterator[Member]:
        at = 0
        everywhere: dict[str, bytes] = {}
        extended: dict[str, bytes] = {}
        while (header := self._header(at)) is not None:
            kind = header[156:157]
            size = 0 if kind in _NO_CONTENT and kind else self._number(header, 124, 136, "size", at)
            match kind:
                case b"x" | b"X" | b"g":
                    records = self._records(at, self._extension(at, size))
                    (everywhere if kind == b"g" else extended).update(records)
                case b"L" | b"K":
                    text = self._extension(at, size).partition(b"\0")[0]
                    extended["path" if kind == _LONG_NAME else "linkpath"] = text
                case _:
                    member = self._member(at, header, everywhere | extended if everywhere else extended, size)
                    size, extended = member.size, {}
                    yield member
            following = at + BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK
            # The last member's padding may be missing, never a part of its content.
            if at + BLOCK + size > self._size:
                raise self._error(at, f"its content ends beyond the archive's {self._size} bytes: get it again")
            at = following
        if extended:
            raise self._error(at, "the archive ends behind an extended header: get it again")

    def _header(self, at: int) -> bytes | None:
        """The header at an offset; None at the archive's end."""
        header = self._read(at, BLOCK)
        if not header or header == _ZERO:
            if at == 0 and not header:
                raise WpmError(f"{self._name}: it is empty, which no tar archive is")
            return None
        if len(header) < BLOCK:
            raise self._error(at, f"a header is cut off after {len(header)} bytes: get the archive again")
        said = self._number(header, 148, 156, "checksum", at)
        # Adler-32 has the sum of the bytes, plus 1 and modulo 65,521, in its lower half, much faster than sum().
        if ((adler32(header) & 0xFFFF) - 1 - sum(header[148:156]) + 8 * 32 - said) % 65521:
            # Some old programs took bytes for signed.
            signed = sum(byte - 256 if byte > 127 else byte for byte in header[:148] + header[156:]) + 8 * 32
            if said != signed:
                raise self._error(
                    at, "no tar header is there (its checksum is wrong): the archive is damaged or no tar"
                )
        return header

    def _member(self, at: int, header: bytes, extended: dict[str, bytes], size: int) -> Member:
        kind = header[156:157]
        name = header[:100].partition(b"\0")[0]
        if header[257:263] == b"ustar\0" and (prefix := header[345:500].partition(b"\0")[0]):
            name = prefix + b"/" + name
        link = header[157:257].partition(b"\0")[0]
        mtime = self._number(header, 136, 148, "time", at, signed=True)
        uid = self._number(header, 108, 116, "owner", at)
        gid = self._number(header, 116, 124, "group", at)
        if extended:
            name = extended.get("path", name)
            link = extended.get("linkpath", link)
            if _SPARSE.decode() in extended:
                raise self._error(at, f"{_shown(name)} is a sparse file: pack the archive without --sparse")
            if "size" in extended and kind not in _NO_CONTENT:
                size = self._decimal(at, "size", extended["size"])
            if "mtime" in extended:
                mtime = self._decimal(at, "mtime", extended["mtime"])
            if "uid" in extended:
                uid = self._decimal(at, "uid", extended["uid"])
            if "gid" in extended:
                gid = self._decimal(at, "gid", extended["gid"])
        if kind in (b"0", b"\0", b"7"):
            # Before there was a flag for directories, a slash at the end said so.
            kind = b"5" if name.endswith(b"/") else b"0"
        if not name:
            raise self._error(at, "a member has no name")
        if mtime > _LATEST_TIME:
            raise self._error(at, f"{_shown(name)} says a time behind the year 9999")
        if uid > _MOST_ID or gid > _MOST_ID:
            raise self._error(at, f"{_shown(name)} says an owner or a group above {_MOST_ID}")
        mode = self._number(header, 100, 108, "mode", at) & 0o7777
        return Member(
            self._text(at, name),
            kind.decode("latin-1"),
            mode,
            uid,
            gid,
            max(mtime, 0),
            size,
            at + BLOCK,
            self._text(at, link),
            at,
        )

    def _records(self, at: int, data: bytes) -> dict[str, bytes]:
        """The records of a pax extended header: `LENGTH KEY=VALUE` and the end of the line, one after another.

        Kept are those that mean something here: with all of them each member of an archive could cost a megabyte's time.
        """
        records: dict[str, bytes] = {}
        start = 0
        while start < len(data):
            digits, space, _ = data[start : start + 20].partition(b" ")
            end = start + int(digits) if space and digits.isdigit() else 0
            body = data[start + len(digits) + 1 : end]
            key, equals, value = body[:-1].partition(b"=")
            if not equals or not body.endswith(b"\n") or end > len(data):
                raise self._error(at, "a record of its extended header is not LENGTH KEY=VALUE: the archive is damaged")
            key = _SPARSE if key.startswith(_SPARSE) else key
            if key in _WANTED:
                records[key.decode()] = value
            start = end
        return records

    def _extension(self, at: int, size: int) -> bytes:
        if size > _LONGEST_EXTENSION:
            raise self._error(at, f"its extended header has {size} bytes, more than {_LONGEST_EXTENSION}")
        data = self._read(at + BLOCK, size)
        if len(data) < size:
            raise self._error(at, "its extended header is cut off: get the archive again")
        return data

    def _number(self, header: bytes, start: int, end: int, what: str, at: int, *, signed: bool = False) -> int:
        """A number: octal digits, or GNU tar's binary one, known by its highest bit."""
        field = header[start:end]
        value = _octal(field)
        if value is None:
            if not field[0] & 0x80:
                raise self._error(at, f"its {what} is no octal number: the archive is damaged or no tar")
            value = int.from_bytes(field) - (
                1 << (8 * len(field)) if field[0] == 0xFF else 0x80 << (8 * (len(field) - 1))
            )
            if value < 0 and not signed:
                raise self._error(at, f"its {what} is negative")
        return value

    def _decimal(self, at: int, key: str, value: bytes) -> int:
        """A decimal number of an extended header, with what is behind its point left out."""
        whole = value.partition(b".")[0]
        negative = whole.startswith(b"-")
        digits = whole[negative:]
        if not digits.isdigit() or len(digits) > 20:
            raise self._error(at, f"{key} of its extended header is no number: the archive is damaged")
        if negative and key != "mtime":
            raise self._error(at, f"{key} of its extended header is negative")
        return -int(digits) if negative else int(digits)

    def _text(self, at: int, name: bytes) -> str:
        if b"\0" in name:
            raise self._error(at, f"the name {_shown(name)} has a byte 0 in it")
        return name.decode(errors="surrogateescape")

    def _read(self, at: int, size: int) -> bytes:
        """Bytes of the archive, fewer at its end; small members are read many at once."""
        begin = at - self._start
        if begin >= 0 and begin + size <= len(self._window):
            return self._window[begin : begin + size]
        self._window, self._start = os.pread(self._descriptor, max(_WINDOW, size), at), at
        return self._window[:size]

    def _error(self, at: int, message: str) -> WpmError:
        return WpmError(f"{self._name}: at offset {at}: {message}")


@lru_cache(8192)
def _octal(field: bytes) -> int | None:
    """A number in octal digits, 0 where there are none; the same few stand in most headers."""
    digits = field.partition(b"\0")[0].strip(b" ")
    if digits.strip(b"01234567"):
        return None
    return int(digits, 8) if digits else 0


def _shown(name: bytes) -> str:
    return one_line(name.decode("utf-8", "replace"), 200)
