"""Every host function with any arguments: it returns an errno or ends the guest; the host goes on, and raises nothing."""

import contextlib
import os
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from remote_guest import BUFFER, MEMORY, NAMES, PREVIEW1, SIGNATURES, UNSTABLE, WASIX, Ended, Remote

from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.fs.tmpfs import TmpFileSystem
from runtime.stdio import OutputBuffer

CONTROL = 5

# Numbers that mean something (descriptors, flags, lengths, pointers to the prepared memory), edges, and any others.
I32 = st.one_of(
    st.integers(0, 12),
    st.sampled_from([BUFFER, BUFFER + 8, BUFFER + 64, BUFFER + 512, BUFFER + 1024, BUFFER + 4096]),
    st.sampled_from([MEMORY - 1, MEMORY, MEMORY - 24, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFF8, 0xFFFF_FFFF, 4096]),
    st.integers(0, 0xFFFF_FFFF),
)
I64 = st.one_of(
    st.integers(0, 70),
    st.sampled_from([(1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 39) - 1, 0x0820_4042]),
    st.integers(0, (1 << 64) - 1),
)
# In memory: paths and buffer tables, so that a random pointer may well point at something.
PIECES = st.lists(
    st.one_of(
        st.sampled_from([b"a", b"b/c", b"d/", b".", b"..", b"/", b"l", b"a\0", b"\xff", b"../x"]),
        st.builds(lambda start, length: struct.pack("<II", start, length), I32, I32),
        st.binary(max_size=48),
    ),
    min_size=1,
    max_size=12,
)
# What is waited for is put in place just before the call: a guest may wait for ever, and a test may not.
SUBSCRIPTIONS = BUFFER + 8192
SUBSCRIPTION = st.tuples(I64, st.integers(0, 4), I32.filter(lambda fd: fd != CONTROL), st.integers(0, 1000))


def packed(namespace: str, subscriptions: list[tuple[int, int, int, int]]) -> bytes:
    """Subscriptions as they lie in memory: userdata, tag, clock or descriptor, nanoseconds."""
    if namespace == UNSTABLE:
        layout = struct.Struct("<QB7xQI4xQ16x")
        return b"".join(layout.pack(userdata, tag, fd, fd, time) for userdata, tag, fd, time in subscriptions)
    return b"".join(struct.pack("<QB7xI4xQ16x", *subscription) for subscription in subscriptions)


def arguments_of(name: str) -> st.SearchStrategy[tuple[str, tuple[int, ...]]]:
    parameters = SIGNATURES[name].split(":")[0]
    return st.tuples(st.just(name), st.tuples(*(I32 if letter == "i" else I64 for letter in parameters)))


CALLS = st.lists(
    st.one_of(
        [arguments_of(name) for name in NAMES if name != "poll_oneoff"]
        + [st.tuples(st.just("poll_oneoff"), st.tuples(st.just(SUBSCRIPTIONS), I32, st.integers(0, 6), I32))]
        + [st.tuples(st.just("poll_oneoff"), st.tuples(st.sampled_from([MEMORY - 47, MEMORY]), I32, I32, I32))]
    ),
    min_size=1,
    max_size=25,
)


@pytest.mark.parametrize("namespace", [PREVIEW1, UNSTABLE, WASIX])
@pytest.mark.parametrize("kind", ["tmpfs", "hostfs"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PIECES, CALLS, st.lists(SUBSCRIPTION, min_size=6, max_size=6))
def test_no_argument_harms_the_host(
    namespace: str,
    kind: str,
    tmp_path_factory: pytest.TempPathFactory,
    pieces: list[bytes],
    calls: list[tuple[str, tuple[int, ...]]],
    subscriptions: list[tuple[int, int, int, int]],
) -> None:
    filesystem = TmpFileSystem() if kind == "tmpfs" else HostFileSystem(tmp_path_factory.mktemp("volume"))

    def setup(builder: WasiEnvBuilder) -> None:
        builder.stdin(b"").stdout(OutputBuffer(1 << 20)).stderr(OutputBuffer(1 << 20)).timeout(20)

    guest = Remote(filesystem, namespace, setup=setup, control=CONTROL)
    try:
        guest.write(BUFFER, b"".join(piece.ljust(-(-len(piece) // 8) * 8, b"\0") for piece in pieces))
        for name, arguments in calls:
            if name in guest.names and CONTROL not in arguments:
                if name == "poll_oneoff":
                    guest.write(SUBSCRIPTIONS, packed(namespace, subscriptions))
                guest.ask(name, *arguments)
                errno = guest.answer()
                assert errno in Errno
    except Ended:
        pass  # the guest ended itself: `proc_exit`, `proc_raise`
    finally:
        code = guest.close()
    assert guest.process.trap is None
    assert not guest.process.timed_out, "no call may wait for ever: standard input is empty"
    assert 0 <= code <= 0xFFFF_FFFF


def test_a_crash_of_the_host_would_be_seen() -> None:
    # The calls above run in this process: a bad access of the host ends the worker, which pytest reports as a failure.
    # Here only that the guest's own bad access is a trap of the guest, and not of the host.
    guest = Remote()
    guest.command(1, 0, 0xFFFF_FFF0, 16)
    with contextlib.suppress(BrokenPipeError):
        # The guest may have refused already, and have ended.
        os.write(guest._to, bytes(16))
    assert guest.close() == 77, "fd_read was given a buffer outside the memory, and refused it"
