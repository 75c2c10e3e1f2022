"""`wpm install` and its family through the command line, on real files and a real web server."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_package, write_project

from pkgmgr.cli.main import main
from pkgmgr.errors import WpmError
from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.installing.options import InstallOptions
from pkgmgr.running.closure import package_node
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
    monkeypatch.delenv("WPM_REGISTRY", raising=False)
    return Store(tmp_path / "store")


@pytest.fixture
def registry(tmp_path: Path) -> RegistryMaker:
    maker = RegistryMaker(tmp_path / "registry")
    maker.add("acme/tool", "1.0.0", {"acme/data": "^1"}, commands=("tool",))
    maker.add("acme/tool", "1.1.0", {"acme/data": "^1.1"}, commands=("tool", "tool-extra"))
    maker.add("acme/tool", "2.0.0", {"acme/data": "^2"}, commands=("tool",))
    maker.add("acme/data", "1.0.0", files={"a.txt": b"1.0"})
    maker.add("acme/data", "1.1.0", files={"a.txt": b"1.1"})
    maker.add("plain", "0.3.0", commands=("plain",))
    return maker


@pytest.fixture
def project(tmp_path: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = write_project(tmp_path / "project", {"acme/tool": "^1", "plain": "*"})
    monkeypatch.chdir(root)
    monkeypatch.setenv("WPM_REGISTRY", str(registry.root))
    return root


class Server:
    """A web server on this machine that counts what it is asked."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.asked: list[str] = []
        self.failures = 0
        self.cut = False
        self.redirects: dict[str, str] = {}
        root.mkdir()
        handler = partial(_Handler, directory=str(root), owner=self)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *args: object, owner: Server, **kwargs: object) -> None:
        self.owner = owner
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.owner.asked.append(self.path)
        if self.owner.failures:
            self.owner.failures -= 1
            self.send_error(503)
        elif self.path in self.owner.redirects:
            self.send_response(302)
            self.send_header("Location", self.owner.redirects[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.owner.cut:
            self.owner.cut = False
            data = (self.owner.root / self.path.lstrip("/")).read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2])
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "web")
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


def wpm(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def install(*arguments: str | Path) -> int:
    return wpm("install", "--no-compile", *arguments)


def ids(capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert wpm("list", "--json") == 0
    return [package["id"] for package in json.loads(capsys.readouterr().out)["packages"]]


def test_install_resolves_fetches_and_locks(
    project: Path, own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install() == 0
    assert ids(capsys) == ["acme/data@1.1.0", "acme/tool@1.1.0", "plain@0.3.0"]
    assert verify_store(own_store).sound == 3
    first = (project / "wasmer.lock").read_bytes()
    assert str(project.parent).encode() not in first
    (project / "wasmer.lock").unlink()
    assert install() == 0
    assert (project / "wasmer.lock").read_bytes() == first
    assert install("--locked", "--offline") == 0
    assert "nothing to do" in capsys.readouterr().out


def test_a_locked_project_installs_without_a_registrys_index(
    project: Path, registry: RegistryMaker, own_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert install() == 0
    registry.add("acme/tool", "1.9.0")
    (registry.root / "packages/acme/tool/1.2.0.webc").write_bytes(b"broken")
    own_store.clean()
    assert install("--frozen", "--offline") == 0
    monkeypatch.delenv("WPM_REGISTRY")
    assert install("--locked") == 0
    assert (project / "wasmer.lock").read_text().count("1.1.0") > 0
    own_store.clean()
    assert install("--locked") == 1


def test_a_new_version_waits_for_an_upgrade(
    project: Path, registry: RegistryMaker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install() == 0
    registry.add("acme/tool", "1.2.0", {"acme/data": "^1"})
    registry.add("plain", "0.4.0")
    assert install() == 0
    assert "acme/tool@1.1.0" in ids(capsys)
    assert wpm("lock", "--upgrade", "acme/tool") == 0
    assert ids(capsys) == ["acme/data@1.1.0", "acme/tool@1.2.0", "plain@0.3.0"]
    assert wpm("lock", "--upgrade") == 0
    assert "plain@0.4.0" in ids(capsys)
    assert wpm("lock", "--check") == 0
    assert project.joinpath("wasmer.lock").exists()


def test_locked_and_frozen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("--locked") == 1
    assert "there is no wasmer.lock" in capsys.readouterr().err
    assert install("--frozen") == 1
    assert install() == 0
    before = (project / "wasmer.lock").read_bytes()
    write_project(project, {"acme/tool": "^1", "acme/data": "=1.0.0"})
    capsys.readouterr()
    assert install("--locked") == 1
    assert "acme/data" in capsys.readouterr().err
    assert wpm("lock", "--check") == 1
    assert install("--frozen") == 0
    assert (project / "wasmer.lock").read_bytes() == before
    assert install() == 0
    assert ids(capsys) == ["acme/data@1.0.0", "acme/tool@1.0.0"]


def test_a_conflict_changes_nothing(project: Path, own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert install() == 0
    before = (project / "wasmer.lock").read_bytes()
    write_project(project, {"acme/tool": "^2", "acme/data": "^1"})
    capsys.readouterr()
    assert install() == 1
    message = capsys.readouterr().err
    assert "acme/data" in message.splitlines()[0]
    assert "acme/tool@2.0.0 needs acme/data ^2" in message
    assert "versions of acme/data: 1.1.0, 1.0.0" in message
    assert (project / "wasmer.lock").read_bytes() == before
    assert verify_store(own_store).clean


@pytest.mark.usefixtures("project")
def test_a_package_that_is_not_what_was_locked_is_refused(
    registry: RegistryMaker, own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install() == 0
    own_store.clean()
    registry.add("acme/data", "1.1.0", files={"a.txt": b"evil"})
    assert install() == 1
    assert "promised" in capsys.readouterr().err
    report = verify_store(own_store)
    assert report.clean
    assert not report.abandoned


def test_tree(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert wpm("tree") == 0
    out = capsys.readouterr().out
    assert out.splitlines() == ["project", "├── acme/tool 1.1.0", "│   └── acme/data 1.1.0", "└── plain 0.3.0"]
    assert wpm("tree", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["roots"] == {"acme/tool": "acme/tool@1.1.0", "plain": "plain@0.3.0"}
    assert not (project / "wasmer.lock").exists()


def test_list(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install("--json") == 0
    assert json.loads(capsys.readouterr().out)["fetched"] == ["acme/data@1.1.0", "acme/tool@1.1.0", "plain@0.3.0"]
    assert wpm("list") == 0
    out = capsys.readouterr().out
    assert "tool-extra  acme/tool@1.1.0" in out
    assert "not installed" not in out
    assert project.is_dir()


def test_a_package_from_the_web(
    tmp_path: Path,
    server: Server,
    own_store: Store,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = write_package(server.root / "x.webc", "acme/x", "1.0.0", commands=("x",))
    monkeypatch.chdir(write_project(tmp_path / "p", {"acme/x": f"{server.url}/x.webc"}))
    assert install("--offline") == 1
    assert "--offline" in capsys.readouterr().err
    server.failures = 1
    server.cut = True
    assert install() == 0
    assert len(server.asked) == 3
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    assert digest in (tmp_path / "p" / "wasmer.lock").read_text()
    assert install("--offline") == 0
    assert len(server.asked) == 3
    own_store.clean()
    assert install("--locked") == 0
    assert len(server.asked) == 4
    own_store.clean()
    package.write_bytes(package.read_bytes() + b" ")
    assert install("--locked") == 1
    assert verify_store(own_store).clean
    capsys.readouterr()
    package.unlink()
    assert install() == 1
    assert "404" in capsys.readouterr().err


def test_a_package_file_is_locked_by_its_content(
    tmp_path: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "lib.webc", needs={"data": "acme/data@1.0.0"})
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/lib": "../lib.webc", "acme/data": "*"}))
    assert install("--registry", registry.root) == 0
    lock = (tmp_path / "p" / "wasmer.lock").read_text()
    assert 'source = "path:../lib.webc"' in lock
    assert str(tmp_path) not in lock
    assert install("--locked") == 0
    write_package(tmp_path / "lib.webc", needs={"data": "acme/data@=1.0.0"})
    capsys.readouterr()
    assert install("--locked") == 1
    assert "lib.webc" in capsys.readouterr().err
    assert install("--registry", registry.root) == 0
    assert "acme/data@1.0.0" in ids(capsys)


def test_a_package_by_its_hash(
    tmp_path: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = hashlib.sha256((registry.root / "packages/acme/data/1.0.0.webc").read_bytes()).hexdigest()
    monkeypatch.chdir(write_project(tmp_path / "p", {"acme/data": f"sha256:{digest}"}))
    assert install("--offline") == 1
    assert "hash" in capsys.readouterr().err
    assert install("--registry", registry.root) == 0
    assert ids(capsys) == ["acme/data@1.0.0"]


@pytest.mark.parametrize("needs", ["/etc/passwd", "./x.webc", "file:///etc/passwd"])
def test_a_package_may_not_ask_for_files_of_this_machine(
    tmp_path: Path, needs: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "lib.webc", needs={"other": needs})
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/lib": "../lib.webc"}))
    assert install() == 1
    assert "may not ask" in capsys.readouterr().err


def test_a_registry_that_lies_about_a_package(
    tmp_path: Path, registry: RegistryMaker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(registry.root / "packages/acme/fake/1.0.0.webc", "acme/real", "1.0.0")
    monkeypatch.chdir(write_project(tmp_path / "p", {"acme/fake": "1"}))
    assert install("--registry", registry.root) == 1
    assert "acme/real@1.0.0" in capsys.readouterr().err


def test_what_is_wrong_is_said_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert install() == 1
    assert "there is no wasmer.toml" in capsys.readouterr().err
    write_project(tmp_path, {"acme/x": "1"})
    assert install("--offline") == 1
    assert "https://registry.wasmer.io/graphql, and --offline forbids" in capsys.readouterr().err
    assert install("--registry", tmp_path / "nowhere") == 1
    assert "not a registry" in capsys.readouterr().err
    assert install("--registry", "ftp://example.com") == 1
    assert "not a registry" in capsys.readouterr().err


def test_cache(project: Path, own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert install() == 0
    capsys.readouterr()
    assert wpm("cache", "dir") == 0
    assert capsys.readouterr().out.strip() == str(own_store.root)
    assert wpm("cache", "verify") == 0
    assert "3 packages are sound" in capsys.readouterr().out
    victim = next(own_store.objects())
    victim.chmod(0o644)
    victim.write_bytes(b"")
    assert wpm("cache", "verify") == 1
    assert str(victim) in capsys.readouterr().err
    assert install() == 0
    assert wpm("cache", "verify", "--json") == 0
    assert wpm("cache", "clean") == 0
    capsys.readouterr()
    assert wpm("cache", "info", "--json") == 0
    assert json.loads(capsys.readouterr().out)["packages"] == 0
    assert project.is_dir()


def test_directories_are_built_and_may_ask_for_their_neighbours(
    tmp_path: Path, own_store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    far = write_project(
        tmp_path / "libs/far", {}, '[package]\nname = "my/far"\nversion = "2.0.0"\ndescription = "far"\n'
    )
    near = write_project(
        tmp_path / "libs/near",
        {"my/far": "../far/"},
        '[package]\nname = "my/near"\nversion = "1.0.0"\ndescription = "near"\n',
    )
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/near": "../libs/near"}))
    assert install() == 0
    assert ids(capsys) == ["my/far@2.0.0", "my/near@1.0.0"]
    lock = (tmp_path / "p" / "wasmer.lock").read_text()
    assert 'source = "path:../libs/far"' in lock
    assert str(tmp_path) not in lock
    own_store.clean()
    assert install("--locked") == 0
    (far / "wasmer.toml").write_text((far / "wasmer.toml").read_text().replace("2.0.0", "2.0.1"))
    assert install("--locked") == 1
    assert install() == 0
    assert "my/far@2.0.1" in ids(capsys)
    assert near.is_dir()


def test_a_replaced_package_can_be_locked_again(
    project: Path, registry: RegistryMaker, own_store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install() == 0
    own_store.clean()
    registry.add("acme/data", "1.1.0", files={"a.txt": b"rebuilt"})
    assert install() == 1
    assert "wpm lock --upgrade acme/data" in capsys.readouterr().err
    assert wpm("lock", "--upgrade", "acme/data") == 0
    assert install("--locked") == 0
    assert wpm("lock", "--upgrade", "acme/none") == 1
    assert project.is_dir()


def test_a_broken_lock_is_told_and_can_be_written_anew(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert install() == 0
    whole = (project / "wasmer.lock").read_bytes()
    (project / "wasmer.lock").write_bytes(b"<<<<<<< ours\n" + whole)
    capsys.readouterr()
    assert install() == 1
    assert "run: wpm lock" in capsys.readouterr().err
    assert wpm("lock", "--check") == 1
    assert wpm("lock") == 0
    assert (project / "wasmer.lock").read_bytes() == whole


def test_many_installs_at_once(project: Path, own_store: Store) -> None:
    command = [sys.executable, "-m", "pkgmgr.cli.main", "install", "--no-compile"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    running = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(6)]
    assert [child.wait() for child in running] == [0] * 6
    report = verify_store(own_store)
    assert report.clean
    assert report.sound == 3
    assert not report.abandoned
    assert sorted(path.name for path in project.iterdir()) == [".wpm", "wasmer.lock", "wasmer.toml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_full_store_that_cannot_be_written_to_is_enough(project: Path, own_store: Store) -> None:
    assert install() == 0
    folders = [own_store.root, *(path for path in own_store.root.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert install("--locked") == 0
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert project.is_dir()


def test_compiled_modules_are_verified_too(project: Path, own_store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert wpm("install") == 0
    assert "compiled" in capsys.readouterr().out
    assert wpm("install") == 0
    assert "nothing to do" in capsys.readouterr().out
    assert wpm("cache", "verify") == 0
    [module] = own_store.modules.glob("*.cwasm")
    data = bytearray(module.read_bytes())
    data[100] ^= 1
    module.write_bytes(data)
    assert wpm("cache", "verify") == 1
    assert str(module) in capsys.readouterr().err
    assert project.is_dir()


def test_a_module_that_does_not_compile_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "bad.webc", "my/bad", "1.0.0", commands=("bad",), module=b"\0asm\x01\0\0\0\xff")
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/bad": "../bad.webc"}))
    assert wpm("install") == 0
    assert "my/bad@1.0.0" in capsys.readouterr().err


def test_a_package_from_the_web_without_a_project(tmp_path: Path, server: Server, own_store: Store) -> None:
    write_package(server.root / "x.webc", "acme/x", "1.0.0", commands=("x",))
    url = f"{server.url}/x.webc"
    with pytest.raises(WpmError, match="--offline"):
        package_node(url, own_store, InstallOptions(offline=True))
    assert package_node(url, own_store, InstallOptions()).id == "acme/x@1.0.0"
    asked = len(server.asked)
    assert package_node(url, own_store, InstallOptions()).id == "acme/x@1.0.0"
    assert package_node(url, own_store, InstallOptions(offline=True)).id == "acme/x@1.0.0"
    assert len(server.asked) == asked
    # A day later it is asked for again, and what is there is used where nobody answers.
    [kept] = (own_store.root / "adhoc").iterdir()
    content = json.loads(kept.read_text())
    kept.write_text(json.dumps(content | {"time": content["time"] - 90_000}))
    write_package(server.root / "x.webc", "acme/x", "1.0.1", commands=("x",))
    assert package_node(url, own_store, InstallOptions()).id == "acme/x@1.0.1"
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"time": 0.0}))
    (server.root / "x.webc").unlink()
    for _ in range(2):
        asked = len(server.asked)
        assert package_node(url, own_store, InstallOptions()).id == "acme/x@1.0.1"
        assert len(server.asked) > asked
    assert tmp_path.is_dir()


def test_a_redirect_is_followed_and_an_endless_one_is_not(server: Server, own_store: Store) -> None:
    write_package(server.root / "x.webc", "acme/x", "1.0.0")
    server.redirects = {"/old.webc": "/x.webc", "/loop.webc": "/loop.webc", "/file.webc": "file:///etc/passwd"}
    assert package_node(f"{server.url}/old.webc", own_store, InstallOptions()).id == "acme/x@1.0.0"
    for path in ("loop", "file"):
        with pytest.raises(WpmError, match="the server redirects"):
            package_node(f"{server.url}/{path}.webc", own_store, InstallOptions())


def test_nobody_answers(own_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.http.retry._TICK", 0.01)
    monkeypatch.setattr("pkgmgr.http.shared._client", HttpClient(patience=Patience(pause=0.01)))
    with pytest.raises(WpmError, match="tried 4 times") as caught:
        package_node("http://127.0.0.1:1/x.webc", own_store, InstallOptions())
    assert "\n" not in str(caught.value)


def test_a_package_may_not_write_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_package(tmp_path / "bad.webc", "my/bad", "1.0.0", commands=("\x1b[2Jx",))
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/bad": "../bad.webc"}))
    assert install() == 1
    assert "\x1b" not in capsys.readouterr().err


def test_output_without_utf_8(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: RegistryMaker) -> None:
    write_package(
        tmp_path / "a.webc", "my/a", "1.0.0", {"größe": "acme/data@*"}, commands=("ü",)
    )  # fmt: skip
    monkeypatch.chdir(write_project(tmp_path / "p", {"my/a": "../a.webc"}))
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONIOENCODING": "ascii"}
    shown = {}
    for verb in ("tree", "list"):
        command = [sys.executable, "-m", "pkgmgr.cli.main", verb, "--registry", str(registry.root)]
        shown[verb] = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.decode("ascii")
    assert shown["tree"].splitlines() == ["p", "`-- my/a 1.0.0", "    `-- acme/data 1.1.0 as gr\\xf6\\xdfe"]
    assert "\\xfc  my/a@1.0.0" in shown["list"]


def test_a_mistyped_name(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_project(project, {"acme/tol": "1"})
    assert install() == 1
    assert "is acme/tool meant?" in capsys.readouterr().err.splitlines()[0]
