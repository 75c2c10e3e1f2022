"""A registry, and a server of it, for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from make_packages import RegistryMaker
from talking import ALICE, BOB

from pkgmgr.server.accounts import Account
from pkgmgr.server.serve import RegistryServer


@pytest.fixture(autouse=True)
def nobodys_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("WPM_REGISTRY", "WPM_TOKEN"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def maker(tmp_path: Path) -> RegistryMaker:
    return RegistryMaker(tmp_path / "registry")


@pytest.fixture
def server(maker: RegistryMaker) -> Iterator[RegistryServer]:
    tokens = {ALICE: Account("alice"), BOB: Account("bob", frozenset(("bob",)))}
    with RegistryServer(maker.root, tokens=dict(tokens)) as running:
        yield running
