"""The same verbs with a registry over HTTP, and without one: what was heard and fetched before goes on working."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import tomli

from pkgmgr.http.cache import MetadataCache
from pkgmgr.http.client import HttpClient
from pkgmgr.registry.graphql import GraphqlRegistry
from pkgmgr.server.serve import RegistryServer
from pkgmgr.store import Store
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from make_packages import RegistryMaker

Wpm = Any
CLOSED = "http://127.0.0.1:9/graphql"


@pytest.fixture
def server(project: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> Iterator[RegistryServer]:
    assert project
    with RegistryServer(registry.root) as server:
        monkeypatch.setenv("WPM_REGISTRY", server.url)
        yield server


def dependencies(project: Path) -> dict[str, str]:
    found: dict[str, str] = tomli.loads((project / "wasmer.toml").read_text())["dependencies"]
    return found


def locked(project: Path) -> dict[str, str]:
    lock = tomli.loads((project / "wasmer.lock").read_text())
    return {package["name"]: package["version"] for package in lock.get("package", ())}


def test_the_verbs_of_a_day_over_http(server: RegistryServer, project: Path, registry: RegistryMaker, wpm: Wpm) -> None:
    done = wpm("add", "acme/tool@^1.0")
    assert done.code == 0 and "2 packages installed (2 fetched" in done.out, done
    assert f'source = "registry+{server.url}"' in (project / "wasmer.lock").read_text()
    registry.add("acme/tool", "1.2.0", {"acme/data": "^1.1"}, commands=("tool",))
    registry.add("acme/tool", "2.0.0", commands=("tool",))
    told = json.loads(wpm("outdated", "--refresh", "--json").out)
    assert [(each["current"], each["compatible"], each["latest"]) for each in told] == [("1.1.0", "1.2.0", "2.0.0")]
    assert wpm("update").out.splitlines()[0] == "acme/tool 1.1.0 -> 1.2.0"
    assert [line.split()[:2] for line in wpm("search", "acme/to").out.splitlines()] == [["acme/tool", "2.0.0"]]
    shown = json.loads(wpm("show", "acme/tool@1.0.0", "--json").out)
    assert shown["registry"] == server.url and shown["dependencies"] == {"acme/data": "acme/data@^1"}
    assert shown["version"] == "1.0.0" and len(shown["sha256"]) == 64
    assert wpm("lock", "--check").code == 0
    assert wpm("remove", "acme/tool").code == 0 and locked(project) == {}


def test_a_check_over_http_notices_another_file(
    server: RegistryServer, project: Path, registry: RegistryMaker, wpm: Wpm
) -> None:
    assert wpm("add", "acme/data").code == 0 and wpm("lock", "--check").code == 0
    registry.add("acme/data", "1.1.0", files={"a.txt": b"not what it was"})
    done = wpm("lock", "--check")
    assert done.code == 1 and "acme/data@1.1.0" in done.err and server.url in done.err, done
    assert locked(project) == {"acme/data": "1.1.0"}


def test_offline_what_was_fetched_can_be_added(
    project: Path, registry: RegistryMaker, wpm: Wpm, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with RegistryServer(registry.root) as server:
        monkeypatch.setenv("WPM_REGISTRY", server.url)
        assert wpm("add", "acme/tool", "--project", project).code == 0
        # Newer ones are heard of, but never fetched.
        registry.add("acme/tool", "1.2.0", {"acme/data": "^1.2"}, commands=("tool",))
        registry.add("acme/data", "1.2.0")
        assert wpm("show", "acme/tool", "--refresh").out.startswith("acme/tool 1.2.0")
        assert wpm("show", "acme/data", "--refresh").code == 0
        assert wpm("show", "plain").code == 0
    assert wpm("init", tmp_path / "other", "--bare").code == 0
    other = tmp_path / "other"
    done = wpm("add", "acme/tool", "--offline", "--project", other)
    assert done.code == 0 and dependencies(other) == {"acme/tool": "^1.1.0"}, done
    assert locked(other) == {"acme/tool": "1.1.0", "acme/data": "1.1.0"}
    assert wpm("install", "--locked", "--offline", "--project", other).code == 0
    assert wpm("add", "wpm/hello", "--offline", "--project", other).code == 0
    before = (other / "wasmer.toml").read_bytes(), (other / "wasmer.lock").read_bytes()
    for words, what in (
        (("add", "plain"), "--offline"),
        (("add", "acme/never"), "--offline"),
        (("add", "acme/tool@1.2"), "--offline"),
        (("add", "https://127.0.0.1:9/x.webc"), "--offline"),
    ):
        done = wpm(*words, "--offline", "--project", other)
        assert done.code == 1 and what in done.err, (words, done)
        assert before == ((other / "wasmer.toml").read_bytes(), (other / "wasmer.lock").read_bytes())
    assert wpm("remove", "acme/tool", "--offline", "--project", other).code == 0
    assert wpm("update", "--offline", "--project", other).code == 0
    assert wpm("outdated", "--offline", "--project", project).code == 0
    check = wpm("lock", "--check", "--offline", "--project", project)
    assert check.code == 0 and check.err.count("not asked") == 1


def test_a_page_is_no_package(server: RegistryServer, project: Path, wpm: Wpm) -> None:
    url = server.base_url + "/"
    done = wpm("add", url)
    assert done.code == 1 and f"wpm: {url}: what is there is no package: not a WEBC container" in done.err
    assert not list(Store.default().objects()) and dependencies(project) == {}


def test_a_package_of_a_url_is_added_by_its_name(server: RegistryServer, project: Path, wpm: Wpm) -> None:
    assert wpm("add", "acme/data", "--no-install").code == 0
    shown = GraphqlRegistry(server.url, HttpClient(), MetadataCache(project / "m"), Store.default())
    url = shown.locate("acme/data", Version.parse("1.0.0")).url
    done = wpm("add", url)
    assert done.code == 0 and dependencies(project) == {"acme/data": url}, done
    assert locked(project) == {"acme/data": "1.0.0"}
    assert wpm("install", "--locked", "--offline").code == 0
    assert wpm("add", f"theirs={url}", "--offline").code == 0 and "theirs" in dependencies(project)


def test_a_registry_that_is_gone_is_told_in_one_line(project: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WPM_REGISTRY", CLOSED)
    before = (project / "wasmer.toml").read_bytes()
    for words in (("add", "acme/tool"), ("show", "acme/tool"), ("search", "qqqqq")):
        done = wpm(*words)
        assert done.code == 1 and "127.0.0.1:9" in done.err and done.err.count("\n") == 1, done
    assert (project / "wasmer.toml").read_bytes() == before and not (project / "wasmer.lock").exists()
