"""Tokens: kept closed, told to nobody, for one origin each."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.settings.credentials import Credentials, check_token

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = "https://registry.example"
SECRET = "wap_0123456789abcdef"


def test_kept_and_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "new" / "credentials.toml"
    credentials = Credentials(path)
    assert credentials.token(ORIGIN) is None and credentials.origins() == []
    assert not path.parent.exists()
    before = os.umask(0)
    try:
        credentials.store(ORIGIN, f" {SECRET}\n")
    finally:
        os.umask(before)
    credentials.store("http://127.0.0.1:8080", "other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = Credentials(path)
    assert again.token(ORIGIN) == SECRET
    assert again.token("http://registry.example") is None
    assert again.token("https://registry.example:8443") is None
    assert again.origins() == ["http://127.0.0.1:8080", ORIGIN]
    assert SECRET not in repr(again)
    assert again.forget(ORIGIN) and not again.forget(ORIGIN)
    assert SECRET not in path.read_text()
    assert Credentials(path).token("http://127.0.0.1:8080") == "other"
    assert [each.name for each in path.parent.iterdir()] == ["credentials.toml"]


def test_what_others_can_read_is_closed_and_told(tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    Credentials(path).store(ORIGIN, SECRET)
    path.chmod(0o644)
    told: list[str] = []
    assert Credentials(path, warn=told.append).token(ORIGIN) == SECRET
    assert len(told) == 1 and str(path) in told[0] and SECRET not in told[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Credentials(path, warn=told.append).token(ORIGIN) == SECRET
    assert len(told) == 1


def test_the_variable_is_for_the_default_registry_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials(tmp_path / "credentials.toml", default_origin=ORIGIN)
    credentials.store(ORIGIN, "kept")
    monkeypatch.setenv("WPM_TOKEN", SECRET)
    assert credentials.token(ORIGIN) == SECRET
    assert credentials.token("https://elsewhere.example") is None
    assert Credentials(tmp_path / "credentials.toml").token(ORIGIN) == "kept"
    monkeypatch.setenv("WPM_TOKEN", "a b")
    with pytest.raises(WpmError, match="WPM_TOKEN"):
        credentials.token(ORIGIN)
    monkeypatch.setenv("WPM_TOKEN", "")
    assert credentials.token(ORIGIN) == "kept"


@pytest.mark.parametrize(
    "text",
    [
        f'[tokens]\n"{ORIGIN}" = {SECRET}',
        f'"{SECRET}',
        f'tokens = "{SECRET}"',
        f'[tokens]\n"{ORIGIN}" = ["{SECRET}"]',
        f'[tokens]\n"{ORIGIN}" = "{SECRET} x"',
        f'[tokens]\n"{ORIGIN}" = "{SECRET}\\nHost: x"',
        f'[tokens]\n"{ORIGIN}" = ""\n# {SECRET}',
    ],
)
def test_a_damaged_file_is_told_without_what_is_in_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "credentials.toml"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(WpmError) as caught:
        Credentials(path).token(ORIGIN)
    message = str(caught.value)
    assert str(path) in message and SECRET not in message and message.isprintable()


def test_what_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "credentials.toml"
    os.mkfifo(path)
    with pytest.raises(WpmError, match="not a file"):
        Credentials(path).token(ORIGIN)


@settings(max_examples=200)
@given(st.text(max_size=30))
def test_a_token_fits_into_a_header(text: str) -> None:
    try:
        token = check_token(text, "it")
    except WpmError as error:
        if len(text.strip()) > 7:
            assert text.strip() not in str(error)
        return
    assert token.isascii() and token.isprintable() and " " not in token and '"' not in token
