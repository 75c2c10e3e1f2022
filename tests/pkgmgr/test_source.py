"""Package sources as Wasmer writes them, and as nobody should."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.source import (
    HashSource,
    NamedSource,
    PackageSource,
    PathSource,
    UrlSource,
    parse_dependency,
    parse_source,
    split_name,
)
from pkgmgr.version import ANY, Requirement

DIGEST = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("ns/name", NamedSource("ns/name")),
        ("ns/name@", NamedSource("ns/name")),
        ("ns/name@latest", NamedSource("ns/name")),
        ("ns/name@^1.2", NamedSource("ns/name", Requirement.parse("^1.2"))),
        ("ns/name@>=1, <2", NamedSource("ns/name", Requirement.parse(">=1, <2"))),
        ("alpha", NamedSource("alpha")),
        ("_/alpha@1", NamedSource("alpha", Requirement.parse("1"))),
        ("reg.example:ns/name@1", NamedSource("ns/name", Requirement.parse("1"), "reg.example")),
        (f"sha256:{DIGEST}", HashSource(DIGEST)),
        (f"sha256:{DIGEST.upper()}", HashSource(DIGEST)),
        ("https://host/x/y@1.0.0", UrlSource("https://host/x/y@1.0.0")),
        ("http://127.0.0.1:8080/x.webc", UrlSource("http://127.0.0.1:8080/x.webc")),
        ("file:///some/a%20b.webc", PathSource("/some/a b.webc")),
        ("./x.webc", PathSource("./x.webc")),
        ("x.webc", PathSource("x.webc")),
        ("../dir", PathSource("../dir")),
        ("dir/", PathSource("dir/")),
        ("/abs/x", PathSource("/abs/x")),
        (".", PathSource(".")),
    ],
)
def test_forms(text: str, source: PackageSource) -> None:
    assert parse_source(text) == source
    assert parse_source(str(source)).__class__ is source.__class__


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "a/b/c",
        "/".join("ab") + "@tag",
        "ns/@1",
        "a b",
        "ns/na me",
        "sha256:12",
        "ftp://host/x",
        "https://",
        "file://host/x",
        "ns/..",
        "ns/.hidden",
        "a\0b",
        "ns/x@1@2",
        "http://[::1/x",
        "x" * 5000,
        "ns/" + "x" * 200,
        "../a\nb",
        "a$:ns/x",
        "http://h:99999/x",
        "https://me:secret@host/x.webc",
    ],
)
def test_what_is_no_source(text: str) -> None:
    with pytest.raises(WpmError) as caught:
        parse_source(text)
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"[a-z./@:~^*0-9_-]{1,30}", fullmatch=True))
def test_any_text_is_a_source_or_an_error_and_no_name_leaves_its_folder(text: str) -> None:
    try:
        source = parse_source(text)
    except WpmError as error:
        assert "\n" not in str(error)
        return
    assert parse_source(str(source)) in (source, parse_source(str(source)))
    if isinstance(source, NamedSource):
        path = Path("/root").joinpath(*split_name(source.name))
        assert path.parent.parent == Path("/root")
        assert ".." not in path.parts


def test_paths_start_at_a_folder() -> None:
    assert PathSource("../x.webc").below(Path("/a/b")) == Path("/a/b/../x.webc")
    assert PathSource("/x.webc").below(Path("/a/b")) == Path("/x.webc")
    assert PathSource("~/x.webc").below(Path("/a/b")) == Path.home() / "x.webc"
    with pytest.raises(WpmError, match="nobody-at-all"):
        PathSource("~nobody-at-all/x.webc").below(Path("/a"))


def test_dependencies() -> None:
    assert parse_dependency("ns/x", "^1") == NamedSource("ns/x", Requirement.parse("^1"))
    assert parse_dependency("ns/x", "*") == NamedSource("ns/x", ANY)
    assert parse_dependency("alias", "ns/x@^1") == NamedSource("ns/x", Requirement.parse("^1"))
    assert parse_dependency("alias", "./x.webc") == PathSource("./x.webc")
    for alias, text in [("ns/x", "newest"), ("ns/x", ""), ("../x", "1"), ("ns/x", "^^1")]:
        with pytest.raises(WpmError):
            parse_dependency(alias, text)
