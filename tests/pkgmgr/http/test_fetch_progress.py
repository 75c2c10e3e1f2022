"""What people see of a fetch, and how one is left."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import faults
import pytest
from faults import FaultServer
from make_packages import write_package, write_project

from pkgmgr.cli.main import main
from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.http.shared import shared_client
from pkgmgr.notices import on_standard_error
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "pkgmgr.cli.main", "install", "--locked", "--no-compile"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
    return Store(tmp_path / "store")


@pytest.fixture
def project(tmp_path: Path, server: FaultServer, store: Store, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locked to two packages of the server, and nothing of it is here."""
    for name in ("first", "second"):
        package = write_package(tmp_path / f"{name}.webc", f"acme/{name}", "1.0.0", files={"x": os.urandom(900_000)})
        server.files[f"/{name}.webc"] = package.read_bytes()
    root = write_project(tmp_path / "p", {f"acme/{name}": f"{server.url}/{name}.webc" for name in ("first", "second")})
    monkeypatch.chdir(root)
    assert main(["install", "--no-compile"]) == 0
    store.clean()
    server.asked.clear()
    return root


def slowly(talk: faults.Conversation) -> None:
    data = talk.data
    talk.send_response(200)
    talk.send_header("Content-Length", str(len(data)))
    talk.end_headers()
    for start in range(0, len(data), 1 + len(data) // 5):
        talk.wfile.write(data[start : start + 1 + len(data) // 5])
        time.sleep(0.06)


def on_terminal(project: Path, **variables: str) -> tuple[int, str]:
    """Run it with standard error on a terminal; its exit code and what the terminal got."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100", **variables}
    child = subprocess.Popen(COMMAND, cwd=project, env=environment, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    seen = b""
    with suppress(OSError):
        while piece := os.read(ours, 65536):
            seen += piece
    os.close(ours)
    return child.wait(), seen.decode()


def test_bars_on_a_terminal(project: Path, server: FaultServer, store: Store) -> None:
    server.always = dict.fromkeys(server.files, slowly)
    code, seen = on_terminal(project)
    assert code == 0
    for words in ("acme/first@1.0.0", "acme/second@1.0.0", "of 2 packages", "KiB", "/s"):
        assert words in seen
    assert "fetched" not in seen
    # The bars are gone in the end, and the cursor is there again.
    assert seen.rstrip().endswith(("\x1b[2K", "\x1b[?25h")) or "\x1b[?25h" in seen
    colour = re.compile(r"\x1b\[[0-9;]*3[0-9]")
    assert colour.search(seen)
    store.clean()
    code, seen = on_terminal(project, NO_COLOR="1")
    assert code == 0
    assert "acme/first@1.0.0" in seen
    assert not colour.search(seen)


def test_lines_on_a_dumb_terminal(project: Path) -> None:
    code, seen = on_terminal(project, TERM="dumb")
    assert code == 0
    assert sorted(line.split(" (")[0] for line in seen.splitlines()) == [
        "fetched acme/first@1.0.0",
        "fetched acme/second@1.0.0",
    ]


def test_lines_elsewhere(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["install", "--locked", "--no-compile", "--json"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("{")
    assert re.fullmatch(r"(fetched acme/(first|second)@1.0.0 \(\d+\.\d KiB\)\n){2}", shown.err)
    assert main(["install", "--locked", "--no-compile"]) == 0
    assert capsys.readouterr().err == ""
    assert project.is_dir()


def test_interrupted_while_the_server_is_silent(project: Path, server: FaultServer, store: Store) -> None:
    server.always = {"/first.webc": faults.stalled, "/second.webc": faults.silent}
    child = subprocess.Popen(
        COMMAND, cwd=project, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True
    )
    while len(server.asked) < 2:
        assert child.poll() is None
        time.sleep(0.01)
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=10)
    assert child.returncode == 130
    assert said == ""
    assert verify_store(store).clean
    server.always = {}
    assert main(["install", "--locked", "--no-compile"]) == 0
    assert verify_store(store).sound == 2
    assert not list((store.root / "tmp").iterdir())


def test_one_failure_ends_all(
    project: Path,
    server: FaultServer,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("pkgmgr.http.shared._client", HttpClient(patience=Patience(1, 1.0, 1.0, 0.01)))
    server.always = {"/first.webc": slowly, "/second.webc": faults.status(404)}
    capsys.readouterr()
    assert main(["install", "--locked", "--no-compile"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"wpm: acme/second@1.0.0: {server.url}/second.webc: not found (404)"
    assert verify_store(store).sound == 0
    assert not list((store.root / "tmp").iterdir())
    assert project.is_dir()


def test_offline(project: Path, server: FaultServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["install", "--locked", "--no-compile", "--offline"]) == 1
    assert "--offline forbids to fetch" in capsys.readouterr().err
    assert not server.asked
    assert project.is_dir()


def test_a_long_pause_is_explained(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("pkgmgr.http.retry._FELT", 0.1)
    server.faults["/q"] = [faults.status(503, {"Retry-After": "900"}), faults.json_reply(b"1")]
    client = HttpClient(patience=Patience(longest_pause=0.2))
    with on_standard_error():
        assert client.get_json(f"{server.url}/q").value == 1
    said = capsys.readouterr().err
    assert said == f"wpm: {server.url}/q: the server replied 503 Service Unavailable; trying again in 0 s\n"


def test_there_is_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.http.shared._client", None)
    client = shared_client()
    assert shared_client() is client
    assert client.tokens("http://a") is None
    monkeypatch.setattr(client, "patience", Patience(7))
    client = shared_client({"http://a": "token"}.get)
    assert shared_client() is client
    assert client.tokens("http://a") == "token"
    assert client.patience.tries == 7
