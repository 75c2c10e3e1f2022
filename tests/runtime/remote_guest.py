"""A guest that does what a test tells it: real host calls from real WebAssembly, one at a time.

The guest (generated text, `program`) reads frames from its control descriptor, calls the host function that a frame
names with the arguments in it, and sends the result back. A test so writes WASI calls as Python calls:

    with Remote() as guest:
        fd = guest.open("a", oflags=CREAT)
        assert guest.fd_seek(fd, -1, SET, RESULT) is Errno.INVAL
"""

from __future__ import annotations

import os
import select
import socket
import struct
from contextlib import contextmanager
from functools import cache
from pathlib import Path  # noqa: TC003
from typing import TYPE_CHECKING, NamedTuple

import pytest
import wasmtime

from runtime.abi.errno import Errno
from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.tmpfs import TmpFileSystem
from runtime.stdio import HostStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runtime.fs.node import FileSystem

# The functions of WASI preview 1 and of `wasi_unstable`, from the specification (witx), with their types in core
# WebAssembly; written down here a second time so that the runtime's own declarations are checked by it.
SIGNATURES = {
    "args_get": "ii:i",
    "args_sizes_get": "ii:i",
    "clock_res_get": "ii:i",
    "clock_time_get": "iIi:i",
    "environ_get": "ii:i",
    "environ_sizes_get": "ii:i",
    "fd_advise": "iIIi:i",
    "fd_allocate": "iII:i",
    "fd_close": "i:i",
    "fd_datasync": "i:i",
    "fd_fdstat_get": "ii:i",
    "fd_fdstat_set_flags": "ii:i",
    "fd_fdstat_set_rights": "iII:i",
    "fd_filestat_get": "ii:i",
    "fd_filestat_set_size": "iI:i",
    "fd_filestat_set_times": "iIIi:i",
    "fd_pread": "iiiIi:i",
    "fd_prestat_dir_name": "iii:i",
    "fd_prestat_get": "ii:i",
    "fd_pwrite": "iiiIi:i",
    "fd_read": "iiii:i",
    "fd_readdir": "iiiIi:i",
    "fd_renumber": "ii:i",
    "fd_seek": "iIii:i",
    "fd_sync": "i:i",
    "fd_tell": "ii:i",
    "fd_write": "iiii:i",
    "path_create_directory": "iii:i",
    "path_filestat_get": "iiiii:i",
    "path_filestat_set_times": "iiiiIIi:i",
    "path_link": "iiiiiii:i",
    "path_open": "iiiiiIIii:i",
    "path_readlink": "iiiiii:i",
    "path_remove_directory": "iii:i",
    "path_rename": "iiiiii:i",
    "path_symlink": "iiiii:i",
    "path_unlink_file": "iii:i",
    "poll_oneoff": "iiii:i",
    "proc_exit": "i:",
    "proc_raise": "i:i",
    "random_get": "ii:i",
    "sched_yield": ":i",
    "sock_accept": "iii:i",
    "sock_recv": "iiiiii:i",
    "sock_send": "iiiii:i",
    "sock_shutdown": "ii:i",
}
NAMES = list(SIGNATURES)

PREVIEW1, UNSTABLE, WASIX = "wasi_snapshot_preview1", "wasi_unstable", "wasix_32v1"

# Where a test finds and puts things in the guest's memory; the guest itself uses what lies below RESULT.
RESULT, IOVEC, STRINGS, BUFFER = 4096, 5120, 8192, 65536
MEMORY = 4 * 65536
"""How much memory the guest has at the start."""

CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
APPEND, DSYNC, NONBLOCK, RSYNC, SYNC = 1, 2, 4, 8, 16
FOLLOW = 1
SET, CUR, END = 0, 1, 2
ROOT, CWD = 3, 4

_FRAME = struct.Struct("<II9Q")
_CALL, _WRITE, _READ, _GROW, _SPIN, _TRAP, _RETURN = range(7)
_SECONDS = 20
_U64 = (1 << 64) - 1


def program(namespace: str, control: tuple[int, int], names: Sequence[str]) -> str:
    """The guest's text: with the functions of that namespace, ruled over these two descriptors."""
    types = {"i": "i32", "I": "i64"}
    imports, cases = [], []
    for name in names:
        parameters, results = SIGNATURES[name].split(":")
        params = f"(param {' '.join(types[letter] for letter in parameters)})" if parameters else ""
        result = "(result i32)" if results else ""
        imports.append(f'(import "{namespace}" "{name}" (func ${name} {params} {result}))')
        loads = " ".join(
            f"({types[letter]}.load (i32.const {72 + 8 * index}))" for index, letter in enumerate(parameters)
        )
        call = f"(call ${name} {loads})"
        cases.append(f"(return {call})" if results else f"{call} (return (i32.const 0))")
    dispatch = f"(br_table {' '.join(f'${name}' for name in names)} $none (i32.load (i32.const 68)))"
    for name, case in zip(names, cases, strict=True):
        dispatch = f"(block ${name} {dispatch})\n {case}"
    return f"""(module {" ".join(imports)}
  (memory (export "memory") {MEMORY // 65536} 64)
  (func $move (param $out i32) (param $at i32) (param $left i32)
    (loop $more
      (if (i32.eqz (local.get $left)) (then (return)))
      (i32.store (i32.const 16) (local.get $at))
      (i32.store (i32.const 20) (local.get $left))
      (i32.store (i32.const 24) (i32.const 0))
      (if (if (result i32) (local.get $out)
            (then (call $fd_write (i32.const {control[1]}) (i32.const 16) (i32.const 1) (i32.const 24)))
            (else (call $fd_read (i32.const {control[0]}) (i32.const 16) (i32.const 1) (i32.const 24))))
        (then (call $proc_exit (i32.const 77))))
      (if (i32.eqz (i32.load (i32.const 24))) (then (call $proc_exit (i32.const 0))))
      (local.set $at (i32.add (local.get $at) (i32.load (i32.const 24))))
      (local.set $left (i32.sub (local.get $left) (i32.load (i32.const 24))))
      (br $more)))
  (func $answer (param $value i32)
    (i32.store (i32.const 8) (local.get $value))
    (call $move (i32.const 1) (i32.const 8) (i32.const 4)))
  (func $dispatch (result i32) (block $none {dispatch}) (i32.const 65535))
  (func (export "_start")
    (loop $next
      (call $move (i32.const 0) (i32.const 64) (i32.const {_FRAME.size}))
      (block $return (block $trap (block $spin (block $grow (block $read (block $write (block $call
        (br_table $call $write $read $grow $spin $trap $return (i32.load (i32.const 64))))
        (call $answer (call $dispatch)) (br $next))
        (call $move (i32.const 0) (i32.load (i32.const 72)) (i32.load (i32.const 80))) (br $next))
        (call $move (i32.const 1) (i32.load (i32.const 72)) (i32.load (i32.const 80))) (br $next))
        (call $answer (memory.grow (i32.load (i32.const 72)))) (br $next))
        (loop $forever (br $forever)))
        unreachable))))"""


@cache
def module(namespace: str, control: tuple[int, int] = (0, 1)) -> Module:
    """The compiled guest."""
    # In WASIX a socket is accepted by another function; everything else is there under the same types.
    names = [name for name in NAMES if not (namespace == WASIX and name == "sock_accept")]
    return Module.compile(bytes(wasmtime.wat2wasm(program(namespace, control, names))), "remote")


class Ended(Exception):
    """The guest ended while the test waited for an answer."""


class Failed(Exception):
    """A call that should have succeeded gave this number."""

    def __init__(self, errno: Errno, call: str) -> None:
        super().__init__(f"{call}: {errno.name}")
        self.errno = errno


class Filestat(NamedTuple):
    dev: int
    ino: int
    filetype: int
    nlink: int
    size: int
    atim: int
    mtim: int
    ctim: int


class Fdstat(NamedTuple):
    filetype: int
    flags: int
    rights: int
    inheriting: int


class Event(NamedTuple):
    userdata: int
    error: Errno
    kind: int
    size: int
    flags: int


class Entry(NamedTuple):
    next: int
    ino: int
    filetype: int
    name: str


class Remote:
    """A running guest and the two ends by which it is ruled."""

    def __init__(
        self,
        filesystem: FileSystem | None = None,
        namespace: str = PREVIEW1,
        *,
        setup: Callable[[WasiEnvBuilder], object] | None = None,
        control: int | None = None,
    ) -> None:
        """Start a guest.

        Args:
            filesystem: its root.
            namespace: where it imports the host functions from.
            setup: changes the environment before the guest starts.
            control: the number of the descriptor that it is ruled by, when its standard streams are for the test: the
                first number after the preopened directories.
        """
        builder = WasiEnvBuilder("remote").devices(False)
        if filesystem is not None:
            builder.root(filesystem)
        self._ends: list[int] = []
        if control is None:
            guest_in, self._to = os.pipe()
            self._from, guest_out = os.pipe()
            builder.stdin(HostStream(guest_in)).stdout(HostStream(guest_out))
            self._ends = [self._to, self._from]
        else:
            mine, its = socket.socketpair()
            self._to = self._from = mine.detach()
            self._ends = [self._to]
            builder.socket(its)
        if setup is not None:
            setup(builder)
        self.namespace = namespace
        self.names = [name for name in NAMES if not (namespace == WASIX and name == "sock_accept")]
        self.env = builder.build()
        numbers = (0, 1) if control is None else (control, control)
        self.process = self.env.spawn(module(namespace, numbers))
        self._string = STRINGS

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> int:
        """End the guest; its exit code."""
        for end in self._ends:
            os.close(end)
        self._ends = []
        try:
            return self.process.wait(_SECONDS)
        except TimeoutError:
            self.process.terminate(1)
            raise

    def command(self, op: int, index: int = 0, *arguments: int) -> None:
        """Send a frame."""
        padded = [argument & _U64 for argument in arguments] + [0] * (9 - len(arguments))
        self._put(_FRAME.pack(op, index, *padded))

    def _put(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._to, view) :]
            except (BrokenPipeError, ConnectionResetError):
                raise Ended from None

    def _get(self, length: int, seconds: float = _SECONDS) -> bytes:
        data = b""
        while len(data) < length:
            if not select.select([self._from], [], [], seconds)[0]:
                raise TimeoutError(f"no answer after {seconds} s")
            try:
                part = os.read(self._from, length - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                raise Ended
            data += part
        return data

    def ask(self, name: str, *arguments: int) -> None:
        """Begin a call; `answer` waits for its result."""
        self.command(_CALL, self.names.index(name), *arguments)

    def answer(self, seconds: float = _SECONDS) -> Errno:
        """The result of the call under way."""
        return Errno(int.from_bytes(self._get(4, seconds), "little"))

    def __getattr__(self, name: str) -> Callable[..., Errno]:
        if name not in SIGNATURES:
            raise AttributeError(name)

        def call(*arguments: int) -> Errno:
            self.ask(name, *arguments)
            return self.answer()

        return call

    def done(self, name: str, *arguments: int) -> None:
        """Call a function that has to succeed.

        Raises:
            Failed: it does not.
        """
        self.ask(name, *arguments)
        errno = self.answer()
        if errno:
            raise Failed(errno, name)

    def write(self, pointer: int, data: bytes) -> None:
        """Put bytes into the guest's memory."""
        self.command(_WRITE, 0, pointer, len(data))
        self._put(data)

    def read(self, pointer: int, length: int) -> bytes:
        """Bytes of the guest's memory."""
        self.command(_READ, 0, pointer, length)
        return self._get(length)

    def u32(self, pointer: int = RESULT) -> int:
        return int.from_bytes(self.read(pointer, 4), "little")

    def u64(self, pointer: int = RESULT) -> int:
        return int.from_bytes(self.read(pointer, 8), "little")

    def grow(self, pages: int) -> int:
        """`memory.grow`; the size before in pages, or -1."""
        self.command(_GROW, 0, pages)
        return int.from_bytes(self._get(4), "little", signed=True)

    def spin(self) -> None:
        """Let the guest loop without an end and without a host call."""
        self.command(_SPIN)

    def trap(self) -> None:
        """Let the guest run into `unreachable`."""
        self.command(_TRAP)

    def leave(self) -> None:
        """Let the guest return from `_start`."""
        self.command(_RETURN)

    def text(self, text: str | bytes) -> tuple[int, int]:
        """Put a string into memory; its pointer and length, as calls take them."""
        data = text if isinstance(text, bytes) else text.encode()
        if self._string + len(data) > BUFFER:
            self._string = STRINGS
        pointer = self._string
        self._string += len(data) + 1
        self.write(pointer, data)
        return pointer, len(data)

    def iovecs(self, *buffers: tuple[int, int]) -> tuple[int, int]:
        """Put an array of buffers into memory; its pointer and length."""
        self.write(IOVEC, b"".join(struct.pack("<II", *buffer) for buffer in buffers))
        return IOVEC, len(buffers)

    # What most tests do, in the terms of a programmer: each raises `Failed`.

    def open(
        self,
        path: str | bytes,
        *,
        at: int = ROOT,
        oflags: int = 0,
        rights: int = 0,
        inheriting: int = 0,
        fdflags: int = 0,
        lookup: int = 0,
    ) -> int:
        self.done("path_open", at, lookup, *self.text(path), oflags, rights, inheriting, fdflags, RESULT)
        return self.u32()

    def fd_bytes(self, fd: int, data: bytes) -> int:
        """Write the bytes to a descriptor; how many were taken."""
        self.write(BUFFER, data)
        self.done("fd_write", fd, *self.iovecs((BUFFER, len(data))), RESULT)
        return self.u32()

    def fd_text(self, fd: int, length: int = 4096) -> bytes:
        """Read from a descriptor, once."""
        self.done("fd_read", fd, *self.iovecs((BUFFER, length)), RESULT)
        return self.read(BUFFER, self.u32())

    def pread(self, fd: int, length: int, offset: int) -> bytes:
        self.done("fd_pread", fd, *self.iovecs((BUFFER, length)), offset, RESULT)
        return self.read(BUFFER, self.u32())

    def pwrite(self, fd: int, data: bytes, offset: int) -> int:
        self.write(BUFFER, data)
        self.done("fd_pwrite", fd, *self.iovecs((BUFFER, len(data))), offset, RESULT)
        return self.u32()

    def seek(self, fd: int, offset: int, whence: int = SET) -> int:
        self.done("fd_seek", fd, offset, whence, RESULT)
        return self.u64()

    def tell(self, fd: int) -> int:
        self.done("fd_tell", fd, RESULT)
        return self.u64()

    def make(self, path: str, data: bytes = b"", at: int = ROOT) -> None:
        """Make a file with this content."""
        fd = self.open(path, at=at, oflags=CREAT, rights=1 << 6)
        if data:
            assert self.fd_bytes(fd, data) == len(data)
        self.done("fd_close", fd)

    def mkdir(self, path: str, at: int = ROOT) -> None:
        self.done("path_create_directory", at, *self.text(path))

    def symlink(self, target: str, path: str, at: int = ROOT) -> None:
        self.done("path_symlink", *self.text(target), at, *self.text(path))

    def unlink(self, path: str, at: int = ROOT) -> None:
        self.done("path_unlink_file", at, *self.text(path))

    def rmdir(self, path: str, at: int = ROOT) -> None:
        self.done("path_remove_directory", at, *self.text(path))

    def link(self, old: str, new: str, *, at: int = ROOT, to: int = ROOT, lookup: int = 0) -> None:
        self.done("path_link", at, lookup, *self.text(old), to, *self.text(new))

    def rename(self, old: str, new: str, *, at: int = ROOT, to: int = ROOT) -> None:
        self.done("path_rename", at, *self.text(old), to, *self.text(new))

    def readlink(self, path: str, room: int = 256, at: int = ROOT) -> bytes:
        self.done("path_readlink", at, *self.text(path), BUFFER, room, RESULT)
        return self.read(BUFFER, self.u32())

    def _filestat(self) -> Filestat:
        if self.namespace == UNSTABLE:
            return Filestat(*struct.unpack("<QQBxxxIQQQQ", self.read(RESULT, 56)))
        return Filestat(*struct.unpack("<QQB7xQQQQQ", self.read(RESULT, 64)))

    def stat(self, path: str, *, at: int = ROOT, lookup: int = 0) -> Filestat:
        self.done("path_filestat_get", at, lookup, *self.text(path), RESULT)
        return self._filestat()

    def fstat(self, fd: int) -> Filestat:
        self.done("fd_filestat_get", fd, RESULT)
        return self._filestat()

    def fdstat(self, fd: int) -> Fdstat:
        self.done("fd_fdstat_get", fd, RESULT)
        return Fdstat(*struct.unpack("<BxH4xQQ", self.read(RESULT, 24)))

    def readdir(self, fd: int, cookie: int = 0, room: int = 4096) -> tuple[list[Entry], bool]:
        """The whole entries that one call gives, and whether the directory ends there."""
        self.done("fd_readdir", fd, BUFFER, room, cookie, RESULT)
        used = self.u32()
        assert used <= room
        data, found = self.read(BUFFER, used), []
        while len(data) >= 24:
            following, ino, length, filetype = struct.unpack_from("<QQIB", data)
            if len(data) < 24 + length:
                break
            found.append(Entry(following, ino, filetype, data[24 : 24 + length].decode()))
            data = data[24 + length :]
        return found, used < room

    def names_in(self, fd: int) -> list[str]:
        """Every name in a directory, in order, without the dots."""
        found: list[str] = []
        cookie, end = 0, False
        while not end:
            entries, end = self.readdir(fd, cookie)
            found += [entry.name for entry in entries]
            cookie = entries[-1].next if entries else cookie
        return [name for name in found if name not in (".", "..")]

    def poll(self, *subscriptions: bytes) -> list[Event]:
        """`poll_oneoff`."""
        self.write(BUFFER, b"".join(subscriptions))
        self.done("poll_oneoff", BUFFER, BUFFER + 32768, len(subscriptions), RESULT)
        return self.events()

    def events(self) -> list[Event]:
        """The events that a `poll_oneoff` of `poll` left behind."""
        data = self.read(BUFFER + 32768, 32 * self.u32())
        found = struct.iter_unpack("<QHB5xQH6x", data)
        return [Event(userdata, Errno(error), *rest) for userdata, error, *rest in found]


def clock(userdata: int, nanoseconds: int, *, clock_id: int = 1, flags: int = 0) -> bytes:
    """A clock subscription of preview 1."""
    return struct.pack("<QB7xI4xQQH6x", userdata, 0, clock_id, nanoseconds, 0, flags)


def readiness(userdata: int, fd: int, *, write: bool = False) -> bytes:
    """A descriptor subscription of preview 1."""
    return struct.pack("<QB7xI28x", userdata, 2 if write else 1, fd)


@contextmanager
def fails(*errnos: Errno) -> Iterator[None]:
    """The call inside fails with one of these numbers."""
    with pytest.raises(Failed) as caught:
        yield
    assert caught.value.errno in errnos, caught.value


@pytest.fixture(name="filesystem", params=["tmpfs", "hostfs"])
def both_filesystems(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    """An empty filesystem: in memory, and a directory of the host."""
    if request.param == "tmpfs":
        return TmpFileSystem()
    (tmp_path / "volume").mkdir()
    return HostFileSystem(tmp_path / "volume")


@pytest.fixture(name="guest")
def guest_on_both(filesystem: FileSystem) -> Iterator[Remote]:
    """A guest of preview 1 on an empty filesystem, ready to be told what to call."""
    with Remote(filesystem) as remote:
        yield remote
