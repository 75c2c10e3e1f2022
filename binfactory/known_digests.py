"""What was hashed before of files that nobody vouches for: found again by what the system says of the file.

A file that somebody runs where it lies cannot carry a stamp (`binfactory.stamps`). While its device, number, size and both of
its times are the same, nobody wrote to it since: no program can set back the time of a file's last change. Reading and hashing
26 MB at each run took 17 ms, and importing `hashlib` 3. As with stamps it is a guard against accidents.
"""

from __future__ import annotations

import os
import stat
from time import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".known"
_SETTLED = 2 * 10**9
"""Nanoseconds after which a change of a file has another time than the last one, on every filesystem."""
_LARGEST = 1 << 16
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class KnownDigests:
    """Notes of the sha256 of parts of files.

    Args:
        directory: Where the notes are; nothing is kept while it is not there.
    """

    def __init__(self, directory: Path | str) -> None:
        self._directory = directory

    def sha256(self, file: os.stat_result | None, part: str, data: memoryview) -> str:
        """The sha256 of a part of a file, in hex.

        Args:
            file: What the system said of the file when it was opened to be mapped; None for what is in memory only.
            part: What the part is called.
            data: Its bytes, a view of the mapped file: they are read only where the digest is not known.
        """
        known = {} if file is None else self._read(file)
        if (digest := known.get(part)) is None:
            from hashlib import sha256

            digest = sha256(data).hexdigest()
            if file is not None and int(time() * 1e9) - max(file.st_mtime_ns, file.st_ctime_ns) >= _SETTLED:
                self._write(file, {**known, part: digest})
        return digest

    def _path(self, file: os.stat_result) -> str:
        return f"{self._directory}/{file.st_dev:x}-{file.st_ino:x}{SUFFIX}"

    def _read(self, file: os.stat_result) -> dict[str, str]:
        try:
            descriptor = os.open(self._path(file), os.O_RDONLY | _FLAGS)
        except OSError:
            return {}
        try:
            note = os.fstat(descriptor)
            if not stat.S_ISREG(note.st_mode) or note.st_uid != os.geteuid() or note.st_mode & 0o077:
                return {}
            head, *lines = os.read(descriptor, _LARGEST).decode("utf-8", "replace").split("\n")
        except OSError:
            return {}
        finally:
            os.close(descriptor)
        if head != _identity(file):
            return {}
        return {part: digest for digest, _, part in (line.partition(" ") for line in lines) if len(digest) == 64}

    def _write(self, file: os.stat_result, known: dict[str, str]) -> None:
        text = "\n".join(
            [_identity(file), *(f"{digest} {part}" for part, digest in known.items() if part.isprintable())]
        )
        if len(data := text.encode()) >= _LARGEST:
            return
        path = self._path(file)
        # Begins with a dot and ends so, as what `ArtifactStore.sweep` removes where a writer was killed.
        temporary = f"{self._directory}/.{file.st_ino:x}-{os.getpid()}.tmp"
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600)
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except OSError:
            # It is read and hashed again, then.
            return


def _identity(file: os.stat_result) -> str:
    return f"{file.st_size} {file.st_mtime_ns} {file.st_ctime_ns}"
