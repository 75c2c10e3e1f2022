"""The magic bytes: is this a container, and of which version."""

from __future__ import annotations

from webc_parser.enumeration import Enum
from webc_parser.errors import WebcError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mmap import mmap

MAGIC = b"\0webc"
HEADER_SIZE = 8


class Version(Enum):
    """A version of the container format; the value is its three digits in the file."""

    V1 = b"001"
    V2 = b"002"
    V3 = b"003"

    def __str__(self) -> str:
        return self.name.lower()


def detect(data: bytes | bytearray | memoryview | mmap) -> Version:
    """Tell the version of a container by its first eight bytes.

    Raises:
        WebcError: the data is no container, or one of a version that does not exist.
    """
    head = bytes(memoryview(data)[:HEADER_SIZE])
    if not head.startswith(MAGIC):
        raise WebcError("not a WEBC container: it does not begin with the magic bytes", 0)
    for version in Version:
        if head == MAGIC + version.value:
            return version
    raise WebcError(
        f"unknown WEBC version {head[len(MAGIC) :].decode('latin-1')!r}: 001, 002 and 003 exist", len(MAGIC)
    )
