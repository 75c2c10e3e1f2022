"""The server of these tests."""

from collections.abc import Iterator

import pytest
from faults import FaultServer, serving


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with serving() as server:
        yield server


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "WPM_HTTP_TIMEOUT",
    ):
        monkeypatch.delenv(name, raising=False)
