"""What people should hear of though nothing went wrong: an old answer that is used, a file that is not.

The command line tells it on standard error. A program that uses the library has it in its log, as warnings of the logger
`pkgmgr`, which say nothing where the program has not asked for them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_command_lines = 0


@contextmanager
def on_standard_error() -> Iterator[None]:
    """Tell people directly meanwhile, from whatever thread."""
    global _command_lines
    _command_lines += 1
    try:
        yield
    finally:
        _command_lines -= 1


def notice(line: str) -> None:
    """Tell something in a line."""
    if not _command_lines:
        import logging

        logger = logging.getLogger("pkgmgr")
        if not logger.handlers:
            # Without one Python prints warnings on standard error.
            logger.addHandler(logging.NullHandler())
        logger.warning("%s", line)
    elif sys.stderr is not None:
        print(f"wpm: {line}", file=sys.stderr, flush=True)
