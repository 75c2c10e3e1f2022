"""Images that are pushed and pulled, and that the library says nothing on standard error of whatever it does."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from pkgmgr import Image, WpmError, aio, load_packages
from pkgmgr.server.accounts import Account
from pkgmgr.server.serve import RegistryServer
from pkgmgr.settings.credentials import Credentials

TOKEN = "wap_" + "0" * 40


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A registry of ours, and an own store that is logged in there."""
    for name in ("WPM_CACHE_DIR", "WPM_CONFIG_DIR", "DOCKER_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "served" / "packages").mkdir(parents=True)
    with RegistryServer(tmp_path / "served", tokens={TOKEN: Account("ada")}) as running:
        yield running.base_url.removeprefix("http://")


def log_in(host: str) -> None:
    Credentials().store_login(host, "ada", TOKEN)


def test_what_is_pushed_is_pulled(host: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    image = Image.build("wpm/hello", "wpm/sh", env={"A": "b"}, labels={"x": "y"})
    with pytest.raises(WpmError, match=r"log in|login|token"):
        image.push(f"{host}/me/tool:v1")
    log_in(host)
    digest = image.push(f"{host}/me/tool:v1", tags=["latest"])
    assert digest == image.push(f"oci://{host}/me/tool:v1")
    for reference in (f"{host}/me/tool:v1", f"oci://{host}/me/tool:latest", f"{host}/me/tool@{digest}"):
        pulled = Image.pull(reference)
        assert (pulled.digest, pulled.layers, pulled.env) == (image.digest, image.layers, image.env)
        assert pulled.labels["x"] == "y"
    assert pulled.run("hello", "Ada").text() == "Hello, Ada!\n"
    assert pulled.write_oci(tmp_path / "layout") == digest
    for wrong in (f"{host}/me/tool:v2", f"{host}/me/none:v1", "no reference", f"{host}/me/tool@sha256:{'0' * 64}"):
        with pytest.raises(WpmError):
            Image.pull(wrong)
    with pytest.raises(WpmError):
        image.push("127.0.0.1:1/me/tool:v1")
    assert capfd.readouterr() == ("", "")


def test_tasks_push_and_pull(host: str) -> None:
    async def work() -> None:
        log_in(host)
        image = await aio.Image.build("wpm/hello")
        digest = await image.push(f"{host}/me/hello:v1")
        pulled = await aio.Image.pull(f"{host}/me/hello@{digest}")
        assert (await pulled.run()).text() == "Hello, World!\n"
        assert await pulled.digest() == await image.digest()

    asyncio.run(work())


@pytest.mark.usefixtures("host")
def test_what_is_damaged_is_told_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (hello,) = load_packages(["wpm/hello"])
    stored = next((tmp_path / "WPM_CACHE_DIR").rglob("*.webc"))
    del hello
    stored.chmod(0o644)
    stored.write_bytes(b"\0webc" + bytes(100))
    with caplog.at_level(logging.WARNING, "pkgmgr"):
        assert load_packages(["wpm/hello"])[0].commands == ("hello",)
    assert "its bytes are not those of its name" in caplog.text
    assert capfd.readouterr() == ("", "")
