"""One view of a container, whatever its version."""

from __future__ import annotations

import mmap
import os

from webc_parser.errors import WebcError
from webc_parser.record import Record
from webc_parser.version import Version, detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from webc_parser.layout import Layout
    from webc_parser.manifest import Manifest
    from webc_parser.tree import Volume


class Signature(Record):
    """A signature over the container; it is carried, not verified: that takes a key.

    Attributes:
        algorithm: its name: `openpgp` in version 1.
        value: its bytes.
        signed: the bytes that it signs, which stand for the container once `Container.verify` has passed; None where
            nothing is known of that.
    """

    algorithm: str
    value: bytes
    signed: bytes | None


class Container:
    """An open container: manifest, atoms and volumes over the mapped file; nothing is copied, no atom is even read.

    Attributes:
        version: of the format.
        manifest: what the package says of itself.
        atoms: the executables by name, as read-only views of the file.
        volumes: the trees of files by name.
        signature: the signature that the container carries, if it does.
        size: of the whole container, in bytes.
        status: what the system said of the file when it was opened; `None` for a container in memory.
    """

    version: Version
    manifest: Manifest
    atoms: Mapping[str, memoryview]
    volumes: Mapping[str, Volume]
    signature: Signature | None
    size: int
    status: os.stat_result | None

    __slots__ = (
        "_closed",
        "_data",
        "_layout",
        "_map",
        "atoms",
        "manifest",
        "signature",
        "size",
        "status",
        "version",
        "volumes",
    )

    def __init__(self, data: memoryview, mapped: mmap.mmap | None = None, status: os.stat_result | None = None) -> None:
        self.status = status
        self._data = data
        self._map = mapped
        self._closed = False
        self.size = len(data)
        self.version = detect(data)
        layout: Layout
        if self.version is Version.V1:
            from webc_parser.v1 import read_v1

            layout = read_v1(data)
        else:
            from webc_parser.sections import read_sections

            layout = read_sections(data, self.version)
        self._layout = layout
        self.manifest = layout.manifest
        self.volumes = layout.volumes
        self.atoms = layout.atoms
        self.signature = Signature(*layout.signature) if layout.signature else None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Container:
        """Map a file and read its index and manifest.

        Args:
            path: the file.

        Raises:
            WebcError: the file is no well-formed container.
            OSError: the file cannot be opened or mapped.
        """
        with open(path, "rb", buffering=0) as file:
            return cls.from_descriptor(file.fileno(), os.fspath(path))

    @classmethod
    def from_descriptor(cls, descriptor: int, path: str) -> Container:
        """Map the file of a descriptor, which may be closed afterwards, and read its index and manifest.

        Args:
            descriptor: an open file.
            path: what errors call it.

        Raises:
            WebcError: the file is no well-formed container.
            OSError: the file cannot be mapped.
        """
        status = os.fstat(descriptor)
        if status.st_size == 0:
            raise WebcError(f"{path} is empty, not a WEBC container", 0)
        mapped = mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        data = memoryview(mapped)
        try:
            return cls(data, mapped, status)
        except WebcError as error:
            fault = WebcError(f"{path}: {error}")
            fault.offset = error.offset
            raise fault from None

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview) -> Container:
        """Read a container that is in memory.

        Args:
            data: its bytes; they are not copied and must not change.

        Raises:
            WebcError: the bytes are no well-formed container.
        """
        return cls(memoryview(data).cast("B").toreadonly())

    def _view(self) -> memoryview:
        if self._closed:
            raise WebcError("the container is closed")
        return self._data

    def verify(self) -> None:
        """Check every checksum that the container carries, and the atoms' signatures in the manifest.

        Raises:
            WebcError: a checksum does not match, or a directory is faulty.
        """
        from webc_parser.verify import verify

        verify(self._view(), self._layout)

    @property
    def mapped(self) -> mmap.mmap | None:
        """The mapped file, whose bytes the views are that it hands out; None where the container is in memory."""
        return self._map

    def atom_offset(self, name: str) -> int:
        """Where in the container the bytes of an atom begin.

        Args:
            name: of the atom.

        Raises:
            KeyError: there is no such atom.
        """
        return self._layout.atom_root.entries[name].offset

    def sha256(self) -> str:
        """The sha256 of the whole file, in hexadecimal; computed at each call."""
        from hashlib import sha256

        return sha256(self._view()).hexdigest()

    def close(self) -> None:
        """Let go of the file; views that were handed out stay valid, and keep it mapped, until they are dropped."""
        self._closed = True
        self._layout.release()
        self._data.release()
        if self._map is not None:
            try:
                self._map.close()
            except BufferError:  # a view is still held: the map goes with the last one
                self._map = None

    def __enter__(self) -> Container:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Container {self.version} of {self.size} bytes>"
