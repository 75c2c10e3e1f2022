"""https: whose certificate is believed, and what is said of one that is not."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import faults
import pytest
import trustme
from faults import FaultServer, json_reply, serving

from pkgmgr.errors import Unreachable, WpmError
from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUICK = Patience(tries=3, connect=10.0, stall=10.0, pause=0.01, longest_pause=0.2)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WPM_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def secure(certificate: trustme.LeafCert) -> Iterator[FaultServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    with serving(context) as server:
        server.always["/q"] = json_reply(b"1")
        yield server


@pytest.mark.parametrize("variable", ["WPM_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_private_authority(
    authority: trustme.CA, tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with secure(authority.issue_cert("127.0.0.1")) as server:
        with pytest.raises(WpmError, match=r"an authority that this machine does not know.*WPM_CA_BUNDLE") as caught:
            HttpClient(patience=QUICK).get_json(f"{server.url}/q")
        assert not isinstance(caught.value, Unreachable)
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv(variable, str(tmp_path / "ca.pem"))
        assert HttpClient(patience=QUICK).get_json(f"{server.url}/q").value == 1
        monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
        with pytest.raises(WpmError, match=f"{variable}: .*none.pem: there is no such file"):
            HttpClient(patience=QUICK).get_json(f"{server.url}/q")
        (tmp_path / "junk.pem").write_text("junk")
        monkeypatch.setenv(variable, str(tmp_path / "junk.pem"))
        with pytest.raises(WpmError) as caught:
            HttpClient(patience=QUICK).get_json(f"{server.url}/q")
        assert "\n" not in str(caught.value)
        assert not isinstance(caught.value, Unreachable)


def test_certificates_that_are_not_right(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("WPM_CA_BUNDLE", str(tmp_path / "ca.pem"))
    now = datetime.now(UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=now - timedelta(9), not_after=now - timedelta(1))
    early = authority.issue_cert("127.0.0.1", not_before=now + timedelta(1), not_after=now + timedelta(9))
    other = authority.issue_cert("registry.example")
    store = Store(tmp_path / "store")
    for certificate, words in (
        (expired, "its certificate has expired"),
        (early, "its certificate is not valid yet"),
        (other, "its certificate is for another host"),
    ):
        with secure(certificate) as server:
            with pytest.raises(WpmError, match=words) as caught:
                HttpClient(patience=QUICK).get_json(f"{server.url}/q")
            assert not isinstance(caught.value, Unreachable)
            with pytest.raises(WpmError, match=words) as caught:
                HttpClient(patience=QUICK).download(f"{server.url}/q", store, "0" * 64, 1)
            assert str(caught.value).startswith(f"{server.url}/q: ")
            assert not server.asked
            assert not list((store.root / "tmp").iterdir())


def test_https_stays_https(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("WPM_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with secure(authority.issue_cert("127.0.0.1")) as server, serving() as plain:
        server.always["/down"] = faults.redirect(f"{plain.url}/q")
        plain.always["/up"] = faults.redirect(f"{server.url}/q")
        with pytest.raises(WpmError, match=r"redirects to http://.*, which is not https"):
            HttpClient(patience=QUICK).get_json(f"{server.url}/down")
        assert not plain.asked
        assert HttpClient(patience=QUICK).get_json(f"{plain.url}/up").value == 1


def test_a_server_without_tls(server: FaultServer) -> None:
    with pytest.raises(WpmError, match="is http:// meant"):
        HttpClient(patience=QUICK).get_json(server.url.replace("http://", "https://") + "/q")
