"""The bytes of a file in memory: chunks, so that growing moves nothing, with holes where nothing was written."""

from __future__ import annotations

import errno

from runtime.fs.failure import failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNK_BITS = 18
CHUNK = 1 << CHUNK_BITS
"""Bytes in a chunk."""

MAX_SIZE = (1 << 63) - 1
"""The largest size and offset of a file, in bytes."""

_ZEROS = memoryview(bytes(CHUNK))


class ChunkedData:
    """Sparse file data.

    A chunk is a `bytearray` that ends where it was last written (at most `CHUNK` bytes); a chunk or a tail that is not
    there reads as zeros. Not locked: the filesystem's lock guards it.
    """

    __slots__ = ("_chunks", "size", "stored")

    def __init__(self) -> None:
        self._chunks: dict[int, bytearray] = {}
        self.size = 0
        """The size of the file, in bytes."""
        self.stored = 0
        """The bytes that take up memory: no more than `size`, less when there are holes."""

    def read(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Fill the buffers, in order, from `offset`; the number of bytes, 0 at the end."""
        total = 0
        for buffer in buffers:
            want = min(len(buffer), self.size - offset)
            if want <= 0:
                if len(buffer):
                    break
                continue
            done = 0
            while done < want:
                begin = offset & (CHUNK - 1)
                count = min(want - done, CHUNK - begin)
                chunk = self._chunks.get(offset >> CHUNK_BITS)
                have = 0 if chunk is None else max(0, min(len(chunk) - begin, count))
                if chunk is not None and have:
                    buffer[done : done + have] = memoryview(chunk)[begin : begin + have]
                if have < count:
                    buffer[done + have : done + count] = _ZEROS[: count - have]
                done += count
                offset += count
            total += want
        return total

    def write(self, buffers: Sequence[memoryview], offset: int, room: int | None) -> int:
        """Write the buffers, in order, at `offset`.

        Args:
            buffers: the bytes.
            offset: where, in bytes; beyond the end leaves a hole.
            room: how many bytes of memory the write may take up, `None` for as many as it needs.

        Returns:
            The number of bytes written; fewer than given when the room or the largest size is reached.

        Raises:
            OSError: `ENOSPC` or `EFBIG` when not a single byte could be written.
        """
        total = 0
        for buffer in buffers:
            want = len(buffer)
            if want > MAX_SIZE - offset:
                want = max(0, MAX_SIZE - offset)
                if not want and not total:
                    raise failure(errno.EFBIG)
            done = 0
            while done < want:
                begin = offset & (CHUNK - 1)
                count = min(want - done, CHUNK - begin)
                index = offset >> CHUNK_BITS
                chunk = self._chunks.get(index)
                growth = begin + count - (0 if chunk is None else len(chunk))
                if growth > 0:
                    if room is not None:
                        if growth > room:
                            count -= growth - room
                            growth = room
                            if count <= 0:
                                if not total and not done:
                                    raise failure(errno.ENOSPC)
                                return total + done
                        room -= growth
                    self.stored += growth
                self._store(index, chunk, begin, buffer[done : done + count])
                done += count
                offset += count
                self.size = max(self.size, offset)
            total += done
            if done < len(buffer):
                break
        return total

    def _store(self, index: int, chunk: bytearray | None, begin: int, piece: memoryview) -> None:
        if chunk is None:
            if begin:
                chunk = bytearray(begin)
                chunk += piece
            else:
                chunk = bytearray(piece)
            self._chunks[index] = chunk
            return
        overlap = len(chunk) - begin
        if overlap < 0:
            chunk += _ZEROS[:-overlap]
            overlap = 0
        if overlap:
            # Through a view: assigning to a slice of the bytearray itself would copy the piece twice.
            overlap = min(overlap, len(piece))
            memoryview(chunk)[begin : begin + overlap] = piece[:overlap]
        if overlap < len(piece):
            chunk += piece[overlap:]

    def truncate(self, size: int) -> None:
        """Set the size, in bytes; growing makes a hole.

        Raises:
            OSError: `EFBIG`.
        """
        if size > MAX_SIZE:
            raise failure(errno.EFBIG)
        if size < self.size:
            last, keep = size >> CHUNK_BITS, size & (CHUNK - 1)
            for index in [index for index in self._chunks if index >= last]:
                chunk = self._chunks[index]
                before = len(chunk)
                if index > last or not keep:
                    del self._chunks[index]
                    self.stored -= before
                elif before > keep:
                    del chunk[keep:]
                    self.stored -= before - keep
        self.size = size
