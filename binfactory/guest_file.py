"""A file of the guest's filesystem that may be a program: what it is, and its bytes when they are needed."""

from __future__ import annotations

import errno
import os
from collections import OrderedDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runtime.fs.node import File

WASM_MAGIC = b"\0asm"
WEBC_MAGIC = b"\0webc"
SCRIPT_MAGIC = b"#!"
HEAD = 256
"""How much of a file tells what it is; also the longest first line of a script, as on Linux."""

LARGEST = 512 << 20
CHUNK = 1 << 20
REMEMBERED = 256
SETTLED_NS = 2_000_000_000

FileKey = tuple[int, int, int, int, int]


class GuestFile:
    """A file that may be a program; a `ModuleSource` when it is a module.

    Args:
        file: The file.
        label: Its path, for messages.
        digests: The checksums that are known.
    """

    __slots__ = ("_content", "_digests", "_file", "_stat", "atom_label")

    def __init__(self, file: File, label: str, digests: DigestMemo) -> None:
        self._file = file
        self._stat = file.stat()
        self._digests = digests
        self._content: memoryview | None = None
        self.atom_label = label

    @property
    def key(self) -> FileKey:
        """What changes when the file does: device, inode, size and times."""
        stat = self._stat
        return (stat.dev, stat.ino, stat.size, stat.mtim, stat.ctim)

    def head(self) -> bytes:
        """The first bytes."""
        return self._read(0, min(HEAD, self._stat.size)).tobytes()

    @property
    def atom(self) -> memoryview:
        """The whole content.

        Raises:
            OSError: it cannot be read; `EFBIG` for a file that no program is as large as.
        """
        if self._content is None:
            if self._stat.size > LARGEST:
                raise OSError(errno.EFBIG, f"{self.atom_label}: larger than {LARGEST} bytes: not a program")
            self._content = self._read(0, self._stat.size)
        return self._content

    @property
    def atom_sha256(self) -> str:
        """The content's sha256, in hex; remembered while the file does not change."""
        if (known := self._digests.get(self.key)) is None:
            from hashlib import sha256

            known = sha256(self.atom).hexdigest()
            self._digests.put(self.key, known)
        return known

    def _read(self, offset: int, size: int) -> memoryview:
        opened = self._file.open(read=True, write=False)
        try:
            content = bytearray(size)
            view = memoryview(content)
            done = 0
            while done < size:
                count = opened.readv([view[done : done + CHUNK]], offset + done)
                if not count:
                    break
                done += count
            return view[:done].toreadonly()
        finally:
            opened.close()


class DigestMemo:
    """The checksums of the files that were run last."""

    def __init__(self) -> None:
        self._known: OrderedDict[FileKey, str] = OrderedDict()

    def get(self, key: FileKey) -> str | None:
        """The checksum of a file that has not changed since."""
        return self._known.get(key)

    def put(self, key: FileKey, digest: str) -> None:
        """Remember a checksum, if the file's times are old enough that a change would show in them."""
        from time import time_ns

        if time_ns() - max(key[3], key[4]) < SETTLED_NS:
            return
        self._known[key] = digest
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)


def script_line(head: bytes) -> tuple[str, ...]:
    """The interpreter and its one argument, if it has one, from a script's first line.

    Args:
        head: The beginning of the file.

    Raises:
        OSError: `ENOEXEC`: the line names nothing, or does not end within what Linux reads of it.
    """
    line, newline, _ = head[len(SCRIPT_MAGIC) :].partition(b"\n")
    if not newline and len(head) >= HEAD:
        raise OSError(errno.ENOEXEC, "the first line of the script is too long")
    words = line.strip(b" \t\r").split(None, 1)
    if not words:
        raise OSError(errno.ENOEXEC, "the first line of the script names no interpreter")
    return tuple(os.fsdecode(word) for word in words)
