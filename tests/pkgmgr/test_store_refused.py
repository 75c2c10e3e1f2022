"""What the operating system does not let the store do is said of the store, with what may help."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_project

from pkgmgr.cli.main import main
from pkgmgr.cli.system_errors import in_words
from pkgmgr.store import Store

needs_rights = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_line_says_what_may_help(root: Path, code: int) -> None:
    for path in (root / "tmp" / "x", root, root.parent):
        line = in_words(OSError(code, os.strerror(code), str(path)))
        assert line.startswith(f"{path}: {os.strerror(code)}: ") and "WPM_CACHE_DIR" in line
        assert ("prune" in line) == (code == errno.ENOSPC)
    elsewhere = root.parent / "wasmer.toml"
    assert in_words(OSError(code, os.strerror(code), str(elsewhere))) == f"{elsewhere}: {os.strerror(code)}"


def test_a_line_without_a_file() -> None:
    assert in_words(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"
    assert len(in_words(OSError(errno.ENOENT, "No", "x" * 5000))) < 400


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no folder here that refuses root, too")
def test_a_package_is_not_blamed_for_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("s/tool", "1.0.0")
    monkeypatch.chdir(write_project(tmp_path / "project", {"s/tool": "1"}))
    monkeypatch.setenv("WPM_CACHE_DIR", "/proc/wpm")
    assert main(["install", "--registry", str(registry.root)]) == 1
    said = capsys.readouterr().err
    assert "/proc/wpm" in said and "1.0.0.webc" not in said and said.count("\n") == 1


@needs_rights
@pytest.mark.usefixtures("root")
def test_clean_tells_what_it_could_not_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    registry = RegistryMaker(tmp_path / "registry")
    registry.add("s/tool", "1.0.0")
    monkeypatch.chdir(write_project(tmp_path / "project", {"s/tool": "1"}))
    assert main(["install", "--registry", str(registry.root)]) == 0
    folder = next(Store.default().objects()).parent
    folder.chmod(0o555)
    try:
        capsys.readouterr()
        assert main(["cache", "clean"]) == 1
        said = capsys.readouterr()
        assert "0 packages removed" in said.out and "1 package could not be removed" in said.err
    finally:
        folder.chmod(0o755)
    assert main(["cache", "clean"]) == 0
    assert "1 package removed" in capsys.readouterr().out
