"""An archive without its compression, and the files in it as streams."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from pkgmgr.errors import WpmError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pkgmgr.rootfs.entry import HostFile
    from pkgmgr.store import Store

_HEAD: Final = 4
_PIECE: Final = 1 << 20
_MOST_TIMES: Final = 1000
"""No archive becomes larger than this many times its compressed size: code becomes a few times larger, bombs a lot."""
_SMALL: Final = 64 << 20
"""What any archive may become."""


@contextmanager
def plain_archive(path: Path, store: Store) -> Iterator[Path]:
    """An archive without compression: itself, or a temporary file.

    Args:
        path: The archive: plain, gzip or Zstandard.
        store: Where the temporary file is.

    Raises:
        WpmError: It cannot be read, is damaged, or becomes too large.
    """
    from pkgmgr.rootfs.decompressing import decompressed, method_of

    if str(path) == "-" or (path.exists() and not path.is_file()):
        raise WpmError(f"{path}: is not a file: an environment is read twice, so save it to one")
    try:
        file = path.open("rb")
    except OSError as error:
        raise WpmError(f"{path}: cannot be read: {error.strerror or error}") from None
    with file:
        method = method_of(file.read(_HEAD))
        if method == "none":
            yield path
            return
        most = _SMALL + _MOST_TIMES * file.seek(0, io.SEEK_END)
        file.seek(0)
        with store.new_file() as (unpacked, plain):
            for piece in decompressed(iter(lambda: file.read(_PIECE), b""), method, path, most):
                unpacked.write(piece)
            unpacked.flush()
            yield plain


@contextmanager
def open_span(span: HostFile) -> Iterator[BinaryIO]:
    """A span of a file as a stream.

    Raises:
        WpmError: Reading: the file became shorter, or cannot be read.
    """
    with io.BufferedReader(_Pieces(span), _PIECE) as stream:
        yield stream


class _Pieces(io.RawIOBase):
    """Reads what a span gives, one piece after another."""

    def __init__(self, span: HostFile) -> None:
        super().__init__()
        self._pieces = span.pieces()
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """It is for nothing else."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill a buffer as far as one piece goes; 0 at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
