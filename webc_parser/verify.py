"""Checking every checksum that a container carries."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from webc_parser.errors import WebcError
from webc_parser.tree import VolumeDirectory, VolumeFile

if TYPE_CHECKING:
    from webc_parser.layout import Layout, Seal
    from webc_parser.tree import Region

ATOM_SIGNATURE = "sha256:"


def _check_seal(data: memoryview, seal: Seal) -> None:
    for covered in seal.covered:
        digest = sha256()
        for piece in covered:
            digest.update(bytes(piece) if isinstance(piece, int) else data[piece[0] : piece[1]])
        if digest.digest() == seal.digest:
            return
    raise WebcError(f"the checksum of {seal.what} does not match", seal.offset)


class _Digests:
    """The digests of files, each span hashed once; spans that overlap otherwise are refused, so the work is bounded."""

    def __init__(self, regions: tuple[Region, ...]) -> None:
        self.known: dict[tuple[int, int], bytes] = {}
        self.left = sum([len(region.data) for region in regions])

    def of(self, file: VolumeFile) -> bytes:
        span = (file.offset, file.size)
        digest = self.known.get(span)
        if digest is None:
            self.left -= file.size
            if self.left < 0:
                raise WebcError("the contents of files overlap", file.offset)
            digest = self.known[span] = sha256(file.content).digest()
        return digest


def _check_tree(root: VolumeDirectory, digests: _Digests, name: str) -> None:
    """Check the checksums of a directory, of what it holds and of what it says that these are."""
    pending = [(name, root)]
    while pending:
        path, directory = pending.pop()
        said = directory.entry_checksums
        if directory.checksum is not None and sha256(said).digest() != directory.checksum:
            raise WebcError(f"the checksum of {path} does not match", directory.offset)
        for index, (entry, node) in enumerate(directory.entries.items()):
            below = f"{path}/{entry}"
            if said and node.checksum != said[index * 32 : index * 32 + 32]:
                raise WebcError(f"the checksum of {below} is not the one in its directory", directory.offset)
            if isinstance(node, VolumeDirectory):
                pending.append((below, node))
            elif isinstance(node, VolumeFile) and node.checksum is not None and digests.of(node) != node.checksum:
                raise WebcError(f"the checksum of {below} does not match", node.offset)


def verify(data: memoryview, layout: Layout) -> None:
    """Check the seals, the files, the directories and the signatures of the atoms.

    Raises:
        WebcError: one does not match, or a directory is faulty.
    """
    for seal in layout.seals:
        _check_seal(data, seal)
    digests = _Digests(layout.regions)
    _check_tree(layout.atom_root, digests, "the atoms")
    for name, volume in layout.volumes.items():
        _check_tree(volume.root, digests, name)
    for name, info in layout.manifest.atoms.items():
        atom = layout.atom_root.entries.get(name)
        if not isinstance(atom, VolumeFile):
            raise WebcError(f"the atom {name!r} of the manifest is not in the container", layout.atom_root.offset)
        if info.signature.startswith(ATOM_SIGNATURE):
            said, digest = info.signature[len(ATOM_SIGNATURE) :], digests.of(atom)
            # Base64 as the format has it, or hex as older tools wrote it.
            if said.rstrip("=") != b64encode(digest).decode().rstrip("=") and said.lower() != digest.hex():
                raise WebcError(f"the atom {name!r} does not match its signature in the manifest", atom.offset)
