"""The store: packages by the sha256 of their file.

    ROOT/objects/sha256/AB/CDEF….webc    the packages, read-only, each with a stamp that an edit destroys (binfactory.stamps)
    ROOT/tmp/*.part                      files being written, each locked by its writer
    ROOT/tmp/SHA256.resume               packages being downloaded, locked too; a later wpm goes on where a killed one ended
    ROOT/modules/…                       their compiled modules, kept by binfactory
    ROOT/layers/…                        layers of images: unpacked (pkgmgr.store.layers), and tables of packages' (….tables)
    ROOT/metadata/                       what registries said, kept by the HTTP client
    ROOT/names.json                      what the packages are called, for who types the first letters
    ROOT/words/*.json                    what there is to be named in projects, likewise
    ROOT/compiled/*                      notes of whose modules are compiled
    ROOT/adhoc/*.json                    what packages that were named on the command line were resolved to

A file is written under `tmp`, hashed while it streams in, synced and renamed into place, and then the folder is synced:
whoever sees an object sees all of it, whatever is killed and whenever. Writers of the same object do not disturb one
another: the last rename wins and the bytes are the same. What a killed writer leaves in `tmp` is removed by a later
one, who knows it by the lock (flock) that ended with its holder.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from functools import cached_property

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.notices import notice
from runtime.typed import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO, Final

    from pkgmgr.locks.lockfile import LockedPackage

LAYERS: Final = "layers"
"""The folder below a store for layers of images: unpacked ones, and tables of packages'."""
METADATA: Final = "metadata"
"""The folder below a store for what registries said."""
NAMES: Final = "names.json"
"""The file below a store that says what its packages are called."""
WORDS: Final = "words"
"""The folder below a store for what there is to be named in projects."""
LARGEST: Final = 4 << 30
"""No package is larger than this many bytes."""

_PIECE: Final = 1 << 20
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SUFFIX: Final = ".webc"
_RESUMABLE: Final = ".resume"
_DAY_SECONDS: Final = 24 * 3600.0


class StoredObject(NamedTuple):
    """A package in the store: its file, its sha256 and its size in bytes."""

    path: Path
    sha256: str
    size: int


class StoreInfo(NamedTuple):
    """What the store holds: its folder, how many packages of how many bytes, and bytes of everything beside them.

    Of `other_bytes`, `module_bytes` are those of compiled modules, `metadata_bytes` those of what registries said, and
    `layer_bytes` those of layers of images, unpacked ones and tables of packages'.
    """

    root: Path
    objects: int
    object_bytes: int
    other_bytes: int
    module_bytes: int = 0
    metadata_bytes: int = 0
    layer_bytes: int = 0


class Store:
    """A content-addressed folder of packages, shared by any number of processes.

    Args:
        root: The folder; it is made when something is first written.

    Attributes:
        modules_name: The name of the folder below it for compiled modules.
    """

    def __init__(self, root: Path | str) -> None:
        # Who runs a file whose modules are compiled needs no more of the store, and not the paths of `pathlib`: 8 ms.
        self._root = os.fspath(root)
        self.modules_name = f"{self._root}/modules"

    @cached_property
    def root(self) -> Path:
        """The folder."""
        from pathlib import Path

        return Path(self._root)

    @cached_property
    def modules(self) -> Path:
        """The folder below it for compiled modules."""
        return self.root / "modules"

    @cached_property
    def _objects(self) -> Path:
        return self.root / "objects" / "sha256"

    @cached_property
    def _temporary(self) -> Path:
        return self.root / "tmp"

    @classmethod
    def default(cls) -> Store:
        """The user's store: `WPM_CACHE_DIR`, else the cache folder of the system for `wpm`."""
        from pkgmgr.files.user_folders import user_folder_name

        return cls(user_folder_name("WPM_CACHE_DIR", "cache"))

    def path(self, sha256: str) -> Path:
        """Where the package with this hash is, or would be."""
        from pkgmgr.source import check_sha256

        check_sha256(sha256)
        return self._objects / sha256[:2] / (sha256[2:] + _SUFFIX)

    def has(self, sha256: str, size: int | None = None) -> bool:
        """Whether the package is here and is what its name says; a file that was changed is read once to know."""
        from binfactory.pinned import is_pinned

        path = self.path(sha256)
        try:
            return is_pinned(path, sha256) and (size is None or path.stat().st_size == size)
        except OSError:
            return False

    def missing(self, packages: Iterable[LockedPackage]) -> list[LockedPackage]:
        """Those of the packages that are not here, or are damaged here, which is told.

        The others are used, which is noted once a day (see `last_used`).
        """
        missing = [package for package in packages if not self.use(package.sha256, package.size)]
        for path in (self.path(package.sha256) for package in missing):
            if os.path.lexists(path) and not self.has(path.parent.name + path.stem):
                notice(f"{path}: its bytes are not those of its name, so it is not used")
        return missing

    def last_used(self, path: Path) -> float:
        """When an object was last used, or put here: seconds since the epoch, to the day.

        It is the time of the file's last change, as the bytes never change; times of access are not kept everywhere.

        Raises:
            OSError: It is not there any more.
        """
        return path.lstat().st_mtime

    def use(self, sha256: str, size: int | None = None) -> bool:
        """As `has`, noting that the package is used."""
        from binfactory.stamps import renew

        if not self.has(sha256, size):
            return False
        # A store of somebody else's is used all the same.
        with suppress(OSError):
            if time.time() - self.last_used(self.path(sha256)) > _DAY_SECONDS:
                renew(self.path(sha256))
        return True

    def add(
        self,
        stream: BinaryIO,
        sha256: str | None = None,
        size: int | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> StoredObject:
        """Put a package into the store.

        Args:
            stream: Its bytes, read to the end.
            sha256: The hash that they must have; None accepts whatever they are.
            size: How many bytes there must be, where that is known.
            progress: Called with the number of bytes after each piece.

        Raises:
            WpmError: The bytes are not what they should be, or too many; nothing of them stays.
            OSError: The disk or the stream failed; nothing of them stays.
        """
        self.remove_abandoned()
        with self.new_file() as (file, temporary):
            found, count = _copy(stream, file, LARGEST if size is None else size, progress)
            if count > LARGEST:
                raise WpmError(f"it is larger than the {LARGEST} bytes that a package may have")
            if size is not None and count != size:
                more = "more" if count > size else str(count)
                raise NotAsPromised(f"it has {more} bytes where {size} were promised: do not trust its source")
            if sha256 is not None and found != sha256:
                raise NotAsPromised(f"its sha256 is {found} where {sha256} was promised: do not trust its source")
            return self.settle(file, temporary, found)

    def settle(self, file: BinaryIO, temporary: Path, sha256: str) -> StoredObject:
        """Make a temporary file that is whole an object of the store.

        Args:
            file: The file, open for writing and locked.
            temporary: Where it is, in the store's own folder.
            sha256: The hash of its bytes, which the caller has seen.

        Raises:
            OSError: The disk failed.
        """
        from binfactory.stamps import stamp
        from pkgmgr.files.folders import make_folder, sync_folder

        target = self.path(sha256)
        file.flush()
        os.fchmod(file.fileno(), 0o444)
        stamp(file.fileno(), bytes.fromhex(sha256))
        os.fsync(file.fileno())
        make_folder(target.parent)
        temporary.replace(target)
        sync_folder(target.parent)
        return StoredObject(target, sha256, os.fstat(file.fileno()).st_size)

    def object(self, sha256: str) -> StoredObject:
        """A package that is here; raises `OSError` where it is not."""
        path = self.path(sha256)
        return StoredObject(path, sha256, path.stat().st_size)

    def resumable(self, sha256: str) -> Path:
        """Where a package is kept while it is downloaded; the folder is there."""
        from pkgmgr.files.folders import make_folder
        from pkgmgr.source import check_sha256

        check_sha256(sha256)
        make_folder(self._temporary)
        return self._temporary / (sha256 + _RESUMABLE)

    def being_fetched(self, url: str) -> Path:
        """Where those who fetch a URL of which nothing is known take turns; the folder is there."""
        import hashlib

        from pkgmgr.files.folders import make_folder
        from pkgmgr.files.unfinished import PARTIAL

        make_folder(self._temporary)
        return self._temporary / f"url-{hashlib.sha256(url.encode()).hexdigest()}{PARTIAL}"

    def add_file(self, path: Path, sha256: str | None = None) -> StoredObject:
        """Put a copy of a file into the store; errors are those of `add`, naming the file."""
        try:
            with path.open("rb") as file:
                return self.add(file, sha256)
        except WpmError as error:
            raise type(error)(f"{path}: {error}") from None

    def write_beside(self, relative: str, data: bytes) -> None:
        """Replace a small file of ours beside the objects, whole or not at all."""
        from pkgmgr.files.folders import make_folder
        from pkgmgr.files.unfinished import replace_from

        target = self.root / relative
        make_folder(self._temporary)
        make_folder(target.parent)
        replace_from(self._temporary, target, data)

    @contextmanager
    def new_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """A temporary file that is locked while it is ours and gone afterwards, unless it was renamed away.

        A full disk is told with the store's path, which a write does not tell.
        """
        from pkgmgr.files.folders import make_folder
        from pkgmgr.files.unfinished import unfinished_file

        make_folder(self._temporary)
        with unfinished_file(self._temporary) as opened:
            try:
                yield opened
            except OSError as error:
                if error.errno in _FULL and error.filename is None:
                    error.filename = str(self.root)
                raise

    def objects(self) -> Iterator[Path]:
        """The files that are where objects belong, in order, whether or not they are any."""
        if self._objects.is_dir():
            yield from sorted(path for path in self._objects.rglob("*") if path.is_symlink() or not path.is_dir())

    def abandoned(self) -> list[Path]:
        """Unfinished files whose writers are dead: harmless, and removed by the next one who writes.

        What can be resumed is left alone for a day.
        """
        from pkgmgr.files.unfinished import PARTIAL, is_abandoned

        return [path for path in self._partial() if is_abandoned(path, remove=False, at_once=path.suffix == PARTIAL)]

    def remove_abandoned(self, *, resumable: bool = False) -> None:
        """Remove the unfinished files of dead writers, those that can be resumed only if asked to; whoever installs does it."""
        from pkgmgr.files.unfinished import PARTIAL, is_abandoned

        for path in self._partial():
            is_abandoned(path, remove=True, at_once=resumable or path.suffix == PARTIAL)

    def info(self) -> StoreInfo:
        """Count what is here."""
        sizes = [path.lstat().st_size for path in self.objects()]
        of_kinds = [_bytes_below(folder) for folder in (self.modules, self.root / METADATA, self.root / LAYERS)]
        beside = max(0, _bytes_below(self.root) - sum(sizes))
        return StoreInfo(self.root, len(sizes), sum(sizes), beside, *of_kinds)

    def clean(self) -> None:
        """Remove packages, modules, layers, resolutions and replies; files that somebody writes at this moment stay."""
        import shutil

        self.remove_abandoned(resumable=True)
        (self.root / NAMES).unlink(missing_ok=True)
        beside = (
            self.root / "adhoc",
            self.root / "compiled",
            self.root / METADATA,
            self.root / WORDS,
            self.root / LAYERS,
        )
        for folder in (*beside, self.modules, self._objects):
            shutil.rmtree(folder, ignore_errors=True)

    def _partial(self) -> list[Path]:
        from pkgmgr.files.unfinished import PARTIAL

        try:
            return sorted(path for path in self._temporary.iterdir() if path.name.endswith((PARTIAL, _RESUMABLE)))
        except OSError:
            return []


def _bytes_below(root: Path) -> int:
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            with suppress(OSError):
                count += os.lstat(os.path.join(folder, name)).st_size
    return count


def _copy(stream: BinaryIO, file: BinaryIO, most: int, progress: Callable[[int], object] | None) -> tuple[str, int]:
    """Copy a stream while hashing it, but stop above `most`; gives the sha256 and the number of bytes."""
    import hashlib

    digest = hashlib.sha256()
    count = 0
    while piece := stream.read(_PIECE):
        count += len(piece)
        if count > most:
            break
        digest.update(piece)
        file.write(piece)
        if progress is not None:
            progress(len(piece))
    return digest.hexdigest(), count
