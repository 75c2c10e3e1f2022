"""Registries: a small one in memory, our own server, and Debian's docker-registry, where that is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from small_registry import TOKEN, Done, SmallRegistry, small_registry

from pkgmgr.cli.main import main
from pkgmgr.http.retry import Patience
from pkgmgr.server.accounts import Account
from pkgmgr.server.serve import RegistryServer
from pkgmgr.settings.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


HTPASSWD = "ada:$2b$04$Tjgy6.fNMc4EbxUQ4Fm1rurfoC73hBVbmiPT7shvEH8UtOgG.lPAq\n"
"""The password is `geheim`."""


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own store and logins, and gives up on servers soon."""
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    soon = Patience(tries=3, connect=5.0, stall=5.0, pause=0.01, longest_pause=0.05, connections=1)
    monkeypatch.setattr(Patience, "configured", classmethod(lambda _, tries=4: soon))  # noqa: ARG005
    monkeypatch.setattr("pkgmgr.oci.logins._told", set())


@pytest.fixture
def wpm(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    def run(*words: object) -> Done:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def small() -> Iterator[SmallRegistry]:
    with small_registry() as registry:
        yield registry


@pytest.fixture
def other() -> Iterator[SmallRegistry]:
    """Another server, which must see no secrets."""
    with small_registry() as registry:
        yield registry


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[str]:
    """The host of our own server; who has the token `TOKEN` may push."""
    (tmp_path / "served" / "packages").mkdir(parents=True)
    with RegistryServer(tmp_path / "served", tokens={TOKEN: Account("ada")}) as running:
        yield running.base_url.removeprefix("http://")


@contextmanager
def docker_registry(folder: Path, more: str = "") -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("docker-registry is not installed")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{taken.getsockname()[1]}"
    folder.mkdir()
    configuration = folder / "config.yml"
    configuration.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\nhttp: {{addr: '{host}'}}\n{more}"
    )
    process = subprocess.Popen([program, "serve", configuration], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "docker-registry does not begin"
                time.sleep(0.02)
        yield host
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def debian(tmp_path: Path) -> Iterator[str]:
    with docker_registry(tmp_path / "debian") as host:
        yield host


@pytest.fixture
def debian_with_password(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "htpasswd").write_text(HTPASSWD)
    with docker_registry(tmp_path / "closed", f"auth: {{htpasswd: {{realm: r, path: {tmp_path}/htpasswd}}}}\n") as host:
        yield host


@pytest.fixture(params=["small", "ours", "debian"])
def host(request: pytest.FixtureRequest) -> str:
    """Each of the three in turn, to which one may push."""
    found = request.getfixturevalue(request.param)
    if request.param == "ours":
        Credentials().store_login(found, "ada", TOKEN)
    return found.host if isinstance(found, SmallRegistry) else str(found)
