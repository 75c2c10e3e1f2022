"""Clocks, the port to the network, files through sockets, and what is left for later."""

import logging
import socket
import time
from pathlib import Path

import pytest
from script import At, Script, run, start

from runtime.abi.errno import Errno
from runtime.env import WasiEnvBuilder
from runtime.fs.hostfs import HostFileSystem
from runtime.hostcalls import WASIX, declared
from runtime.net import NetworkPolicy

FD, FD2, SIZE, VALUE, COUNT, LIST = 0, 4, 16, 512, 520, 2048
REFUSED = ["port_bridge", "port_unbridge", "port_dhcp_acquire", "port_addr_add", "port_addr_remove", "port_addr_clear"]
REFUSED += ["port_gateway_set", "port_route_add", "port_route_remove", "port_route_clear"]
DAY = 86_400_000_000_000


def everywhere(builder: WasiEnvBuilder) -> None:
    builder.network(NetworkPolicy.everything())


def test_a_guest_sets_only_its_own_clock() -> None:
    script = Script().call("clock_time_set", 0, DAY).call("clock_time_get", 0, 1, VALUE).show(VALUE, 8)
    script.call("clock_time_set", 1, DAY, errno=Errno.INVAL).call("clock_time_set", 9, DAY, errno=Errno.INVAL)
    before = time.time_ns()
    first, second = run(script), run(Script().call("clock_time_get", 0, 1, VALUE).show(VALUE, 8))
    assert DAY <= int.from_bytes(first, "little") < DAY + 30_000_000_000
    assert int.from_bytes(second, "little") >= before


def test_a_guest_waits_until_a_time_of_its_clock() -> None:
    """Absolutely, 1 ms later than the time that it has set: it does not wait until that day in the host's time."""
    clock = (0).to_bytes(8, "little") + (DAY + 1_000_000).to_bytes(8, "little") + bytes(8) + b"\1" + bytes(7)
    script = Script().put(400, (5).to_bytes(8, "little") + bytes(8) + clock)
    script.call("clock_time_set", 0, DAY).call("poll_oneoff", 400, 600, 1, SIZE).show(600, 12)
    assert run(script) == (5).to_bytes(8, "little") + bytes(4)


def test_the_addresses_of_this_machine() -> None:
    script = Script().call("port_addr_list", LIST, COUNT, errno=Errno.OVERFLOW).show(COUNT, 4)
    script.call("port_addr_list", LIST, COUNT).show(LIST, 1000)
    loopback = run(script, lambda builder: builder.network(NetworkPolicy.loopback()))
    assert b"\1\0\x7f\0\0\1\x08" in loopback[4:]
    if socket.has_ipv6:
        assert loopback[0] <= 2
    everything = run(script, everywhere)
    assert everything[0] >= loopback[0]
    assert b"\1\0\x7f\0\0\1\x08" in everything


def test_the_routes_of_this_machine() -> None:
    script = Script().put(COUNT, (64).to_bytes(4, "little")).call("port_route_list", LIST, COUNT)
    script.show(COUNT, 4).show(LIST, 40)
    output = run(script, lambda builder: builder.network(NetworkPolicy.loopback()))
    assert output[0] >= 1
    assert output[4:11] in (b"\1\0\x7f\0\0\0\x08", b"\2\0" + bytes(5))
    run(script, everywhere)


def test_long_structures_for_modules_of_today() -> None:
    """What else a module imports tells how large its structures are."""
    script = Script().call("sock_pair", 3, 1, 0, FD, FD2).put(COUNT, (64).to_bytes(4, "little"))
    script.call("port_addr_list", LIST, COUNT).show(COUNT, 4).show(LIST, 280)
    script.put(COUNT + 8, (64).to_bytes(4, "little")).call("port_route_list", LIST + 1000, COUNT + 8).show(
        LIST + 1000, 176
    )
    output = run(script, everywhere)
    count = output[0]
    families = [output[4 + 28 * index] for index in range(min(count, 10))]
    assert set(families) <= {1, 2}
    assert output[284:285] in (b"\1", b"\2")
    assert output[284 + 28 : 284 + 29] == output[284:285], "the router is of the network's family"


def test_the_hardware_address_is_told_only_where_everything_is() -> None:
    script = Script().put(LIST, b"xxxxxx").call("port_mac", LIST).show(LIST, 6)
    assert run(script, lambda builder: builder.network(NetworkPolicy.loopback())) == bytes(6)
    assert run(script, everywhere) != b"xxxxxx"
    run(Script().call("port_mac", LIST, errno=Errno.NOTSUP).call("port_addr_list", LIST, COUNT, errno=Errno.NOTSUP))


@pytest.mark.parametrize(
    "name",
    REFUSED,
)
def test_the_network_is_not_changed(name: str) -> None:
    (call,) = [call for call in declared() if call.name == name]
    arguments = [0] * len(call.signature.partition(":")[0])
    run(Script().call(name, *arguments, errno=Errno.NOTSUP), everywhere)


@pytest.mark.parametrize("where", ["memory", "host"])
def test_a_file_goes_through_a_socket(tmp_path: Path, where: str) -> None:
    """3 MB, from the 10th byte on, to a reader that is slower than the writer."""
    content = bytes(range(256)) * 12_000
    script = Script().put(3000, b"file").put(3100, bytes(range(256)) * 8).iov(32, (3100, 2048))
    right = 0x42 | 0x20_0000
    if where == "memory":
        script.call("path_open", 3, 0, 3000, 4, 1, right | 0x24, 0, 0, FD)
        script.raw("(loop $again").call("fd_write", At(FD), 32, 1, SIZE)
        script.raw("(i32.store (i32.const 900) (i32.add (i32.load (i32.const 900)) (i32.const 1)))")
        script.raw("(br_if $again (i32.lt_u (i32.load (i32.const 900)) (i32.const 1500))))")
    else:
        (tmp_path / "file").write_bytes(content)
        script.call("path_open", 3, 0, 3000, 4, 0, right | 0x24, 0, 0, FD)
    script.call("sock_send_file", 5, At(FD), 10, 1 << 40, VALUE).show(VALUE, 8)
    script.call("sock_send_file", 5, At(FD), 1 << 40, 10, VALUE).show(VALUE, 8)
    script.call("sock_send_file", 5, At(FD), 0, 4, VALUE).call("fd_seek", At(FD), 0, 1, VALUE).show(VALUE, 8)
    script.call("sock_send_file", At(FD), At(FD), 0, 4, VALUE, errno=Errno.NOTSOCK)
    ours, theirs = socket.socketpair()

    def configure(builder: WasiEnvBuilder) -> None:
        builder.socket(theirs)
        if where == "host":
            builder.root(HostFileSystem(tmp_path))

    guest = start(script, configure)
    received = bytearray()
    ours.settimeout(20)
    while len(received) < len(content) - 10 + 4:
        received += ours.recv(1 << 16)
    assert received == content[10:] + content[:4]
    sent = (len(content) - 10).to_bytes(8, "little")
    assert guest.finish() == sent + bytes(8) + (4).to_bytes(8, "little")
    ours.close()


LATER = ["dlopen", "dlsym", "dl_invalid_handle", "call_dynamic", "closure_prepare", "closure_allocate", "closure_free"]


@pytest.mark.parametrize("name", [*LATER, "reflect_signature", "proc_snapshot"])
def test_what_is_left_for_later_says_so_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    calls = [call for call in declared() if (call.namespace, call.name) == (WASIX, name)]
    with caplog.at_level(logging.WARNING):
        for call in calls:
            arguments = [0] * len(call.signature.partition(":")[0])
            run(Script().call(name, *arguments, errno=Errno.NOSYS).call(name, *arguments, errno=Errno.NOSYS))
    line = f"script: called {name}, which is not available (NOSYS)"
    assert [record.getMessage() for record in caplog.records] == [line] * len(calls)
