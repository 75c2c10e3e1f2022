"""Queries that want to keep the server busy: each is refused in one line, and soon."""

import json
import socket
import time

import pytest
import requests
from graphql import get_introspection_query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker
from talking import ask, post, refused
from werkzeug.test import Client

from pkgmgr.server.app import make_app
from pkgmgr.server.limits import LARGEST_BODY, MOST_DEPTH, MOST_ROOTS
from pkgmgr.server.serve import LARGEST_HEADER, THREADS, RegistryServer

SOUND = "{ info { baseUrl } }"


def nested(depth: int) -> str:
    return '{ getPackage(name: "a/b") ' + "{ lastVersion { package " * depth + "{ id }" + "} }" * depth + " }"


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (nested(MOST_DEPTH), "nested too deeply"),
        ("{" * 30_000, "Syntax Error"),
        (nested(5_000), "nested too deeply|Syntax Error"),
        ("{" + " ".join(f"a{number}: info {{ baseUrl }}" for number in range(MOST_ROOTS + 1)) + "}", "at once"),
        ("{" + "a: info { b: baseUrl } " * 4000 + "}", "Syntax Error|at once"),
        (
            "{ packages { edges { node { versions { package { versions { package { versions { id } } } } } } } } }",
            "too much",
        ),
        (
            "{ allPackageVersions { edges { node { package { versions { package { versions { id } } } } } } } }",
            "too much",
        ),
        ("{" + " ".join(f'a{number}: search(query: "x") {{ totalCount }}' for number in range(20)) + "}", "too much"),
        ("query { ...F } fragment F on Query { ...F }", "Cannot spread fragment"),
        ("{ no { such } }", "Cannot query field"),
        ("subscription { x }", ""),
        ("{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", ""),
        ("query A { info { baseUrl } } query B { info { baseUrl } }", "no such operation"),
        ("", "Syntax Error"),
        ("\0", "Syntax Error"),
    ],
)
def test_too_much_is_refused(server: RegistryServer, query: str, why: str) -> None:
    began = time.monotonic()
    reply = post(server, query)
    assert time.monotonic() - began < 20
    assert reply.status_code == 400
    message = reply.json()["errors"][0]["message"]
    assert any(part in message for part in why.split("|")), message
    assert ask(server, SOUND)


def test_the_schema_can_be_asked_for(server: RegistryServer) -> None:
    assert "PackageDistribution" in str(ask(server, get_introspection_query()))


def test_fragments_that_double_again_and_again(server: RegistryServer) -> None:
    fragments = [f"fragment F{number} on Query {{ ...F{number + 1} ...F{number + 1} }}" for number in range(30)]
    query = "{ ...F0 } " + " ".join(fragments) + " fragment F30 on Query { info { baseUrl } }"
    assert "at once" in refused(server, query)
    inside = query.replace("on Query", "on Package").replace("{ info { baseUrl } }", "{ id }")
    assert "more than" in refused(server, inside.replace("{ ...F0 }", '{ getPackage(name: "a/b") { ...F0 } }', 1))


def test_bodies_that_are_no_query(server: RegistryServer) -> None:
    bodies = [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"query": 1}',
        b'{"query": "{x}", "variables": []}',
        b"[" * 100_000,
        b"\xff\xfe",
    ]
    bodies += [b'[{"query": "{ info { baseUrl } }"}]', b'{"query":"{ info { baseUrl } }","operationName":5}']
    for body in bodies:
        reply = requests.post(server.url, data=body, timeout=60)
        assert reply.status_code == 400, body[:40]
        assert reply.json()["errors"]
    assert requests.put(server.url, data=b"{}", timeout=60).status_code == 405
    assert requests.get(server.url, timeout=60).status_code == 400
    by_get = requests.get(
        server.url,
        params={"query": "mutation { yankPackageVersions(input: {versionIds: []}) { packageVersions { id } } }"},
        timeout=60,
    )
    assert "by GET" in by_get.json()["errors"][0]["message"]


def test_huge_bodies_are_not_read(server: RegistryServer) -> None:
    port = int(server.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(
            f"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: {LARGEST_BODY * 1000}\r\n\r\n".encode()
        )
        assert b" 413 " in connection.recv(4096).partition(b"\r\n")[0]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * (2 * LARGEST_HEADER) + b"\r\n\r\n")
        assert b" 431 " in connection.recv(4096).partition(b"\r\n")[0]
    assert (
        requests.post(server.url, data=json.dumps({"query": "#" + "x" * (LARGEST_BODY + 10)}), timeout=60).status_code
        == 413
    )
    assert ask(server, SOUND)


def test_slow_clients_keep_nobody_waiting(maker: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.server.serve.REQUEST_SECONDS", 0.5)
    monkeypatch.setattr("pkgmgr.server.serve._CLEANUP_SECONDS", 0)
    with RegistryServer(maker.root) as server:
        port = int(server.base_url.rpartition(":")[2])
        slow = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"POST /graphql HTTP/1.1\r\nHost: x\r\n")
        assert ask(server, SOUND)
        for connection in slow[:10]:
            # Closed by the server, although bytes trickle in.
            closed = False
            for _ in range(100):
                try:
                    connection.sendall(b"X: y\r\n")
                    connection.settimeout(0.1)
                    if connection.recv(1) == b"":
                        closed = True
                except TimeoutError:
                    continue
                except OSError:
                    closed = True
                if closed:
                    break
            assert closed
        for connection in slow:
            connection.close()
        assert ask(server, SOUND)


def test_clients_that_take_nothing_keep_no_thread(maker: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.server.serve.STALLED_SECONDS", 0.5)
    monkeypatch.setattr("pkgmgr.server.serve._CLEANUP_SECONDS", 0)
    maker.add("acme/big", "1.0.0", files={"data": bytes(40 << 20)})
    with RegistryServer(maker.root) as server:
        port = int(server.base_url.rpartition(":")[2])
        stalled = []
        for _ in range(THREADS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=20)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /packages/acme/big/1.0.0.webc HTTP/1.1\r\nHost: x\r\nRange: bytes=1-\r\n\r\n")
            stalled.append(connection)
        assert ask(server, SOUND)
        for connection in stalled:
            connection.close()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.text(alphabet='{}()$:!@"._ aV1[]#\n', max_size=60))
def test_any_text_is_answered(maker: RegistryMaker, text: str) -> None:
    client = Client(make_app(maker.root))
    reply = client.post("/graphql", json={"query": text})
    assert reply.status_code in (200, 400)
    assert reply.json is not None
    assert ("errors" in reply.json) == (reply.status_code == 400)
