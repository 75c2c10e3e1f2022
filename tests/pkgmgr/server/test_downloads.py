"""Files over HTTP: whole, in ranges, only when they changed; and paths that want to get out."""

import socket

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker
from talking import hash_of
from werkzeug.test import create_environ, run_wsgi_app

from pkgmgr.errors import WpmError
from pkgmgr.server.app import make_app
from pkgmgr.server.serve import RegistryServer


def test_whole_and_in_ranges(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.add("acme/tool", "1.0.0+build.1", files={"data": bytes(range(256)) * 100})
    content = path.read_bytes()
    url = f"{server.base_url}/packages/acme/tool/1.0.0+build.1.webc"
    whole = requests.get(url, timeout=60)
    assert whole.content == content
    assert whole.headers["ETag"] == f'"{hash_of(path)}"'
    assert whole.headers["Content-Type"] == "application/webc"
    assert "immutable" in whole.headers["Cache-Control"]
    assert requests.get(f"{server.base_url}/sha256/{hash_of(path)}.webc", timeout=60).content == content
    for sent, expected in (("bytes=0-9", content[:10]), ("bytes=100-", content[100:]), ("bytes=-7", content[-7:])):
        part = requests.get(url, headers={"Range": sent}, timeout=60)
        assert (part.status_code, part.content) == (206, expected)
    start = len(content) - len(requests.get(url, headers={"Range": "bytes=100-"}, timeout=60).content)
    assert start == 100
    assert requests.get(url, headers={"Range": f"bytes={len(content)}-"}, timeout=60).status_code == 416
    other = requests.get(url, headers={"Range": "bytes=5-", "If-Range": '"another"'}, timeout=60)
    assert (other.status_code, other.content) == (200, content)
    same = requests.get(url, headers={"Range": "bytes=5-", "If-Range": whole.headers["ETag"]}, timeout=60)
    assert (same.status_code, same.content) == (206, content[5:])
    known = requests.get(url, headers={"If-None-Match": whole.headers["ETag"]}, timeout=60)
    assert (known.status_code, known.content) == (304, b"")
    head = requests.head(url, timeout=60)
    assert (head.headers["Content-Length"], head.content) == (str(len(content)), b"")
    assert requests.delete(url, timeout=60).status_code == 405


def test_only_packages_are_sent(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.add("acme/tool", "1.0.0")
    (maker.root / "secret").write_text("secret")
    (maker.root / "packages/acme/tool/notes.txt").write_text("secret")
    (maker.root / "packages/acme/tool/2.0.0.webc").symlink_to("/etc/passwd")
    (maker.root / "packages/acme/tool/3.0.0.webc").mkdir()
    port = int(server.base_url.rpartition(":")[2])
    for target in (
        "/packages/acme/tool/notes.txt",
        "/packages/acme/tool/2.0.0.webc",
        "/packages/acme/tool/3.0.0.webc",
        "/packages/acme/tool/../../../secret",
        "/packages/../secret",
        "/packages/acme/../../secret",
        "/packages/%2e%2e/%2e%2e/secret",
        "/packages/acme/tool/%2e%2e%2f%2e%2e%2f%2e%2e%2fsecret",
        "/packages/acme/tool%2f..%2f..%2f..%2fsecret/1.0.0.webc",
        "//etc/passwd",
        "/secret",
        "/packages/acme/tool/index.json",
        "/uploads/../secret",
        "/sha256/..%2f..%2fsecret.webc",
        "/packages/acme/tool/1.0.0.webc%00.txt",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(f"GET {target} HTTP/1.0\r\n\r\n".encode())
            reply = b"".join(iter(lambda c=connection: c.recv(65536), b""))  # type: ignore[misc]
        assert b" 404 " in reply.partition(b"\r\n")[0] or b" 405 " in reply.partition(b"\r\n")[0], target
        assert b"root:" not in reply
        assert b"\r\n\r\nsecret" not in reply
    assert requests.get(f"{server.base_url}/packages/acme/tool/1.0.0.webc", timeout=60).content == path.read_bytes()


PARTS = ("..", ".", "", "packages", "acme", "_", "%", "\\", "~", "1.0.0.webc", "x")


@settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(["..", ".", "", "packages", "acme", "_", "%", "\\", "~", "1.0.0.webc", "x"])
        | st.text(max_size=8),
        max_size=6,
    )
)
def test_no_path_leaves_the_registry(maker: RegistryMaker, parts: list[str]) -> None:
    (maker.root.parent / "1.0.0.webc").write_text("outside")
    environ = create_environ()
    # What a WSGI server makes of a path: its bytes after unquoting, each as a character.
    environ["PATH_INFO"] = ("/" + "/".join(parts)).encode("utf-8", "surrogatepass").decode("latin-1")
    body, status, _ = run_wsgi_app(make_app(maker.root), environ)
    assert status[:3] in ("200", "308", "400", "404", "405")
    assert b"outside" not in b"".join(body)


def test_a_directory_that_is_no_registry(maker: RegistryMaker) -> None:
    with pytest.raises(WpmError, match="packages"):
        make_app(maker.root.parent)
    with RegistryServer(maker.root) as first, pytest.raises(WpmError, match="cannot listen"):
        RegistryServer(maker.root, port=int(first.base_url.rpartition(":")[2]))
