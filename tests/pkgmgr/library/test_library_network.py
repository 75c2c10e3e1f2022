"""The network of sandboxes: servers in them, whom they may talk to, and that nothing is left of it."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from pkgmgr import Environment, Package, Sandbox, WaitTimeout, WpmError, aio

NOT_SUPPORTED, NOT_PERMITTED = 58, 63
GUEST = Path(__file__).parents[2] / "guests" / "net.wasm"


@pytest.fixture
def net() -> Package:
    return Package.create(modules={"net": GUEST.read_bytes()})


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def greeter() -> Iterator[socket.socket]:
    """Connects whoever asks for it: the kernel does, and nobody has to accept."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield server


def ask(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
        return str(answer.read().decode())


def refused(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(10)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_server_answers_until_it_ends(net: Package, port: int) -> None:
    with Sandbox([net], network="loopback") as sandbox, sandbox.spawn("net", "serve", str(port)) as server:
        sandbox.ports.wait(port)
        assert sandbox.ports.listening() == (port,)
        assert [ask(port, f"/{number}") for number in range(3)] == [f"GET /{number} HTTP/1.1" for number in range(3)]
        assert ask(port, "/end") == "GET /end HTTP/1.1"
        assert server.wait(timeout=20).ok
        assert sandbox.ports.listening() == ()
        assert refused(port)


def test_closing_frees_the_port(net: Package, port: int) -> None:
    for _ in range(3):
        with Sandbox([net], network="all") as sandbox:
            sandbox.spawn("net", "serve", str(port))
            sandbox.ports.wait(port)
            silent = socket.create_connection(("127.0.0.1", port))
        with silent, suppress(ConnectionResetError):
            assert silent.recv(1) == b""
        assert refused(port)


def test_tasks_wait_for_servers(net: Package) -> None:
    async def one() -> str:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        async with aio.Sandbox([net], network="loopback") as sandbox:
            waiting = asyncio.create_task(sandbox.ports.wait(port))
            async with await sandbox.spawn("net", "serve", str(port)):
                await waiting
                return await asyncio.to_thread(ask, port, "/x")

    async def work() -> list[str]:
        return await asyncio.gather(*(one() for _ in range(5)))

    assert asyncio.run(work()) == ["GET /x HTTP/1.1"] * 5


def test_waiting_for_who_never_listens(net: Package, port: int) -> None:
    with Sandbox([net], network="loopback") as sandbox:
        with pytest.raises(WaitTimeout, match=f"port {port}: no guest listens"):
            sandbox.ports.wait(port, timeout=0.05)
        with socket.create_server(("127.0.0.1", port)):
            assert sandbox.ports.listening() == (), "that one is no guest"
            assert not sandbox.run("net", "serve", str(port)).ok


def test_guests_of_one_sandbox_reach_one_another(net: Package, port: int) -> None:
    with Sandbox([net], network="loopback") as sandbox, sandbox.spawn("net", "serve", str(port)) as server:
        sandbox.ports.wait(port)
        with sandbox.spawn("net", "ask", "127.0.0.1", str(port)) as client:
            with pytest.raises(WaitTimeout):
                client.wait(timeout=0.2)
            server.kill()
            assert client.wait(timeout=20).ok


@pytest.mark.parametrize(
    ("network", "reached", "served"),
    [
        (None, NOT_SUPPORTED, NOT_SUPPORTED),
        ("off", NOT_SUPPORTED, NOT_SUPPORTED),
        ("all", 0, 0),
        ("loopback", 0, 0),
        ("allow:tcp:127.0.0.1:{port}", 0, NOT_PERMITTED),
        ("allow:tcp:127.0.0.1:1", NOT_PERMITTED, NOT_PERMITTED),
        ("allow:tcp:example.org:{port}", NOT_PERMITTED, NOT_PERMITTED),
        ("deny:127.0.0.1:{port},allow:*:*", NOT_PERMITTED, 0),
    ],
)
def test_policies(
    net: Package, greeter: socket.socket, port: int, network: str | None, reached: int, served: int
) -> None:
    there = greeter.getsockname()[1]
    policy = network and network.format(port=there)
    with Sandbox([net], network=policy) as sandbox:
        with sandbox.spawn("net", "ask", "127.0.0.1", str(there)) as client:
            if reached:
                assert client.wait(timeout=20).exit_code == reached
            else:
                greeter.settimeout(20)
                greeter.accept()[0].close()
                assert client.wait(timeout=20).ok
        with sandbox.spawn("net", "serve", str(port)) as server:
            if served:
                assert server.wait(timeout=20).exit_code == served
            else:
                sandbox.ports.wait(port)
                assert ask(port, "/end").startswith("GET")


def test_the_loopback_is_no_way_out(net: Package) -> None:
    with Sandbox([net], network="loopback") as sandbox:
        # An address of documentation, which nobody has (RFC 5737).
        assert sandbox.run("net", "ask", "192.0.2.1", "80", timeout=20).exit_code == NOT_PERMITTED


@pytest.mark.parametrize("wrong", ["", "yes", "allow", "allow:tcp:host", "allow:tcp:host:x"])
def test_a_network_that_is_none(net: Package, wrong: str) -> None:
    with pytest.raises(WpmError, match="network"):
        Sandbox([net], network=wrong)
    with pytest.raises(WpmError, match="network"):
        Environment([net]).run("net", network=wrong)
