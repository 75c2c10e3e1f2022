"""The trees of versions 2 and 3: how a volume's header describes directories and files.

Integers are little-endian. A header describes a tree, its root first. A directory is tag 30, a length (8 bytes), in
version 3 three timestamps (24 bytes) and its sha256 (32 bytes), and then for each entry where in the header it is
described (8 bytes), in version 3 its sha256 (32 bytes), and its name with the length (8 bytes) before it; the length
covers all that follows it. A file is tag 31, where its content starts and ends in the data (8 bytes each), its sha256
(32 bytes) and in version 3 three timestamps. A symbolic link (version 3) is tag 32, its target with the length (8
bytes) before it, a sha256 (32 bytes) and three timestamps. The timestamps are of access, modification and creation,
in seconds since the epoch.
"""

from __future__ import annotations

from struct import Struct

from webc_parser.names import entry_name, link_target
from webc_parser.tree import Region, VolumeDirectory, VolumeEntry, VolumeFile, VolumeSymlink

TAG_DIRECTORY = 30
TAG_FILE = 31
TAG_SYMLINK = 32
SECOND_NS = 1_000_000_000
MAX_TIME_NS = (1 << 64) - 1

U64 = Struct("<Q")
FILE_V2 = Struct("<QQ32s")
FILE_V3 = Struct("<QQ32sQQQ")
DIRECTORY_V3 = Struct("<QQQ32s")
# Version 2 has no checksum there: one of no bytes, so that both versions are read alike.
ENTRY_V2 = Struct("<Q0sQ")
ENTRY_V3 = Struct("<Q32sQ")
SYMLINK_V3 = Struct("<32sQQQ")


class V2Region(Region):
    """A volume of version 2."""

    __slots__ = ()

    entry = ENTRY_V2
    """What comes before an entry's name."""
    before_entries: int = 0
    """How many bytes a directory says of itself."""

    def node(self, position: int, depth: int) -> VolumeEntry:
        """What is described at `position` in the header."""
        header = self.header
        if position >= len(header):
            raise self.error("an entry lies outside its volume's header", position)
        tag = header[position]
        if tag == TAG_FILE:
            return self.read_file(position)
        if tag == TAG_DIRECTORY:
            return self.directory(position, depth)
        return self.other(tag, position)

    def other(self, tag: int, position: int) -> VolumeEntry:
        """The entry at `position`, which is neither a file nor a directory."""
        raise self.error(f"the tag {tag} of an entry is unknown", position)

    def directory(self, position: int, depth: int) -> VolumeDirectory:
        """The directory at `position`."""
        return VolumeDirectory(self, *self.span(position), depth)

    def span(self, position: int) -> tuple[int, int]:
        """The span of the entries of the directory at `position`."""
        start = position + 9
        if start > len(self.header) or self.header[position] != TAG_DIRECTORY:
            raise self.error("there is no directory", position)
        (length,) = U64.unpack_from(self.header, position + 1)
        if length > len(self.header) - start:
            raise self.error(f"a directory of {length} bytes where {len(self.header) - start} are left", position)
        return start, start + length

    def read_file(self, position: int) -> VolumeFile:
        """The file at `position`."""
        if len(self.header) - position - 1 < FILE_V2.size:
            raise self.error("a file's description is cut off", position)
        start, end, digest = FILE_V2.unpack_from(self.header, position + 1)
        self.spend(1 + FILE_V2.size, position)
        return self.file(start, end, position, None, digest)

    def parse(self, start: int, end: int, depth: int) -> tuple[dict[str, VolumeEntry], bytes]:
        """The entries between `start` and `end`, after what the directory says of itself."""
        self.spend(9 + end - start, start)
        start += self.before_entries
        # Copied in one piece: views of views, one for each name, take twice as long.
        table = bytes(self.header[start:end])
        head, unpack = self.entry.size, self.entry.unpack_from
        entries: dict[str, VolumeEntry] = {}
        digests: dict[str, bytes] = {}
        at, length, depth = 0, len(table), depth + 1
        header, read_file, add = self.header, self.read_file, self.add
        header_size = len(header)
        while at < length:
            if length - at < head:
                raise self.error("an entry is cut off", start + at)
            position, digest, size = unpack(table, at)
            at += head
            if size > length - at:
                raise self.error(f"a name of {size} bytes where {length - at} are left", start + at)
            name = entry_name(table[at : at + size], self.header_base + start + at)
            if position < header_size and header[position] == TAG_FILE:
                node: VolumeEntry = read_file(position)
            else:
                node = self.node(position, depth)
            add(entries, name, node, start + at)
            digests[name] = digest
            at += size
        entries = dict(sorted(entries.items()))
        return entries, b"".join([digests[name] for name in entries])


class V3Region(V2Region):
    """A volume of version 3: with timestamps, and checksums of directories."""

    __slots__ = ()

    entry = ENTRY_V3
    before_entries: int = DIRECTORY_V3.size

    def directory(self, position: int, depth: int) -> VolumeDirectory:
        """The directory at `position`."""
        start, end = self.span(position)
        if end - start < DIRECTORY_V3.size:
            raise self.error("a directory's description is cut off", position)
        _, modified, _, digest = DIRECTORY_V3.unpack_from(self.header, start)
        return VolumeDirectory(self, start, end, depth, min(modified * SECOND_NS, MAX_TIME_NS), digest)

    def read_file(self, position: int) -> VolumeFile:
        """The file at `position`."""
        header = self.header
        if len(header) - position <= FILE_V3.size:
            raise self.error("a file's description is cut off", position)
        start, end, digest, _, modified, _ = FILE_V3.unpack_from(header, position + 1)
        self.spend(1 + FILE_V3.size, position)
        modified *= SECOND_NS
        return self.file(start, end, position, modified if modified < MAX_TIME_NS else MAX_TIME_NS, digest)

    def other(self, tag: int, position: int) -> VolumeEntry:
        """The symbolic link at `position`."""
        if tag != TAG_SYMLINK:
            return super().other(tag, position)
        left = len(self.header) - position - 9 - SYMLINK_V3.size
        size = U64.unpack_from(self.header, position + 1)[0] if left >= 0 else 0
        if size > left:
            raise self.error("a symbolic link's description is cut off", position)
        start = position + 9
        self.spend(9 + size + SYMLINK_V3.size, position)
        target = link_target(bytes(self.header[start : start + size]), self.header_base + start)
        digest, _, modified, _ = SYMLINK_V3.unpack_from(self.header, start + size)
        return VolumeSymlink(target, min(modified * SECOND_NS, MAX_TIME_NS), digest, self.header_base + position)
