"""Reading versions 2 and 3: sections, found by the index that comes first.

Integers are little-endian. A section is a tag (1 byte), in version 3 the sha256 of its value (32 bytes; not for the
index), the length of the value (8 bytes) and the value. The index is a CBOR map, maybe padded with zeros: `manifest`,
`atoms` and `volumes` (a map by name) tell the span and the checksum of each section, `signature` ends it. The
manifest is CBOR. A volume is its name, its header and its data, each with its length (8 bytes) before it; the atoms
have no name.
"""

from __future__ import annotations

from webc_parser.cbor import decode, decode_prefix
from webc_parser.entries import U64, V2Region, V3Region
from webc_parser.errors import WebcError
from webc_parser.field import Fields
from webc_parser.layout import MAX_MANIFEST, Layout, Seal, SignatureParts, atom_views
from webc_parser.manifest import parse_manifest
from webc_parser.names import volume_name
from webc_parser.record import Record
from webc_parser.tree import Volume
from webc_parser.version import HEADER_SIZE, Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TAG_MANIFEST = 1
TAG_INDEX = 2
TAG_ATOMS = 3
TAG_VOLUME = 4
MAX_INDEX = 16 << 20
CHECKSUM_SHA256 = "checksum-sha256"
SIGNATURE_NONE = "signature-none"


class Section(Record):
    """A section: where it and its value are in the file, and its checksums: its own and that of the index."""

    what: str
    start: int
    value: int
    end: int
    own_digest: bytes | None
    index_digest: bytes | None

    def seals(self) -> Iterator[Seal]:
        """What there is to verify of the section."""
        value, whole = ((self.value, self.end),), ((self.start, self.end),)
        if self.own_digest is not None:
            yield Seal(self.what, self.start, self.own_digest, (value,))
        if self.index_digest is not None and self.index_digest != self.own_digest:
            yield Seal(f"{self.what} in the index", self.start, self.index_digest, (value, whole))


def _part(data: memoryview, position: int, end: int, what: str) -> tuple[int, int]:
    """The span of a part whose length (8 bytes) stands at `position`, and which ends before `end`."""
    if end - position < 8:
        raise WebcError(f"the length of {what} is cut off", position)
    (length,) = U64.unpack_from(data, position)
    if length > end - position - 8:
        raise WebcError(f"{what} has {length} bytes where {end - position - 8} are left", position)
    return position + 8, position + 8 + length


def _section(data: memoryview, entry: Fields | None, tag: int, version: Version, what: str) -> Section:
    """The section that an entry of the index points to, checked against the section's own head."""
    span = entry.fields("span") if entry else None
    start, length = (span.raw.get("start"), span.raw.get("len")) if span else (None, None)
    if entry is None or not isinstance(start, int) or not isinstance(length, int) or start < HEADER_SIZE or length < 0:
        raise WebcError(f"the index does not tell where {what} is", HEADER_SIZE)
    head = 1 if version is Version.V2 else 33
    if start > len(data) or length > len(data) - start or length < head + 8:
        raise WebcError(f"the index puts {what} at byte {start}, {length} bytes long: outside the file", HEADER_SIZE)
    if data[start] != tag:
        raise WebcError(f"{what} has the tag {data[start]}, not {tag}", start)
    first, stop = _part(data, start + head, start + length, what)
    checksum = entry.fields("checksum")
    digest = checksum.raw.get("value") if checksum and checksum.raw.get("tag") == CHECKSUM_SHA256 else None
    if digest is not None and (not isinstance(digest, bytes) or len(digest) != 32):
        raise WebcError(f"the index has a checksum of {what} that is not 32 bytes", HEADER_SIZE)
    own = bytes(data[start + 1 : start + 33]) if version is Version.V3 else None
    return Section(what, start, first, stop, own, digest)


def _refuse_overlaps(sections: list[Section], after: int) -> None:
    """Sections that share bytes would let a small file describe a large one."""
    for section in sorted(sections, key=lambda section: section.start):
        if section.start < after:
            raise WebcError(f"{section.what} overlaps the section before it", section.start)
        after = section.end


def _index(data: memoryview) -> tuple[Fields, int]:
    """The index, which is the first section, and where it ends."""
    if len(data) < HEADER_SIZE + 9 or data[HEADER_SIZE] != TAG_INDEX:
        raise WebcError("the index, which comes first, is not there", HEADER_SIZE)
    start, end = _part(data, HEADER_SIZE + 1, len(data), "the index")
    if end - start > MAX_INDEX:
        raise WebcError(f"an index of more than {MAX_INDEX} bytes", HEADER_SIZE)
    encoded = bytes(data[start:end])
    index, used = decode_prefix(encoded, start)
    if encoded[used:].strip(b"\0"):
        raise WebcError("something follows the index in its section", start + used)
    if not isinstance(index, dict):
        raise WebcError("the index is not a map", start)
    return Fields(index, "index", start), end


def _signature(index: Fields) -> SignatureParts | None:
    """The signature. No algorithm but "none" was ever defined for these versions: what another would sign is not known."""
    signature = index.fields("signature")
    if signature is None or signature.raw.get("tag") == SIGNATURE_NONE:
        return None
    value = signature.raw.get("value")
    if not isinstance(value, bytes):
        raise signature.wrong("value", "bytes")
    return signature.text("tag"), value, None


def _trees(data: memoryview, start: int, end: int, version: Version, what: str) -> V2Region:
    """The header and the data of a volume, which fill the span."""
    first, stop = _part(data, start, end, f"the header of {what}")
    data_start, data_stop = _part(data, stop, end, f"the data of {what}")
    if data_stop != end:
        raise WebcError(f"something follows the data of {what} in its section", data_stop)
    region = V3Region if version is Version.V3 else V2Region
    return region(data[first:stop], first, data[data_start:data_stop], data_start)


def read_sections(data: memoryview, version: Version) -> Layout:
    """Read the parts of a container of version 2 or 3.

    Raises:
        WebcError: it is not well-formed.
    """
    index, index_end = _index(data)
    manifest = _section(data, index.fields("manifest"), TAG_MANIFEST, version, "the manifest")
    if manifest.end - manifest.value > MAX_MANIFEST:
        raise WebcError(f"a manifest of more than {MAX_MANIFEST} bytes", manifest.start)
    raw = decode(bytes(data[manifest.value : manifest.end]), manifest.value)

    section = _section(data, index.fields("atoms"), TAG_ATOMS, version, "the atoms")
    sections = [manifest, section]
    atoms = _trees(data, section.value, section.end, version, "the atoms")
    regions = [atoms]
    volumes = {}
    for name, entry in index.map_of_fields("volumes"):
        what = f"the volume {name[:80]!r}"
        section = _section(data, entry, TAG_VOLUME, version, what)
        name_start, name_end = _part(data, section.value, section.end, f"the name of {what}")
        if bytes(data[name_start:name_end]) != volume_name(name, HEADER_SIZE).encode():
            raise WebcError(f"the volume that the index calls {name[:80]!r} has another name itself", name_start)
        region = _trees(data, name_end, section.end, version, what)
        sections.append(section)
        regions.append(region)
        volumes[name] = Volume(name, region.directory(0, 0))
    _refuse_overlaps(sections, index_end)
    atom_root = atoms.directory(0, 0)
    return Layout(
        # Version 3 is younger than the `fs` annotation: without one nothing is mounted.
        manifest=parse_manifest(raw, manifest.value, has_atom_volume=version is Version.V2 and "atom" in volumes),
        atom_root=atom_root,
        atoms=atom_views(atom_root),
        volumes=dict(sorted(volumes.items())),
        regions=tuple(regions),
        seals=tuple([seal for section in sections for seal in section.seals()]),
        signature=_signature(index),
    )
