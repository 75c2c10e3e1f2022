"""The headers of a tar's members.

The format is ustar (POSIX 1003.1-1988), with the extended headers of pax (POSIX 1003.1-2001) where a name, a number or a
size does not fit: what GNU tar, bsdtar, Python and Go read. Nothing in it depends on the machine.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final
from zlib import adler32

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line
from pkgmgr.rootfs.entry import FILE_MODE, Kind
from runtime.fs.whiteout import OPAQUE
from runtime.fs.whiteout import PREFIX as WHITEOUT_PREFIX

if TYPE_CHECKING:
    from pkgmgr.rootfs.entry import Entry

BLOCK: Final = 512
"""Of so many bytes everything is a multiple."""
PADDINGS: Final = tuple([bytes(-size % BLOCK) for size in range(BLOCK)])
"""What comes behind a file, by what its size leaves in its last block."""

_NAME: Final = 100
_PREFIX: Final = 155
_MOST_ID: Final = 8**7 - 1
_MOST: Final = 8**11 - 1
# Name; mode, owner, group, size, time and checksum as text; type; linkname; magic, version, no names of users, no
# device; prefix; padding.
_HEADER: Final = Struct("100s56s1s100s88s155s12x")
_NUMBERS: Final = b"%07o\0%07o\0%07o\0%011o\0%011o\0        "
_MAGIC: Final = b"ustar\00000" + bytes(64) + b"0000000\0" * 2
_CHECKSUM: Final = slice(148, 156)
# What most headers have: files of owner and group 0. Before the checksum, behind it, and what that adds to it.
_FILE_NUMBERS: Final = b"%07o\0" + b"0000000\0" * 2 + b"%011o\0%011o\0"
FILE_END: Final = b"0" + bytes(100) + _MAGIC + bytes(167)
"""How the header of nearly every file ends."""
_FILE_SUM: Final = sum(FILE_END) + sum(b" " * 8)
# To ask an enumeration for a member takes as long as to make the number of a header.
_FILE: Final = Kind.FILE
_EXTENDED_NAME: Final = b"././@PaxHeader"
_TYPES: Final = {
    Kind.FILE: b"0",
    Kind.HARD_LINK: b"1",
    Kind.SYMLINK: b"2",
    Kind.DIRECTORY: b"5",
    Kind.WHITEOUT: b"0",
    Kind.OPAQUE: b"5",
}


def file_start(path: str, mode: int, mtime: int, size: int) -> bytes | None:
    """What the header of a file of owner and group 0 starts with, before `FILE_END`; None where that is not all of it."""
    if len(path) <= _NAME and path.isascii() and WHITEOUT_PREFIX not in path and 0 <= mtime <= _MOST and size <= _MOST:
        # Nearly all are so: this is `_member` without most of the calls.
        start = path.encode().ljust(_NAME, b"\0") + _FILE_NUMBERS % (mode & 0o7777, size, mtime)
        return start + b"%06o\0 " % (_sum(start) + _FILE_SUM)
    return None


def headers(entry: Entry) -> bytes | bytearray:
    """All that comes before the bytes of a file, or is all of any other member."""
    path, kind, mode, mtime, size, _, target, uid, gid = entry
    if kind is _FILE and not uid and not gid and (start := file_start(path, mode, mtime, size)):
        return start + FILE_END
    if WHITEOUT_PREFIX in path and path.rpartition("/")[2].startswith(WHITEOUT_PREFIX):
        raise WpmError(
            f'{one_line(path)}: a name that begins with "{WHITEOUT_PREFIX}" means a deletion in layers of images: '
            f"rename the file, or write the image as a directory"
        )
    if kind is Kind.DIRECTORY:
        path += "/"
    elif kind is Kind.OPAQUE:
        marker = _member(path + "/" + OPAQUE, b"0", FILE_MODE, mtime, 0, "", uid, gid)
        return _member(path + "/", b"5", mode, mtime, 0, "", uid, gid) + marker
    elif kind is Kind.WHITEOUT:
        folder, slash, name = path.rpartition("/")
        path = folder + slash + WHITEOUT_PREFIX + name
    return _member(path, _TYPES[kind], mode, mtime, size, target, uid, gid)


def _member(
    name: str, kind: bytes, mode: int, mtime: int, size: int, target: str, uid: int, gid: int
) -> bytes | bytearray:
    """The header of a member, after an extended one where something does not fit."""
    if name.isascii() and target.isascii() and len(target) <= _NAME and 0 <= mtime <= _MOST and size <= _MOST:
        prefix, last = ("", name) if len(name) <= _NAME else _parts(name)
        if last and 0 <= uid <= _MOST_ID and 0 <= gid <= _MOST_ID:
            numbers = _NUMBERS % (mode & 0o7777, uid, gid, size, mtime)
            return _summed(last.encode(), numbers, kind, target.encode(), prefix.encode())
    return _extended(name, kind, mode, mtime, size, target, uid, gid)


def _extended(
    name: str, kind: bytes, mode: int, mtime: int, size: int, target: str, uid: int, gid: int
) -> bytes | bytearray:
    """The header of a member with an extended one before it, which says what does not fit."""
    records: dict[bytes, bytes] = {}
    if not (_is_utf8(name) and _is_utf8(target)):
        # Texts are UTF-8 there unless this says that they are bytes; it comes first, as it is about what follows.
        records[b"hdrcharset"] = b"BINARY"
    # Whoever does not know extended headers gets what fits, in ASCII.
    texts = [_fitting(key, text, records) for key, text in ((b"path", name), (b"linkpath", target))]
    bounds = ((b"uid", uid, _MOST_ID), (b"gid", gid, _MOST_ID), (b"size", size, _MOST), (b"mtime", mtime, _MOST))
    numbers = [number if 0 <= number <= most else 0 for _, number, most in bounds]
    records |= {key: b"%d" % number for key, number, most in bounds if not 0 <= number <= most}
    said = b"".join(_record(key, value) for key, value in records.items())
    first = _summed(_EXTENDED_NAME, _NUMBERS % (FILE_MODE, 0, 0, len(said), 0), b"x", b"", b"")
    header = _summed(texts[0], _NUMBERS % (mode & 0o7777, *numbers), kind, texts[1], b"")
    return first + said + bytes(-len(said) % BLOCK) + header


def _fitting(key: bytes, text: str, records: dict[bytes, bytes]) -> bytes:
    """What of a text fits into a header of ustar; where that is not all of it, the whole becomes a record."""
    if len(text) > _NAME or not text.isascii():
        records[key] = text.encode(errors="surrogateescape")
    return text.encode("ascii", "replace")[:_NAME]


def _summed(name: bytes, numbers: bytes, kind: bytes, target: bytes, prefix: bytes) -> bytearray:
    """A header with its checksum; all of it is ASCII."""
    header = bytearray(_HEADER.pack(name, numbers, kind, target, _MAGIC, prefix))
    header[_CHECKSUM] = b"%06o\0 " % _sum(header)
    return header


def _sum(data: bytes | bytearray) -> int:
    """The sum of at most 512 bytes of ASCII, 30 times faster than sum(): Adler-32 has it, plus 1, in its lower half."""
    # Modulo 65,521, but so many come to less than that.
    return (adler32(data) & 0xFFFF) - 1


def _record(key: bytes, value: bytes) -> bytes:
    """A record of an extended header: its length, which counts its own digits, the key and the value."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length += 1
    return b"%d %b=%b\n" % (length, key, value)


def _parts(name: str) -> tuple[str, str]:
    """A name of more than 100 characters as what ustar calls prefix and name; two empty texts when it does not fit."""
    cut = name.find("/", len(name) - _NAME - 1, len(name) - 1)
    return (name[:cut], name[cut + 1 :]) if 0 < cut <= _PREFIX else ("", "")


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
