"""Flag sets and small enumerations of the ABI (`wasi_snapshot_preview1.witx`, by typename)."""

from __future__ import annotations

from runtime.abi.enumeration import IntEnum, IntFlag


class Rights(IntFlag):
    """`rights`: what a file descriptor may be used for."""

    FD_DATASYNC = 1 << 0
    FD_READ = 1 << 1
    FD_SEEK = 1 << 2
    FD_FDSTAT_SET_FLAGS = 1 << 3
    FD_SYNC = 1 << 4
    FD_TELL = 1 << 5
    FD_WRITE = 1 << 6
    FD_ADVISE = 1 << 7
    FD_ALLOCATE = 1 << 8
    PATH_CREATE_DIRECTORY = 1 << 9
    PATH_CREATE_FILE = 1 << 10
    PATH_LINK_SOURCE = 1 << 11
    PATH_LINK_TARGET = 1 << 12
    PATH_OPEN = 1 << 13
    FD_READDIR = 1 << 14
    PATH_READLINK = 1 << 15
    PATH_RENAME_SOURCE = 1 << 16
    PATH_RENAME_TARGET = 1 << 17
    PATH_FILESTAT_GET = 1 << 18
    PATH_FILESTAT_SET_SIZE = 1 << 19
    PATH_FILESTAT_SET_TIMES = 1 << 20
    FD_FILESTAT_GET = 1 << 21
    FD_FILESTAT_SET_SIZE = 1 << 22
    FD_FILESTAT_SET_TIMES = 1 << 23
    PATH_SYMLINK = 1 << 24
    PATH_REMOVE_DIRECTORY = 1 << 25
    PATH_UNLINK_FILE = 1 << 26
    POLL_FD_READWRITE = 1 << 27
    SOCK_SHUTDOWN = 1 << 28
    SOCK_ACCEPT = 1 << 29
    SOCK_CONNECT = 1 << 30
    SOCK_LISTEN = 1 << 31
    SOCK_BIND = 1 << 32
    SOCK_RECV = 1 << 33
    SOCK_SEND = 1 << 34
    SOCK_ADDR_LOCAL = 1 << 35
    SOCK_ADDR_REMOTE = 1 << 36
    SOCK_RECV_FROM = 1 << 37
    SOCK_SEND_TO = 1 << 38


# Plain numbers: an IntFlag operation costs a microsecond, and these are asked at every host call.
ALL_RIGHTS = (1 << 39) - 1
"""Every right that there is."""

FILE_RIGHTS = int(
    Rights.FD_DATASYNC
    | Rights.FD_READ
    | Rights.FD_SEEK
    | Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_TELL
    | Rights.FD_WRITE
    | Rights.FD_ADVISE
    | Rights.FD_ALLOCATE
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_SIZE
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.POLL_FD_READWRITE
)
"""What a regular file can be used for."""

DIRECTORY_RIGHTS = int(
    Rights.FD_FDSTAT_SET_FLAGS
    | Rights.FD_SYNC
    | Rights.FD_ADVISE
    | Rights.PATH_CREATE_DIRECTORY
    | Rights.PATH_CREATE_FILE
    | Rights.PATH_LINK_SOURCE
    | Rights.PATH_LINK_TARGET
    | Rights.PATH_OPEN
    | Rights.FD_READDIR
    | Rights.PATH_READLINK
    | Rights.PATH_RENAME_SOURCE
    | Rights.PATH_RENAME_TARGET
    | Rights.PATH_FILESTAT_GET
    | Rights.PATH_FILESTAT_SET_SIZE
    | Rights.PATH_FILESTAT_SET_TIMES
    | Rights.FD_FILESTAT_GET
    | Rights.FD_FILESTAT_SET_TIMES
    | Rights.PATH_SYMLINK
    | Rights.PATH_REMOVE_DIRECTORY
    | Rights.PATH_UNLINK_FILE
    | Rights.POLL_FD_READWRITE
)
"""What a directory can be used for."""

STREAM_RIGHTS = int(
    Rights.FD_READ | Rights.FD_WRITE | Rights.FD_FDSTAT_SET_FLAGS | Rights.FD_FILESTAT_GET | Rights.POLL_FD_READWRITE
)
"""What a terminal or a pipe can be used for; no seek and no tell, by which a C library knows a terminal."""

SOCKET_RIGHTS = STREAM_RIGHTS | int(
    Rights.SOCK_SHUTDOWN
    | Rights.SOCK_ACCEPT
    | Rights.SOCK_CONNECT
    | Rights.SOCK_LISTEN
    | Rights.SOCK_BIND
    | Rights.SOCK_RECV
    | Rights.SOCK_SEND
    | Rights.SOCK_ADDR_LOCAL
    | Rights.SOCK_ADDR_REMOTE
    | Rights.SOCK_RECV_FROM
    | Rights.SOCK_SEND_TO
)
"""What a socket can be used for."""

WRITE_RIGHTS = int(Rights.FD_DATASYNC | Rights.FD_WRITE | Rights.FD_ALLOCATE | Rights.FD_FILESTAT_SET_SIZE)
"""The rights whose request makes an open one for writing."""


class FdFlags(IntFlag):
    """`fdflags`: how an open file behaves."""

    APPEND = 1 << 0
    DSYNC = 1 << 1
    NONBLOCK = 1 << 2
    RSYNC = 1 << 3
    SYNC = 1 << 4


class OFlags(IntFlag):
    """`oflags`: what `path_open` may do."""

    CREAT = 1 << 0
    DIRECTORY = 1 << 1
    EXCL = 1 << 2
    TRUNC = 1 << 3


class FstFlags(IntFlag):
    """`fstflags`: which times to set, and to what."""

    ATIM = 1 << 0
    ATIM_NOW = 1 << 1
    MTIM = 1 << 2
    MTIM_NOW = 1 << 3


SYMLINK_FOLLOW = 1 << 0
"""`lookupflags`: follow a symbolic link in the last component."""


class Whence(IntEnum):
    """`whence` of preview 1."""

    SET = 0
    CUR = 1
    END = 2


UNSTABLE_WHENCE = (Whence.CUR, Whence.END, Whence.SET)
"""`whence` of `wasi_unstable`, which numbered them otherwise (`wasi_unstable.witx`)."""


class ClockId(IntEnum):
    """`clockid`."""

    REALTIME = 0
    MONOTONIC = 1
    PROCESS_CPUTIME = 2
    THREAD_CPUTIME = 3


class EventType(IntEnum):
    """`eventtype`."""

    CLOCK = 0
    FD_READ = 1
    FD_WRITE = 2
