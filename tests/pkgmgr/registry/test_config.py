"""The configuration: what is in the file, what may be, and that changing it keeps the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.registry.place import is_host_of, parse_place, parse_url
from pkgmgr.settings.config import Configuration, parse_configuration, pattern_of
from pkgmgr.settings.config_file import get_key, set_key, unset_key

FILE = Path("/home/me/config.toml")
WHOLE = """\
# ours
[registries]
"Acme/*" = "https://Registry.ACME.example:443/graphql/"  # the company's
"local/*" = "packages"
"_/*" = "file:///srv/packages"
"wpm/*" = "embedded"
"*" = "http://127.0.0.1:8080"

[mirrors]
"https://registry.acme.example" = ["https://one.example/graphql", "https://registry.acme.example/graphql"]
"""


def test_what_it_says() -> None:
    configuration = parse_configuration(WHOLE.encode(), FILE)
    assert configuration.registries == {
        "acme/*": "https://registry.acme.example/graphql",
        "local/*": "/home/me/packages",
        "_/*": "/srv/packages",
        "wpm/*": "embedded",
        "*": "http://127.0.0.1:8080/graphql",
    }
    assert configuration.mirrors == {
        "https://registry.acme.example/graphql": (
            "https://one.example/graphql",
            "https://registry.acme.example/graphql",
        )
    }
    assert configuration.warnings == ()
    assert configuration.place("aCmE/tool") == "https://registry.acme.example/graphql"
    assert configuration.place("bare") == "/srv/packages"
    assert configuration.place("other/tool") is None


def test_one_that_is_not_there_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPM_CONFIG_DIR", str(tmp_path / "none"))
    assert Configuration.load() == Configuration(tmp_path / "none" / "config.toml")
    (tmp_path / "file").touch()
    assert Configuration.load(tmp_path / "file" / "config.toml").registries == {}
    os.mkfifo(tmp_path / "config.toml")
    with pytest.raises(WpmError, match="not a file"):
        Configuration.load(tmp_path / "config.toml")


def test_what_is_not_known_is_told_and_what_is_wrong_is_an_error() -> None:
    configuration = parse_configuration(b'registry = "x"\n[registries]\n"a/*" = "embedded"\n[color]\n', FILE)
    assert [warning for warning in configuration.warnings if "'registry'" in warning or "'color'" in warning]
    for text, words in (
        ("registries = 1", "key registries"),
        ('[registries]\n"acme" = "embedded"', "NAMESPACE/*"),
        ('[registries]\n"acme*" = "embedded"', "NAMESPACE/*"),
        ('[registries]\n"acme/tool" = "embedded"', "NAMESPACE/*"),
        ('[registries]\n"a/*/*" = "embedded"', "NAMESPACE/*"),
        ('[registries]\n"../*" = "embedded"', "NAMESPACE/*"),
        ('[registries]\n"a/*" = 7', "expected a directory"),
        ('[registries]\n"a/*" = ""', "not a registry"),
        ('[registries]\n"a/*" = "ftp://x/y"', "not a registry"),
        ('[registries]\n"a/*" = "https://me:secret@x.example/graphql"', "wpm login"),
        ('[registries]\n"a/*" = "https://x.example/graphql?x"', "query"),
        ('[registries]\n"a/*" = "~nobody-here/x"', "home"),
        ('[registries]\n"a/*" = "embedded"\n"A/*" = "embedded"', "twice"),
        ('[mirrors]\n"x" = ["https://a.example"]', "expected https://"),
        ('[mirrors]\n"https://x.example" = "https://a.example"', "list of URLs"),
        ('[mirrors]\n"https://x.example" = []', "list of URLs"),
        ('[mirrors]\n"https://x.example" = ["/dir"]', "expected https://"),
        ("[registries", "not TOML"),
        ("[[registries]]", "key registries"),
    ):
        with pytest.raises(WpmError) as caught:
            parse_configuration(text.encode(), FILE)
        message = str(caught.value)
        assert message.startswith(str(FILE)) and words in message and "secret" not in message, (text, message)
        assert message.isprintable()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80) | st.text(alphabet='[]"=*/ab.\n#\\:', max_size=60).map(str.encode))
def test_whatever_is_in_the_file(data: bytes) -> None:
    try:
        configuration = parse_configuration(data, FILE)
    except WpmError as error:
        assert str(error).isprintable()
        return
    assert all(place.startswith(("/", "http")) or place == "embedded" for place in configuration.registries.values())


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40) | st.from_regex(r"https?://[A-Za-z0-9.@:\[\]-]{1,20}(/[a-z/?#]{0,8})?", fullmatch=True))
def test_a_place_has_one_form(text: str) -> None:
    try:
        place = parse_place(text, Path("/work"))
    except WpmError as error:
        assert str(error).isprintable()
        return
    assert parse_place(place, Path("/elsewhere")) == place


def test_urls_and_hosts() -> None:
    assert parse_url("HTTPS://Registry.Wasmer.IO") == "https://registry.wasmer.io/graphql"
    assert parse_url("http://[::1]:80/graphql/") == "http://[::1]/graphql"
    url = "https://registry.wasmer.io/graphql"
    assert is_host_of("registry.wasmer.io", url) and is_host_of("wasmer.io", url) and is_host_of("Wasmer.io", url)
    assert not is_host_of("io", url) and not is_host_of("evil.wasmer.io", url) and not is_host_of("", url)
    assert is_host_of("127.0.0.1:8080", "http://127.0.0.1:8080/graphql")
    assert not is_host_of("127.0.0.1", "http://127.0.0.1:8080/graphql")


def test_changing_it_keeps_comments_and_order(tmp_path: Path) -> None:
    path = tmp_path / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(WHOLE)
    path.chmod(0o600)
    set_key(path, "registries.acme/*", ["https://other.example"])
    set_key(path, "registries.new/*", ["dir"])
    set_key(path, 'mirrors."https://REGISTRY.acme.example/graphql"', ["https://two.example"])
    assert unset_key(path, "registries.*")
    assert not unset_key(path, "registries.*")
    text = path.read_text()
    assert text.startswith('# ours\n[registries]\n"Acme/*" = "https://other.example/graphql"  # the company\'s\n')
    configuration = Configuration.load(path)
    assert get_key(configuration, "registries.ACME/*") == ["https://other.example/graphql"]
    assert get_key(configuration, "registries.new/*") == [str(Path.cwd() / "dir")]
    assert get_key(configuration, "mirrors.https://registry.acme.example") == ["https://two.example/graphql"]
    assert get_key(configuration, "registries.*") == []
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["config.toml"]


def test_what_is_wrong_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    for key, values in (
        ("registries.acme", ["embedded"]),
        ("registries.acme/*", ["ftp://x"]),
        ("registries.acme/*", ["embedded", "embedded"]),
        ("mirrors.https://x.example", ["/dir"]),
        ("mirrors.x", ["https://x.example"]),
        ("color", ["red"]),
        ("registries", ["x"]),
    ):
        with pytest.raises(WpmError):
            set_key(path, key, values)
    assert not path.parent.exists()
    path.parent.mkdir()
    path.write_text("registries = 7\n")
    with pytest.raises(WpmError, match="key registries"):
        set_key(path, "registries.acme/*", ["embedded"])
    assert path.read_text() == "registries = 7\n"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles/wpm.toml").write_text("# mine\n")
    path = tmp_path / "config.toml"
    path.symlink_to("dotfiles/wpm.toml")
    set_key(path, "registries.a/*", ["embedded"])
    assert path.is_symlink()
    assert (tmp_path / "dotfiles/wpm.toml").read_text().startswith("# mine\n")


@settings(max_examples=60, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,8}", fullmatch=True))
def test_every_namespace_can_be_set(tmp_path_factory: pytest.TempPathFactory, namespace: str) -> None:
    path = tmp_path_factory.mktemp("set") / "config.toml"
    set_key(path, f"registries.{namespace}/*", ["embedded"])
    assert list(Configuration.load(path).registries) == [pattern_of(f"{namespace}/x")]
    assert tomli.loads(path.read_text())
    assert unset_key(path, f"registries.{namespace.upper()}/*")
