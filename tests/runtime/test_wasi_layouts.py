"""How structures lie in guest memory, byte by byte, in both generations; and pointers that point nowhere."""

import struct

import pytest
from remote_guest import (
    BUFFER,
    CREAT,
    IOVEC,
    MEMORY,
    NAMES,
    PREVIEW1,
    RESULT,
    ROOT,
    SIGNATURES,
    UNSTABLE,
    Remote,
    fails,
)

from runtime.abi.errno import Errno
from runtime.abi.flags import FILE_RIGHTS
from runtime.hostcalls import declared
from runtime.syscalls import families

EDGE = b"\xee" * 16


def filled(guest: Remote, size: int, name: str, *arguments: int) -> bytes:
    """What a call writes at `RESULT`; that it writes no more than `size` bytes."""
    guest.write(RESULT, b"\xee" * size + EDGE)
    guest.done(name, *arguments)
    assert guest.read(RESULT + size, 16) == EDGE
    return guest.read(RESULT, size)


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE])
def test_every_function_is_declared_as_specified(namespace: str) -> None:
    families.load()
    ours = {(call.name, call.signature) for call in declared() if call.namespace == namespace}
    assert ours >= set(SIGNATURES.items())


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE])
def test_fdstat(namespace: str) -> None:
    with Remote(namespace=namespace) as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS, inheriting=5, fdflags=0x11)
        raw = filled(guest, 24, "fd_fdstat_get", fd, RESULT)
        assert raw == b"\x04\x00\x11\x00" + bytes(4) + FILE_RIGHTS.to_bytes(8, "little") + (5).to_bytes(8, "little")


def test_filestat_of_preview1() -> None:
    with Remote() as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS)
        guest.fd_bytes(fd, b"12345")
        guest.link("a", "b")
        guest.done("fd_filestat_set_times", fd, 0x1122334455667788, 0x0102030405060708, 5)
        raw = filled(guest, 64, "fd_filestat_get", fd, RESULT)
        assert raw[16:24] == b"\x04" + bytes(7)
        assert raw[24:32] == b"\x02" + bytes(7)
        assert raw[32:40] == b"\x05" + bytes(7)
        assert raw[40:48] == bytes.fromhex("8877665544332211")
        assert raw[48:56] == bytes.fromhex("0807060504030201")
        assert raw == filled(guest, 64, "path_filestat_get", ROOT, 0, *guest.text("a"), RESULT)


def test_filestat_of_unstable() -> None:
    with Remote(namespace=UNSTABLE) as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS)
        guest.fd_bytes(fd, b"12345")
        guest.link("a", "b")
        guest.done("fd_filestat_set_times", fd, 0x1122334455667788, 0x0102030405060708, 5)
        raw = filled(guest, 56, "fd_filestat_get", fd, RESULT)
        assert raw[16:20] == b"\x04" + bytes(3)
        assert raw[20:24] == b"\x02" + bytes(3)
        assert raw[24:32] == b"\x05" + bytes(7)
        assert raw[32:40] == bytes.fromhex("8877665544332211")
        assert raw[40:48] == bytes.fromhex("0807060504030201")
        assert raw == filled(guest, 56, "path_filestat_get", ROOT, 0, *guest.text("a"), RESULT)


def test_whence_of_unstable() -> None:
    current, end, start = 0, 1, 2
    with Remote(namespace=UNSTABLE) as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS)
        guest.fd_bytes(fd, b"0123456789")
        assert guest.seek(fd, -3, current) == 7
        assert guest.seek(fd, -3, end) == 7
        assert guest.seek(fd, 3, start) == 3
        assert guest.seek(fd, 3, current) == 6
        assert guest.fd_seek(fd, 0, 3, RESULT) is Errno.INVAL
        with fails(Errno.INVAL):
            guest.seek(fd, -1, start)


def test_prestat_and_dirent() -> None:
    with Remote() as guest:
        assert filled(guest, 8, "fd_prestat_get", ROOT, RESULT) == b"\0\0\0\0\1\0\0\0"
        guest.make("name")
        guest.done("fd_readdir", ROOT, BUFFER, 24 + 4, 2, RESULT)
        ino = guest.stat("name").ino
        assert guest.read(BUFFER, 28) == struct.pack("<QQI", 3, ino, 4) + b"\4\0\0\0name"


def event(userdata: int, error: int, kind: int, size: int) -> bytes:
    return (
        userdata.to_bytes(8, "little") + bytes([error, 0, kind, 0, 0, 0, 0, 0]) + size.to_bytes(8, "little") + bytes(8)
    )


def test_subscriptions_and_events_of_preview1() -> None:
    with Remote() as guest:
        fd = guest.open("a", oflags=CREAT, rights=FILE_RIGHTS)
        subscription = bytearray(48 * 2)
        subscription[0:8] = bytes.fromhex("f1f2f3f4f5f6f7f8")
        subscription[8] = 0
        subscription[16:20] = (1).to_bytes(4, "little")
        subscription[24:32] = (1000).to_bytes(8, "little")
        subscription[48:56] = bytes.fromhex("0102030405060708")
        subscription[56] = 2
        subscription[64:68] = fd.to_bytes(4, "little")
        guest.write(BUFFER, bytes(subscription))
        guest.write(BUFFER + 4096, EDGE * 6)
        guest.done("poll_oneoff", BUFFER, BUFFER + 4096, 1, RESULT)
        assert guest.u32() == 1
        assert guest.read(BUFFER + 4096, 32) == event(0xF8F7F6F5F4F3F2F1, 0, 0, 0)
        assert guest.read(BUFFER + 4128, 16) == EDGE
        guest.done("poll_oneoff", BUFFER + 48, BUFFER + 4096, 1, RESULT)
        raw = guest.read(BUFFER + 4096, 32)
        assert raw[:16] == event(0x0807060504030201, 0, 2, 0)[:16]
        assert raw[24:] == bytes(8)


def test_subscriptions_of_unstable() -> None:
    with Remote(namespace=UNSTABLE) as guest:
        raw = bytearray(56 * 3)
        for index, (tag, first, second) in enumerate([(0, 99, 1), (1, 77, 0), (0, 0, 9)]):
            start = 56 * index
            raw[start : start + 8] = (index + 1).to_bytes(8, "little")
            raw[start + 8] = tag
            raw[start + 16 : start + 24] = first.to_bytes(8, "little")  # an identifier, or the descriptor
            raw[start + 24 : start + 28] = second.to_bytes(4, "little")  # the clock
            raw[start + 32 : start + 40] = (1000).to_bytes(8, "little")  # the timeout
        guest.write(BUFFER, bytes(raw))
        guest.done("poll_oneoff", BUFFER, BUFFER + 32768, 1, RESULT)
        assert guest.events() == [(1, Errno.SUCCESS, 0, 0, 0)]
        guest.done("poll_oneoff", BUFFER + 56, BUFFER + 32768, 2, RESULT)
        assert [(found.userdata, found.error) for found in guest.events()] == [(2, Errno.BADF), (3, Errno.INVAL)]


# Where a function writes its result or reads its input: the position of the pointer among the arguments, given
# arguments that are right otherwise, and how many bytes it is about.
POINTERS = [
    ("args_sizes_get", (RESULT, RESULT + 8), (0, 1), 4),
    ("args_get", (RESULT, BUFFER), (0, 1), 4),
    ("environ_sizes_get", (RESULT, RESULT + 8), (0, 1), 4),
    ("clock_res_get", (0, RESULT), (1,), 8),
    ("clock_time_get", (0, 0, RESULT), (2,), 8),
    ("fd_fdstat_get", (5, RESULT), (1,), 24),
    ("fd_filestat_get", (5, RESULT), (1,), 56),
    ("fd_prestat_get", (3, RESULT), (1,), 8),
    ("fd_prestat_dir_name", (3, BUFFER, 1), (1,), 1),
    ("fd_read", (5, IOVEC, 1, RESULT), (1, 3), 4),
    ("fd_write", (5, IOVEC, 1, RESULT), (1, 3), 4),
    ("fd_pread", (5, IOVEC, 1, 0, RESULT), (1, 4), 4),
    ("fd_pwrite", (5, IOVEC, 1, 0, RESULT), (1, 4), 4),
    ("fd_seek", (5, 0, 0, RESULT), (3,), 8),
    ("fd_tell", (5, RESULT), (1,), 8),
    ("fd_readdir", (3, BUFFER, 8, 0, RESULT), (1, 4), 4),
    ("path_create_directory", (3, BUFFER, 4), (1,), 4),
    ("path_filestat_get", (3, 0, BUFFER, 4, RESULT), (2, 4), 4),
    ("path_filestat_set_times", (3, 0, BUFFER, 4, 0, 0, 0), (2,), 4),
    ("path_link", (3, 0, BUFFER, 4, 3, BUFFER, 4), (2, 5), 4),
    ("path_open", (3, 0, BUFFER, 4, 0, 0, 0, 0, RESULT), (2, 8), 4),
    ("path_readlink", (3, BUFFER + 4, 4, BUFFER + 64, 8, RESULT), (1, 3, 5), 4),
    ("path_remove_directory", (3, BUFFER, 4), (1,), 4),
    ("path_rename", (3, BUFFER, 4, 3, BUFFER, 4), (1, 4), 4),
    ("path_symlink", (BUFFER, 4, 3, BUFFER, 4), (0, 3), 4),
    ("path_unlink_file", (3, BUFFER, 4), (1,), 4),
    ("random_get", (BUFFER, 4), (0,), 4),
]


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE])
def test_bad_pointers_are_faults(namespace: str) -> None:
    with Remote(namespace=namespace) as guest:
        assert guest.open("file", oflags=CREAT, rights=FILE_RIGHTS) == 5
        guest.fd_bytes(5, b"some text")
        guest.symlink("file", "link")
        for name, arguments, positions, size in POINTERS:
            for position in positions:
                for pointer in (MEMORY - size + 1, MEMORY, 0x8000_0000, 0xFFFF_FFFF, 0xFFFF_FFFF - size + 1):
                    guest.write(BUFFER, b"filelink")
                    guest.iovecs((BUFFER + 128, 4))
                    bad = [*arguments[:position], pointer, *arguments[position + 1 :]]
                    assert getattr(guest, name)(*bad) is Errno.FAULT, (name, position, hex(pointer))
        assert set(guest.names_in(ROOT)) == {"file", "link"}


def test_buffers_that_leave_the_memory() -> None:
    with Remote() as guest:
        fd = guest.open("file", oflags=CREAT, rights=FILE_RIGHTS)
        guest.fd_bytes(fd, b"some text")
        for buffer in [(MEMORY - 3, 4), (MEMORY, 1), (0, 0xFFFF_FFFF), (0xFFFF_FFFF, 0xFFFF_FFFF), (0x8000_0000, 1)]:
            for name in ("fd_write", "fd_read"):
                assert getattr(guest, name)(fd, *guest.iovecs(buffer), RESULT) is Errno.FAULT
                assert getattr(guest, name)(fd, *guest.iovecs((BUFFER, 1), buffer), RESULT) is Errno.FAULT
            for name in ("fd_pwrite", "fd_pread"):
                assert getattr(guest, name)(fd, *guest.iovecs(buffer), 0, RESULT) is Errno.FAULT
        guest.done("fd_write", fd, *guest.iovecs((MEMORY - 4, 4)), RESULT)
        assert guest.fd_read(fd, 0x1000_0000, 0x2000_0000, RESULT) in (Errno.INVAL, Errno.FAULT)
        assert guest.fstat(fd).size == 13, "nothing was written of what could not be read whole"


def test_a_failed_result_leaves_nothing_open() -> None:
    with Remote() as guest:
        guest.make("file")
        before = len(guest.env.descriptors)
        for _ in range(5):
            assert guest.path_open(ROOT, 0, *guest.text("file"), 0, 0, 0, 0, MEMORY - 3) is Errno.FAULT
        assert len(guest.env.descriptors) == before


def test_memory_that_has_grown_is_memory() -> None:
    with Remote() as guest:
        assert guest.random_get(MEMORY, 8) is Errno.FAULT
        assert guest.grow(1) == MEMORY // 65536
        assert guest.random_get(MEMORY, 8) is Errno.SUCCESS
        assert guest.random_get(MEMORY + 65536 - 8, 8) is Errno.SUCCESS
        assert guest.random_get(MEMORY + 65536 - 8, 9) is Errno.FAULT


def test_every_pointer_function_is_in_the_list() -> None:
    none = {
        "environ_get",  # nothing to write where there are no variables
        "fd_advise fd_allocate fd_close fd_datasync fd_fdstat_set_flags fd_fdstat_set_rights fd_filestat_set_size",
        "fd_filestat_set_times fd_renumber fd_sync proc_exit proc_raise sched_yield sock_shutdown",
        "poll_oneoff sock_accept sock_recv sock_send",  # have tests of their own
    }
    assert {name for name, *_ in POINTERS} | set(" ".join(none).split()) == set(NAMES)
