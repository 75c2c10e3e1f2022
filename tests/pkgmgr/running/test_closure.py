"""From what a person names to packages that are ready for the factory."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_package, write_project

from binfactory.loader import load_package
from pkgmgr.errors import WpmError
from pkgmgr.installing.adhoc import _read as read_kept
from pkgmgr.installing.options import InstallOptions
from pkgmgr.projects.project import Project
from pkgmgr.running.closure import package_node, project_nodes
from pkgmgr.store import Store

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def registry(tmp_path: Path) -> RegistryMaker:
    maker = RegistryMaker(tmp_path / "registry")
    maker.add("acme/tool", "1.0.0", {"acme/data": "^1"}, commands=("tool",))
    maker.add("acme/data", "1.0.0", files={"a.txt": b"1.0"})
    maker.add("plain", "0.3.0", commands=("plain",))
    return maker


@pytest.fixture
def options(registry: RegistryMaker) -> InstallOptions:
    return InstallOptions(registry=str(registry.root))


def test_a_name(store: Store, options: InstallOptions) -> None:
    node = package_node("acme/tool@^1", store, options)
    assert node.id == "acme/tool@1.0.0"
    assert node.commands == ("tool",)
    assert node.sha256 is not None
    assert node.path == store.path(node.sha256)
    data = node.dependencies["acme/data"]
    assert data.id == "acme/data@1.0.0"
    assert data.mounts is not None
    assert [mount.guest_path for mount in data.mounts] == ["/data"]
    package = load_package(node)
    assert list(package.commands) == ["tool"]
    assert bytes(package.command("tool").atom[:4]) == b"\0asm"


@pytest.mark.parametrize("text", ["plain", "_/plain", "plain@0.3", "plain@latest"])
def test_a_name_without_a_namespace(store: Store, options: InstallOptions, text: str) -> None:
    assert package_node(text, store, options).id == "plain@0.3.0"


def test_the_second_time_nothing_is_resolved(store: Store, options: InstallOptions, registry: RegistryMaker) -> None:
    package_node("acme/tool", store, options)
    kept = list((store.root / "adhoc").iterdir())
    before = kept[0].stat().st_mtime_ns
    package_node("acme/tool", store, options)
    assert kept[0].stat().st_mtime_ns == before
    registry.add("acme/tool", "1.1.0", commands=("tool",))
    assert package_node("acme/tool", store, options._replace(offline=True)).id == "acme/tool@1.0.0"
    assert package_node("acme/tool", store, options).id == "acme/tool@1.1.0"
    registry.add("acme/tool", "1.1.0", commands=("tool", "another"))
    assert package_node("acme/tool", store, options).commands == ("tool", "another")
    store.clean()
    assert package_node("acme/tool", store, options).id == "acme/tool@1.1.0"


def test_what_was_kept_is_not_trusted(store: Store, options: InstallOptions) -> None:
    package_node("acme/tool", store, options)
    [kept] = (store.root / "adhoc").iterdir()
    for damage in (b"", b"null", b"{", json.dumps({"format": 1, "lock": 7, "evidence": {}, "time": 0.0}).encode()):
        kept.write_bytes(damage)
        assert package_node("acme/tool", store, options).id == "acme/tool@1.0.0"


@settings(deadline=None)
@given(st.binary(max_size=100) | st.dictionaries(st.sampled_from(["format", "lock", "evidence", "time"]), st.integers()
       | st.text(max_size=8) | st.none()).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_kept_bytes_are_read_or_passed_over(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "kept.json"
    path.write_bytes(data)
    assert read_kept(path) is None


def test_a_file_and_its_hash(tmp_path: Path, store: Store, options: InstallOptions) -> None:
    path = write_package(tmp_path / "my.webc", "my/own", "3.0.0", {"data": "acme/data@*"}, commands=("own",))
    node = package_node(str(path), store, options)
    assert node.id == "my/own@3.0.0"
    assert node.path == path
    assert node.dependencies["data"].id == "acme/data@1.0.0"
    with pytest.raises(WpmError, match="neither the store nor a registry"):
        package_node("sha256:" + "0" * 64, store, options)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    store.add_file(path)
    assert package_node(f"sha256:{digest}", store, options).dependencies["data"].id == "acme/data@1.0.0"
    in_registry = hashlib.sha256(Path(options.registry or "", "packages/_/plain/0.3.0.webc").read_bytes()).hexdigest()
    assert package_node(f"sha256:{in_registry}", store, options).id == "plain@0.3.0"


def test_what_cannot_be_had(tmp_path: Path, store: Store, options: InstallOptions) -> None:
    (tmp_path / "bad.webc").write_bytes(b"\0webc003" + b"\xff" * 100)
    for text in (str(tmp_path / "bad.webc"), str(tmp_path / "none.webc"), str(tmp_path), "acme/none", "acme/tool@7"):
        with pytest.raises(WpmError):
            package_node(text, store, options)
    spy = write_package(tmp_path / "spy.webc", "my/spy", "1.0.0", {"x": "/etc/passwd"})
    with pytest.raises(WpmError, match="may not ask"):
        package_node(str(spy), store, options)


def test_a_project(tmp_path: Path, store: Store, options: InstallOptions) -> None:
    root = write_project(tmp_path / "p", {"acme/tool": "1", "acme/data": "*"})
    nodes = project_nodes(Project.open(root), store, options)
    assert {alias: node.id for alias, node in nodes.items()} == {
        "acme/tool": "acme/tool@1.0.0",
        "acme/data": "acme/data@1.0.0",
    }
    assert nodes["acme/tool"].dependencies["acme/data"] is nodes["acme/data"]
    # Locked and stored, it needs no registry at all.
    again = project_nodes(Project.open(root / "wasmer.toml"), store, InstallOptions(offline=True))
    assert [node.id for node in again.values()] == [node.id for node in nodes.values()]


def test_a_locked_project_imports_and_opens_nothing_it_does_not_need(
    tmp_path: Path, store: Store, options: InstallOptions
) -> None:
    root = write_project(tmp_path / "p", {"acme/tool": "1"})
    project_nodes(Project.open(root), store, options)
    program = (
        "import sys\nfrom pkgmgr.cli.main import main\nassert main(['install', '--locked']) == 0\n"
        "print([name for name in sys.argv[1:] if name in sys.modules])"
    )
    heavy = [
        "requests",
        "rich",
        "pkgmgr.resolution.resolver",
        "tomli_w",
        "email",
        "http",
        "asyncio",
        "hashlib",
        "wasmtime",
        "webc_parser",
        "registry_fixtures",
    ]
    first, second = (
        subprocess.run(
            [sys.executable, "-c", program, *heavy],
            cwd=root,
            env={"PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(store.root), "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    )
    assert " compiled" in first.stdout
    assert second.stdout == "2 packages installed (nothing to do)\n[]\n"
