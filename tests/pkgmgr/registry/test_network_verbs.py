"""The verbs with a registry over the network: by hand, without the network, and with tokens."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from make_packages import write_project
from reply_server import Reply, ReplyServer, answer, replying

import registry_fixtures
from pkgmgr.cli.main import main
from pkgmgr.server.serve import RegistryServer

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SECRET = "wap_0123456789abcdef"


class Done(NamedTuple):
    code: int
    out: str
    err: str


Wpm = Callable[..., Done]


@pytest.fixture
def wpm(capfd: pytest.CaptureFixture[str]) -> Wpm:
    def run(*words: object) -> Done:
        capfd.readouterr()
        code = main([str(word) for word in words])
        return Done(code, *capfd.readouterr())

    return run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The packages of wpm under another namespace's roof: `wpm/*` itself is not asked for over the network."""
    root = tmp_path / "registry"
    shutil.copytree(registry_fixtures.ROOT / "packages", root / "packages")
    return root


def configure_everything(url: str) -> None:
    assert main(["config", "set", "registries.*", url]) == 0
    assert main(["config", "set", "registries.wpm/*", url]) == 0


def test_with_the_cache_warm_everything_works_without_the_network(root: Path, tmp_path: Path, wpm: Wpm) -> None:
    project = write_project(tmp_path / "p", {"wpm/hello": "^1", "wpm/top-words": "1"})
    here = ("--project", project)
    with RegistryServer(root) as server:
        configure_everything(server.url)
        done = wpm("install", *here)
        assert done.code == 0 and "fetched" in done.out, done
    lock = (project / "wasmer.lock").read_text()
    assert f'source = "registry+{server.url}"' in lock
    for words in (("--offline",), ()):
        (project / "wasmer.lock").write_text(lock)
        assert wpm("install", "--locked", *here, *words).code == 0
        tree = wpm("tree", *here, *words)
        assert tree.code == 0 and "wpm/top-words" in tree.out
        (project / "wasmer.lock").unlink()
        again = wpm("lock", *here, *words)
        assert again.code == 0 and (project / "wasmer.lock").read_text() == lock
        # The real server wants to be asked each time: what it said is old, and that is told once.
        assert again.err.count(f"wpm: {server.url}: using what it said") <= 1
        fresh = write_project(tmp_path / f"q{len(words)}", {"wpm/words": "*"})
        assert wpm("install", "--project", fresh, *words).code == 0
        unknown = write_project(tmp_path / f"r{len(words)}", {"acme/none": "*"})
        done = wpm("install", "--project", unknown, *words)
        assert done.code == 1 and "acme/none" in done.err and server.url in done.err
        assert not words or "--offline forbids" in done.err
        assert done.err.count("\n") <= 2
    # Of what is known only what is here is newly chosen.
    newest = write_project(tmp_path / "s", {"wpm/hello": "*"})
    assert wpm("install", "--offline", "--project", newest).code == 0
    assert "wpm/hello@1.1.0" in (newest / "wasmer.lock").read_text()
    ran = subprocess.run(
        [sys.executable, "-m", "pkgmgr.cli.main", "run", "--offline", "wpm/hello@^1", "you"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert ran.stdout.startswith("Hello"), ran.stderr


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "WPM_HTTP_TIMEOUT": "1"}


def test_a_locked_project_never_imports_what_asks_registries(root: Path, tmp_path: Path, wpm: Wpm) -> None:
    project = write_project(tmp_path / "p", {"wpm/hello": "1"})
    with RegistryServer(root) as server:
        configure_everything(server.url)
        assert wpm("install", "--project", project).code == 0
    program = (
        "import sys\nfrom pkgmgr.cli.main import main\nassert main(sys.argv[1:]) == 0\n"
        "print(sorted(name for name in sys.modules if name.split('.')[0] in "
        "('requests', 'urllib3', 'diskcache', 'tomlkit', 'graphql', 'werkzeug', 'rich', 'resolvelib', 'sqlite3') "
        "or name.startswith(('pkgmgr.http', 'pkgmgr.registry', 'pkgmgr.settings.config', 'pkgmgr.settings.credentials'))))"
    )
    for words in (("install", "--locked"), ("run", "hello")):
        done = subprocess.run(
            [sys.executable, "-c", program, *words], cwd=project, env=environment(), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == "[]"
    # What is named on the command line and was resolved before opens no connection either.
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", program.replace(" or name", " and name"), "run", "wpm/hello@1"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplyServer]:
    with replying({"data": {"viewer": {"username": "me"}}}) as server:
        monkeypatch.setenv("WPM_REGISTRY", server.url)
        yield server


def test_login_and_logout(
    registry: ReplyServer,
    tmp_path: Path,
    wpm: Wpm,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "config" / "credentials.toml"
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\nrest"))
    done = wpm("login", "--with-token")
    assert done == (0, f"logged in to {registry.url} as me; the token is in {path}\n", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert registry.asked[-1].token == f"Bearer {SECRET}"
    # It goes with every question from now on, and to nobody else.
    with replying(answer(None)) as other:
        project = write_project(tmp_path / "p", {"acme/tool": "*"})
        assert wpm("install", "--project", project, "--registry", other.url).code == 1
        assert wpm("install", "--project", project).code == 1
        assert {asked.token for asked in other.asked} == {None}
        assert registry.asked[-1].token == f"Bearer {SECRET}"
    done = wpm("login", "--token", "other", "--json")
    assert json.loads(done.out) == {"registry": registry.url, "username": "me", "file": str(path)}
    assert wpm("logout").out.startswith(f"logged out of {registry.base}")
    assert wpm("logout").out == f"there was no token for {registry.base}\n"
    assert json.loads(wpm("logout", "--all", "--json").out) == {"forgotten": []}
    assert "other" not in path.read_text()


def test_what_login_refuses(tmp_path: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> None:
    for reply in ({"data": {"viewer": None}}, {"data": {"viewer": {"username": "\x1b"}}}, Reply(b"", status=401)):
        with replying(reply) as server:
            done = wpm("login", "--registry", server.url, "--token", SECRET)
            assert done.code == 1 and server.url in done.err and "token" in done.err
            assert SECRET not in done.err + done.out and done.err.count("\n") == 1
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    for words in (("--with-token",), (), ("--token", "a b"), ("--registry", tmp_path, "--token", SECRET)):
        done = wpm("login", *words)
        assert done.code == 1 and done.err.count("\n") == 1
        assert SECRET not in done.err
    assert not (tmp_path / "config").exists()


def test_the_token_of_the_environment(
    registry: ReplyServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wpm: Wpm
) -> None:
    monkeypatch.setenv("WPM_TOKEN", SECRET)
    project = write_project(tmp_path / "p", {"acme/tool": "*"})
    done = wpm("install", "--project", project)
    assert done.code == 1 and SECRET not in done.err
    assert registry.asked[-1].token == f"Bearer {SECRET}"
    with replying(answer(None)) as ours:
        assert wpm("config", "set", "registries.acme/*", ours.url).code == 0
        assert wpm("install", "--project", project).code == 1
        assert ours.asked and {asked.token for asked in ours.asked} == {None}


def test_config(tmp_path: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config" / "config.toml"
    assert wpm("config", "path").out == f"{path}\n"
    assert wpm("config", "get", "registries.acme/*").code == 1
    assert wpm("config", "set", "registries.acme/*", "https://a.example").out == (
        "registries.acme/* = https://a.example/graphql\n"
    )
    assert wpm("config", "get", "registries.Acme/*").out == "https://a.example/graphql\n"
    done = wpm("config", "set", "--json", "mirrors.https://a.example", "https://b.example", "https://c.example")
    assert json.loads(done.out) == {
        "key": "mirrors.https://a.example",
        "values": ["https://b.example/graphql", "https://c.example/graphql"],
        "changed": True,
    }
    assert wpm("config", "list").out.splitlines() == [
        "registries.acme/* = https://a.example/graphql",
        "registries.* = https://registry.wasmer.io/graphql (default)",
        "registries.wpm/* = embedded (default)",
        "mirrors.https://a.example/graphql = https://b.example/graphql https://c.example/graphql",
    ]
    monkeypatch.setenv("WPM_REGISTRY", str(tmp_path))
    listed = json.loads(wpm("config", "list", "--json").out)
    assert listed["registries"]["*"] == {"registry": str(tmp_path), "from": "WPM_REGISTRY"}
    assert wpm("config", "unset", "registries.acme/*").out == "registries.acme/* is not set any more\n"
    assert wpm("config", "unset", "registries.acme/*").code == 0
    path.write_text("color = 'red'\n")
    assert "'color'" in wpm("config", "list").err
    path.write_text("[registries]\nacme = 'x'\n")
    done = wpm("config", "list")
    assert done.code == 1 and done.err.startswith(f"wpm: {path}: key registries")
