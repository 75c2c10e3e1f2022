"""How structures lie in guest memory (`wasi_snapshot_preview1.witx` and `wasi_unstable.witx`, records and their sizes)."""

from struct import Struct

FDSTAT = Struct("<BxHxxxxQQ")
"""`fdstat`, 24 bytes: filetype u8, flags u16 at 2, rights_base u64 at 8, rights_inheriting u64 at 16."""

FILESTAT = Struct("<QQBxxxxxxxQQQQQ")
"""`filestat`, 64 bytes: dev, ino, filetype u8 at 16, nlink u64 at 24, size, atim, mtim, ctim."""

UNSTABLE_FILESTAT = Struct("<QQBxxxIQQQQ")
"""`filestat` of `wasi_unstable`, 56 bytes: nlink is a u32 at 20."""

PRESTAT = Struct("<BxxxI")
"""`prestat`, 8 bytes: tag u8 (0: a directory), the length of its name u32 at 4."""

DIRENT = Struct("<QQIBxxx")
"""`dirent`, 24 bytes: cookie of the next entry, ino, length of the name u32, filetype u8; the name follows."""

SUBSCRIPTION = Struct("<QBxxxxxxx32s")
"""`subscription`, 48 bytes: userdata, tag u8 at 8, the rest at 16."""

SUBSCRIPTION_CLOCK = Struct("<IxxxxQQH6x")
"""`subscription_clock` at 16: id u32, timeout u64, precision u64, flags u16."""

UNSTABLE_SUBSCRIPTION = Struct("<QBxxxxxxx40s")
"""`subscription` of `wasi_unstable`, 56 bytes."""

UNSTABLE_SUBSCRIPTION_CLOCK = Struct("<QIxxxxQQH6x")
"""`subscription_clock` of `wasi_unstable`: an identifier u64 comes first."""

SUBSCRIPTION_FD = Struct("<I")
"""`subscription_fd_readwrite` at 16: the file descriptor."""

EVENT = Struct("<QHBxxxxxQHxxxxxx")
"""`event`, 32 bytes: userdata, error u16, type u8, nbytes u64 at 16, flags u16 at 24."""
