"""What may be a name in a directory."""

from __future__ import annotations

import errno

from runtime.fs.failure import failure

NAME_MAX = 255
"""The longest name, in bytes."""

_SURELY_SHORT = NAME_MAX // 4  # no character takes more than four bytes


def encoded_length(text: str) -> int:
    """The length of a name or path in bytes, as the guest counts it.

    Raises:
        OSError: `EILSEQ` for text that is not the decoding of any bytes.
    """
    if text.isascii():
        return len(text)
    try:
        return len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError:
        raise failure(errno.EILSEQ) from None


def check_name(name: str) -> None:
    """Refuse what is not one component of a path, before it reaches a table or the operating system.

    Raises:
        OSError: `EINVAL` for `""`, `.`, `..` and a name with a slash or a NUL in it; `ENAMETOOLONG`; `EILSEQ`.
    """
    if not name or "/" in name or "\0" in name or name == "." or name == "..":
        raise failure(errno.EINVAL, name)
    if not name.isascii() or len(name) > _SURELY_SHORT:
        check_length(name)


def is_name(name: str) -> bool:
    """Whether `check_name` has nothing to say."""
    try:
        check_name(name)
    except OSError:
        return False
    return True


def check_length(name: str) -> None:
    """Refuse a name that is longer than `NAME_MAX` bytes.

    Raises:
        OSError: `ENAMETOOLONG`, `EILSEQ`.
    """
    if encoded_length(name) > NAME_MAX:
        raise failure(errno.ENAMETOOLONG, name)
