"""What older and newer C libraries import: every signature that was published runs, or says that there is none any more."""

import logging
import socket
from ctypes import addressof, c_char

import pytest
from script import At, Script, address, run
from test_processes import ASYNCIFY, LEAVE, with_program

from runtime.abi.address import (
    ADDR_IP_SIZE,
    SocketAddress,
    pack_cidr,
    pack_ip,
    pack_long_ip,
    read_address,
    write_address,
)
from runtime.abi.bus import BusErrno
from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder
from runtime.hostcalls import WASIX, declared
from runtime.memory import GuestMemory
from runtime.net import NetworkPolicy

FD, FD2, PID, SIZE, FLAGS, CONTROL, IOVS, STATUS, VALUE = 0, 4, 8, 16, 20, 24, 32, 64, 512
PEER, ADDRESS, BUFFER, NAME = 700, 900, 1024, 3000
USER_DATA = 0x1122_3344_5566_7788
IN_2023 = "IIIii:i"
IN_2022 = "iiIii:i"

BUS = {
    "bus_open_local": ["iiii:i"],
    "bus_open_remote": ["iiiiiiii:i"],
    "bus_close": ["i:i"],
    "bus_call": ["iiiiiiii:i", "iiiiiii:i", "iiiiii:i"],
    "bus_subcall": ["iiiiiiii:i", "iiiiiii:i", "Iiiiiii:i", "Iiiiii:i"],
    "bus_poll": ["Iiiiii:i", "Iiii:i"],
    "call_reply": ["iiii:i", "Iiii:i"],
    "call_fault": ["ii:i", "Ii:"],
    "call_close": ["i:i", "I:"],
}
WEB = {"ws_connect": ["iii:i"], "http_request": ["iiiiiiii:i"], "http_status": ["ii:i", "iiiiii:i"]}


def forms_of(name: str) -> list[str]:
    return [call.signature for call in declared() if (call.namespace, call.name) == (WASIX, name)]


def twice(name: str, form: str, errno: int) -> Script:
    arguments = [0] * len(form.partition(":")[0])
    return Script().call(name, *arguments, form=form, errno=errno).call(name, *arguments, form=form, errno=errno)


def on_loopback(builder: WasiEnvBuilder) -> None:
    builder.network(NetworkPolicy.loopback())


def thread_function(name: str, parameters: str = "i32 i32") -> str:
    """A function of threads that keeps its user data."""
    store = (
        f"(i32.atomic.store (i32.const {VALUE}) (local.get 0)) (i32.atomic.store (i32.const {VALUE + 4}) (local.get 1))"
    )
    if parameters == "i64":
        store = f"(i64.atomic.store (i32.const {VALUE}) (local.get 0))"
    return f'(func (export "{name}") (param {parameters}) {store})'


@pytest.mark.parametrize("name", ["_start_thread", "my_thread"])
def test_a_thread_of_early_2023(name: str) -> None:
    script = Script(shared=True).put(NAME, b"my_thread")
    script.functions.append(thread_function(name))
    if name == "my_thread":
        script.call("callback_thread", NAME, len(name)).call("callback_reactor", NAME, 2)
        script.call("callback_thread_local_destroy", NAME, 2)
    script.call("thread_spawn", USER_DATA, 30_000, 20_000, 0, PID, form=IN_2023)
    script.call("thread_join", At(PID)).show(VALUE, 8)
    assert run(script) == USER_DATA.to_bytes(8, "little")


def test_what_threads_of_early_2023_cannot_be() -> None:
    script = Script(shared=True).put(NAME, b"nothing")
    script.functions.append(thread_function("_start_thread"))
    script.call("thread_spawn", 1, 30_000, 20_000, 1, PID, form=IN_2023, errno=Errno.NOTCAPABLE)
    script.call("thread_spawn", 1, 1 << 32, 20_000, 0, PID, form=IN_2023, errno=Errno.OVERFLOW)
    script.call("thread_spawn", 1, 30_000, 20_000, 0, 1 << 30, form=IN_2023, errno=Errno.FAULT)
    script.call("callback_thread", NAME, 7)
    script.call("thread_spawn", 1, 30_000, 20_000, 0, PID, form=IN_2023, errno=Errno.NOTCAPABLE)
    run(script)
    alone = Script().call("thread_spawn", 1, 30_000, 20_000, 0, PID, form=IN_2023, errno=Errno.NOTCAPABLE)
    alone.functions.append(thread_function("_start_thread").replace("atomic.", ""))
    run(alone)


def test_a_forked_child_makes_the_threads_that_its_parent_named() -> None:
    script = Script(shared=True).put(NAME, b"my_thread").put(STATUS + 16, bytes(8))
    script.functions += [ASYNCIFY, thread_function("my_thread")]
    script.raw("(if (i32.eqz (global.get $state)) (then").call("callback_thread", NAME, 9).raw("))")
    script._push("proc_fork", (1, PID), script.namespace)
    script.raw(f"drop {LEAVE} (if (i32.eqz (i32.load (i32.const {PID}))) (then")
    script.call("thread_spawn", 33, 30_000, 25_000, 0, PID, form=IN_2023).call("thread_join", At(PID))
    script.raw(f"(call $exit (i32.load (i32.const {VALUE})))))")
    script.call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 3)
    assert run(script) == b"\1\0\x21"


def test_after_an_exec_nothing_is_named() -> None:
    program = Script(shared=True)
    program.functions.append(thread_function("_start_thread"))
    program.call("thread_spawn", 5, 30_000, 20_000, 0, PID, form=IN_2023).call("thread_join", At(PID)).show(VALUE, 1)
    script = Script().put(NAME, b"my_thread").put(NAME + 16, b"/bin/x").call("callback_thread", NAME, 9)
    script.call("proc_exec3", NAME + 16, 6, NAME + 16, 6, 0, 0, 0, 0, 0)
    assert run(script, with_program(program)) == b"\5"


@pytest.mark.parametrize("parameters", ["i32 i32", "i64"])
def test_a_thread_of_2022(parameters: str) -> None:
    """Its function is named by each `thread_spawn`, and takes the user data whole or in halves."""
    script = Script(shared=True).put(NAME, b"work")
    script.functions.append(thread_function("work", parameters))
    script.call("thread_spawn", NAME, 4, USER_DATA, 0, PID, form=IN_2022).call("thread_join", At(PID)).show(VALUE, 8)
    script.call("thread_spawn", NAME, 3, USER_DATA, 0, PID, form=IN_2022, errno=Errno.NOTCAPABLE)
    assert run(script) == USER_DATA.to_bytes(8, "little")


def test_processes_of_2022() -> None:
    script = Script().put(NAME, b"/bin/x").put(NAME + 16, b"a").put(NAME + 48, b"/none").put(NAME + 64, b".")
    script.put(STATUS + 16, bytes(8)).call("getpid", VALUE).show(VALUE, 4)
    tail = (NAME + 16, 1, NAME + 16, 0, 2, 2, 2, NAME + 64, 1)
    script.call("process_spawn", NAME, 6, 0, *tail, BUFFER)
    script.call("proc_join", STATUS + 16, 0, STATUS).show(STATUS, 3)
    script.call("process_spawn", NAME + 48, 5, 0, *tail, BUFFER, errno=BusErrno.FETCH)
    script.call("process_spawn", NAME, 6, 1, *tail, BUFFER, errno=BusErrno.UNSUPPORTED)
    script.call("process_spawn", NAME, 6, 0, *tail, 1 << 30, errno=BusErrno.MEMVIOLATION)
    program = Script().raw("(call $exit (i32.const 5))")
    assert run(script, with_program(program)) == b"\1\0\0\0\1\0\5"


@pytest.mark.parametrize("name", BUS)
def test_there_is_no_bus_any_more(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert forms_of(name) == BUS[name]
    with caplog.at_level(logging.WARNING):
        for form in BUS[name]:
            run(twice(name, form, BusErrno.UNSUPPORTED))
    line = f"script: called {name}: there is no bus between processes any more (unsupported)"
    assert [record.getMessage() for record in caplog.records] == [line] * len(BUS[name])


@pytest.mark.parametrize("name", WEB)
def test_there_are_no_connections_by_url(name: str, caplog: pytest.LogCaptureFixture) -> None:
    assert sorted(forms_of(name)) == sorted(WEB[name])
    with caplog.at_level(logging.WARNING):
        for form in WEB[name]:
            run(twice(name, form, Errno.NOSYS), on_loopback)
    line = f"script: called {name}, which is not available (NOSYS): use sockets"
    assert [record.getMessage() for record in caplog.records] == [line] * len(WEB[name])


def test_a_message_goes_through_a_pair() -> None:
    script = Script().put(BUFFER, b"message").iov(IOVS, (BUFFER, 3), (BUFFER + 3, 4), (BUFFER + 50, 20))
    script.put(CONTROL, b"\x63").call("sock_pair", 3, 1, 0, FD, FD2)
    script.call("sock_send_msg", At(FD), IOVS, 2, 0, 0, NAME, 12, SIZE, errno=Errno.NOTSUP)
    script.call("sock_send_msg", At(FD), IOVS, 2, 0, 0, NAME, 0, SIZE).show(SIZE, 4)
    script.call("sock_recv_msg", At(FD2), IOVS + 16, 1, 0, 0, NAME, 64, SIZE, FLAGS, CONTROL).show(SIZE, 4)
    script.show(CONTROL, 4).show(BUFFER + 50, 7)
    script.call("sock_recv_msg", At(FD2), IOVS + 16, 1, 8, 0, 0, 0, SIZE, FLAGS, CONTROL, errno=Errno.AGAIN)
    script.call("sock_recv_msg", At(FD2), IOVS + 16, 1, 8, 0, 0, 0, SIZE, FLAGS, 1 << 30, errno=Errno.FAULT)
    assert run(script) == b"\7\0\0\0" * 2 + bytes(4) + b"message"


def test_a_message_has_an_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        port = peer.getsockname()[1]
        script = Script().put(ADDRESS, address("127.0.0.1", port)).put(BUFFER, b"ping").iov(IOVS, (BUFFER, 4))
        script.call("sock_open", 1, 2, 17, FD).put(ADDRESS + 40, address("127.0.0.1", 0))
        script.call("sock_bind", At(FD), ADDRESS + 40).call("sock_addr_local", At(FD), ADDRESS + 80)
        script.call("sock_send_msg", At(FD), IOVS, 1, 0, ADDRESS + 80, 0, 0, SIZE)
        script.call("sock_recv_msg", At(FD), IOVS, 1, 0, PEER, 0, 0, SIZE, FLAGS, CONTROL).show(PEER, 2).show(
            PEER + 4, 4
        )
        script.call("sock_send_msg", At(FD), IOVS, 1, 0, ADDRESS, 0, 0, SIZE)
        assert run(script, on_loopback) == b"\1\0\x7f\0\0\1"
        peer.settimeout(20)
        assert peer.recv(10) == b"ping"


def round_trip(given: SocketAddress, *, long: bool) -> tuple[bytes, SocketAddress]:
    """An `addr_port` as it is written, with what lies behind it, and as it is read again."""
    held = (c_char * 128).from_buffer_copy(b"\xee" * 128)
    memory = GuestMemory(addressof(held), lambda: 128)
    write_address(memory, 0, given, long=long)
    return bytes(held), read_address(memory, 0, long=long)


@pytest.mark.parametrize("long", [False, True])
def test_addresses_lie_as_in_the_headers(long: bool) -> None:
    """`addr_port` is 20 bytes in the header of 2023 and 110 in today's; `addr_cidr` 20 and 28; `addr_ip` 18 in both."""
    six = SocketAddress("fe80::1", 0x1234, 0, 0x0002_0003 if long else 0)
    expected = b"\2\0\x34\x12" + socket.inet_pton(socket.AF_INET6, "fe80::1")
    written, read = round_trip(six, long=long)
    assert written[: len(expected)] == expected
    assert written[20:28] == (bytes(4) + b"\2\0\3\0" if long else b"\xee" * 8)
    assert written[28:] == b"\xee" * 100
    assert read == six
    written, read = round_trip(SocketAddress("127.0.0.1", 80), long=long)
    assert written[:20] == b"\1\0\x50\0\x7f\0\0\1" + bytes(12)
    assert written[20:] == b"\xee" * 108
    assert read == SocketAddress("127.0.0.1", 80)
    cidr = pack_cidr("::1", 64, long=long)
    assert len(cidr) == len(pack_cidr("10.0.0.0", 8, long=long)) == (28 if long else 20)
    assert cidr[26 if long else 18] == 64
    assert pack_cidr("10.0.0.0", 8, long=long)[:7] == b"\1\0\x0a\0\0\0\x08"
    assert (len(pack_ip("::1")), len(pack_long_ip("::1")), ADDR_IP_SIZE) == (18, 110, 18)


def test_a_route_of_2023_is_72_bytes() -> None:
    """Today it is 176: see `test_long_structures_for_modules_of_today`."""
    count, routes = 520, 2048
    script = Script().put(routes, b"\xee" * 64 * 72).put(count, (64).to_bytes(4, "little"))
    script.call("port_route_list", routes, count).show(count, 4).show(routes, 64 * 72)
    output = run(script, on_loopback)
    found = output[0]
    assert found >= 1
    for start in range(4, 4 + found * 72, 72):
        assert output[start] == output[start + 20] in (1, 2), "the router is of the network's family"
        assert output[start + 40 : start + 72] == bytes(32), "it neither loses preference nor expires"
    assert output[4 + found * 72 :] == b"\xee" * (64 - found) * 72
