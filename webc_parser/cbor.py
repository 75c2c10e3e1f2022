"""A small strict CBOR codec (RFC 8949), for the index and the manifest of a container.

Decoding believes no length before it is checked against what is left, nests to a limit and makes a limited number of
values; every error tells the byte offset. Encoding is deterministic (RFC 8949 section 4.2.1): shortest heads, map
keys in the bytewise order of their encodings, no indefinite lengths.
"""

from __future__ import annotations

import struct

from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Value = None | bool | int | float | str | bytes | Sequence["Value"] | Mapping["Value", "Value"]

MAX_DEPTH = 64
MAX_VALUES = 400_000
_BREAK = 0xFF
_KEYS = (str, int, bytes)
_SIMPLE: dict[int, bool | None] = {20: False, 21: True, 22: None, 23: None}
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}


class _Decoder:
    """Reads values one after another; `base` is the offset of the data in the file, for the errors."""

    __slots__ = ("base", "data", "end", "left", "position")

    def __init__(self, data: bytes, base: int) -> None:
        self.data = data
        self.base = base
        self.position = 0
        self.end = len(data)
        self.left = MAX_VALUES

    def error(self, what: str, position: int | None = None) -> WebcError:
        return WebcError(f"bad CBOR: {what}", self.base + (self.position if position is None else position))

    def head(self) -> tuple[int, int, int]:
        """The next head: major type, additional information, argument (-1 for an indefinite length)."""
        start = self.position
        if start >= self.end:
            raise self.error("it ends in the middle of a value")
        initial = self.data[start]
        info = initial & 31
        self.position = start + 1
        if info < 24:
            return initial >> 5, info, info
        if info < 28:
            size = 1 << (info - 24)
            if self.end - self.position < size:
                raise self.error("it ends in the middle of a number", start)
            argument = int.from_bytes(self.data[self.position : self.position + size], "big")
            self.position += size
            return initial >> 5, info, argument
        if info == 31:
            return initial >> 5, info, -1
        raise self.error(f"reserved additional information {info}", start)

    def string(self, major: int, argument: int, start: int) -> bytes:
        """The bytes of a byte or text string, gathered when it comes in chunks."""
        if argument >= 0:
            if argument > self.end - self.position:
                raise self.error(f"a string of {argument} bytes where {self.end - self.position} are left", start)
            taken = self.data[self.position : self.position + argument]
            self.position += argument
            return taken
        chunks: list[bytes] = []
        while True:
            chunk_start = self.position
            chunk_major, info, size = self.head()
            if chunk_major == 7 and info == 31:
                return b"".join(chunks)
            if chunk_major != major or size < 0:
                raise self.error("a chunk of another type inside a string", chunk_start)
            chunks.append(self.string(major, size, chunk_start))

    def text(self, raw: bytes, start: int) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.error("text that is not UTF-8", start) from None

    def at_break(self) -> bool:
        if self.position < self.end and self.data[self.position] == _BREAK:
            self.position += 1
            return True
        return False

    def array(self, count: int, depth: int, start: int) -> list[Value]:
        if count < 0:
            items: list[Value] = []
            while not self.at_break():
                items.append(self.value(depth))
            return items
        if count > self.end - self.position:
            raise self.error(f"an array of {count} values where {self.end - self.position} bytes are left", start)
        return [self.value(depth) for _ in range(count)]

    def map(self, count: int, depth: int, start: int) -> dict[Value, Value]:
        entries: dict[Value, Value] = {}
        if count >= 0 and count * 2 > self.end - self.position:
            raise self.error(f"a map of {count} entries where {self.end - self.position} bytes are left", start)
        while count and not (count < 0 and self.at_break()):
            count -= count > 0
            key_start = self.position
            key = self.value(depth)
            if not isinstance(key, _KEYS):
                raise self.error("a map key that is neither text, a number nor bytes", key_start)
            if key in entries:
                raise self.error(f"the map key {key!r} comes twice", key_start)
            entries[key] = self.value(depth)
        return entries

    def value(self, depth: int) -> Value:
        start = self.position
        self.left -= 1
        if self.left < 0:
            raise self.error(f"more than {MAX_VALUES} values", start)
        if depth > MAX_DEPTH:
            raise self.error(f"values nested deeper than {MAX_DEPTH}", start)
        if start < self.end:  # short texts and small maps, which most values are, without the ceremony
            initial = self.data[start]
            if 0x60 <= initial < 0x78:
                after = start + initial - 0x5F
                if after <= self.end:
                    self.position = after
                    try:
                        return self.data[start + 1 : after].decode()
                    except UnicodeDecodeError:
                        raise self.error("text that is not UTF-8", start) from None
            elif 0xA0 <= initial < 0xB8:
                self.position = start + 1
                return self.map(initial & 31, depth + 1, start)
        major, info, argument = self.head()
        if argument < 0 and major not in (2, 3, 4, 5):
            raise self.error("an indefinite length or a break where none may be", start)
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return self.string(2, argument, start)
        if major == 3:
            return self.text(self.string(3, argument, start), start)
        if major == 4:
            return self.array(argument, depth + 1, start)
        if major == 5:
            return self.map(argument, depth + 1, start)
        if major == 6:
            return self.value(depth + 1)  # a tag says how to look at the value; what it holds is the same
        if info in _FLOATS:
            code, size = _FLOATS[info]
            return float(struct.unpack(code, self.data[self.position - size : self.position])[0])
        if argument not in _SIMPLE or info == 24:
            raise self.error(f"the simple value {argument} has no meaning", start)
        return _SIMPLE[argument]


def decode_prefix(data: bytes, base: int = 0) -> tuple[Value, int]:
    """Decode the first value in `data`; the value and the number of bytes that it took.

    Args:
        data: the encoded bytes.
        base: the offset of `data` in the file; errors tell offsets in the file.

    Raises:
        WebcError: the bytes are no well-formed CBOR, nest too deep or hold too many values.
    """
    decoder = _Decoder(data, base)
    return decoder.value(0), decoder.position


def decode(data: bytes, base: int = 0) -> Value:
    """Decode `data`, which holds exactly one value.

    Raises:
        WebcError: as `decode_prefix`, or bytes follow the value.
    """
    value, used = decode_prefix(data, base)
    if used != len(data):
        raise WebcError(f"bad CBOR: {len(data) - used} bytes follow the value", base + used)
    return value


def _head(major: int, argument: int) -> bytes:
    if argument < 24:
        return bytes((major << 5 | argument,))
    for info, code in ((24, ">BB"), (25, ">BH"), (26, ">BI"), (27, ">BQ")):
        if argument < 1 << (8 << (info - 24)):
            return struct.pack(code, major << 5 | info, argument)
    raise WebcError(f"cannot encode {argument} in CBOR: it does not fit into 64 bits")


def _float(value: float) -> bytes:
    for info, (code, _) in _FLOATS.items():
        try:
            packed = struct.pack(code, value)
        except OverflowError:
            continue
        if info == 27 or struct.unpack(code, packed)[0] == value or value != value:
            return bytes((7 << 5 | info,)) + packed
    raise AssertionError("a double always fits")


def encode(value: object, depth: int = 0) -> bytes:
    """Encode a value: `None`, `bool`, `int`, `float`, `str`, `bytes`, a sequence or a mapping of these.

    Raises:
        WebcError: the value, or one inside it, is of another type, or it nests too deep.
    """
    if depth > MAX_DEPTH:
        raise WebcError(f"cannot encode values nested deeper than {MAX_DEPTH} in CBOR")
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return _float(value)
        case str():
            try:
                text = value.encode()
            except UnicodeEncodeError:
                raise WebcError(f"cannot encode {value!r} in CBOR: it is not Unicode text") from None
            return _head(3, len(text)) + text
        case bytes() | bytearray() | memoryview():
            return _head(2, len(value)) + bytes(value)
        case list() | tuple():
            return _head(4, len(value)) + b"".join([encode(item, depth + 1) for item in value])
    if hasattr(value, "items"):
        entries = sorted((encode(key, depth + 1), encode(item, depth + 1)) for key, item in value.items())
        return _head(5, len(entries)) + b"".join([key + item for key, item in entries])
    raise WebcError(f"cannot encode {type(value).__name__} in CBOR")
