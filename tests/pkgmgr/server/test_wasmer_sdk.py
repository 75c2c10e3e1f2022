"""Wasmer's own SDK resolves, downloads and runs packages of our server.

The SDK asks `https://registry.wasmer.io` and nobody else. So its process gets a proxy, on loopback, that ends the TLS of
that name with a certificate of this test and hands what it says to our server.

It runs where the SDK is installed, or where `WPM_WASMER_SDK` names the interpreter of an environment that has it.
"""

import importlib.util
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from talking import hash_of

import registry_fixtures
from pkgmgr.server.serve import RegistryServer

HOST = "registry.wasmer.io"
PROGRAM = """
import asyncio, os, sys
from wasmer_sdk import Wasmer
async def main():
    wasmer = Wasmer(cache_root=sys.argv[1])
    sandbox = await wasmer.sandboxes.create(packages=[sys.argv[2]])
    output = await sandbox.command("hello", ["you"]).run(check=False)
    print(output.text(), flush=True)
    os._exit(0)
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def interpreter() -> str:
    if found := os.environ.get("WPM_WASMER_SDK"):
        return found
    if importlib.util.find_spec("wasmer_sdk") is None:
        pytest.skip("wasmer-sdk is not installed")
    return sys.executable


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority and what it vouches for: `ca.pem`, `host.pem`, `host.key`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "names").write_text(f"subjectAltName=DNS:{HOST}\n")
    new = ("-newkey", "rsa:2048", "-nodes")
    signer = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial")
    for arguments in (
        (
            "req",
            "-x509",
            *new,
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-days",
            "2",
            "-subj",
            "/CN=An authority for a test",
        ),
        ("req", *new, "-keyout", "host.key", "-out", "host.csr", "-subj", f"/CN={HOST}"),
        ("x509", "-req", "-in", "host.csr", "-out", "host.pem", "-days", "2", "-extfile", "names", *signer),
    ):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def proxy(certificates: Path) -> Iterator[tuple[str, RegistryServer]]:
    """The URL of the proxy, and the server behind it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "host.pem", certificates / "host.key")
    listener = socket.create_server(("127.0.0.1", 0))
    with RegistryServer(registry_fixtures.ROOT, port=port, public_url=f"http://127.0.0.1:{port}") as server, listener:
        threading.Thread(target=accept, args=(listener, context, port), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server


def accept(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=relay, args=(client, context, port), daemon=True).start()


def relay(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    assert head.startswith(f"CONNECT {HOST}:443 ".encode())
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    secured = context.wrap_socket(client, server_side=True)
    behind = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=copy, args=(behind, secured), daemon=True).start()
    copy(secured, behind)


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(1 << 16):
            target.sendall(piece)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("by", ["name", "requirement", "hash"])
def test_it_runs_a_package_of_ours(
    interpreter: str, certificates: Path, proxy: tuple[str, RegistryServer], tmp_path: Path, by: str
) -> None:
    url, _ = proxy
    hello = registry_fixtures.ROOT / "packages/wpm/hello"
    asked = {
        "name": "wpm/hello",
        "requirement": "wpm/hello@^1",
        "hash": f"sha256:{hash_of(hello / '1.0.0.webc')}",
    }[by]
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "SSL_CERT_DIR")}
    environment |= {"HTTPS_PROXY": url, "https_proxy": url, "SSL_CERT_FILE": str(certificates / "ca.pem")}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [interpreter, "-c", PROGRAM, str(tmp_path / "cache"), asked],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "Hello, you!"), done.stderr
