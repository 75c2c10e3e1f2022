"""Which registry hears of which name: one, and never another."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest
from make_packages import RegistryMaker, write_project
from reply_server import ReplyServer, answer, package, replying

from pkgmgr.errors import WpmError
from pkgmgr.installing.install import install
from pkgmgr.installing.options import UPGRADE_ALL, InstallOptions
from pkgmgr.locks.lockfile import LockedPackage, Lockfile, format_lock
from pkgmgr.projects.project import Project
from pkgmgr.registry import open_registries
from pkgmgr.server.serve import RegistryServer
from pkgmgr.settings.config import config_folder
from pkgmgr.source import NamedSource, parse_source
from pkgmgr.store import Store
from pkgmgr.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = Version.parse("1.0.0")
EMPTY: dict[str, object] = {"data": {"p0": None, "release": None, "search": {"edges": []}}}


def configure(registries: dict[str, str], mirrors: dict[str, list[str]] | None = None) -> None:
    """Write the user's configuration: JSON texts are TOML texts."""
    lines = ["[registries]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in registries.items())]
    lines += ["[mirrors]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in (mirrors or {}).items())]
    config_folder().mkdir(exist_ok=True)
    (config_folder() / "config.toml").write_text("\n".join(lines) + "\n")


def named(text: str) -> NamedSource:
    source = parse_source(text)
    assert isinstance(source, NamedSource)
    return source


@pytest.fixture
def ours() -> Iterator[ReplyServer]:
    with replying(EMPTY) as server:
        yield server


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplyServer]:
    """The registry for everything, which would have whatever it is asked for."""
    with replying(answer(package("acme/tool", "99.0.0"))) as server:
        monkeypatch.setenv("WPM_REGISTRY", server.url)
        yield server


@pytest.mark.parametrize("name", ["acme/tool", "Acme/tool", "ACME/Tool"])
def test_a_mapped_namespace_is_never_asked_for_anywhere_else(
    ours: ReplyServer, public: ReplyServer, name: str, tmp_path: Path
) -> None:
    configure({"acme/*": ours.url})
    project = Project.open(write_project(tmp_path / "p", {name: "*"}))
    for step in ("it lacks the package", "it is down", "offline"):
        options = InstallOptions(offline=step == "offline", compile=False)
        with pytest.raises(WpmError) as caught:
            install(project, Store(tmp_path / "store"), options)
        assert name in str(caught.value)
        registries = open_registries(offline=step == "offline")
        registries.prefetch([name, "acme/other"])
        for ask in (registries.versions, registries.yanked, registries.answering(name).about):
            if step == "it lacks the package":
                assert not ask(name)
            else:
                with pytest.raises(WpmError):
                    ask(name)
        assert list(registries.similar(name)) == []
        if step == "it lacks the package":
            assert any(name in asked for asked in ours.names)
            ours.close()
    assert public.asked == []


def test_a_package_is_suggested_only_where_it_would_come_from(ours: ReplyServer, public: ReplyServer) -> None:
    edges = [
        {"node": {"version": "1.0.0", "package": {"packageName": name, "namespace": space}}}
        for space, name in (("acme", "tool"), ("evil", "tooi"))
    ]
    ours.replies = [ours.replies[0]._replace(body={"data": {"search": {"edges": edges}}})]
    configure({"acme/*": ours.url})
    assert open_registries().similar("acme/tooi") == ["acme/tool"]
    assert public.asked == []


def test_global_packages_and_our_own_can_be_mapped(ours: ReplyServer, public: ReplyServer, tmp_path: Path) -> None:
    mine = RegistryMaker(tmp_path / "mine")
    mine.add("wpm/hello", "7.0.0")
    configure({"_/*": ours.url, "wpm/*": str(mine.root)})
    registries = open_registries()
    assert registries.versions("bare") == []
    assert [str(version) for version in registries.versions("wpm/hello")] == ["7.0.0"]
    assert ours.names == ["bare"] and public.asked == []


def test_a_source_may_insist_on_the_registry_that_answers(ours: ReplyServer, public: ReplyServer) -> None:
    configure({"acme/*": ours.url})
    registries = open_registries()
    host, other = (server.url.split("/")[2] for server in (ours, public))
    registries.check(named(f"{host}:acme/tool"))
    registries.check(named(f"{other}:else/tool"))
    for text in (f"{other}:acme/tool", f"{host}:else/tool", "evil.example:acme/tool", "wasmer.io:wpm/hello"):
        with pytest.raises(WpmError, match="wpm config set"):
            registries.check(named(text))
    assert ours.asked == public.asked == []


def test_a_hash_goes_to_strangers_last_and_only_where_nobody_has_it(
    ours: ReplyServer, public: ReplyServer, tmp_path: Path
) -> None:
    local = RegistryMaker(tmp_path / "local")
    path = local.add("lib/data", "1.0.0")
    configure({"acme/*": ours.url, "lib/*": str(local.root)})
    found = open_registries().by_hash(hashlib.sha256(path.read_bytes()).hexdigest())
    assert found is not None and found.id == "lib/data@1.0.0"
    assert ours.asked == public.asked == []
    public.replies = [public.replies[0]._replace(body=EMPTY)]
    assert open_registries().by_hash("b" * 64) is None
    assert len(ours.asked) == len(public.asked) == 1
    ours.close()
    with pytest.raises(WpmError, match="refused"):
        open_registries().by_hash("c" * 64)
    assert len(public.asked) == 1
    assert open_registries(offline=True).by_hash("c" * 64) is None


def test_the_command_line_and_the_variable_replace_only_everything_else(
    ours: ReplyServer, public: ReplyServer, tmp_path: Path
) -> None:
    directory = RegistryMaker(tmp_path / "directory")
    configure({"acme/*": ours.url, "*": "https://configured.example/graphql"})
    assert open_registries().answering("x/y").title == public.url
    assert open_registries(str(directory.root)).answering("x/y").title == str(directory.root)
    for registries in (open_registries(), open_registries(str(directory.root))):
        assert registries.answering("acme/tool").title == ours.url
        assert registries.answering("wpm/hello").title == "the embedded registry"


def test_what_is_locked_comes_from_where_it_was_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = RegistryMaker(tmp_path / "registry")
    maker.add("acme/tool", "1.0.0")
    with RegistryServer(maker.root) as server, replying(EMPTY) as other:
        project = Project.open(write_project(tmp_path / "p", {"acme/tool": "1"}))
        options = InstallOptions(registry=server.url, compile=False)
        lock = install(project, Store(tmp_path / "a"), options).lock
        assert lock.packages["acme/tool@1.0.0"].source == f"registry+{server.url}"
        # Whatever is the default now: nobody claims this namespace, and the lock says where the package is from.
        monkeypatch.setenv("WPM_REGISTRY", other.url)
        again = install(Project.open(project.root), Store(tmp_path / "b"), InstallOptions(locked=True, compile=False))
        assert again.fetched == ("acme/tool@1.0.0",)
        assert other.asked == []
        configure({"acme/*": other.url})
        with pytest.raises(WpmError, match=r"acme/\* is .*: run: wpm lock"):
            install(Project.open(project.root), Store(tmp_path / "c"), InstallOptions(locked=True, compile=False))
        # What is in the store needs nobody.
        install(Project.open(project.root), Store(tmp_path / "b"), InstallOptions(locked=True, compile=False))
        assert other.asked == []
        configure({"acme/*": server.url})
        relocked = install(
            Project.open(project.root), Store(tmp_path / "c"), InstallOptions(upgrade=UPGRADE_ALL, compile=False)
        )
        assert relocked.lock == lock


@pytest.mark.parametrize("source", ["registry", "embedded"])
def test_a_lock_of_a_directory_never_sends_its_names_into_the_network(
    public: ReplyServer, tmp_path: Path, source: str
) -> None:
    locked = LockedPackage("acme/tool", "1.0.0", source, "a" * 64, 10)
    root = write_project(tmp_path / "p", {"acme/tool": "1"})
    lock = Lockfile({"acme/tool": "1"}, {"acme/tool": locked.id}, {locked.id: locked})
    (root / "wasmer.lock").write_text(format_lock(lock))
    with pytest.raises(WpmError, match=r"acme/tool@1\.0\.0: locked from.*run: wpm lock"):
        install(Project.open(root), Store(tmp_path / "store"), InstallOptions(compile=False))
    assert public.asked == []


@pytest.mark.parametrize(
    "source",
    ["registry+", "registry+ftp://x/y", "registry+https://me@x.example/graphql", "registry+https://x.example/ y"],
)
def test_a_lock_with_a_source_that_is_none(tmp_path: Path, source: str) -> None:
    locked = LockedPackage("acme/tool", "1.0.0", source, "a" * 64, 10)
    root = write_project(tmp_path / "p", {"acme/tool": "1"})
    lock = Lockfile({"acme/tool": "1"}, {"acme/tool": locked.id}, {locked.id: locked})
    (root / "wasmer.lock").write_text(format_lock(lock))
    with pytest.raises(WpmError, match="package 1: "):
        install(Project.open(root), Store(tmp_path / "store"), InstallOptions(compile=False))


def test_mirrors_answer_for_their_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = RegistryMaker(tmp_path / "registry")
    maker.add("acme/tool", "1.0.0")
    monkeypatch.setenv("WPM_REGISTRY", "https://registry.example/graphql")
    with RegistryServer(maker.root) as mirror:
        configure({}, {"https://registry.example/graphql": ["http://127.0.0.1:1/graphql", mirror.url]})
        project = Project.open(write_project(tmp_path / "p", {"acme/tool": "1"}))
        report = install(project, Store(tmp_path / "store"), InstallOptions(compile=False))
    assert report.lock.packages["acme/tool@1.0.0"].source == "registry+https://registry.example/graphql"
    assert report.fetched == ("acme/tool@1.0.0",)
