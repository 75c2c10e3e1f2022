"""Who asks: challenges, token servers, passwords, and where none of them may go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_registry import Done, SmallRegistry, Talk, basic, redirect, refuse

from pkgmgr.errors import WpmError
from pkgmgr.oci.registry import Repository
from pkgmgr.oci.tokens import parse_challenges
from pkgmgr.settings.credentials import Credentials
from pkgmgr.settings.login import Login

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADA = Login("ada", "geheim", "a test")


class TokenServer:
    """Gives tokens to Ada, and the registry lets in whoever has one for what is asked for."""

    def __init__(self, registry: SmallRegistry, seconds: int = 300, at: SmallRegistry | None = None) -> None:
        self.seconds = seconds
        self.asked: list[dict[str, list[str]]] = []
        self.good: dict[str, str] = {}
        self.realm = f"{(at or registry).url}/token"
        registry.challenge = self.challenge
        (at or registry).token_reply = self.reply

    def challenge(self, talk: Talk) -> str | None:
        name = talk.parts.path.removeprefix("/v2/").partition("/blobs")[0].partition("/manifests")[0]
        action = "pull" if talk.command in ("GET", "HEAD") else "push"
        scope = self.good.get(talk.headers.get("Authorization", "").removeprefix("Bearer "), "")
        if any(each.startswith(f"repository:{name}:") and action in each for each in scope.split()):
            return None
        return f'Bearer realm="{self.realm}",service="small",scope="repository:{name}:{action}"'

    def reply(self, talk: Talk) -> tuple[int, object]:
        self.asked.append(talk.query)
        if talk.headers.get("Authorization") != basic("ada", "geheim"):
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]}
        token = f"token{len(self.asked)}"
        self.good[token] = " ".join(talk.query["scope"])
        return 200, {"token": token, "expires_in": self.seconds}


def repository(small: SmallRegistry, login: Login | None = ADA, *, push: bool = False) -> Repository:
    return Repository(small.host, "acme/x", push=push, find_login=lambda: login)


def test_a_token_is_asked_for_once_and_used_for_its_lifetime(small: SmallRegistry) -> None:
    server = TokenServer(small)
    small.put_image("acme/x", "1", [b"layer"])
    asking = repository(small)
    for _ in range(3):
        asking.manifest("1")
    assert len(server.asked) == 1
    assert server.asked[0]["service"] == ["small"]
    assert server.asked[0]["scope"] == ["repository:acme/x:pull"]
    server.good.clear()  # the registry forgets it early
    asking.manifest("1")
    assert len(server.asked) == 2


def test_pushing_asks_for_both_and_for_what_is_mounted(small: SmallRegistry) -> None:
    server = TokenServer(small)
    asking = Repository(small.host, "acme/x", push=True, mount_from=["acme/base"], find_login=lambda: ADA)
    assert asking.blob_size("sha256:" + "0" * 64) is None
    assert set(server.asked[0]["scope"]) == {"repository:acme/x:pull,push", "repository:acme/base:pull"}


def test_without_a_login_it_is_said_how_to_log_in(small: SmallRegistry) -> None:
    TokenServer(small)
    with pytest.raises(WpmError, match=r"needs a login.*wpm login --registry 127.0.0.1") as caught:
        repository(small, None).manifest("1")
    assert "\n" not in str(caught.value)


def test_a_wrong_password_is_not_repeated(small: SmallRegistry) -> None:
    TokenServer(small)
    with pytest.raises(WpmError, match="is not accepted") as caught:
        repository(small, Login("ada", "falsch1", "somewhere")).manifest("1")
    assert "falsch1" not in str(caught.value) and "somewhere" in str(caught.value)
    assert "falsch1" not in repr(Login("ada", "falsch1", "somewhere"))


def test_a_server_that_repeats_the_password(small: SmallRegistry) -> None:
    small.challenge = lambda _: f'Bearer realm="{small.url}/token"'
    said = {"errors": [{"code": "DENIED", "message": "not with geheim"}]}
    for status in (401, 403, 404):
        small.token_reply = lambda _, status=status: (status, said)  # type: ignore[misc]
        with pytest.raises(WpmError) as caught:
            repository(small).manifest("1")
        assert "geheim" not in str(caught.value)


def test_basic(small: SmallRegistry) -> None:
    right = basic("ada", "geheim")
    small.challenge = lambda talk: None if talk.headers.get("Authorization") == right else 'Basic realm="r"'
    small.put_image("acme/x", "1", [b"layer"])
    assert repository(small).manifest("1")
    with pytest.raises(WpmError, match="is not accepted"):
        repository(small, Login("ada", "falsch", "p")).manifest("1")


def test_an_identity_token_is_sent_as_a_form_and_nowhere_else(small: SmallRegistry, other: SmallRegistry) -> None:
    small.challenge = lambda talk: (
        None if talk.headers.get("Authorization") == "Bearer t" else f'Bearer realm="{small.url}/token",service="s"'
    )
    forms: list[str] = []

    def reply(talk: Talk) -> tuple[int, object]:
        forms.append(talk.body.decode())
        return 200, {"access_token": "t"}

    small.token_reply = reply
    small.put_image("acme/x", "1", [b"layer"])
    login = Login("", "idtoken", "p", is_identity=True)
    assert repository(small, login).manifest("1")
    assert "refresh_token=idtoken" in forms[0] and "grant_type=refresh_token" in forms[0]
    small.faults.append(("POST /token", redirect(f"{other.url}/token")))
    with pytest.raises(WpmError, match="must not see"):
        repository(small, login).manifest("1")
    assert not other.asked


def test_a_token_server_elsewhere_must_speak_https(small: SmallRegistry) -> None:
    small.challenge = lambda _: 'Bearer realm="http://tokens.example/token",service="s"'
    with pytest.raises(WpmError, match="does not speak https"):
        repository(small).manifest("1")
    for realm in ("ftp://x/y", "https://u:p@h/t", "/token", "https://", "http://127.0.0.1.evil.example/t"):
        small.challenge = lambda _, realm=realm: f'Bearer realm="{realm}"'  # type: ignore[misc]
        with pytest.raises(WpmError):
            repository(small).manifest("1")


def test_a_token_server_on_another_host_gets_the_login_and_its_redirects_do_not(
    small: SmallRegistry, other: SmallRegistry
) -> None:
    server = TokenServer(small, at=other)
    small.put_image("acme/x", "1", [b"layer"])
    assert repository(small).manifest("1")
    assert all("Basic" not in each.headers.get("Authorization", "") for each in small.asked)
    assert len(server.asked) == 1
    other.faults.append(("GET /token", redirect(f"{small.url}/token")))
    small.token_reply = lambda _: (200, {"token": "x"})
    with pytest.raises(WpmError):
        repository(small).manifest("1")
    assert [each.headers.get("Authorization") for each in small.requests("GET /token")] == [None]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_takes_no_token_along(
    small: SmallRegistry, other: SmallRegistry, status: int, tmp_path: Path
) -> None:
    from pkgmgr.http.partial import Partial

    TokenServer(small)
    small.put_image("acme/x", "1", [b"layer"])
    other.put_image("acme/x", "1", [b"layer"])
    blob = other.put_blob("acme/x", b"layer")["digest"]
    assert isinstance(blob, str)
    asking = repository(small)
    asking.manifest("1")
    small.faults.append((f"GET .*{blob}", redirect(asking.blob_url(blob).replace(small.url, other.url), status)))
    with (tmp_path / "blob").open("w+b") as file:
        asking.fetch_blob(Partial(file, tmp_path / "blob"), blob, 5, None)
    assert (tmp_path / "blob").read_bytes() == b"layer"
    assert "Bearer" in small.requests(f"GET .*{blob}")[0].headers["Authorization"]
    assert [each.headers.get("Authorization") for each in other.asked] == [None]


def test_an_upload_location_on_another_host_gets_no_token(
    small: SmallRegistry, other: SmallRegistry, tmp_path: Path
) -> None:
    from pkgmgr.oci.uploads import Blob, upload

    TokenServer(small)
    (tmp_path / "blob").write_bytes(b"12345")
    expected = "sha256:" + "5994471abb01112afcc18159f6cc74b4f511b99806da59b3caf5a9c173cacfc5"
    other.uploads["7"] = b""
    small.faults += [
        ("POST .*", refuse(401, headers={"WWW-Authenticate": f'Bearer realm="{small.url}/token",service="small"'})),
        ("POST .*", lambda talk: talk.reply(202, {"Location": f"{other.url}/v2/acme/x/blobs/uploads/7"})),
    ]
    with pytest.raises(WpmError, match="does not have it now"):
        upload(repository(small, push=True), Blob(expected, 5, tmp_path / "blob"), lambda _: None)
    assert other.requests("PUT .*")[0].size == 5
    assert all("Authorization" not in each.headers for each in other.asked)


def test_a_challenge_of_another_host_is_not_answered(small: SmallRegistry, other: SmallRegistry) -> None:
    other.challenge = lambda _: f'Bearer realm="{other.url}/token",service="s"'
    other.token_reply = lambda _: (200, {"token": "t"})
    small.faults.append(("GET .*", redirect(f"{other.url}/v2/acme/x/manifests/1")))
    with pytest.raises(WpmError):
        repository(small).manifest("1")
    assert not any("Basic" in each.headers.get("Authorization", "") for each in other.asked)


@pytest.mark.parametrize(
    "answer",
    [(200, []), (200, {"token": ""}), (200, {"token": "a\nb"}), (200, {"token": 1}), (200, {}), (500, {}), (404, {})],
)
def test_what_is_no_token(small: SmallRegistry, answer: tuple[int, object]) -> None:
    small.challenge = lambda _: f'Bearer realm="{small.url}/token"'
    small.token_reply = lambda _: answer
    with pytest.raises(WpmError) as caught:
        repository(small).manifest("1")
    assert "\n" not in str(caught.value)


def test_a_token_that_is_good_for_ever(small: SmallRegistry) -> None:
    small.challenge = lambda _: f'Bearer realm="{small.url}/token"'
    small.token_reply = lambda _: (200, {"token": "t", "expires_in": 10**400})
    with pytest.raises(WpmError, match="not accepted"):
        repository(small).manifest("1")


def test_a_registry_that_never_is_content_is_asked_twice(small: SmallRegistry) -> None:
    small.challenge = lambda _: f'Bearer realm="{small.url}/token"'
    small.token_reply = lambda _: (200, {"token": "t", "expires_in": 3600})
    with pytest.raises(WpmError, match="not accepted"):
        repository(small).manifest("1")
    assert len(small.requests("GET /v2/.*")) == 2


def test_challenges() -> None:
    (first, second) = parse_challenges('Bearer realm="https://a/t",service="a, b",scope="r:x:pull,push", Basic realm=x')
    assert first.scheme == "bearer" and first.parameters["scope"] == "r:x:pull,push"
    assert first.parameters["service"] == "a, b"
    assert second.scheme == "basic" and second.parameters["realm"] == "x"
    assert [each.scheme for each in parse_challenges("Negotiate, Basic realm=y")] == ["negotiate", "basic"]
    assert parse_challenges("") == []


@given(st.text(max_size=200))
def test_any_header_is_challenges(text: str) -> None:
    for each in parse_challenges(text):
        assert each.scheme == each.scheme.lower()


def docker_config(tmp_path: Path, document: object) -> None:
    (tmp_path / "docker").mkdir(exist_ok=True)
    (tmp_path / "docker" / "config.json").write_text(json.dumps(document))


def find(host: str, name: str = "acme/x") -> Login | None:
    from pkgmgr.oci.logins import login_for

    return login_for(host, name)


def test_what_docker_and_podman_keep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    auth = basic("ada", "ge:heim").removeprefix("Basic ")
    docker_config(
        tmp_path,
        {
            "auths": {
                "https://index.docker.io/v1/": {"auth": auth},
                "https://GHCR.io/v2/": {"auth": basic("g", "h").removeprefix("Basic ")},
                "quay.io/acme": {"auth": basic("part", "p").removeprefix("Basic ")},
                "quay.io": {"auth": basic("whole", "p").removeprefix("Basic ")},
                "id.example": {"identitytoken": "tok"},
                "empty.example": {},
            }
        },
    )
    hub = find("docker.io")
    assert hub is not None and (hub.username, hub.secret) == ("ada", "ge:heim")
    assert find("ghcr.io") is not None
    assert (one := find("quay.io")) is not None and one.username == "part"
    assert (two := find("quay.io", "else/x")) is not None and two.username == "whole"
    assert (three := find("id.example")) is not None and three.is_identity
    assert find("empty.example") is None and find("unknown.example") is None
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {"ghcr.io": {"auth": basic("a", "b").split()[1]}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    assert (four := find("ghcr.io")) is not None and four.username == "a"
    Credentials().store_login("ghcr.io", "ours", 'pass "word\\ with all')
    assert (five := find("ghcr.io")) is not None and (five.username, five.secret) == ("ours", 'pass "word\\ with all')


def test_credential_helpers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    helper = tmp_path / "bin" / "docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(
        "#!/bin/sh\nread server\ncase $server in\n"
        'ghcr.io) echo \'{"Username":"h","Secret":"s3cret"}\';;\n'
        'id.example) echo \'{"Username":"<token>","Secret":"s3cret"}\';;\n'
        "none.example) echo credentials not found in native keychain; exit 1;;\n"
        "bad.example) echo s3cret;;\n*) echo s3cret; exit 3;;\nesac\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{helper.parent}:/usr/bin:/bin")
    docker_config(tmp_path, {"credsStore": "test", "credHelpers": {"gone.example": "gone", "x.example": "../x"}})
    assert (one := find("ghcr.io")) is not None and one.secret == "s3cret"
    assert (two := find("id.example")) is not None and two.is_identity
    for host in ("none.example", "bad.example", "broken.example", "gone.example", "x.example"):
        assert find(host) is None
    told = capsys.readouterr().err
    assert "not installed" in told and "exit code 3" in told and "s3cret" not in told


@pytest.mark.parametrize("text", ["", "[]", "{", '{"auths": 1}', '{"auths": {"h": {"auth": "?"}}}', "[" * 100_000])
def test_a_damaged_configuration_of_docker_is_passed_over(tmp_path: Path, text: str) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_text(text)
    assert find("h") is None


def test_login_and_logout(small: SmallRegistry, wpm: Callable[..., Done], tmp_path: Path) -> None:
    right = basic("ada", "geheim")
    small.challenge = lambda talk: None if talk.headers.get("Authorization") == right else 'Basic realm="r"'
    done = wpm("login", "--registry", small.host, "-u", "ada", "--token", "falsch")
    assert done.code == 1 and "is not accepted" in done.err and "falsch" not in done.err
    assert not (tmp_path / "config" / "credentials.toml").exists()
    done = wpm("login", "--registry", f"oci://{small.host}", "-u", "ada", "--token", "geheim", "--json")
    assert json.loads(done.out)["checked"] is True
    kept = tmp_path / "config" / "credentials.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    small.put_image("acme/x", "1", [b"layer"])
    assert Repository(small.host, "acme/x").manifest("1")
    done = wpm("logout", "--registry", small.host)
    assert "logged out" in done.out and "geheim" not in kept.read_text()
    done = wpm("login", "--registry", small.host, "--token", "x")
    assert done.code == 1 and "--username" in done.err


def test_a_token_of_a_package_registry_is_not_shown_to_an_oci_registry(small: SmallRegistry) -> None:
    Credentials().store(small.url, "wap_secret")
    small.put_image("acme/x", "1", [b"layer"])
    Repository(small.host, "acme/x").manifest("1")
    assert all("Authorization" not in each.headers for each in small.asked)
