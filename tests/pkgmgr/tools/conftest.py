"""What the tests of tools may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def private_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test's tools away from the user's own, in folders whose names have to be quoted; gives the launchers'."""
    monkeypatch.setenv("WPM_TOOL_DIR", str(tmp_path / "the user's $tools"))
    launchers = tmp_path / "bin of `mine`"
    monkeypatch.setenv("WPM_BIN_DIR", str(launchers))
    monkeypatch.setenv("PATH", f"{launchers}:/usr/bin:/bin")
    return launchers


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store that nothing is in yet."""
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "own store"))
    return tmp_path / "own store"
