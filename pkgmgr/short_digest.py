"""The sha256 of what is short, without the library that hashes what is long."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash


def short_sha256(data: bytes) -> str:
    """The sha256 of a few kilobytes at the most, in hex.

    `hashlib` hashes long inputs several times as fast, but brings OpenSSL with it: 5 ms, and 3.4 MB for as long as the process
    lives, for a digest of a hundred bytes.

    Args:
        data: What to hash.
    """
    name = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
    try:
        module = __import__(name)
    except ImportError:
        module = __import__("hashlib")
    return cast("Callable[[bytes], _Hash]", module.sha256)(data).hexdigest()
