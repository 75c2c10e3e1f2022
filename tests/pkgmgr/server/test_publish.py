"""Publishing: into a directory, to a server, again, at once with others, and killed on the way."""

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from make_packages import EMPTY_MODULE, RegistryMaker, write_package, write_project
from talking import ALICE, BOB, ask, hash_of, resolved
from typed import COMMAND, ROOT

from pkgmgr.errors import WpmError
from pkgmgr.installing.install import install
from pkgmgr.installing.options import InstallOptions
from pkgmgr.projects.project import Project
from pkgmgr.publish import publish
from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.registry.storing import AlreadyPublished, place_version, yank
from pkgmgr.server.serve import RegistryServer
from pkgmgr.store import Store
from pkgmgr.version import Version
from webc_parser import Container

ONE = Version.parse("1.0.0")


def write_source(
    root: Path, name: str = "acme/tool", version: str = "1.0.0", more: str = "", text: str = "Hello"
) -> Path:
    package = f'[package]\nname = "{name}"\nversion = "{version}"\ndescription = "A tool"\nreadme = "README.md"\n{more}'
    module = '[[module]]\nname = "m"\nsource = "m.wasm"\n[[command]]\nname = "tool"\nmodule = "m"\n'
    write_project(root, {}, package + module)
    (root / "m.wasm").write_bytes(EMPTY_MODULE)
    (root / "README.md").write_text(text)
    return root


def leftovers(root: Path) -> list[Path]:
    return [path for folder in ("tmp", "uploads", "releases") for path in (root / folder).glob("*")]


def test_into_a_directory(maker: RegistryMaker, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    done = publish(source, str(maker.root))
    path = maker.root / "packages/acme/tool/1.0.0.webc"
    assert (done.name, done.version, done.is_new) == ("acme/tool", "1.0.0", True)
    assert done.sha256 == hash_of(path)
    assert path.stat().st_mode & 0o777 == 0o644
    again = publish(source, maker.root.as_uri())
    assert not again.is_new
    write_source(source, text="Other words")
    with pytest.raises(WpmError, match="raise the version"):
        publish(source, str(maker.root))
    assert done.sha256 == hash_of(path)
    write_source(source, version="1.1.0", text="Other words")
    assert publish(source, str(maker.root)).is_new
    assert leftovers(maker.root) == []
    assert DirectoryRegistry(maker.root, "", "").summary("acme/tool", ONE).commands == ("tool",)


def test_nothing_is_published_by_a_dry_run(maker: RegistryMaker, server: RegistryServer, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    for registry in (str(maker.root), server.url):
        assert publish(source, registry, dry_run=True).is_new
    assert list(maker.root.rglob("*.webc")) == []
    publish(source, str(maker.root))
    for registry in (str(maker.root), server.url):
        assert not publish(source, registry, dry_run=True).is_new
    write_source(source, text="Other words")
    for registry in (str(maker.root), server.url):
        with pytest.raises(WpmError, match="other bytes"):
            publish(source, registry, dry_run=True)


@pytest.mark.parametrize(
    ("name", "more", "why"),
    [
        ("acme/tool", "private = true\n", "private"),
        ("wpm/tool", "", "what wpm carries"),
    ],
)
def test_what_is_not_published(
    maker: RegistryMaker, server: RegistryServer, tmp_path: Path, name: str, more: str, why: str
) -> None:
    source = write_source(tmp_path / "source", name, more=more)
    for registry in (str(maker.root), server.url):
        with pytest.raises(WpmError, match=why):
            publish(source, registry)
    assert list(maker.root.rglob("*.webc")) == []


def test_what_cannot_be_published(maker: RegistryMaker, tmp_path: Path) -> None:
    for package, why in (("", "name and a version"), ('[package]\nname = "acme/tool"\n', "name and a version")):
        source = write_project(tmp_path / "source", {}, package)
        with pytest.raises(WpmError, match=why):
            publish(source, str(maker.root))
    nameless = write_package(tmp_path / "nameless.webc")
    with pytest.raises(WpmError, match="no name and version"):
        publish(nameless, str(maker.root))
    damaged = write_package(tmp_path / "damaged.webc", "acme/tool", "1.0.0", files={"a": b"x" * 5000})
    data = bytearray(damaged.read_bytes())
    data[data.index(b"x" * 5000) + 100] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(WpmError, match="checksum"):
        publish(damaged, str(maker.root))
    (tmp_path / "text").write_text("text")
    with pytest.raises(WpmError, match="not a package"):
        publish(tmp_path / "text", str(maker.root))
    with pytest.raises(WpmError, match="not a registry"):
        publish(write_source(tmp_path / "good"), str(tmp_path))
    assert list(maker.root.rglob("*.webc")) == []
    assert leftovers(maker.root) == []


def test_a_package_in_a_place_that_is_not_its_own(maker: RegistryMaker, tmp_path: Path) -> None:
    file = write_package(tmp_path / "x.webc", "acme/tool", "1.0.0")
    for name, version in (("acme/other", ONE), ("acme/tool", Version.parse("2.0.0"))):
        with pytest.raises(WpmError, match=r"says that it is acme/tool@1\.0\.0"):
            place_version(maker.root, file, name, version)
    with pytest.raises(WpmError, match="was promised"):
        place_version(maker.root, file, "acme/tool", ONE, sha256="0" * 64)
    assert list(maker.root.rglob("*.webc")) == []


def test_to_a_server(
    maker: RegistryMaker, server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source(tmp_path / "source")
    with pytest.raises(WpmError, match="log in"):
        publish(source, server.url)
    monkeypatch.setenv("WPM_TOKEN", "somebody-else")
    with pytest.raises(WpmError, match="not known"):
        publish(source, server.url)
    monkeypatch.setenv("WPM_TOKEN", BOB)
    with pytest.raises(WpmError, match="bob may not publish to acme"):
        publish(source, server.url)
    monkeypatch.setenv("WPM_TOKEN", ALICE)
    sent: list[int] = []
    done = publish(source, server.url, progress=sent.append)
    assert done.is_new
    assert sum(sent) == done.size
    assert done.sha256 == hash_of(maker.root / "packages/acme/tool/1.0.0.webc")
    assert [each["version"] for each in resolved(server, "acme/tool")["versions"]] == ["1.0.0"]
    about = ask(server, '{ getPackageVersion(name: "acme/tool") { description readme } }')["getPackageVersion"]
    assert about == {"description": "A tool", "readme": "Hello"}
    assert not publish(source, server.url).is_new
    write_source(source, text="Other words")
    with pytest.raises(WpmError, match="raise the version"):
        publish(source, server.url)
    # What bob uploaded waits for him until it expires.
    assert [path.suffix for path in leftovers(maker.root)] == [".upload"]


def test_where_a_namespace_is_published(
    maker: RegistryMaker, server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_source(tmp_path / "source")
    config = tmp_path / "config"
    config.mkdir()
    (config / "config.toml").write_text(f'[registries]\n"acme/*" = "{server.url}"\n"*" = "{tmp_path}/others"\n')
    # The token is one of the registry for everything, and that is another one.
    monkeypatch.setenv("WPM_TOKEN", ALICE)
    with pytest.raises(WpmError, match="a token is needed"):
        publish(source)
    monkeypatch.setenv("WPM_REGISTRY", server.url)
    assert publish(source).registry == server.url
    others = RegistryMaker(tmp_path / "others")
    assert publish(source, str(others.root)).registry == str(others.root)
    assert (maker.root / "packages/acme/tool/1.0.0.webc").is_file()


def test_what_is_published_is_installed(
    maker: RegistryMaker, server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WPM_TOKEN", ALICE)
    done = publish(write_source(tmp_path / "source"), server.url)
    for number, registry in enumerate((str(maker.root), server.url)):
        project = Project.open(write_project(tmp_path / f"project{number}", {"acme/tool": "^1"}))
        store = Store(tmp_path / f"store{number}")
        lock = install(project, store, InstallOptions(registry=registry, compile=False)).lock
        assert lock.packages["acme/tool@1.0.0"].sha256 == done.sha256
        assert store.has(done.sha256, done.size)


def test_twenty_publish_the_same_version_at_once(
    maker: RegistryMaker, server: RegistryServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WPM_TOKEN", ALICE)
    files = [
        write_package(tmp_path / f"{number}.webc", "acme/tool", "1.0.0", files={"n": str(number).encode()})
        for number in range(20)
    ]

    def attempt(number: int) -> str | None:
        try:
            return publish(files[number], server.url if number % 2 else str(maker.root)).sha256
        except WpmError as error:
            assert "versions do not change" in str(error)
            return None

    with ThreadPoolExecutor(20) as pool:
        published = [each for each in pool.map(attempt, range(20)) if each is not None]
    assert len(published) == 1
    assert published == [hash_of(maker.root / "packages/acme/tool/1.0.0.webc")]
    assert [path for path in leftovers(maker.root) if path.parent.name != "releases"] == []


def test_twenty_publish_versions_of_their_own_at_once(maker: RegistryMaker, tmp_path: Path) -> None:
    versions = [Version.parse(f"1.{number}.0") for number in range(20)]
    files = [write_package(tmp_path / f"{version}.webc", "acme/tool", str(version)) for version in versions]
    with ThreadPoolExecutor(20) as pool:
        list(
            pool.map(
                lambda each: place_version(maker.root, each[0], "acme/tool", each[1]), zip(files, versions, strict=True)
            )
        )
    from pkgmgr.registry.indexing import index_registry

    report = index_registry(maker.root, write=False)
    assert (report.versions, report.outdated, report.problems) == (20, (), ())


def test_a_killed_publish_leaves_nothing_half(maker: RegistryMaker, tmp_path: Path) -> None:
    chance = random.Random(7)
    source = write_package(tmp_path / "big.webc", "acme/big", "1.0.0", files={"data": os.urandom(30 << 20)})
    wanted = hash_of(source)
    target = maker.root / "packages/acme/big/1.0.0.webc"
    command = [*COMMAND, "publish", str(source), "--registry", str(maker.root)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    usual = time.monotonic() - began
    for _ in range(12):
        target.unlink(missing_ok=True)
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.3, 1.0) * usual)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not target.exists() or hash_of(target) == wanted
        DirectoryRegistry(maker.root, "", "").about("acme/big")
    target.unlink(missing_ok=True)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert hash_of(target) == wanted
    assert leftovers(maker.root) == []


def test_yank(maker: RegistryMaker) -> None:
    maker.add("acme/tool", "1.0.0")
    assert yank(maker.root, "acme/tool", ONE, reason="broken\x1b[31m")
    assert not yank(maker.root, "acme/tool", ONE)
    registry = DirectoryRegistry(maker.root, "", "")
    assert registry.yanked("acme/tool") == {ONE}
    assert registry.reason("acme/tool", ONE) == "broken[31m"
    assert yank(maker.root, "acme/tool", ONE, undo=True)
    assert not yank(maker.root, "acme/tool", ONE, undo=True)
    with pytest.raises(WpmError, match="is not in"):
        yank(maker.root, "acme/tool", Version.parse("2.0.0"))


def test_where_links_are_not_possible(maker: RegistryMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    first = write_package(tmp_path / "1.webc", "acme/tool", "1.0.0", files={"n": b"1"})
    second = write_package(tmp_path / "2.webc", "acme/tool", "1.0.0", files={"n": b"2"})
    assert place_version(maker.root, first, "acme/tool", ONE).is_new
    assert not place_version(maker.root, first, "acme/tool", ONE).is_new
    with pytest.raises(AlreadyPublished):
        place_version(maker.root, second, "acme/tool", ONE)


def test_by_hand(maker: RegistryMaker, tmp_path: Path) -> None:
    source = write_source(tmp_path / "source")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def wpm(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pkgmgr.cli.main", *arguments]
        return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)

    done = wpm("publish", "--registry", str(maker.root), "--json")
    assert done.returncode == 0, done.stderr
    assert '"published": true' in done.stdout
    with Container.open(maker.root / "packages/acme/tool/1.0.0.webc") as container:
        assert container.manifest.package.name == "acme/tool"
    again = wpm("publish", "--registry", str(maker.root))
    assert (again.returncode, again.stdout) == (0, "acme/tool 1.0.0: already published\n")
    yanked = wpm("registry", "yank", str(maker.root), "acme/tool@1.0.0", "--reason", "no good")
    assert (yanked.returncode, yanked.stdout) == (0, "acme/tool 1.0.0: yanked\n")
    checked = wpm("registry", "index", str(maker.root), "--check")
    assert checked.returncode == 0, checked.stderr
    bad = wpm("registry", "yank", str(maker.root), "acme/tool")
    assert (bad.returncode, len(bad.stderr.splitlines())) == (1, 1)
