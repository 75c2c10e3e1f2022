"""What is in `/dev`: null, zero, full, random, urandom, tty, stdin, stdout, stderr and `fd/`.

Their behaviour is Linux's (null(4), full(4), random(4), fd(4)).
"""

# ruff: noqa: ARG002 (a device does not care for positions)

from __future__ import annotations

import errno
import os
from time import time_ns

from runtime.abi.filetype import Filetype
from runtime.fs.device_numbers import next_device
from runtime.fs.failure import failure
from runtime.fs.node import DirEntry, File, Node, OpenFile, Stat
from runtime.fs.sealed import SealedDirectory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_FIRST_DESCRIPTOR_INODE = 1 << 32
_RANDOM_PIECE = 1 << 20
_ZEROS = memoryview(bytes(1 << 18))


class DeviceOrigin:
    """What all devices share; it does not know them, so that they go with the last who uses them."""

    __slots__ = ("device", "time")

    def __init__(self) -> None:
        self.device = next_device()
        self.time = time_ns()

    def stat(self, ino: int, filetype: Filetype) -> Stat:
        """The metadata of a device or directory."""
        return Stat(self.device, ino, filetype, 1, 0, self.time, self.time, self.time)


class DeviceFileSystem:
    """The devices of a guest.

    Args:
        stdin: gives the open file behind `stdin`, and so on; asked at each open. `None`: opening it is `ENXIO`.
        stdout: as `stdin`.
        stderr: as `stdin`.
        tty: as `stdin`; the terminal that the guest is attached to.
        descriptors: gives the open files of the process by number, for `fd/`.
    """

    def __init__(
        self,
        *,
        stdin: Callable[[], OpenFile] | None = None,
        stdout: Callable[[], OpenFile] | None = None,
        stderr: Callable[[], OpenFile] | None = None,
        tty: Callable[[], OpenFile] | None = None,
        descriptors: Callable[[], Mapping[int, OpenFile]] | None = None,
    ) -> None:
        origin = DeviceOrigin()
        makers: dict[str, Callable[[Device], OpenFile]] = {
            "null": NullFile,
            "zero": ZeroFile,
            "full": FullFile,
            "random": RandomFile,
            "urandom": RandomFile,
            "tty": _lender(tty),
            "stdin": _lender(stdin),
            "stdout": _lender(stdout),
            "stderr": _lender(stderr),
        }
        nodes: dict[str, Node] = {name: Device(origin, ino, make) for ino, (name, make) in enumerate(makers.items(), 3)}
        nodes["fd"] = DescriptorDirectory(origin, descriptors or dict)
        self._root = DeviceDirectory(origin, nodes)

    @property
    def root(self) -> DeviceDirectory:
        """The directory at the top."""
        return self._root


class DeviceDirectory(SealedDirectory):
    """The directory of the devices."""

    __slots__ = ("_fs", "_nodes")

    def __init__(self, fs: DeviceOrigin, nodes: Mapping[str, Node]) -> None:
        self._fs = fs
        self._nodes = nodes

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return self._fs.stat(1, self.filetype)

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        try:
            return self._nodes[name]
        except KeyError:
            raise failure(errno.ENOENT, name) from None

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`."""
        return [DirEntry(name, node.stat().ino, node.filetype) for name, node in self._nodes.items()]


class DescriptorDirectory(SealedDirectory):
    """`fd/`: the open files of the process, by number."""

    __slots__ = ("_descriptors", "_fs")

    def __init__(self, fs: DeviceOrigin, descriptors: Callable[[], Mapping[int, OpenFile]]) -> None:
        self._fs = fs
        self._descriptors = descriptors

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return self._fs.stat(2, self.filetype)

    def lookup(self, name: str) -> Node:
        """As `Directory.lookup`."""
        if name.isascii() and name.isdecimal() and len(name) <= len(str(1 << 32)) and name == str(int(name)):
            number = int(name)
            opened = self._descriptors().get(number)
            if opened is not None:
                return Device(self._fs, _FIRST_DESCRIPTOR_INODE + number, _lender(lambda: opened), opened.filetype)
        raise failure(errno.ENOENT, name)

    def entries(self) -> Sequence[DirEntry]:
        """As `Directory.entries`."""
        opened = sorted(self._descriptors().items())
        return [DirEntry(str(number), _FIRST_DESCRIPTOR_INODE + number, file.filetype) for number, file in opened]


class Device(File):
    """A device; opening it calls `make`."""

    __slots__ = ("_fs", "_ino", "_make", "filetype")

    def __init__(
        self,
        fs: DeviceOrigin,
        ino: int,
        make: Callable[[Device], OpenFile],
        filetype: Filetype = Filetype.CHARACTER_DEVICE,
    ) -> None:
        self._fs = fs
        self._ino = ino
        self._make = make
        self.filetype = filetype

    def stat(self) -> Stat:
        """As `Node.stat`."""
        return self._fs.stat(self._ino, self.filetype)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """Do nothing: a device has no times worth keeping, and `touch /dev/null` is no failure."""

    def open(self, *, read: bool, write: bool, truncate: bool = False) -> OpenFile:
        """As `File.open`; there is nothing to truncate."""
        return self._make(self)


class DeviceFile(OpenFile):
    """An open device: a stream without a position."""

    __slots__ = ("node",)

    node: Device
    seekable = False
    filetype = Filetype.CHARACTER_DEVICE

    def __init__(self, node: Device) -> None:
        self.node = node

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`: nothing to read."""
        return 0

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.writev`: takes everything."""
        return sum(map(len, buffers))

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """As `OpenFile.append`: as `writev`."""
        return self.writev(buffers, 0), 0

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.node.stat()

    def truncate(self, size: int) -> None:
        """Refuse, with `EINVAL`."""
        raise failure(errno.EINVAL)

    def allocate(self, offset: int, length: int) -> None:
        """Refuse, with `ENODEV`."""
        raise failure(errno.ENODEV)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `Device.set_times`."""


class NullFile(DeviceFile):
    """`null`: empty, and takes everything."""

    __slots__ = ()


class ZeroFile(DeviceFile):
    """`zero`: zeros without end."""

    __slots__ = ()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        for buffer in buffers:
            for begin in range(0, len(buffer), len(_ZEROS)):
                piece = buffer[begin : begin + len(_ZEROS)]
                piece[:] = _ZEROS[: len(piece)]
        return sum(map(len, buffers))


class FullFile(ZeroFile):
    """`full`: zeros, and no room for a single byte."""

    __slots__ = ()

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """Refuse, with `ENOSPC`."""
        if not any(map(len, buffers)):
            return 0
        raise failure(errno.ENOSPC)


class RandomFile(DeviceFile):
    """`random` and `urandom`: what the host's generator gives; what is written is not used."""

    __slots__ = ()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        for buffer in buffers:
            for begin in range(0, len(buffer), _RANDOM_PIECE):
                piece = buffer[begin : begin + _RANDOM_PIECE]
                piece[:] = os.urandom(len(piece))
        return sum(map(len, buffers))


class LentFile(OpenFile):
    """An open file that belongs to somebody else: closing it leaves the lender's open.

    It works while the lender's is open; a descriptor table may duplicate its own descriptor of `lender` instead.
    """

    __slots__ = ("filetype", "lender", "node", "seekable")

    lender: OpenFile

    def __init__(self, lender: OpenFile) -> None:
        self.lender = lender
        self.node = lender.node
        self.filetype = lender.filetype
        self.seekable = lender.seekable

    def fileno(self) -> int | None:
        """As `OpenFile.fileno`."""
        return self.lender.fileno()

    def write_fileno(self) -> int | None:
        """As `OpenFile.write_fileno`."""
        return self.lender.write_fileno()

    def readv(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.readv`."""
        return self.lender.readv(buffers, offset)

    def writev(self, buffers: Sequence[memoryview], offset: int) -> int:
        """As `OpenFile.writev`."""
        return self.lender.writev(buffers, offset)

    def append(self, buffers: Sequence[memoryview]) -> tuple[int, int]:
        """As `OpenFile.append`."""
        return self.lender.append(buffers)

    def stat(self) -> Stat:
        """As `OpenFile.stat`."""
        return self.lender.stat()

    def truncate(self, size: int) -> None:
        """As `OpenFile.truncate`."""
        self.lender.truncate(size)

    def allocate(self, offset: int, length: int) -> None:
        """As `OpenFile.allocate`."""
        self.lender.allocate(offset, length)

    def set_times(self, atim: int | None, mtim: int | None) -> None:
        """As `OpenFile.set_times`."""
        self.lender.set_times(atim, mtim)

    def sync(self, *, data_only: bool) -> None:
        """As `OpenFile.sync`."""
        self.lender.sync(data_only=data_only)


def _lender(provider: Callable[[], OpenFile] | None) -> Callable[[Device], OpenFile]:
    def lend(device: Device) -> OpenFile:
        del device
        if provider is None:
            raise failure(errno.ENXIO)
        return LentFile(provider())

    return lend
