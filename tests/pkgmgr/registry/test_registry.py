"""Directory registries: what lies in them, what does not belong there, and names that want to get out."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_package, write_project

from pkgmgr.errors import WpmError
from pkgmgr.installing.install import install
from pkgmgr.installing.options import UPGRADE_ALL, InstallOptions
from pkgmgr.projects.project import Project
from pkgmgr.registry import DirectoryRegistry, open_registries
from pkgmgr.source import parse_source
from pkgmgr.store import Store
from pkgmgr.version import Version

ONE = Version.parse("1.0.0")


@pytest.fixture
def maker(tmp_path: Path) -> RegistryMaker:
    return RegistryMaker(tmp_path / "registry")


@pytest.fixture
def registry(maker: RegistryMaker) -> DirectoryRegistry:
    return DirectoryRegistry(maker.root, "registry", "the test's registry")


def test_what_lies_there(maker: RegistryMaker, registry: DirectoryRegistry) -> None:
    path = maker.add("acme/tool", "1.0.0", {"acme/data": ">=1, <3"}, commands=("tool",), files={"a": b"1"})
    maker.add("acme/tool", "1.1.0-rc.1")
    folder = path.parent
    (folder / "notes.txt").write_text("not a package")
    (folder / "latest.webc").write_bytes(b"not a version")
    (folder / "2.0.webc").write_bytes(b"not a version either")
    assert sorted(map(str, registry.versions("acme/tool"))) == ["1.0.0", "1.1.0-rc.1"]
    summary = registry.summary("acme/tool", ONE)
    assert summary.id == "acme/tool@1.0.0"
    assert str(summary.dependencies["acme/data"]) == "acme/data@>=1, <3"
    assert summary.commands == ("tool",)
    assert summary.entrypoint == "tool"
    assert [mount.guest_path for mount in summary.mounts] == ["/data"]
    assert summary.size == path.stat().st_size
    assert registry.by_hash(summary.sha256) == summary
    assert registry.by_hash("0" * 64) is None
    assert registry.versions("acme/none") == []
    assert registry.versions("nobody/none") == []


def test_a_package_without_a_name_has_that_of_its_place(maker: RegistryMaker, registry: DirectoryRegistry) -> None:
    write_package(maker.root / "packages/acme/quiet/1.0.0.webc")
    assert registry.summary("acme/quiet", ONE).id == "acme/quiet@1.0.0"
    write_package(maker.root / "packages/_/bare/1.0.0.webc", "_/bare", "1.0.0")
    assert registry.summary("bare", ONE).id == "bare@1.0.0"


def test_what_is_no_package(maker: RegistryMaker, registry: DirectoryRegistry) -> None:
    folder = maker.root / "packages/acme/bad"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "1.0.0.webc")
    (folder / "1.0.1.webc").mkdir()
    (folder / "1.0.2.webc").write_bytes(b"")
    (folder / "1.0.3.webc").symlink_to("/dev/zero")
    write_package(folder / "1.0.4.webc", "acme/bad", "not a version")
    write_package(folder / "1.0.5.webc", "../../etc", "1.0.5")
    write_package(folder / "1.0.6.webc", "acme/bad", "1.0.6", {"x": "a b c"})
    write_package(folder / "1.0.7.webc", "acme/bad", "1.0.7", {f"a/p{number}": "a/b" for number in range(1001)})
    versions = registry.versions("acme/bad")
    assert len(versions) == 8
    for version in versions:
        with pytest.raises(WpmError) as caught:
            registry.summary("acme/bad", version)
        assert str(folder / f"{version}.webc") in str(caught.value)
        assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.text(max_size=30) | st.text(alphabet="./\\~ab_\0", max_size=12))
def test_no_name_leaves_the_registry(name: str) -> None:
    registry = DirectoryRegistry(Path("/registry"), "registry", "the test's registry")
    try:
        location = registry.location(name, ONE)
    except WpmError:
        return
    assert Path(os.path.normpath(location)) == location
    assert location.is_relative_to("/registry/packages")
    assert len(location.relative_to("/registry/packages").parts) == 3


def test_who_answers_for_which_name(maker: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WPM_REGISTRY", raising=False)
    embedded = open_registries()
    assert embedded.answering("wpm/hello") is embedded.embedded
    assert embedded.answering("acme/tool").title == "https://registry.wasmer.io/graphql"
    maker.add("wpm/hello", "99.0.0")
    for text in (str(maker.root), maker.root.as_uri()):
        both = open_registries(text)
        assert both.answering("acme/tool") is both.configured
        # Nobody but wpm itself answers for its own namespace.
        assert Version.parse("99.0.0") not in both.versions("wpm/hello")
    monkeypatch.setenv("WPM_REGISTRY", str(maker.root))
    assert isinstance(open_registries().configured, DirectoryRegistry)
    source = parse_source("elsewhere.example:acme/tool")
    with pytest.raises(WpmError, match=r"elsewhere\.example"):
        both.check(source)  # type: ignore[arg-type]


def test_a_yanked_version_is_kept_where_it_is_locked_and_never_newly_chosen(
    maker: RegistryMaker, registry: DirectoryRegistry, tmp_path: Path
) -> None:
    maker.add("acme/tool", "1.0.0")
    newer = maker.add("acme/tool", "1.1.0")
    project = Project.open(write_project(tmp_path / "project", {"acme/tool": "^1"}))
    options = InstallOptions(registry=str(maker.root), compile=False)
    store = Store(tmp_path / "store")
    assert list(install(project, store, options).lock.packages) == ["acme/tool@1.1.0"]
    newer.with_suffix(".yanked").touch()
    assert registry.yanked("acme/tool") == {Version.parse("1.1.0")}
    again = Project.open(project.root)
    assert list(install(again, store, options).lock.packages) == ["acme/tool@1.1.0"]
    upgraded = install(again, store, options._replace(upgrade=UPGRADE_ALL))
    assert list(upgraded.lock.packages) == ["acme/tool@1.0.0"]


def test_search_and_about(maker: RegistryMaker, registry: DirectoryRegistry) -> None:
    maker.add("acme/tool", "1.0.0", {"acme/data": "^2"}, commands=("tool", "tool-two"))
    maker.add("acme/tool", "0.9.0", commands=("old",))
    maker.add("acme/data", "2.0.0")
    assert [found.name for found in registry.search("TOOL", 10)] == ["acme/tool"]
    assert [found.name for found in registry.search("acme", 1)] == ["acme/data"]
    about = registry.about("acme/tool")
    assert about is not None
    assert [str(release.version) for release in about.releases] == ["1.0.0", "0.9.0"]
    assert about.commands == ("tool", "tool-two")
    assert about.dependencies == (("acme/data", "acme/data@^2"),)
    assert registry.about("acme/none") is None
