"""A host function that is called often is given code of its own: results, errors and signals stay as they were."""

from remote_guest import BUFFER, CREAT, RESULT, Remote

from runtime.abi.errno import Errno
from runtime.hostcalls import _CALLS_BEFORE_OWN_CODE


def test_a_function_answers_alike_before_and_after() -> None:
    with Remote() as guest:
        fd = guest.open("a", oflags=CREAT, rights=0xFFFFFFF)
        guest.fd_bytes(fd, b"12345")
        seen = set()
        for _ in range(2 * _CALLS_BEFORE_OWN_CODE + 2):
            guest.write(RESULT, b"\xff" * 8)
            guest.done("fd_seek", fd, 0, 2, RESULT)
            guest.done("sched_yield")
            seen.add((guest.read(RESULT, 8), guest.fd_seek(99, 0, 2, RESULT), guest.fd_close(99)))
            seen.add((b"", guest.fd_read(fd, BUFFER, 1, 0xFFFF_FFF0), guest.path_unlink_file(3, 0, 0)))
        assert len(seen) == 2
        assert (b"\x05" + bytes(7), Errno.BADF, Errno.BADF) in seen
