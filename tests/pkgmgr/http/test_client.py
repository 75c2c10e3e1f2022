"""Questions and answers in JSON, with a server that may say anything."""

from __future__ import annotations

import json
import threading
import tracemalloc
from typing import TYPE_CHECKING

import faults
import pytest
from faults import FaultServer, json_reply, serving, unused_port
from hypothesis import given
from hypothesis import strategies as st

from pkgmgr.errors import Refused, Unreachable, WpmError
from pkgmgr.http.client import HttpClient
from pkgmgr.http.json_body import parse_json
from pkgmgr.http.origin import origin_of, shown
from pkgmgr.http.retry import Patience, retry_after

if TYPE_CHECKING:
    from pathlib import Path

QUICK = Patience(tries=3, connect=10.0, stall=10.0, pause=0.01, longest_pause=0.2)
IMPATIENT = QUICK._replace(stall=0.4)
"""For servers that stall: where they do not, a busy machine must not look as if they did."""


@pytest.fixture
def client() -> HttpClient:
    return HttpClient(patience=QUICK)


def test_an_answer(server: FaultServer, client: HttpClient) -> None:
    server.always["/q"] = json_reply(
        b'{"a": [1, "\xc3\xa9"]}', {"ETag": '"1"', "Cache-Control": "public, max-age=60", "Age": "20"}
    )
    assert client.get_json(f"{server.url}/q") == (200, {"a": [1, "é"]}, '"1"', 40.0)
    assert client.post_json(f"{server.url}/q", {"query": "…"}).value == {"a": [1, "é"]}
    posted = server.asked[1]
    assert posted.method == "POST"
    assert json.loads(posted.body) == {"query": "…"}
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["User-Agent"].startswith("wpm/")
    assert not {"Authorization", "Cookie"} & set(posted.headers)


def test_what_is_known_is_not_sent_again(server: FaultServer, client: HttpClient) -> None:
    server.always["/q"] = faults.status(304, {"Cache-Control": "max-age=5"})
    assert client.get_json(f"{server.url}/q", etag='"1"') == (304, None, '"1"', 5.0)
    assert server.asked[0].headers["If-None-Match"] == '"1"'
    with pytest.raises(WpmError, match="replied 304"):
        client.get_json(f"{server.url}/q")


@pytest.mark.parametrize(
    "passing", [faults.status(500), faults.reset_at_once, faults.silent, faults.status(429, {"Retry-After": "9"})]
)
def test_what_passes_is_tried_again(server: FaultServer, client: HttpClient, passing: faults.Fault) -> None:
    if passing is faults.silent:
        client = HttpClient(patience=IMPATIENT)
    server.faults["/q"] = [passing]
    server.always["/q"] = json_reply(b"1")
    assert client.post_json(f"{server.url}/q", {}).value == 1
    assert len(server.asked) == 2
    assert server.asked[1].body == b"{}"


def test_what_may_not_be_done_twice(server: FaultServer, client: HttpClient) -> None:
    server.always["/q"] = faults.reset_at_once
    with pytest.raises(Unreachable, match=r"reset|broke"):
        client.post_json(f"{server.url}/q", {}, repeatable=False)
    assert len(server.asked) == 1
    server.faults["/q"] = [faults.status(503), faults.status(429)]
    server.always["/q"] = json_reply(b"1")
    assert client.post_json(f"{server.url}/q", {}, repeatable=False).value == 1


JSON = {"Content-Type": "application/json"}
HTML = b"\n <!DOCTYPE html><title>Log in</title>"
REFUSED = {
    "html": (json_reply(HTML), "HTML, not JSON"),
    "no json": (json_reply(b"hello"), "not JSON: Expecting value at character 0"),
    "half a json": (json_reply(b'{"a": '), "not JSON"),
    "nothing": (json_reply(b""), "not JSON"),
    "no number": (json_reply(b"[NaN]"), "NaN is not a number"),
    "no text": (json_reply(b'"\xff\xfe\xfd"'), "not JSON"),
    "an endless number": (json_reply(b"1" * 100_000), "not JSON"),
    "deep": (json_reply(b"[" * 100_000 + b"]" * 100_000), "nested too deeply"),
    "rather deep": (json_reply(b'{"a":' * 100 + b"1" + b"}" * 100), "nested too deeply"),
    "many empty lists": (json_reply(b"[" + b"[]," * 2_000_000 + b"[]]"), "more than 2000000"),
    "a gigabyte": (faults.endless_json, "longer than the 33554432 bytes"),
    "a gigabyte in a megabyte": (faults.json_bomb, "longer than the 33554432 bytes"),
    "endless": (faults.endless, "longer than the 33554432 bytes"),
    "no gzip": (json_reply(b"{}", {"Content-Encoding": "gzip"}), "not the gzip"),
    "another encoding": (json_reply(b"{}", {"Content-Encoding": "zstd"}), "'zstd', which was not asked for"),
    "404": (faults.status(404), "not found (404)"),
    "401": (faults.status(401), "it needs a token (401): run wpm login"),
    "403": (faults.status(403, JSON, b'{"detail": "no\\u001b[31m way"}'), "(403): no[31m way: run"),
    "400": (faults.status(400, JSON, b'{"errors": [{"message": "what?"}]}'), "replied 400 Bad Request: what?"),
    "an error that is no json": (faults.status(400, JSON, b"["), "replied 400 Bad Request"),
    "an endless error": (faults.status(400, JSON | {"Content-Length": "99999999"}, b'"' * 70000), "replied 400"),
    "no content": (faults.status(204), "replied 204 where 200"),
    "loop": (faults.redirect("/q", 307), "redirects again and again"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(server: FaultServer, client: HttpClient, name: str) -> None:
    server.always["/q"], words = REFUSED[name]
    with pytest.raises(WpmError) as caught:
        client.post_json(f"{server.url}/q", {})
    message = str(caught.value)
    assert message.startswith(f"{server.url}/q: ")
    assert words in message
    assert message.isprintable()
    assert not isinstance(caught.value, Unreachable)
    assert len(server.asked) == (11 if name == "loop" else 1)


def test_a_gigabyte_is_not_held(server: FaultServer, client: HttpClient) -> None:
    server.always["/q"] = faults.endless_json
    server.always["/bomb"] = faults.json_bomb
    server.always["/one"] = json_reply(b"1")
    client.get_json(f"{server.url}/one")
    tracemalloc.start()
    try:
        for path in ("q", "bomb"):
            with pytest.raises(WpmError, match="longer than"):
                client.get_json(f"{server.url}/{path}", most=1 << 20)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A few pieces of the server's own are in it, too.
    assert most < 16 << 20


def test_stalling_is_not_for_ever(server: FaultServer) -> None:
    client = HttpClient(patience=IMPATIENT)
    server.files["/q"] = b"x" * 1000
    for fault in (faults.stalled, faults.dripping):
        server.always["/q"] = fault
        with pytest.raises(Unreachable, match=r"(stopped sending|sent only).*tried 3 times"):
            client.get_json(f"{server.url}/q")


def test_nobody_is_there(client: HttpClient) -> None:
    with pytest.raises(Unreachable, match=r"refused.*tried 3 times"):
        client.get_json(f"http://127.0.0.1:{unused_port()}")


def test_who_has_an_older_answer_does_not_wait_long_for_nobody(server: FaultServer, client: HttpClient) -> None:
    with pytest.raises(Unreachable, match=r"refused.*tried 2 times"):
        client.post_json(f"http://127.0.0.1:{unused_port()}", {}, brief=True)
    # Who is there, and only busy, is given the usual time.
    server.always["/q"] = lambda talk: talk.reply(503, {"Content-Length": "0"})
    with pytest.raises(Unreachable, match=r"503.*tried 3 times"):
        client.post_json(f"{server.url}/q", {}, brief=True)


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "http://[::1", "http://x:99999", "x", "file:///etc/passwd"])
def test_no_url(url: str, client: HttpClient) -> None:
    with pytest.raises(WpmError, match="not a URL"):
        client.get_json(url)


def tokens_of(**known: str) -> dict[str, str]:
    return known


def test_a_token_goes_home_and_nowhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password netrc-secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with serving() as home, serving() as other:
        tokens = {home.url: "home-secret", other.url: "other-secret"}
        client = HttpClient(tokens.get, patience=QUICK)
        for server in (home, other):
            server.always["/q"] = json_reply(b"1", {"Set-Cookie": "a=b"})
        home.always["/away"] = faults.redirect(f"{other.url}/q", 307)
        home.always["/near"] = faults.redirect("/q", 308)
        home.always["/boomerang"] = faults.redirect(f"{other.url}/back", 307)
        other.always["/back"] = faults.redirect(f"{home.url}/q", 307)
        for path in ("q", "near", "away", "boomerang"):
            assert client.post_json(f"{home.url}/{path}", {"x": 1}).value == 1
        sent = [(asked.path, asked.headers.get("Authorization")) for asked in home.asked]
        bearer = "Bearer home-secret"
        assert sent == [
            ("/q", bearer), ("/near", bearer), ("/q", bearer), ("/away", bearer), ("/boomerang", bearer), ("/q", None),
        ]  # fmt: skip
        assert [asked.headers.get("Authorization") for asked in other.asked] == [None, None]
        assert not any("Cookie" in asked.headers for asked in home.asked + other.asked)
        assert client.get_json(other.url.replace("http://", "http://u:p@") + "/q").value == 1
        assert other.asked[-1].headers["Authorization"] == "Bearer other-secret"
        assert HttpClient(patience=QUICK).get_json(home.url.replace("http://", "http://u:p@") + "/q").value == 1
        assert "Authorization" not in home.asked[-1].headers


def test_a_token_that_is_not_accepted(server: FaultServer) -> None:
    server.always["/q"] = faults.status(401)
    with pytest.raises(Refused, match=f"the token for {server.url} is not accepted .401.: run wpm login") as caught:
        HttpClient(lambda _: "old-secret", patience=QUICK).get_json(f"{server.url}/q")
    assert caught.value.status == 401
    assert "old-secret" not in str(caught.value)


def test_a_token_that_cannot_be_sent(server: FaultServer) -> None:
    with pytest.raises(WpmError) as caught:
        HttpClient(lambda _: "a\r\nX: y", patience=QUICK).get_json(f"{server.url}/q")
    assert "\n" not in str(caught.value)
    assert not server.asked


def test_a_proxy_of_the_environment(server: FaultServer, client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    server.always["http://registry.example/q"] = json_reply(b'"by proxy"')
    monkeypatch.setenv("http_proxy", server.url)
    assert client.get_json("http://registry.example/q").value == "by proxy"
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_port()}")
    with pytest.raises(Unreachable, match="proxy"):
        client.get_json("http://registry.example/q")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.always["/q"] = json_reply(b"1")
    assert client.get_json(f"{server.url}/q").value == 1


def test_a_file_is_sent(server: FaultServer, client: HttpClient, tmp_path: Path) -> None:
    data = bytes(range(256)) * 3000
    (tmp_path / "x.webc").write_bytes(data)
    seen: list[int] = []
    server.faults["/new"] = [faults.status(503), faults.redirect("/moved", 307)]
    client.put(
        f"{server.url}/new", tmp_path / "x.webc", headers={"Content-Type": "application/webc"}, progress=seen.append
    )
    assert server.put == {"/moved": data}
    assert sum(seen) == len(data)
    assert [asked.headers["Content-Length"] for asked in server.asked] == [str(len(data))] * 3
    assert all(asked.headers["Content-Type"] == "application/webc" for asked in server.asked)
    server.always["/new"] = faults.status(412)
    with pytest.raises(Refused, match="412"):
        client.put(f"{server.url}/new", tmp_path / "x.webc")


RAW = {
    "no http": (b"SSH-2.0-OpenSSH_9\r\n", "does not speak HTTP"),
    "bytes": (b"\0\1\2\r\n\r\n", "does not speak HTTP"),
    "nothing": (b"", "reset|broke"),
    "a long status": (b"HTTP/1.1 200 " + b"a" * 200_000, "more than 65536 bytes"),
    "many headers": (b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)), "more than 100 headers"),
    "two lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length"),
    "a bad chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", "broke before the end"),
    "a status with colours": (b"HTTP/1.1 499 n\x1b[31mo\r\nContent-Length: 0\r\n\r\n", r"replied 499 n\[31mo"),
    "a target with colours": (b"HTTP/1.1 302 -\r\nLocation: ftp://a/\x1b[31m\r\n\r\n", "which is not http"),
    "a target that is none": (b"HTTP/1.1 302 -\r\nLocation: http://a b/\r\n\r\n", "not a URL that can be asked"),
    "a target with secrets": (b"HTTP/1.1 302 -\r\nLocation: http://u:p@127.0.0.1:1/?x\r\n\r\n", r"1:1/\?…: .*refused"),
    "no target": (b"HTTP/1.1 302 -\r\nContent-Length: 0\r\n\r\n", "replied 302"),
}  # fmt: skip


@pytest.mark.parametrize("name", RAW)
def test_what_is_hardly_http(server: FaultServer, name: str) -> None:
    def talk(conversation: faults.Conversation) -> None:
        conversation.wfile.write(RAW[name][0])
        conversation.hang_up()

    server.always["/q"] = talk
    with pytest.raises(WpmError, match=RAW[name][1]) as caught:
        HttpClient(patience=QUICK._replace(tries=1)).get_json(f"{server.url}/q")
    assert str(caught.value).startswith(f"{server.url}/q: ")
    assert str(caught.value).isprintable()


def test_an_etag_that_cannot_be_sent_back_is_none(server: FaultServer, client: HttpClient) -> None:
    for tag in ("\x1b", "unquoted", '"' + "a" * 5000 + '"'):
        server.always["/q"] = json_reply(b"1", {"ETag": tag})
        assert client.get_json(f"{server.url}/q").etag is None
    server.always["/q"] = json_reply(b"1", {"ETag": 'W/"a"'})
    assert client.get_json(f"{server.url}/q").etag == 'W/"a"'


def test_many_threads_share_a_client(server: FaultServer, client: HttpClient) -> None:
    server.always["/q"] = json_reply(b"[1]")
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(20):
                assert client.get_json(f"{server.url}/q").value == [1]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(server.asked) == 160
    client.close()
    assert client.get_json(f"{server.url}/q").value == [1]


def test_patience_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPM_HTTP_TIMEOUT", "2.5")
    assert HttpClient(tries=2).patience[:3] == (2, 2.5, 2.5)
    for text in ("", "-1", "soon", "nan", "inf"):
        monkeypatch.setenv("WPM_HTTP_TIMEOUT", text)
        assert HttpClient().patience == Patience()


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Registry.Example/graphql?x", "https://registry.example"),
        ("HTTPS://u:p@a:443/", "https://a"),
        ("http://a:8080", "http://a:8080"),
        ("https://a:80/", "https://a:80"),
        ("http://[::1]:81/", "http://[::1]:81"),
    ],
)
def test_origins(url: str, origin: str) -> None:
    assert origin_of(url) == origin


def test_urls_are_shown_without_secrets() -> None:
    assert shown("https://u:p@a.b/c?Signature=x") == "https://a.b/c?…"
    assert shown("https://a?x") == "https://a"
    assert shown("http://a/\x1b[2J\n") == "http://a/�[2J�"
    assert len(shown("http://a/" + "b" * 9999)) < 400


@given(st.text(max_size=60))
def test_any_text_is_shown_on_a_line(text: str) -> None:
    assert shown(text).isprintable()


@given(st.text(max_size=40))
def test_any_retry_after(text: str) -> None:
    seconds = retry_after({"Retry-After": text})
    assert seconds is None or seconds >= 0
    assert 0 <= Patience().before(3, seconds) <= Patience().longest_pause


@given(st.one_of(st.binary(max_size=60), st.text(alphabet='[]{}",:0 eE.-\\u', max_size=40).map(str.encode)))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    try:
        value = parse_json(data)
    except WpmError as error:
        assert "\n" not in str(error)
    else:
        assert value == json.loads(data)
