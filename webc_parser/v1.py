"""Reading version 1: a fixed head, the manifest, then a volume of atoms and named volumes one after the other.

The head is the magic (8 bytes), the kind of checksum (16, padded with `-`), the checksum (256), the length of the
signature (4, little-endian) and the signature (1024). The checksum is the sha256 of the file with zeros for itself and
the signature, padded with zeros; the signature is a detached one of OpenPGP over these 256 bytes. Then each part has
its length before it, in LEB128: the manifest's CBOR, the atoms, and for each volume its name and its bytes. A volume
is the length of its header in LEB128, the header and the files' data. The header is made of levels: 8 bytes of length,
then for each entry 7 bytes of name length, 1 byte of type (0 a directory, 1 a file), 8 bytes where it starts and 8
where it ends (a directory's level in the header, a file's content in the data) and the name.
"""

from __future__ import annotations

from struct import Struct

from webc_parser.cbor import decode
from webc_parser.errors import WebcError
from webc_parser.layout import MAX_MANIFEST, Layout, Seal, SignatureParts, atom_views
from webc_parser.manifest import parse_manifest
from webc_parser.names import entry_name, volume_name
from webc_parser.tree import Region, Volume, VolumeDirectory, VolumeEntry

CHECKSUM_KIND = slice(8, 24)
CHECKSUM = 24
CHECKSUM_SIZE = 256
CHECKSUM_KINDS = frozenset((b"sha256", b"sha256-signed"))
SIGNATURE_LENGTH = 280
SIGNATURE = 284
HEAD_SIZE = 1308

_LEVEL = Struct("<Q")
_ENTRY = Struct("<QQQ")
_NAME_BITS = (1 << 56) - 1


class V1Region(Region):
    """A volume of version 1; a directory's span is that of its level in the header, empty when it has no entries."""

    __slots__ = ()

    def parse(self, start: int, end: int, depth: int) -> tuple[dict[str, VolumeEntry], bytes]:
        """The entries of the level at `start`."""
        entries: dict[str, VolumeEntry] = {}
        if start == end:
            return entries, b""
        header = self.header
        if not start <= len(header) - 8:
            raise self.error("a directory lies outside its volume's header", start)
        (length,) = _LEVEL.unpack_from(header, start)
        position = start + 8
        if length > len(header) - position:
            raise self.error(f"a directory of {length} bytes where {len(header) - position} are left", start)
        self.spend(8 + length, start)
        stop = position + length
        while position < stop:
            if stop - position < 24:
                raise self.error("an entry is cut off", position)
            name_and_type, first, last = _ENTRY.unpack_from(header, position)
            size, kind = name_and_type & _NAME_BITS, name_and_type >> 56
            if size > stop - position - 24:
                raise self.error(f"a name of {size} bytes where {stop - position - 24} are left", position)
            name = entry_name(bytes(header[position + 24 : position + 24 + size]), self.header_base + position + 24)
            node: VolumeEntry
            if kind == 1:
                node = self.file(first, last, position)
            elif kind == 0 and first <= last <= len(header):
                node = VolumeDirectory(self, first, last, depth + 1)
            else:
                raise self.error(f"an entry of type {kind} from {first} to {last} is no file or directory", position)
            self.add(entries, name, node, position)
            position += 24 + size
        return dict(sorted(entries.items())), b""


def _leb128(data: memoryview, position: int) -> tuple[int, int]:
    """An unsigned LEB128 number of at most 64 bits, and the position after it."""
    value = 0
    for index, byte in enumerate(data[position : position + 10]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise WebcError("a length is cut off or too long", position)


def _part(data: memoryview, position: int, what: str) -> tuple[int, int]:
    """The span of the part whose length stands at `position`."""
    length, start = _leb128(data, position)
    if length > len(data) - start:
        raise WebcError(f"{what} has {length} bytes where {len(data) - start} are left", position)
    return start, start + length


def _region(data: memoryview, start: int, end: int, what: str) -> V1Region:
    if start == end:
        return V1Region(data[start:end], start, data[start:end], start)
    first, stop = _part(data[:end], start, f"the header of {what}")
    return V1Region(data[first:stop], first, data[stop:end], stop)


def _root(region: V1Region) -> VolumeDirectory:
    return VolumeDirectory(region, 0, len(region.header), 0)


def _seals(data: memoryview) -> tuple[Seal, ...]:
    kind = bytes(data[CHECKSUM_KIND]).rstrip(b"-")
    if not kind:
        return ()
    if kind not in CHECKSUM_KINDS:
        known = "sha256, sha256-signed or none"
        raise WebcError(f"unknown kind of checksum {kind.decode('latin-1')!r}: {known}", CHECKSUM_KIND.start)
    covered = ((0, CHECKSUM), HEAD_SIZE - CHECKSUM, (HEAD_SIZE, len(data)))
    return (Seal("the whole file", CHECKSUM, bytes(data[CHECKSUM : CHECKSUM + 32]), (covered,)),)


def _signature(data: memoryview, seals: tuple[Seal, ...]) -> SignatureParts | None:
    """The signature, with what it signs where there is a checksum: else it says nothing of the file."""
    length = int.from_bytes(data[SIGNATURE_LENGTH:SIGNATURE], "little")
    if length > HEAD_SIZE - SIGNATURE:
        raise WebcError(f"a signature of {length} bytes is too long", SIGNATURE_LENGTH)
    if not length:
        return None
    signed = seals[0].digest.ljust(CHECKSUM_SIZE, b"\0") if seals else None
    return "openpgp", bytes(data[SIGNATURE : SIGNATURE + length]), signed


def read_v1(data: memoryview) -> Layout:
    """Read the parts of a container of version 1.

    Raises:
        WebcError: it is not well-formed.
    """
    if len(data) < HEAD_SIZE:
        raise WebcError(f"a head of {HEAD_SIZE} bytes is cut off", len(data))
    seals = _seals(data)
    signature = _signature(data, seals)
    start, end = _part(data, HEAD_SIZE, "the manifest")
    if end - start > MAX_MANIFEST:
        raise WebcError(f"a manifest of more than {MAX_MANIFEST} bytes", HEAD_SIZE)
    raw = decode(bytes(data[start:end]), start)
    manifest_start = start

    start, end = _part(data, end, "the volume of atoms")
    atoms = _region(data, start, end, "the atoms")
    regions = [atoms]
    volumes: dict[str, Volume] = {}
    while end < len(data):
        at = end
        start, end = _part(data, at, "a volume's name")
        try:
            name = volume_name(bytes(data[start:end][:8192]).decode(), at)
        except UnicodeDecodeError:
            raise WebcError("a volume's name is not UTF-8", start) from None
        if name in volumes:
            raise WebcError(f"the volume {name[:80]!r} comes twice", at)
        start, end = _part(data, end, f"the volume {name[:80]!r}")
        region = _region(data, start, end, f"the volume {name[:80]!r}")
        regions.append(region)
        volumes[name] = Volume(name, _root(region))
    atom_root = _root(atoms)
    return Layout(
        manifest=parse_manifest(raw, manifest_start, has_atom_volume="atom" in volumes),
        atom_root=atom_root,
        atoms=atom_views(atom_root),
        volumes=dict(sorted(volumes.items())),
        regions=tuple(regions),
        seals=seals,
        signature=signature,
    )
