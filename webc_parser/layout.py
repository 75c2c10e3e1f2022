"""What reading a container of any version gives: the parts of it, and where its checksums are and what they cover."""

from __future__ import annotations

from webc_parser.errors import WebcError
from webc_parser.names import entry_name
from webc_parser.record import Record
from webc_parser.tree import VolumeDirectory, VolumeFile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from webc_parser.manifest import Manifest
    from webc_parser.tree import Region, Volume

MAX_MANIFEST = 16 << 20

SignatureParts = tuple[str, bytes, bytes | None]
"""A signature: its algorithm, its bytes and what they sign."""


class Seal(Record):
    """A sha256 that the container carries over some of its bytes.

    `covered` are the readings of what it covers, one of which must match. A reading is made of pieces, each a span of
    the file or a number of zero bytes that stand for a span.
    """

    what: str
    offset: int
    digest: bytes
    covered: tuple[tuple[tuple[int, int] | int, ...], ...]


class Layout(Record):
    """The parts of a container; `regions` are the bytes behind atoms and volumes, `atom_root` the atoms as files."""

    manifest: Manifest
    atom_root: VolumeDirectory
    atoms: Mapping[str, memoryview]
    volumes: Mapping[str, Volume]
    regions: tuple[Region, ...]
    seals: tuple[Seal, ...]
    signature: SignatureParts | None

    def release(self) -> None:
        """Drop the views of the file that the trees hold."""
        for region in self.regions:
            region.close()


def atom_views(root: VolumeDirectory) -> dict[str, memoryview]:
    """The atoms, by name.

    Raises:
        WebcError: a directory stands among them.
    """
    atoms = {}
    for name, node in root.entries.items():
        if not isinstance(node, VolumeFile):
            raise WebcError(f"the atom {name!r} is a directory", node.offset)
        atoms[entry_name(name.encode(), root.offset)] = node.content
    return atoms
