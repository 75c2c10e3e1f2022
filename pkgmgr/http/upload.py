"""A file on its way to a server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PIECE: Final = 1 << 18


class Upload:
    """A file as a request's body, of a length that is known before it is sent.

    Args:
        path: The file.
        progress: Called with the number of bytes after each piece, with a negative one when it starts anew.
        offset: Where in the file it begins, in bytes.
        size: How many bytes of it are sent; None sends all that follow.

    Raises:
        OSError: It cannot be read.
    """

    def __init__(
        self, path: Path, progress: Callable[[int], object] | None = None, offset: int = 0, size: int | None = None
    ) -> None:
        self._file = path.open("rb")
        self._offset = offset
        self._size = os.fstat(self._file.fileno()).st_size - offset if size is None else size
        self._progress = progress
        self._sent = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def start(self) -> Self:
        """The file from its beginning."""
        self._file.seek(self._offset)
        self._count(-self._sent)
        return self

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE):
            yield piece

    def __len__(self) -> int:
        return self._size

    def tell(self) -> int:
        """Where the next piece starts."""
        return self._file.tell() - self._offset

    def read(self, most: int = -1) -> bytes:
        """The next piece."""
        left = max(0, self._size - self.tell())
        piece = self._file.read(left if most < 0 else min(most, left))
        self._count(len(piece))
        return piece

    def _count(self, number: int) -> None:
        self._sent += number
        if self._progress is not None and number:
            self._progress(number)
