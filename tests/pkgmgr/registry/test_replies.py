"""Answers of registries that may be anything."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reply_server import Reply, answer, distribution, package, replying

from pkgmgr.errors import WpmError
from pkgmgr.registry.replies import (
    LONGEST_URL,
    error_texts,
    package_name,
    read_distribution,
    read_found,
    read_manifest,
    read_offer,
    read_package,
    read_release,
    read_url,
)
from pkgmgr.source import check_name
from pkgmgr.version import Version
from webc_parser import WebcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pkgmgr.registry.graphql import GraphqlRegistry

    ClientFor = Callable[..., GraphqlRegistry]

BASE = "https://registry.example/graphql"
ONE = Version.parse("1.0.0")
WORDS = (
    "packageName namespace versions version isArchived v2 v3 piritaDownloadUrl piritaSha256Hash piritaSize webcManifest",
    "webcVersion edges node package description message path webcUrl webcSha256 piritaManifest fileSize",
)
KEYS = st.sampled_from([key for words in WORDS for key in words.split()])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["1.0.0", "V3", "V2", "a" * 64, "/x", "https://x.example/y", "acme", "tool", "{}", "\x1b[2J"])
)
ANYTHING = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_whatever_comes_is_read_or_refused_in_a_line(value: Any) -> None:
    readers: list[Callable[[Any], Any]] = [
        lambda value: read_package(value, "acme/tool", BASE),
        lambda value: read_offer(value, BASE),
        lambda value: read_distribution(value, "v3", BASE),
        lambda value: read_release(value, "a" * 64, BASE),
        read_found,
        error_texts,
        read_manifest,
    ]
    for reader in readers:
        try:
            reader(value)
        except (WpmError, WebcError) as error:
            assert "\n" not in str(error) and "\x1b" not in str(error)


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=30)
    | st.from_regex(r"(https?|file|ftp|javascript|//)?:?/?/?[a-z.@:\[\]0-9 ?#\\-]{0,20}", fullmatch=True)
)
def test_a_url_is_absolute_and_http_or_refused(text: str) -> None:
    try:
        url = read_url(text, BASE)
    except WpmError as error:
        assert "\n" not in str(error)
        return
    assert re.fullmatch(r"https?://[!-~]+", url) and "@" not in urlsplit(url).netloc


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("/packages/a.webc", "https://registry.example/packages/a.webc"),
        ("https://cdn.example/a.webc?sig=1", "https://cdn.example/a.webc?sig=1"),
        ("//cdn.example/a.webc", "https://cdn.example/a.webc"),
        ("file:///etc/passwd", None),
        ("javascript:1", None),
        ("https://user:secret@cdn.example/a", None),
        ("https://[::1", None),
        ("https://x.example/\n", None),
        ("x" * (LONGEST_URL + 1), None),
        (7, None),
    ],
)
def test_urls(text: object, url: str | None) -> None:
    if url is not None:
        assert read_url(text, BASE) == url
        return
    with pytest.raises(WpmError):
        read_url(text, BASE)


def test_versions_that_cannot_be_had_are_passed_over() -> None:
    good = {"version": "1.0.0", "v3": distribution()}
    value = {
        "packageName": "tool",
        "namespace": "acme",
        "versions": [
            good,
            None,
            "1.2.3",
            {"version": "latest", "v3": distribution()},
            {"version": "1.1.0", "v3": None, "v2": None},
            {"version": "1.2.0", "v3": distribution(piritaSha256Hash=None)},
            {"version": "1.3.0", "v3": distribution(piritaSha256Hash="xyz")},
            {"version": "1.4.0", "v3": distribution(piritaDownloadUrl="file:///x")},
            {"version": "1.5.0", "v3": distribution(piritaDownloadUrl=None), "v2": distribution(webcVersion=None)},
        ],
    }
    offers = read_package(value, "acme/tool", BASE)
    assert offers is not None
    assert [str(version) for version in offers] == ["1.0.0", "1.5.0"]
    assert offers[Version.parse("1.5.0")].distributions[0].format == "v2"
    assert read_package(None, "acme/tool", BASE) is None
    assert read_package({**value, "versions": None}, "acme/tool", BASE) == {}


@pytest.mark.parametrize(
    "value",
    [
        [],
        "acme/tool",
        {},
        {"packageName": "tool", "namespace": "other", "versions": []},
        {"packageName": "Tool", "namespace": "acme", "versions": []},
        {"packageName": "../x", "namespace": "acme", "versions": []},
        {"packageName": "tool", "namespace": "acme", "versions": {}},
        {"packageName": "tool", "namespace": "acme", "versions": [None] * 10_001},
    ],
)
def test_what_is_no_answer_for_the_package(value: object) -> None:
    with pytest.raises(WpmError):
        read_package(value, "acme/tool", BASE)


@given(st.text(max_size=10), st.text(max_size=10) | st.none())
def test_a_name_is_in_its_one_form_or_refused(name: str, namespace: str | None) -> None:
    try:
        found = package_name({"packageName": name, "namespace": namespace})
    except WpmError:
        return
    assert check_name(found) == found


@pytest.mark.parametrize("size", [0, -1, True, 1.5, "x", "9" * 30, 1 << 60, [], None])
def test_a_size_that_is_none_is_not_known(size: object) -> None:
    found = read_distribution(distribution(piritaSize=size), "v3", BASE)
    assert found is not None and found.size is None


def hostile(manifest: object) -> str:
    return manifest if isinstance(manifest, str) else json.dumps(manifest)


RUNNER = {"runner": "https://webc.org/runner/wasi", "annotations": {"atom": {"name": "x"}}}


@pytest.mark.parametrize(
    "manifest",
    [
        "{",
        "[]",
        "[" * 100_000,
        '{"package": 7}',
        {"commands": {"x": 1}},
        {"use": {"a": "/etc/passwd"}},
        {"use": {"a": "file:///etc/passwd"}},
        {"use": {"a": "b c d"}},
        {"use": {"\x1b[2J": "a/b"}},
        {"use": {f"a{number}": "a/b" for number in range(1001)}},
        {"commands": {"\n": RUNNER}},
        {"package": {"fs": [{"volume_name": "v", "mount_path": "/a\nb"}]}},
        {"package": {"fs": {}}},
        {"entrypoint": "\x07"},
    ],
)
def test_a_manifest_that_cannot_be(manifest: object, client_for: ClientFor) -> None:
    with replying(answer(package("acme/tool", "1.0.0", webcManifest=hostile(manifest)))) as server:
        registry = client_for(server.url)
        assert registry.versions("acme/tool") == [ONE]
        with pytest.raises(WpmError) as caught:
            registry.summary("acme/tool", ONE)
        message = str(caught.value)
        assert message.startswith(f"{server.url}: acme/tool 1.0.0: ")
        assert message.isprintable() and len(message) < 500


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b"<html>log in</html>", {"Content-Type": "text/html"}), "HTML"),
        (Reply(b"{"), "not JSON"),
        (Reply([]), "not one of GraphQL"),
        (Reply({}), "not one of GraphQL"),
        (Reply({"data": []}), "not one of GraphQL"),
        (Reply({"data": None}), "empty"),
        (
            Reply({"data": None, "errors": [{"message": "out\nof \x1b[31morder"}]}),
            "the registry says: out of [31morder",
        ),
        (Reply({"errors": ["broken"]}), "the registry says: broken"),
        (Reply({"data": {"p0": None}, "errors": [{"message": "secret package"}]}), "the registry says: secret package"),
        (Reply({"data": {"p0": None}, "errors": [{"message": "no", "path": ["p0"]}]}), "the registry says: no"),
        (Reply({"data": {"p0": 7}}), "not an object"),
        (Reply({"data": {"p0": {"packageName": "else", "namespace": "acme"}}}), "called acme/else"),
        (Reply({"errors": [{"message": "slow down"}]}, status=400), "slow down"),
        (Reply(b"", status=404), "404"),
        (Reply(b"", status=401), "wpm login"),
        (Reply(b"", status=500), "500"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(reply: Reply, words: str, client_for: ClientFor) -> None:
    with replying(reply) as server:
        registry = client_for(server.url)
        registry.prefetch(["acme/tool"])
        with pytest.raises(WpmError) as caught:
            registry.versions("acme/tool")
        message = str(caught.value)
        assert words in message and server.url in message and "acme/tool" in message
        assert message.isprintable()


def test_what_is_there_serves_beside_what_is_not(client_for: ClientFor) -> None:
    partial = {
        "data": {"p0": package("acme/a", "1.0.0"), "p1": None, "p2": None},
        "errors": [{"message": "acme/b is broken", "path": ["p1"]}, {"message": "odd", "path": [7]}, 7],
    }
    deep = answer(package("acme/a", "1.0.0")) | {"errors": [{"message": "x", "path": ["p0", "versions", 3]}]}
    with replying(partial, {"data": {"p0": None}, "errors": [{"message": "still", "path": ["p0"]}]}) as server:
        registry = client_for(server.url)
        registry.prefetch(["acme/a", "acme/b", "acme/c"])
        assert registry.versions("acme/a") == [ONE]
        assert registry.versions("acme/c") == []
        with pytest.raises(WpmError, match="still"):
            registry.versions("acme/b")
        assert len(server.asked) == 2
    with replying(deep) as server:
        assert client_for(server.url).versions("acme/a") == [ONE]


def test_a_name_is_never_part_of_the_question(client_for: ClientFor) -> None:
    with replying(answer(None)) as server:
        registry = client_for(server.url)
        registry.versions('x") { secret }')
        registry.prefetch(['a"b'])
        assert all("secret" not in asked.query and '"' not in asked.query for asked in server.asked)


def test_a_search_that_finds_nonsense(client_for: ClientFor) -> None:
    def node(name: object, version: object, **rest: object) -> object:
        return {"node": {"package": {"packageName": name, "namespace": "acme"}, "version": version, **rest}}

    edges = [
        None,
        {"node": None},
        {"node": {"__typename": "User"}},
        node("../x", "1.0.0"),
        node("tool", "latest"),
        node("tool", "1.0.0", description="a\n\x1b[2Jb"),
        node("tool", "2.0.0"),
        node("gone", "1.0.0", isArchived=True, description=7),
    ]
    with replying({"data": {"search": {"edges": edges}}}) as server:
        found = client_for(server.url).search("x", 10)
        assert [tuple(each) for each in found] == [("acme/tool", ONE, "a [2Jb"), ("acme/gone", None, "")]
    for broken in ({"data": {"search": None}}, {"data": {"search": {"edges": 1}}}):
        with replying(broken) as server, pytest.raises(WpmError, match="search"):
            client_for(server.url).search("x", 10)
