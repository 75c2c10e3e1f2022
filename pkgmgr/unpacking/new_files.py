"""Making new files, several at the same time."""

from __future__ import annotations

import os
from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from webc_parser.tree import VolumeFile

    Batch = tuple[str, Sequence[tuple[str, VolumeFile]]]
    """A directory, and files with the names that they are to have in it."""

_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_WORKERS: Final = 4
"""More had nothing to do: a system makes the files of one directory one after the other."""
_BATCH: Final = 128
_WORTH_A_THREAD: Final = 64
_LATEST_NS: Final = 1 << 62


def make_file(path: str, content: bytes | memoryview, modified_ns: int | None = None) -> None:
    """Make a file that is not there yet.

    Args:
        path: Where.
        content: What is in it.
        modified_ns: When it was last modified, in nanoseconds since the epoch; None, and what no system takes, is now.

    Raises:
        OSError: It is there, or cannot be written.
    """
    descriptor = os.open(path, _CREATE, 0o666)
    try:
        written, size = os.write(descriptor, content) if content else 0, len(content)
        while written < size:
            written += os.write(descriptor, memoryview(content)[written:])
        if modified_ns is not None and 0 < modified_ns < _LATEST_NS:
            os.utime(descriptor, ns=(modified_ns, modified_ns))
    finally:
        os.close(descriptor)


def make_files(directories: Iterable[Batch]) -> None:
    """Make files that are not there yet, in directories that are.

    Nearly all of it is the system's work, during which Python lets other threads go on. It pays most where making a file
    is slow: ext4 gives no inode again for minutes after its file was removed, and walks past all of those for each new file.

    Args:
        directories: Their files; no directory comes twice.

    Raises:
        FileExistsError: One is there; the error names it.
        OSError: One cannot be written; the others may be there or not.
    """
    batches: deque[Batch] = deque()
    count = 0
    for directory, files in directories:
        count += len(files)
        batches.extend((directory, files[start : start + _BATCH]) for start in range(0, len(files), _BATCH))
    workers = min(_WORKERS, os.cpu_count() or 1, len(batches), 1 + count // _WORTH_A_THREAD)
    if workers < 2:
        _work_off(batches)
        return
    from contextlib import ExitStack

    from webc_parser.beside import Beside

    with ExitStack() as stack:
        for _ in range(workers - 1):
            stack.enter_context(Beside(lambda: _work_off(batches)))
        _work_off(batches)


def _work_off(batches: deque[Batch]) -> None:
    try:
        while True:
            try:
                directory, files = batches.popleft()
            except IndexError:
                return
            for name, file in files:
                make_file(f"{directory}/{name}", file.content, file.modified_ns)
    except BaseException:
        # The others end, too.
        batches.clear()
        raise
