"""`wpm registry serve`, as it is typed."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from make_packages import RegistryMaker
from test_publish import write_source
from typed import COMMAND, ROOT

from pkgmgr.cli.main import main
from pkgmgr.errors import WpmError
from pkgmgr.server.accounts import Account, Accounts, read_tokens
from pkgmgr.server.serve import RegistryServer


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Start it; gives its first line too."""
    process = subprocess.Popen(
        [*COMMAND, "registry", "serve", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_from_start_to_end(maker: RegistryMaker, tmp_path: Path, number: signal.Signals) -> None:
    maker.add("acme/tool", "1.0.0")
    tokens = tmp_path / "tokens"
    tokens.write_text("# who may publish\n\nsecret-of-carol carol acme\n")
    process, line = start(str(maker.root), "--port", "0", "--token-file", str(tokens), "--json")
    try:
        said = json.loads(line)
        assert said["writable"]
        query = {"query": '{ getPackage(name: "acme/tool") { packageName } }'}
        assert requests.post(said["url"], json=query, timeout=60).json()["data"]["getPackage"]["packageName"] == "tool"
        published = subprocess.run(
            [*COMMAND, "publish", str(write_source(tmp_path / "source", version="2.0.0")), "--registry", said["url"]],
            env={**os.environ, "PYTHONPATH": str(ROOT), "WPM_TOKEN": "secret-of-carol"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert published.returncode == 0, published.stderr
    finally:
        process.send_signal(number)
        out, log = process.communicate(timeout=60)
    assert process.returncode == 0, log
    assert out == ""
    assert "Traceback" not in log
    assert "POST /graphql 200" in log.splitlines()[0]
    assert "secret-of-carol" not in log
    assert (maker.root / "packages/acme/tool/2.0.0.webc").is_file()


def test_read_only(maker: RegistryMaker) -> None:
    process, line = start(str(maker.root), "--port", "0")
    process.terminate()
    process.communicate(timeout=60)
    assert line.startswith(f"Serving {maker.root} at http://127.0.0.1:")
    assert line.endswith("/graphql (read-only)\n")


def test_what_cannot_be_served(maker: RegistryMaker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["registry", "serve", str(tmp_path / "none"), "--port", "0"]) == 1
    assert "not a registry" in capsys.readouterr().err
    assert main(["registry", "serve", str(maker.root), "--host", "no.such.host.invalid", "--port", "0"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    with pytest.raises(SystemExit):
        main(["registry", "serve", str(maker.root), "--port", "70000"])


def test_files_of_tokens(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("t1 alice\nt2 bob one two\n")
    accounts = Accounts(read_tokens(path))
    assert accounts.find("t1") == Account("alice")
    bob = accounts.find("t2")
    assert bob is not None
    assert (bob.may_publish("two"), bob.may_publish("three")) == (True, False)
    assert accounts.find("t3") is None
    for text in ("", "# nothing\n", "token-alone\n", "t1 alice\nt1 bob\n", "t1 \x1b[31m\n"):
        path.write_text(text)
        with pytest.raises(WpmError, match="tokens"):
            read_tokens(path)
    path.write_bytes(b"\xff\xff")
    with pytest.raises(WpmError, match="UTF-8"):
        read_tokens(path)


def test_a_server_that_has_ended_can_be_stopped_again(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    server = RegistryServer(tmp_path)
    with server:
        pass
    server.stop()


def test_who_tries_tls_first_is_not_kept_waiting(server: RegistryServer) -> None:
    place = urlsplit(server.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as connection:
        connection.sendall(bytes.fromhex("160301020001"))
        assert connection.recv(1) == b""
    assert requests.get(f"http://{place.netloc}/v2/", timeout=60).status_code in (200, 401)
