"""What an inode is: the `filetype` of WASI preview 1 (`wasi_snapshot_preview1.witx`, typename `$filetype`)."""

from runtime.abi.enumeration import IntEnum


class Filetype(IntEnum):
    """The type of a file descriptor or file, with the numbers of the specification."""

    UNKNOWN = 0
    BLOCK_DEVICE = 1
    CHARACTER_DEVICE = 2
    DIRECTORY = 3
    REGULAR_FILE = 4
    SOCKET_DGRAM = 5
    SOCKET_STREAM = 6
    SYMBOLIC_LINK = 7
