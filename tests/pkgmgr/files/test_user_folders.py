"""The folders of a user are those of the system, whoever says which they are."""

from pathlib import Path

import platformdirs
import pytest

from pkgmgr.errors import WpmError
from pkgmgr.files.user_folders import user_folder


@pytest.mark.parametrize("xdg", [None, "", "/somewhere/else"])
def test_the_system_s_folders(xdg: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WPM_NOWHERE", raising=False)
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        if xdg is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, xdg)
    assert user_folder("WPM_NOWHERE", "cache") == platformdirs.user_cache_path("wpm")
    assert user_folder("WPM_NOWHERE", "config") == platformdirs.user_config_path("wpm")
    assert user_folder("WPM_NOWHERE", "data") == platformdirs.user_data_path("wpm")


def test_a_variable_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WPM_NOWHERE", str(tmp_path))
    assert user_folder("WPM_NOWHERE", "cache") == tmp_path
    monkeypatch.setenv("WPM_NOWHERE", "~nobody-of-this-name/x")
    with pytest.raises(WpmError, match="WPM_NOWHERE"):
        user_folder("WPM_NOWHERE", "cache")
