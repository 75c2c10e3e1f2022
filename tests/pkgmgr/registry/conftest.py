"""What the tests of registries that are asked over the network share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pkgmgr.http.cache import MetadataCache
from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.registry.graphql import GraphqlRegistry
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own store and configuration, and gives up on servers soon."""
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(Patience, "configured", classmethod(lambda cls, _: cls(tries=1, connect=2.0, stall=5.0)))
    monkeypatch.setattr("pkgmgr.registry.opening._noted", set())


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def client_for(tmp_path: Path, notes: list[str]) -> Callable[..., GraphqlRegistry]:
    """A registry at a URL; all of a test share the cache and the store, as processes do."""

    def make(url: str, **options: object) -> GraphqlRegistry:
        cache, store = MetadataCache(tmp_path / "metadata"), Store(tmp_path / "store")
        return GraphqlRegistry(url, HttpClient(), cache, store, note=notes.append, **options)  # type: ignore[arg-type]

    return make
