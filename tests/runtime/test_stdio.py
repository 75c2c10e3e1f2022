"""Standard streams: files, pipes, sockets, buffers, terminals, and nothing."""

import os
import socket
from pathlib import Path

import pytest
from remote_guest import APPEND, BUFFER, RESULT, Remote

from runtime.abi.errno import Errno
from runtime.abi.filetype import Filetype
from runtime.abi.flags import FILE_RIGHTS
from runtime.env import WasiEnvBuilder
from runtime.fs.node import OpenFile
from runtime.stdio import HostStream, InputBuffer, OutputBuffer, pipe


def with_streams(
    stdin: OpenFile | int | bytes | None = None,
    stdout: OpenFile | int | None = None,
    stderr: OpenFile | int | None = None,
) -> Remote:
    return Remote(control=5, setup=lambda builder: builder.stdin(stdin).stdout(stdout).stderr(stderr))


def is_terminal(guest: Remote, fd: int) -> bool:
    """What a C library makes of it: a character device that can neither seek nor tell."""
    stat = guest.fdstat(fd)
    return stat.filetype == Filetype.CHARACTER_DEVICE and not stat.rights & (1 << 2 | 1 << 5)


def test_captured_buffers() -> None:
    out, err = OutputBuffer(), OutputBuffer()
    with with_streams(b"first second", out, err) as guest:
        assert guest.fd_text(0, 6) == b"first "
        assert guest.fd_text(0, 100) == b"second"
        assert guest.fd_text(0, 100) == b""
        assert guest.fd_bytes(1, b"to out") == 6
        assert guest.fd_bytes(2, b"to err") == 6
        guest.write(BUFFER, b"abcdef")
        guest.done("fd_write", 1, *guest.iovecs((BUFFER, 2), (BUFFER + 4, 2)), RESULT)
        assert guest.fd_read(1, *guest.iovecs((BUFFER, 1)), RESULT) is Errno.BADF
        assert guest.fd_write(0, *guest.iovecs((BUFFER, 1)), RESULT) is Errno.BADF
        assert not any(is_terminal(guest, fd) for fd in (0, 1, 2))
    assert out.getvalue() == b"to outabef"
    assert err.getvalue() == b"to err"


def test_one_buffer_for_both() -> None:
    both = OutputBuffer()
    with with_streams(None, both, both) as guest:
        for number in range(4):
            guest.fd_bytes(1 + number % 2, b"%d" % number)
        guest.done("fd_close", 1)
        guest.fd_bytes(2, b"!")
    assert both.getvalue() == b"0123!"


def test_a_buffer_with_a_limit() -> None:
    out = OutputBuffer(10)
    with with_streams(None, out) as guest:
        assert guest.fd_bytes(1, b"12345678") == 8
        assert guest.fd_write(1, *guest.iovecs((BUFFER, 3)), RESULT) is Errno.NOSPC
        assert guest.fd_bytes(1, b"90") == 2
    assert out.getvalue() == b"1234567890"


def test_nothing() -> None:
    with with_streams() as guest:
        assert guest.fd_text(0) == b""
        assert guest.fd_bytes(1, b"gone") == 4
        assert guest.fd_bytes(2, b"gone") == 4
        assert not any(is_terminal(guest, fd) for fd in (0, 1, 2))


def test_streams_have_no_position() -> None:
    reading, _writing = pipe()
    with with_streams(reading, OutputBuffer()) as guest:
        for fd in (0, 1):
            assert guest.fd_seek(fd, 0, 1, RESULT) is Errno.SPIPE
            assert guest.fd_tell(fd, RESULT) is Errno.SPIPE
            assert guest.fd_pread(fd, *guest.iovecs((BUFFER, 1)), 0, RESULT) is Errno.SPIPE
            assert guest.fd_pwrite(fd, *guest.iovecs((BUFFER, 1)), 0, RESULT) is Errno.SPIPE
            assert guest.fd_advise(fd, 0, 0, 0) is Errno.SPIPE
            assert guest.fd_allocate(fd, 0, 1) is Errno.SPIPE
            assert guest.fd_filestat_set_size(fd, 1) in (Errno.INVAL, Errno.NOTCAPABLE)


def test_files_of_the_host(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"from a file")
    with (tmp_path / "in").open("rb") as source, (tmp_path / "out").open("wb") as sink:
        source.seek(5)
        sink.write(b"before ")
        sink.flush()
        with with_streams(source.fileno(), sink.fileno()) as guest:
            assert guest.fd_text(0, 100) == b"a file"
            assert guest.fd_bytes(1, b"inside ") == 7
            assert guest.fdstat(1).filetype == Filetype.REGULAR_FILE
            assert guest.fstat(1).size == 14
        sink.write(b"after")
    assert (tmp_path / "out").read_bytes() == b"before inside after"


def test_a_file_that_appends(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"old ")
    with (tmp_path / "log").open("ab") as sink, with_streams(None, sink.fileno()) as guest:
        guest.fd_bytes(1, b"new")
        assert guest.fdstat(1).flags & ~APPEND == 0
    assert (tmp_path / "log").read_bytes() == b"old new"


def test_pipes_of_the_host_stay_open_and_blocking() -> None:
    source, to_guest = os.pipe()
    from_guest, sink = os.pipe()
    with with_streams(source, sink) as guest:
        os.write(to_guest, b"question")
        assert guest.fd_text(0) == b"question"
        assert guest.fd_bytes(1, b"answer") == 6
        assert not is_terminal(guest, 0)
        assert guest.fdstat(0).filetype == Filetype.UNKNOWN
    assert os.read(from_guest, 100) == b"answer"
    assert os.get_blocking(source)
    assert os.get_blocking(sink), "other processes share it"
    for fd in (source, to_guest, from_guest, sink):
        os.close(fd)


def test_sockets_as_standard_streams() -> None:
    mine, its = socket.socketpair()
    with mine, its, with_streams(its.fileno(), its.fileno()) as guest:
        mine.sendall(b"question")
        assert guest.fd_text(0) == b"question"
        assert guest.fd_bytes(1, b"answer") == 6
        assert guest.fdstat(0).filetype == Filetype.SOCKET_STREAM
        assert mine.recv(100) == b"answer"
        mine.shutdown(socket.SHUT_WR)
        assert guest.fd_text(0) == b""


def test_a_terminal() -> None:
    controller, terminal = os.openpty()
    with with_streams(terminal, terminal, terminal) as guest:
        assert all(is_terminal(guest, fd) for fd in (0, 1, 2))
        assert guest.fstat(0).filetype == Filetype.CHARACTER_DEVICE
        assert guest.fd_bytes(1, b"prompt> ") == 8
        assert os.read(controller, 100) == b"prompt> "
        guest.ask("fd_read", 0, *guest.iovecs((BUFFER, 100)), RESULT)
        with pytest.raises(TimeoutError):
            guest.answer(0.02)
        os.write(controller, b"typed\n")
        assert guest.answer() is Errno.SUCCESS
        assert guest.read(BUFFER, guest.u32()) == b"typed\n"
        assert os.get_blocking(terminal), "a terminal is shared with the shell"
        guest.ask("fd_read", 0, *guest.iovecs((BUFFER, 100)), RESULT)
        guest.process.terminate(130)
        assert guest.process.wait(20) == 130
    os.close(controller)
    os.close(terminal)


def test_a_device_of_the_host_is_no_terminal() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    with with_streams(null, null) as guest:
        assert not is_terminal(guest, 0)
        assert guest.fd_text(0) == b""
        assert guest.fd_bytes(1, b"x") == 1
    os.close(null)


def test_buffers_may_pose_as_terminals() -> None:
    out = OutputBuffer(filetype=Filetype.CHARACTER_DEVICE)
    with with_streams(InputBuffer(b"x", Filetype.CHARACTER_DEVICE), out) as guest:
        assert is_terminal(guest, 0)
        assert is_terminal(guest, 1)


def test_a_descriptor_that_is_closed_is_nothing() -> None:
    never_open = 100_000
    with with_streams(never_open, never_open) as guest:
        assert guest.fd_text(0) == b""
        assert guest.fd_bytes(1, b"x") == 1


def test_standard_streams_can_be_closed_and_replaced() -> None:
    out = OutputBuffer()
    with with_streams(b"", out) as guest:
        guest.make("file")
        fd = guest.open("file", rights=1 << 6)
        guest.done("fd_renumber", fd, 1)
        guest.fd_bytes(1, b"redirected")
        guest.done("fd_close", 0)
        assert guest.open("file") == 0
        assert guest.stat("file").size == 10
    assert out.getvalue() == b""


def test_inherited_streams() -> None:
    env = WasiEnvBuilder().inherit_stdio().build()
    files = [env.descriptors.get(fd).description.file for fd in (0, 1, 2)]
    assert all(isinstance(file, HostStream) for file in files)
    env.descriptors.close_all()
    os.fstat(1)


def test_devices() -> None:
    out = OutputBuffer()

    def setup(builder: WasiEnvBuilder) -> None:
        builder.devices(True).stdin(b"from the device").stdout(out)

    both = 1 << 1 | 1 << 6
    with Remote(control=5, setup=setup) as guest:
        assert set(guest.names_in(guest.open("dev", rights=1 << 14))) >= {
            "null",
            "zero",
            "full",
            "urandom",
            "stdout",
            "fd",
        }
        null = guest.open("dev/null", rights=both)
        assert guest.fd_bytes(null, b"gone") == 4
        assert guest.fd_text(null) == b""
        assert guest.fd_text(guest.open("dev/zero", rights=both), 8) == bytes(8)
        assert guest.fd_write(guest.open("dev/full", rights=both), *guest.iovecs((BUFFER, 1)), RESULT) is Errno.NOSPC
        assert len(set(guest.fd_text(guest.open("dev/urandom", rights=both), 4096))) > 200
        assert guest.fd_text(guest.open("dev/stdin", rights=1 << 1)) == b"from the device"
        guest.fd_bytes(guest.open("dev/fd/1", rights=1 << 6), b"one ")
        guest.fd_bytes(guest.open("dev/stdout", rights=1 << 6), b"two")
        assert guest.stat("dev/null").filetype == Filetype.CHARACTER_DEVICE
        # As a C library opens it: with every right that reading and writing go with.
        assert not is_terminal(guest, guest.open("dev/null", rights=FILE_RIGHTS))
        for path in ("dev/new", "dev/fd/77"):
            assert guest.path_open(3, 0, *guest.text(path), 1, 1 << 6, 0, 0, RESULT) is not Errno.SUCCESS
    assert out.getvalue() == b"one two"
