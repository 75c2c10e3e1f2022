"""`oci://` wherever a package source is taken: run, add, install, lock, update, and what looks at a lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from make_packages import write_package
from small_registry import SmallRegistry, digest
from typed import GUESTS
from wasmtime import wat2wasm

from pkgmgr.locks.lockfile import read_lock
from pkgmgr.oci.artifact import artifact_contents
from pkgmgr.oci.push import push
from pkgmgr.oci.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from small_registry import Done

    Wpm = Callable[..., Done]

ROOT = Path(__file__).parents[3]
HELLO = ROOT / "registry_fixtures" / "packages" / "wpm" / "hello"
WORDS = ROOT / "registry_fixtures" / "packages" / "wpm" / "words" / "1.1.0.webc"


def put(small: SmallRegistry, tmp_path: Path, package: Path, where: str) -> str:
    folder = tmp_path / "pushing"
    folder.mkdir(exist_ok=True)
    return push(artifact_contents(package, folder), parse_reference(f"oci://{small.host}/{where}")).digest


@pytest.fixture
def project(tmp_path: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    assert wpm("init", folder, "--name", "acme/project").code == 0
    monkeypatch.chdir(folder)
    return folder


def locked_source(project: Path, name: str = "wpm/hello") -> str:
    lock = read_lock(project / "wasmer.lock")
    assert lock is not None
    return lock.packages[lock.roots[name]].source


def test_run_and_exec(small: SmallRegistry, tmp_path: Path, wpm: Wpm) -> None:
    put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    source = f"oci://{small.host}/acme/hello:1"
    assert wpm("run", source).out == "Hello, World!\n"
    assert wpm("exec", "--package", source, "--", "hello").out == "Hello, World!\n"
    asked = len(small.asked)
    assert wpm("run", "--offline", source).out == "Hello, World!\n"
    assert len(small.asked) == asked
    done = wpm("run", f"oci://{small.host}/acme/hello:2")
    assert done.code == 1 and "MANIFEST_UNKNOWN" in done.err and done.err.count("\n") == 1
    done = wpm("run", "--offline", f"oci://{small.host}/acme/hello:3")
    assert done.code == 1 and "--offline forbids" in done.err


def test_add_lock_and_install(small: SmallRegistry, tmp_path: Path, wpm: Wpm, project: Path) -> None:
    manifest = put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:stable")
    source = f"oci://{small.host}/acme/hello:stable"
    assert wpm("add", source).code == 0
    assert f'"wpm/hello" = "{source}"' in (project / "wasmer.toml").read_text()
    assert locked_source(project) == f"oci://{small.host}/acme/hello@{manifest}"
    lock = (project / "wasmer.lock").read_bytes()
    for options in (["--locked"], ["--frozen"], ["--offline"], []):
        assert wpm("install", *options).code == 0
    assert wpm("run", "hello").out == "Hello, World!\n"

    # The tag moves: who has a lock stays where they are, wherever the package has to come from.
    second = put(small, tmp_path, HELLO / "2.0.0.webc", "acme/hello:stable")
    assert wpm("install").code == 0 and wpm("lock").code == 0
    assert wpm("cache", "clean").code == 0
    assert wpm("install", "--offline").code == 1
    done = wpm("install", "--locked")
    assert done.code == 0 and "fetched wpm/hello@1.0.0" in done.err
    assert (project / "wasmer.lock").read_bytes() == lock
    for words in (["outdated"], ["tree"], ["list"], ["verify"], ["sbom", "-o", "bom.json"], ["tree", "--json"]):
        assert wpm(*words).code == 0, words
    assert manifest in (project / "bom.json").read_text()

    assert "2.0.0" in wpm("outdated").out
    done = wpm("update", "--dry-run")
    assert done.code == 0 and "2.0.0" in done.out
    assert wpm("update", "wpm/hello").code == 0
    assert locked_source(project) == f"oci://{small.host}/acme/hello@{second}"


def test_another_dependency_leaves_the_tag_where_it_is(
    small: SmallRegistry, tmp_path: Path, wpm: Wpm, project: Path
) -> None:
    first = put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:stable")
    assert wpm("add", f"oci://{small.host}/acme/hello:stable").code == 0
    put(small, tmp_path, HELLO / "2.0.0.webc", "acme/hello:stable")
    put(small, tmp_path, WORDS, "acme/words:1")
    assert wpm("add", f"words=oci://{small.host}/acme/words:1").code == 0
    assert locked_source(project).endswith(first)
    assert wpm("cache", "clean").code == 0
    assert wpm("remove", "words").code == 0
    assert locked_source(project).endswith(first)


def test_a_digest_in_the_manifest(small: SmallRegistry, tmp_path: Path, wpm: Wpm, project: Path) -> None:
    manifest = put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    source = f"oci://{small.host}/acme/hello@{manifest}"
    assert wpm("add", source).code == 0
    assert locked_source(project) == source
    put(small, tmp_path, HELLO / "2.0.0.webc", "acme/hello:1")
    assert wpm("update").code == 0
    assert locked_source(project) == source
    assert wpm("verify").code == 0


def test_a_manifest_that_changed_behind_the_lock(small: SmallRegistry, tmp_path: Path, wpm: Wpm, project: Path) -> None:
    manifest = put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    assert wpm("add", f"oci://{small.host}/acme/hello:1").code == 0
    assert wpm("cache", "clean").code == 0
    lock = (project / "wasmer.lock").read_text()
    other = digest((HELLO / "2.0.0.webc").read_bytes()).removeprefix("sha256:")
    known = digest((HELLO / "1.0.0.webc").read_bytes()).removeprefix("sha256:")
    (project / "wasmer.lock").write_text(lock.replace(known, other))
    done = wpm("install", "--frozen")
    assert done.code == 1 and "was promised" in done.err and manifest in done.err
    (project / "wasmer.lock").write_text(lock.replace(f"@{manifest}", ":1"))
    done = wpm("install", "--frozen")
    assert done.code == 1 and "expected oci://HOST/NAME@sha256:HEX" in done.err


def test_what_is_no_package_stays_out_of_the_store(
    small: SmallRegistry, tmp_path: Path, wpm: Wpm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small.put_image("acme/x", "1", [b"no webc"], "application/vnd.wasmer.webc")
    done = wpm("run", f"oci://{small.host}/acme/x:1")
    assert done.code == 1 and "is no package" in done.err and done.err.count("\n") == 1, done.err
    assert not list((tmp_path / "cache").rglob("*.webc"))


def test_a_package_of_a_registry_may_need_others(small: SmallRegistry, tmp_path: Path, wpm: Wpm) -> None:
    put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    needs = {"hello": f"oci://{small.host}/acme/hello:1"}
    package = write_package(tmp_path / "p.webc", "acme/p", "1.0.0", needs=needs)
    put(small, tmp_path, package, "acme/p:1")
    assert wpm("run", f"oci://{small.host}/acme/p:1", "-e", "hello").out == "Hello, World!\n"


def test_an_image_as_a_package(
    small: SmallRegistry, tmp_path: Path, wpm: Wpm, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "exit.wasm"
    program.write_bytes(wat2wasm(GUESTS["exit"]))
    out = tmp_path / "image"
    build = ["rootfs", "build", HELLO / "1.0.0.webc", "--copy", f"{program}:/data/x", "-o", out, "--format", "oci"]
    done = wpm(*build, "--tag", "v1")
    assert done.code == 0, done.err
    where = f"{small.host}/acme/image:1"
    done = wpm("rootfs", "push", f"{out}:v1", where)
    assert done.code == 0, done.err
    done = wpm("run", f"oci://{where}")
    assert (done.code, done.out) == (0, "Hello, World!\n"), done.err
    assert wpm("add", f"oci://{where}").code == 0
    assert f'"image" = "oci://{where}"' in (project / "wasmer.toml").read_text()
    lock = (project / "wasmer.lock").read_bytes()
    for words in (["install", "--locked"], ["verify"], ["tree"], ["outdated"], ["update"], ["list"]):
        done = wpm(*words)
        assert done.code == 0, (words, done.err)
    # On another machine it becomes the same bytes.
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "another"))
    assert wpm("install", "--locked").code == 0
    assert (project / "wasmer.lock").read_bytes() == lock
    assert wpm("run", "hello").out == "Hello, World!\n"


def test_images_of_registries_on_the_command_line(small: SmallRegistry, tmp_path: Path, wpm: Wpm) -> None:
    put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    out = tmp_path / "image.tar"
    assert wpm("rootfs", "build", f"oci://{small.host}/acme/hello:1", "-o", out).code == 0
    where = f"oci://{small.host}/acme/image:1"
    done = wpm("rootfs", "push", out, where)
    assert done.code == 0, done.err
    assert wpm("rootfs", "ls", where, "/bin").out == "bin/hello\n"
    assert wpm("rootfs", "diff", where, out).out == ""
    assert wpm("rootfs", "run", where, "hello").out == "Hello, World!\n"
    for name in ("copy", "copy.tar", "copy.webc"):
        done = wpm("rootfs", "pull", where, "-o", tmp_path / name)
        assert done.code == 0, done.err
    assert wpm("rootfs", "diff", tmp_path / "copy", out).out == ""
    asked = len(small.asked)
    assert wpm("rootfs", "run", "--offline", where, "hello").out == "Hello, World!\n"
    assert len(small.asked) == asked
    done = wpm("rootfs", "pull", where, "-o", tmp_path / "copy.tar", "--json")
    assert done.code == 1 and "--force" in done.err
    done = wpm("rootfs", "pull", where, "-o", tmp_path / "copy.tar", "--force", "--json")
    assert json.loads(done.out)["format"] == "tar"


def test_from_one_registry_to_another(small: SmallRegistry, other: SmallRegistry, tmp_path: Path, wpm: Wpm) -> None:
    package = put(small, tmp_path, HELLO / "1.0.0.webc", "acme/hello:1")
    image = small.put_image("acme/x", "1", [b"no tar at all"])
    for name, digest_there in (("hello", package), ("x", image)):
        done = wpm("rootfs", "push", f"oci://{small.host}/acme/{name}:1", f"{other.host}/copied/{name}:2", "--json")
        assert done.code == 0, done.err
        assert json.loads(done.out)["digest"] == digest_there
    assert wpm("run", f"oci://{other.host}/copied/hello:2").out == "Hello, World!\n"
