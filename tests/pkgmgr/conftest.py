"""What the tests of the package manager may count on."""

import pytest


@pytest.fixture(autouse=True)
def own_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test ask with the client, and its patience and tokens, of the one before."""
    monkeypatch.setattr("pkgmgr.http.shared._client", None)
