"""What the tests of the editing verbs share: a project, a registry that grows, and the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from make_packages import RegistryMaker

from pkgmgr.cli.main import main
from pkgmgr.http.retry import Patience

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has its own store and configuration, and gives up on servers soon."""
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setattr(Patience, "configured", classmethod(lambda cls, _: cls(tries=1, connect=2.0, stall=5.0)))
    monkeypatch.setattr("pkgmgr.registry.opening._noted", set())


@pytest.fixture
def wpm(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Runs a command line; errors of ours come back as the code 1 and a line, as for anybody."""

    def run(*words: object) -> Done:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def registry(tmp_path: Path) -> RegistryMaker:
    maker = RegistryMaker(tmp_path / "registry")
    maker.add("acme/tool", "1.0.0", {"acme/data": "^1"}, commands=("tool",))
    maker.add("acme/tool", "1.1.0", {"acme/data": "^1.1"}, commands=("tool", "tool-extra"))
    maker.add("acme/data", "1.0.0", files={"a.txt": b"1.0"})
    maker.add("acme/data", "1.1.0", files={"a.txt": b"1.1"})
    maker.add("plain", "0.3.0", commands=("plain",))
    return maker


@pytest.fixture
def project(tmp_path: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own with comments and no dependency yet; the current directory."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "wasmer.toml").write_text(MANIFEST)
    monkeypatch.chdir(root)
    monkeypatch.setenv("WPM_REGISTRY", str(registry.root))
    return root


MANIFEST = """\
# A project.
[package]
name = "me/it"   # ours
version = "1.0.0"

[dependencies]
# none yet
"""
