"""Error codes returned by host functions: `errno` of WASI preview 1 (`wasi_snapshot_preview1.witx`, typename `$errno`)."""

from __future__ import annotations

import errno as host

from runtime.abi.enumeration import IntEnum


class Errno(IntEnum):
    """The guest's error numbers; WASIX adds `SHUTDOWN` and `MEMVIOLATION` and calls `NOTCAPABLE` by the same number."""

    SUCCESS = 0
    E2BIG = 1
    ACCES = 2
    ADDRINUSE = 3
    ADDRNOTAVAIL = 4
    AFNOSUPPORT = 5
    AGAIN = 6
    ALREADY = 7
    BADF = 8
    BADMSG = 9
    BUSY = 10
    CANCELED = 11
    CHILD = 12
    CONNABORTED = 13
    CONNREFUSED = 14
    CONNRESET = 15
    DEADLK = 16
    DESTADDRREQ = 17
    DOM = 18
    DQUOT = 19
    EXIST = 20
    FAULT = 21
    FBIG = 22
    HOSTUNREACH = 23
    IDRM = 24
    ILSEQ = 25
    INPROGRESS = 26
    INTR = 27
    INVAL = 28
    IO = 29
    ISCONN = 30
    ISDIR = 31
    LOOP = 32
    MFILE = 33
    MLINK = 34
    MSGSIZE = 35
    MULTIHOP = 36
    NAMETOOLONG = 37
    NETDOWN = 38
    NETRESET = 39
    NETUNREACH = 40
    NFILE = 41
    NOBUFS = 42
    NODEV = 43
    NOENT = 44
    NOEXEC = 45
    NOLCK = 46
    NOLINK = 47
    NOMEM = 48
    NOMSG = 49
    NOPROTOOPT = 50
    NOSPC = 51
    NOSYS = 52
    NOTCONN = 53
    NOTDIR = 54
    NOTEMPTY = 55
    NOTRECOVERABLE = 56
    NOTSOCK = 57
    NOTSUP = 58
    NOTTY = 59
    NXIO = 60
    OVERFLOW = 61
    OWNERDEAD = 62
    PERM = 63
    PIPE = 64
    PROTO = 65
    PROTONOSUPPORT = 66
    PROTOTYPE = 67
    RANGE = 68
    ROFS = 69
    SPIPE = 70
    SRCH = 71
    STALE = 72
    TIMEDOUT = 73
    TXTBSY = 74
    XDEV = 75
    NOTCAPABLE = 76
    SHUTDOWN = 77
    MEMVIOLATION = 78
    UNKNOWN = 79


class GuestError(Exception):
    """A host call fails with this number: raised anywhere below a syscall, returned to the guest by the layer above it."""

    def __init__(self, errno: Errno) -> None:
        self.errno = errno

    def __str__(self) -> str:
        return self.errno.name


_SPELLED_OTHERWISE = {
    "E2BIG": Errno.E2BIG,
    "EOPNOTSUPP": Errno.NOTSUP,
    "ENOTSUP": Errno.NOTSUP,
    "EWOULDBLOCK": Errno.AGAIN,
}

_FROM_HOST: dict[int, Errno] = {
    number: _SPELLED_OTHERWISE.get(name) or Errno[name[1:]]
    for number, name in host.errorcode.items()
    if name in _SPELLED_OTHERWISE or name[1:] in Errno.__members__
}


def from_host(error: OSError) -> Errno:
    """The guest's number for an error of the operating system or of a filesystem; `IO` where there is none."""
    return _FROM_HOST.get(error.errno or 0, Errno.IO)
