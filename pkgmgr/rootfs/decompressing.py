"""Taking gzip and Zstandard apart, of strangers too: piece by piece, and no more than is allowed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError
from pkgmgr.plain_text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_BYTES: Final = 64 << 30
"""No archive and no layer becomes larger than this."""

# Zeros shrink to a thousandth with gzip, and to less with Zstandard; programs and texts hardly ever to a hundredth.
_ROOM: Final = 1 << 30
_MOST_RATIO: Final = 256
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP_MEMBER: Final = zlib.MAX_WBITS | 16
_PIECE: Final = 1 << 20
# What is behind a member's end is copied for each member, and a member may have 20 bytes.
_GZIP_INPUT: Final = 1 << 15
# zstandard bounds what comes of a call by nothing but its input: four bytes may become 128 KiB, so these 32 MiB.
_ZSTD_INPUT: Final = 1 << 10
_MOST_WINDOW: Final = 128 << 20


def most_bytes(packed: int) -> int:
    """How many bytes may come of so many: what is packed well is no bomb, and hardly anything shrinks to a hundredth."""
    return min(MOST_BYTES, _ROOM + _MOST_RATIO * packed)


def method_of(beginning: bytes) -> str:
    """How something is compressed: `gzip`, `zstd` or `none`.

    Args:
        beginning: Its first bytes, four at least where there are so many.
    """
    if beginning.startswith(_GZIP):
        return "gzip"
    # A frame, or a skippable one (RFC 8878, 3.1.2).
    if beginning.startswith(_ZSTD) or (beginning[1:4] == b"\x2a\x4d\x18" and beginning[0] & 0xF0 == 0x50):
        return "zstd"
    return "none"


def decompressed(
    pieces: Iterable[bytes | memoryview], method: str, name: object, most: int = MOST_BYTES
) -> Iterator[bytes | memoryview]:
    """Decompress a stream of members or frames, a megabyte or so at a time.

    Args:
        pieces: Its bytes.
        method: `none`, `gzip` or `zstd`.
        name: What it is, for messages.
        most: How many bytes may come of it.

    Raises:
        WpmError: It is damaged or cut off, becomes too large, or whatever `pieces` raises.
    """
    count = 0
    for piece in _any(pieces, method, name):
        count += len(piece)
        if count > most:
            raise WpmError(
                f"{name}: it becomes larger than {most} bytes, which is not allowed: do not trust its source"
            )
        yield piece


def _any(pieces: Iterable[bytes | memoryview], method: str, name: object) -> Iterator[bytes | memoryview]:
    match method:
        case "none":
            return iter(pieces)
        case "gzip":
            return _gunzipped(pieces, name)
        case "zstd":
            return _frames(pieces, name)
    raise WpmError(f"{name}: {method} is no compression that can be read: it must be gzip or zstd")


def _gunzipped(pieces: Iterable[bytes | memoryview], name: object) -> Iterator[bytes]:
    """The contents of the members of a gzip file (RFC 1952), one behind another."""
    member = zlib.decompressobj(_GZIP_MEMBER)
    begun = padding = False
    try:
        for data in _cut(pieces, _GZIP_INPUT):
            while data:
                if member.eof:
                    # Zeros may fill up the last block of a tape.
                    padding = padding or data[0] == 0
                    if padding:
                        if bytes(data).strip(b"\0"):
                            raise WpmError(f"{name}: damaged gzip: something else follows: get it again")
                        break
                    member = zlib.decompressobj(_GZIP_MEMBER)
                begun = True
                if made := member.decompress(data, _PIECE):
                    yield made
                data = member.unused_data if member.eof else member.unconsumed_tail
    except zlib.error as error:
        raise WpmError(f"{name}: damaged gzip: {_words(error)}: get it again") from None
    if not member.eof:
        what = "it ends in the middle" if begun else "it is empty"
        raise WpmError(f"{name}: damaged gzip: {what}: get it again")


def _frames(pieces: Iterable[bytes | memoryview], name: object) -> Iterator[bytes]:
    """The contents of Zstandard frames (RFC 8878), one behind another."""
    import zstandard

    decompressor = zstandard.ZstdDecompressor(max_window_size=_MOST_WINDOW)
    frame = decompressor.decompressobj()
    begun = False
    try:
        for piece in _cut(pieces, _ZSTD_INPUT):
            data = bytes(piece)
            while data:
                if frame.eof:
                    frame = decompressor.decompressobj()
                begun = True
                if made := frame.decompress(data):
                    yield made
                data = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise WpmError(f"{name}: damaged Zstandard: {_words(error)}: get it again") from None
    if not frame.eof:
        what = "it ends in the middle" if begun else "it is empty"
        raise WpmError(f"{name}: damaged Zstandard: {what}: get it again")


def _cut(pieces: Iterable[bytes | memoryview], longest: int) -> Iterator[bytes | memoryview]:
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), longest):
            yield view[start : start + longest]


def _words(error: Exception) -> str:
    return one_line(str(error)).rpartition(": ")[2]
