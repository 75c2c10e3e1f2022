"""How the metadata cache stores values: as compressed JSON, whatever the database says."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Final

import diskcache
from diskcache.core import MODE_BINARY

_LARGEST: Final = 256 << 20
_NAME: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{28}\.val")


class PlainJsonDisk(diskcache.JSONDisk):  # type: ignore[misc]
    """Reads nothing but what `JSONDisk` writes.

    `JSONDisk` itself would unpickle a row that is marked so, and open whatever file a row names: a database that somebody
    else could write to would run code.
    """

    def get(self, key: Any, raw: Any) -> Any:
        """The key of a row."""
        if not raw:
            raise ValueError("a key that is no JSON")
        return super().get(key, raw)

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> Any:
        """The value of a row.

        Raises:
            ValueError: It is none that this class wrote.
            OSError: Its file cannot be read.
        """
        if mode not in (MODE_BINARY, 1) or read:
            raise ValueError("a value that is no JSON")
        if filename is not None and not _NAME.fullmatch(str(filename)):
            raise ValueError("a value in a file of somebody else")
        data = diskcache.Disk.fetch(self, mode, filename, value, read)
        decoder = zlib.decompressobj()
        text = decoder.decompress(data, _LARGEST)
        if not decoder.eof:
            raise ValueError("a value that is cut short, or too long")
        return json.loads(text)
