"""Calls that wait for what is closed meanwhile, by another thread or by a signal's handler, go on waiting for the same."""

import pytest
from script import At, Script, run

EPOLL, FD, FD2, COUNT, SIZE, NEW, NEW2, PID = 0, 4, 8, 12, 16, 20, 24, 28
IOVS, ARGUMENT, NAME, SUBSCRIPTION, INTEREST, EVENTS, BUFFER = 32, 64, 96, 128, 256, 512, 1024
PIPE, THREAD_START = "fd_pipe", "wasi_thread_start"
WAIT_MS = 40_000_000
CHLD = 17
"""Its handler does not end a blocking call: what it interrupts goes on."""


def waiting(*, epoll: bool = False) -> Script:
    """A guest with a pipe and what it needs to read from it and to write to it."""
    made = Script(shared=True).iov(IOVS, (BUFFER, 16)).iov(IOVS + 8, (BUFFER + 100, 3)).put(BUFFER + 100, b"abc")
    made.put(ARGUMENT, (30_000).to_bytes(4, "little")).put(NAME, b"on_signal")
    made.put(SUBSCRIPTION + 8, b"\1").put(INTEREST, b"\1").put(INTEREST + 24, b"\7")
    made.call("fd_pipe", FD, FD2)
    return made.call("epoll_create", EPOLL) if epoll else made


def meanwhile(made: Script, closed: int) -> Script:
    """Close a descriptor after a while, give its host's number to somebody else, then write to the pipe."""
    close, sleep, pipe = made.label("fd_close", 1), made.label("thread_sleep", 1), made.label("fd_pipe", 2)
    write = made.label("fd_write", 4)
    text = f"""
      (drop (call {sleep} (i64.const {WAIT_MS})))
      (drop (call {close} (i32.load (i32.const {closed}))))
      (drop (call {pipe} (i32.const {NEW}) (i32.const {NEW2})))
      (drop (call {pipe} (i32.const {NEW}) (i32.const {NEW2})))
      (drop (call {sleep} (i64.const {WAIT_MS})))
      (drop (call {write} (i32.load (i32.const {FD2})) (i32.const {IOVS + 8}) (i32.const 1) (i32.const {SIZE + 100})))
    """
    made.functions.append(f'(func (export "{THREAD_START}") (param i32 i32) {text})')
    made.functions.append(f'(func (export "on_signal") (param i32) {text})')
    return made


def by(made: Script, who: str) -> Script:
    """Let another thread or a handler do that."""
    if who == "thread":
        return made.call("thread_spawn_v2", ARGUMENT, PID)
    return made.call("callback_signal", NAME, 9).call("proc_raise_interval", CHLD, WAIT_MS, 0)


@pytest.mark.parametrize("who", ["thread", "handler"])
def test_a_read(who: str) -> None:
    made = by(meanwhile(waiting(), FD), who)
    made.call("fd_read", At(FD), IOVS, 1, SIZE).show(BUFFER, 3)
    assert run(made) == b"abc"


@pytest.mark.parametrize("who", ["thread", "handler"])
def test_a_poll(who: str) -> None:
    made = waiting()
    # The descriptor's number goes into the subscription.
    made.raw(f"(i32.store (i32.const {SUBSCRIPTION + 16}) (i32.load (i32.const {FD})))")
    by(meanwhile(made, FD), who).call("poll_oneoff", SUBSCRIPTION, EVENTS, 1, COUNT).show(EVENTS, 32)
    event = run(made)
    assert event[8:11] == b"\0\0\1"
    assert event[16:24] == (3).to_bytes(8, "little"), "the bytes of the pipe that was waited for"


@pytest.mark.parametrize("who", ["thread", "handler"])
def test_an_interest_list(who: str) -> None:
    made = waiting(epoll=True)
    made.call("epoll_ctl", At(EPOLL), 0, At(FD), INTEREST)
    by(meanwhile(made, EPOLL), who).call("epoll_wait", At(EPOLL), EVENTS, 8, -1, COUNT)
    assert run(made.show(COUNT, 1).show(EVENTS + 24, 1)) == b"\1\7"


@pytest.mark.parametrize("who", ["thread", "handler"])
def test_what_is_closed_leaves_an_interest_list(who: str) -> None:
    made = waiting(epoll=True).call("fd_event", 0, 0, FD)
    made.call("epoll_ctl", At(EPOLL), 0, At(FD), INTEREST)
    by(meanwhile(made, FD), who).call("epoll_wait", At(EPOLL), EVENTS, 8, 5 * WAIT_MS, COUNT)
    assert run(made.show(COUNT, 1)) == b"\0"


@pytest.mark.parametrize("who", ["thread", "handler"])
def test_a_socket(who: str) -> None:
    made = waiting()
    made.call("sock_pair", 3, 1, 0, FD, FD2)
    by(meanwhile(made, FD), who).call("sock_recv", At(FD), IOVS, 1, 0, SIZE, SIZE + 4).show(BUFFER, 3)
    assert run(made) == b"abc"
