"""Writing the header of a volume of version 2 or 3: the counterpart of `webc_parser.entries`."""

from __future__ import annotations

from webc_parser.entries import (
    DIRECTORY_V3,
    ENTRY_V2,
    ENTRY_V3,
    FILE_V2,
    FILE_V3,
    MAX_TIME_NS,
    SECOND_NS,
    SYMLINK_V3,
    TAG_DIRECTORY,
    TAG_FILE,
    TAG_SYMLINK,
    U64,
)
from webc_parser.errors import WebcError
from webc_parser.source import PlannedDirectory, PlannedFile, PlannedSymlink
from webc_parser.version import Version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from webc_parser.source import PlannedEntry


class HeaderWriter:
    """Lays a tree out depth first, parents before children; `files` are those of the data, in their order there."""

    def __init__(self, root: PlannedDirectory, version: Version) -> None:
        self.v3: bool = version is Version.V3
        self.files: list[PlannedFile] = []
        self.data_size: int = 0
        self._records: list[bytes] = []
        self._directory(root, 0)
        self.header: bytes = b"".join(self._records)

    def _seconds(self, modified_ns: int | None) -> int:
        if modified_ns is None:
            return 0
        if not 0 <= modified_ns <= MAX_TIME_NS:
            raise WebcError(f"the time {modified_ns} ns lies before 1970 or after 2554: a container cannot hold it")
        return modified_ns // SECOND_NS

    def _file(self, file: PlannedFile) -> int:
        """Write a file's description; its size."""
        start, end = self.data_size, self.data_size + file.size
        self.data_size = end
        self.files.append(file)
        if self.v3:
            record = FILE_V3.pack(start, end, file.digest, 0, self._seconds(file.modified_ns), 0)
        else:
            record = FILE_V2.pack(start, end, file.digest)
        self._records.append(bytes((TAG_FILE,)) + record)
        return 1 + len(record)

    def _symlink(self, link: PlannedSymlink) -> int:
        """Write a symbolic link's description; its size."""
        if not self.v3:
            raise WebcError(f"version 2 has no symbolic links, and {link.where} is one: write version 3")
        head = bytes((TAG_SYMLINK,)) + U64.pack(len(link.target))
        record = head + link.target + SYMLINK_V3.pack(link.digest, 0, self._seconds(link.modified_ns), 0)
        self._records.append(record)
        return len(record)

    def _node(self, node: PlannedEntry, position: int) -> int:
        """Write whatever it is at `position`; the position after it and all below it."""
        match node:
            case PlannedDirectory():
                return self._directory(node, position)
            case PlannedSymlink():
                return position + self._symlink(node)
            case PlannedFile():
                return position + self._file(node)

    def _directory(self, directory: PlannedDirectory, position: int) -> int:
        """Write a directory and all below it, at `position` in the header; the position after it."""
        names = {name: name.encode() for name in directory.entries}
        head = ENTRY_V3 if self.v3 else ENTRY_V2
        size = (DIRECTORY_V3.size if self.v3 else 0) + sum([head.size + len(name) for name in names.values()])
        place = len(self._records)
        self._records.append(b"")  # its own description, written when it is known where its entries are
        end = position + 9 + size
        record = [bytes((TAG_DIRECTORY,)), U64.pack(size)]
        if self.v3:
            record.append(DIRECTORY_V3.pack(0, self._seconds(directory.modified_ns), 0, directory.digest))
        for name, node in directory.entries.items():
            raw = names[name]
            record += (head.pack(end, node.digest, len(raw)), raw)
            end = self._node(node, end)
        self._records[place] = b"".join(record)
        return end
