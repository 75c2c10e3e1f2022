"""What the tests of environments share: projects, and a place to be."""

from __future__ import annotations

from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_project
from typed import guest, output

WPM_DEPENDENCIES = {"wpm/hello": "^1.1", "wpm/coreutils": "^1", "wpm/sh": "^1"}


@pytest.fixture(autouse=True)
def away_from_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start in a directory whose name has to be quoted, and in no other project's shell."""
    here = tmp_path / "it's $here"
    here.mkdir()
    monkeypatch.chdir(here)
    for variable in ("WPM_PROJECT", "WPM_SHELL", "SHELL", "ENV", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RegistryMaker:
    """A registry for `acme/*` with programs that end in their ways."""
    registry = RegistryMaker(tmp_path / "registry")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "config.toml").write_text(f'[registries]\n"acme/*" = "{registry.root}"\n')
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "config"))
    for name in ("exit", "trap", "spin"):
        registry.add(f"acme/{name}", "1.0.0", commands=(name,), module=guest(tmp_path, name).read_bytes())
    return registry


@pytest.fixture
def project() -> Path:
    """An installed project with the embedded packages."""
    root = write_project(Path("a project"), WPM_DEPENDENCIES)
    output("install", "--project", root)
    return root
