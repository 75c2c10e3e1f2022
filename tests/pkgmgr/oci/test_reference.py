"""References: what is one, in which form it is written down, and where it is asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.oci.reference import api_url, is_loopback, parse_host, parse_reference, parse_typed
from pkgmgr.source import OciSource, parse_dependency, parse_source

HEX = "0123456789abcdef" * 4
PART = st.from_regex(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)?", fullmatch=True).filter(lambda text: len(text) < 30)
HOST = st.sampled_from(["ghcr.io", "127.0.0.1:5000", "localhost", "[::1]:8080", "docker.io", "a-b.c.example:443"])
TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("oci://ghcr.io/acme/tool:1.2", "oci://ghcr.io/acme/tool:1.2"),
        ("oci://GHCR.io/acme/tool", "oci://ghcr.io/acme/tool:latest"),
        ("oci://docker.io/alpine", "oci://docker.io/library/alpine:latest"),
        ("oci://index.docker.io/a/b:1", "oci://docker.io/a/b:1"),
        (f"oci://h:5000/n:1@sha256:{HEX}", f"oci://h:5000/n@sha256:{HEX}"),
        ("oci://[::1]:5000/n", "oci://[::1]:5000/n:latest"),
    ],
)
def test_forms(text: str, form: str) -> None:
    assert str(parse_reference(text)) == form
    assert parse_source(text) == OciSource(form)
    assert parse_dependency("acme/tool", text) == OciSource(form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("alpine", "oci://docker.io/library/alpine:latest"),
        ("acme/tool:1", "oci://docker.io/acme/tool:1"),
        ("localhost/tool", "oci://localhost/tool:latest"),
        ("localhost:5000/tool:2", "oci://localhost:5000/tool:2"),
        ("ghcr.io/a/b/c", "oci://ghcr.io/a/b/c:latest"),
        ("docker://ghcr.io/a/b", "oci://ghcr.io/a/b:latest"),
        ("oci://ghcr.io/a/b", "oci://ghcr.io/a/b:latest"),
    ],
)
def test_as_docker_writes_them(text: str, form: str) -> None:
    assert str(parse_typed(text)) == form


@pytest.mark.parametrize(
    "text",
    [
        "oci://",
        "oci://host",
        "oci://host/",
        "oci:///name",
        "oci://host/Name",
        "oci://host/../name",
        "oci://host/a//b",
        "oci://host/a/",
        "oci://host/a:",
        "oci://host/a:b/c",
        "oci://host/a@sha256:12",
        f"oci://host/a@sha512:{HEX}{HEX}",
        f"oci://host/a@sha256:{HEX.upper()}",
        "oci://host:0/a",
        "oci://host:65536/a",
        "oci://-host/a",
        "oci://host/a?b=c",
        "oci://host/a#b",
        "oci://host/" + "a" * 256,
        "oci://host/a:" + "t" * 129,
        "OCI://host/a",
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(WpmError) as caught:
        parse_reference(text)
    assert "\n" not in str(caught.value)


def test_a_password_in_a_reference_is_not_repeated() -> None:
    with pytest.raises(WpmError) as caught:
        parse_source("oci://ada:geheim@host/name:1")
    assert "geheim" not in str(caught.value) and "wpm login" in str(caught.value)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("ghcr.io", "https://ghcr.io"),
        ("docker.io", "https://registry-1.docker.io"),
        ("localhost:5000", "http://localhost:5000"),
        ("127.1.2.3:80", "http://127.1.2.3:80"),
        ("[::1]:5000", "http://[::1]:5000"),
        ("[0:0:0:0:0:0:0:1]", "http://[0:0:0:0:0:0:0:1]"),
        ("localhost:443", "https://localhost:443"),
        ("127.0.0.1.example.com", "https://127.0.0.1.example.com"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("[::2]", "https://[::2]"),
        ("10.0.0.1:5000", "https://10.0.0.1:5000"),
    ],
)
def test_plain_http_is_for_the_loopback(host: str, url: str) -> None:
    assert api_url(parse_host(host)) == url
    assert is_loopback(host) is url.startswith("http:")


@given(HOST, st.lists(PART, min_size=1, max_size=4), TAG)
def test_the_one_form_is_its_own(host: str, parts: list[str], tag: str) -> None:
    reference = parse_reference(f"oci://{host}/{'/'.join(parts)}:{tag}")
    assert parse_reference(str(reference)) == reference == parse_typed(str(reference))
    assert OciSource(str(reference)).repository == f"oci://{reference.repository}"


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_an_error(text: str) -> None:
    for parse in (parse_reference, parse_typed):
        for each in (text, f"oci://{text}"):
            try:
                reference = parse(each)
            except WpmError as error:
                assert "\n" not in str(error)
            else:
                assert parse_reference(str(reference)) == reference
