"""A registry over the network against the real server: it says what the directory behind it says."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from make_packages import EMPTY_MODULE, RegistryMaker, write_package

import registry_fixtures
from pkgmgr.errors import WpmError
from pkgmgr.locks.lockfile import BY_HASH, NETWORK, REGISTRY
from pkgmgr.registry import DirectoryRegistry
from pkgmgr.server.serve import RegistryServer
from pkgmgr.store import Store
from pkgmgr.version import Version
from webc_parser.version import Version as WebcVersion
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.registry.graphql import GraphqlRegistry

    ClientFor = Callable[..., GraphqlRegistry]

ONE = Version.parse("1.0.0")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "registry"
    shutil.copytree(registry_fixtures.ROOT / "packages", root / "packages")
    return root


@pytest.fixture
def server(root: Path) -> Iterator[RegistryServer]:
    with RegistryServer(root) as server:
        yield server


def write_old(path: Path, name: str) -> Path:
    """A package of container version 2 without an `fs` table, whose files are in the volume `atom`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_container(
        path,
        manifest={
            "package": {"wapm": {"name": name, "version": "1.0.0", "description": ""}},
            "use": {},
            "commands": {
                "old": {"runner": "https://webc.org/runner/wasi", "annotations": {"wasi": {"atom": "module"}}}
            },
        },
        atoms={"module": EMPTY_MODULE},
        volumes={"atom": {"share": {"a.txt": b"a"}}},
        version=WebcVersion.V2,
    )
    return path


def test_it_says_of_every_package_what_its_file_says(
    root: Path, server: RegistryServer, client_for: ClientFor, tmp_path: Path
) -> None:
    maker = root / "packages"
    write_package(
        maker / "_/bare/1.0.0.webc", "bare", "1.0.0", {"d": "wpm/hello@^1", "h": f"sha256:{'a' * 64}"}, ("x",)
    )
    write_package(maker / "acme/quiet/1.0.0.webc", files={"a": b"1"})
    write_package(maker / "acme/two/1.0.0.webc", "acme/two", "1.0.0", commands=("b", "a"))
    write_package(maker / "acme/two/1.1.0-rc.1.webc", "acme/two", "1.1.0-rc.1")
    directory = DirectoryRegistry(root, REGISTRY, "the directory")
    registry = client_for(server.url)
    asked = 0
    for name in directory.names():
        versions = directory.versions(name)
        assert sorted(registry.versions(name)) == sorted(versions)
        for version in versions:
            here, there = directory.summary(name, version), registry.summary(name, version)
            assert str(there.location).startswith(f"{server.base_url}/packages/")
            assert there.source == f"{NETWORK}{server.url}"
            assert replace(there, source=here.source, location=here.location) == here
            found = registry.by_hash(here.sha256)
            assert found is not None and found.source == BY_HASH
            if name != "acme/quiet":
                assert replace(found, source=here.source, location=here.location) == here
            asked += 1
    assert asked > 15
    # All of that was in what the server said: nothing was downloaded.
    assert Store(tmp_path / "store").info().objects == 0


def test_an_old_package_is_looked_into(
    root: Path, server: RegistryServer, client_for: ClientFor, tmp_path: Path
) -> None:
    path = write_old(root / "packages/acme/old/1.0.0.webc", "acme/old")
    here = DirectoryRegistry(root, REGISTRY, "").summary("acme/old", ONE)
    assert [mount.guest_path for mount in here.mounts] == ["/"]
    there = client_for(server.url).summary("acme/old", ONE)
    assert replace(there, source=here.source, location=here.location) == here
    assert Store(tmp_path / "store").has(hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_registry_that_tells_no_more_than_it_must(
    root: Path, server: RegistryServer, client_for: ClientFor, tmp_path: Path
) -> None:
    registry = client_for(server.url)
    registry._endpoint._plain.add(server.url)
    directory = DirectoryRegistry(root, REGISTRY, "")
    here, there = directory.summary("wpm/words", ONE), registry.summary("wpm/words", ONE)
    assert replace(there, source=here.source, location=here.location) == here
    found = registry.by_hash(here.sha256)
    assert found is not None and replace(found, source=here.source, location=here.location) == here
    assert Store(tmp_path / "store").info().objects == 1


def test_version_3_is_taken_where_both_are_there(client_for: ClientFor) -> None:
    from reply_server import answer, distribution, package, replying

    both = package("acme/tool", "1.0.0")
    old = distribution(piritaSha256Hash="b" * 64, webcVersion="V2", piritaDownloadUrl="/files/old.webc")
    both["versions"][0]["v2"] = old  # type: ignore[index]
    with replying(answer(both)) as server:
        registry = client_for(server.url)
        assert registry.summary("acme/tool", ONE).sha256 == "a" * 64
        assert registry.location("acme/tool", ONE) == f"{server.base}/files/tool.webc"
        # Who locked the other one gets that.
        assert registry.locate("acme/tool", ONE, "b" * 64).url == f"{server.base}/files/old.webc"


def test_yanked_versions_are_there_and_said_to_be(root: Path, server: RegistryServer, client_for: ClientFor) -> None:
    (root / "packages/wpm/hello/2.0.0.yanked").touch()
    registry = client_for(server.url)
    assert registry.yanked("wpm/hello") == {Version.parse("2.0.0")}
    assert Version.parse("2.0.0") in registry.versions("wpm/hello")
    about = registry.about("wpm/hello")
    assert about is not None
    assert [(str(each.version), each.yanked) for each in about.releases] == [
        ("2.0.0", True),
        ("1.1.0", False),
        ("1.0.0", False),
    ]
    here = DirectoryRegistry(root, REGISTRY, "").about("wpm/hello")
    assert here is not None and about == here._replace(releases=about.releases)


def test_what_is_not_there(server: RegistryServer, client_for: ClientFor) -> None:
    registry = client_for(server.url)
    assert registry.versions("acme/none") == []
    assert registry.about("acme/none") is None
    assert registry.by_hash("0" * 64) is None
    with pytest.raises(WpmError, match=r"wpm/hello 9\.0\.0: .* has no such version"):
        registry.location("wpm/hello", Version.parse("9.0.0"))


def test_search(server: RegistryServer, client_for: ClientFor) -> None:
    registry = client_for(server.url)
    assert [each.name for each in registry.search("hello", 5)] == ["wpm/hello"]
    found = registry.search("words", 1)
    assert len(found) == 1 and found[0].version is not None and found[0].description
    assert registry.similar("wpm/helo") == ["wpm/hello"]
    assert list(registry.similar("zzz/zzz")) == []


def test_a_version_that_is_published_later_is_found(root: Path, server: RegistryServer, client_for: ClientFor) -> None:
    maker = RegistryMaker.__new__(RegistryMaker)
    maker.root = root
    maker.add("acme/tool", "1.0.0")
    assert client_for(server.url).versions("acme/tool") == [ONE]
    maker.add("acme/tool", "1.1.0")
    registry = client_for(server.url)
    assert registry.location("acme/tool", Version.parse("1.1.0")) == f"{server.base_url}/packages/acme/tool/1.1.0.webc"


def test_many_packages_are_asked_for_together(client_for: ClientFor, tmp_path: Path) -> None:
    maker = RegistryMaker(tmp_path / "many")
    names = [f"acme/p{number}" for number in range(120)]
    for name in names:
        maker.add(name, "1.0.0")
    with RegistryServer(maker.root) as server:
        questions: list[int] = []
        for _ in range(2):
            registry = client_for(server.url)
            ask = registry._endpoint.ask

            def counted(*arguments: object, ask: Callable[..., object] = ask, **options: object) -> object:
                questions.append(1)
                return ask(*arguments, **options)

            registry._endpoint.ask = counted  # type: ignore[method-assign, assignment]
            registry.prefetch([*names, "acme/none", names[0]])
            assert all(registry.versions(name) == [ONE] for name in names)
            assert registry.versions("acme/none") == []
            # Three batches, and never more: what is known is not asked for again.
            assert len(questions) == 3
            questions.clear()
