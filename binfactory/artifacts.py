"""Compiled modules on disk: native code, so only what this user wrote, for this engine on this machine, is loaded.

An artifact is wasmtime's own file with a seal behind it: of which module and for which engine it is, how long it is and
its sha256. The name says module and engine too, so that artifacts of several engines live side by side. What is not
right is removed, and the caller compiles again.
"""

from __future__ import annotations

import os
import stat
import struct
from functools import cached_property

from binfactory import known_digests
from binfactory.stamps import digest_of, is_stamped, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from _typeshed import ReadableBuffer

SEAL = struct.Struct("<8s32s32sQI")
MAGIC = b"wpmcode1"
SUFFIX = ".cwasm"
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)


class ArtifactStore:
    """A directory of compiled modules, private to the user.

    Args:
        directory: Where; made with mode 0700 when it is first written to.
    """

    def __init__(self, directory: Path | str) -> None:
        self._at = os.fspath(directory)
        self.problem: str | None = None
        """Why nothing is read or written, in one line; `None` while the directory is as it should be."""
        self._usable: bool | None = None

    @cached_property
    def directory(self) -> Path:
        """Where; a run that finds its module has no need of it."""
        from pathlib import Path

        return Path(self._at)

    def path(self, sha256: str) -> Path:
        """Where the artifact of a module is.

        Args:
            sha256: The module's, in hex.
        """
        return self.directory / self._name(sha256)

    def ready(self, sha256: str) -> tuple[str, int] | None:
        """The artifact of a module and its size in bytes, when it is there and everything about it is right."""
        if not self._is_usable():
            return None
        path = f"{self._at}/{self._name(sha256)}"
        try:
            fd = os.open(path, OPEN_FLAGS)
        except FileNotFoundError:
            return None
        except OSError:
            self.remove(sha256)
            return None
        try:
            size = self._check(fd, sha256)
        except OSError:
            size = None
        finally:
            os.close(fd)
        if size is None:
            self.remove(sha256)
            return None
        return path, size

    def write(self, sha256: str, artifact: ReadableBuffer) -> bool:
        """Keep an artifact; in one step, so that nobody ever sees half of it.

        Returns:
            Whether it was kept: a full disk is no reason not to run.
        """
        if not self._is_usable(make=True):
            return False
        from hashlib import sha256 as hasher
        from secrets import token_hex

        view = memoryview(artifact).cast("B")
        content = hasher(view).digest()
        temporary = self.directory / f".{sha256[:16]}-{os.getpid()}-{token_hex(4)}.tmp"
        try:
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
            try:
                for part in (view, SEAL.pack(MAGIC, bytes.fromhex(sha256), content, len(view), self._machine)):
                    rest = memoryview(part)
                    while rest:
                        rest = rest[os.write(fd, rest) :]
                os.fsync(fd)
            finally:
                os.close(fd)
            stamp(temporary, content)
            temporary.replace(self.path(sha256))
        except OSError as error:
            self.problem = f"{self.directory}: cannot keep compiled modules: {error.strerror or error}"
            _unlink(temporary)
            return False
        return True

    def remove(self, sha256: str) -> None:
        """Forget the artifact of a module."""
        _unlink(self.path(sha256))

    def verify(self) -> Iterator[tuple[Path, str]]:
        """Read every artifact of this engine and machine whole, and tell those that are not right, with the reason."""
        if not self._is_usable():
            return
        ending = f"-{self._machine:08x}{SUFFIX}"
        for path in sorted(self.directory.iterdir()):
            if path.name.startswith(".") or not path.name.endswith(ending):
                continue
            try:
                fd = os.open(path, OPEN_FLAGS)
            except OSError as error:
                yield path, error.strerror or str(error)
                continue
            try:
                if self._check(fd, path.name.removesuffix(ending), whole=True) is None:
                    yield path, "not what was written: owner, mode, key or contents differ"
            finally:
                os.close(fd)

    def prune(
        self,
        keep: Collection[str],
        *,
        gone: Collection[str] = (),
        unknown_before: float | None = None,
        dry_run: bool = False,
    ) -> tuple[int, int]:
        """Remove the artifacts of modules that nobody needs any more, and all those of other engines and processors.

        Args:
            keep: The sha256 of each module that is still needed, in hex.
            gone: The sha256 of each module that is known to be needed no more.
            unknown_before: Seconds since the epoch: of modules that are neither, artifacts that were written since then
                stay; None lets none of them stay.
            dry_run: Only count.

        Returns:
            How many files were removed, and how many bytes they took.
        """
        if not self._is_usable():
            return 0, 0
        kept = {self._name(sha256) for sha256 in keep}
        known = {self._name(sha256) for sha256 in gone}
        ours = f"-{self._machine:08x}{SUFFIX}"
        removed = size = 0
        for path in self.directory.glob(f"*{SUFFIX}"):
            if path.name in kept:
                continue
            try:
                status = path.lstat()
                young = unknown_before is not None and status.st_mtime >= unknown_before
                if young and path.name.endswith(ours) and path.name not in known:
                    continue
                if not dry_run:
                    path.unlink()
            except OSError:
                continue
            removed += 1
            size += status.st_size
        if not dry_run:
            self._prune_digests(unknown_before)
        return removed, size

    def _prune_digests(self, before: float | None) -> None:
        """Remove the notes of what was hashed, those that were written before a moment, or all."""
        for path in self.directory.glob(f"*{known_digests.SUFFIX}"):
            try:
                if before is None or path.lstat().st_mtime < before:
                    path.unlink()
            except OSError:
                continue

    def sweep(self, older_than: float) -> int:
        """Remove what writers that were killed left behind.

        Args:
            older_than: Seconds since the epoch: younger temporary files may belong to a writer that lives.

        Returns:
            How many were removed.
        """
        if not self._is_usable():
            return 0
        removed = 0
        for path in self.directory.glob(".*.tmp"):
            try:
                if path.lstat().st_mtime < older_than:
                    path.unlink()
                    removed += 1
            except OSError:
                continue
        return removed

    def _name(self, sha256: str) -> str:
        return f"{sha256}-{self._machine:08x}{SUFFIX}"

    @cached_property
    def _machine(self) -> int:
        """A number for what an artifact depends on besides its module: the engine's version, settings and processor.

        Short, as it only keeps the artifacts of several engines apart: the engine itself checks all of it at a load.
        """
        from binascii import crc32

        from runtime.engine import Engine

        return crc32(Engine.fingerprint().encode())

    def _check(self, fd: int, sha256: str, *, whole: bool = False) -> int | None:
        """The artifact's size when it is ours, private, of this key and unchanged; else `None`."""
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & OTHERS:
            return None
        size = status.st_size - SEAL.size
        if size < 0:
            return None
        magic, module, content, length, machine = SEAL.unpack(os.pread(fd, SEAL.size, size))
        if (magic, module.hex(), length, machine) != (MAGIC, sha256, size, self._machine):
            return None
        # Reading a large artifact costs more than loading it.
        if whole or not is_stamped(status, content):
            if digest_of(fd, size) != content:
                return None
            if not whole:
                stamp(fd, content)
        return size

    def _is_usable(self, *, make: bool = False) -> bool:
        if self._usable is None or (make and self._usable is False and self.problem is None):
            self._usable = self._inspect(make=make)
        return self._usable

    def _inspect(self, *, make: bool) -> bool:
        if make:
            try:
                self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                self.problem = f"{self.directory}: cannot keep compiled modules: {error.strerror or error}"
                return False
        try:
            status = os.lstat(self._at)
        except OSError:
            return False
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            self.problem = f"{self._at}: not a directory of this user; compiled modules are not kept: remove it"
            return False
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            self.problem = f"{self._at}: others may write to it; compiled modules are not kept: remove it"
            return False
        if status.st_mode & OTHERS:
            try:
                os.chmod(self._at, 0o700)  # noqa: PTH101 - the path was looked at with lstat just now
            except OSError as error:
                self.problem = f"{self._at}: cannot be made private: {error.strerror or error}"
                return False
        return True


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except IsADirectoryError:
        return
    except OSError:
        return
