"""What does not match the lock is never unpacked, mounted or run, on whatever way it came."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from make_packages import RegistryMaker, write_package, write_project
from typed import environment, output, wpm
from wasmtime import wat2wasm

from pkgmgr.locks.lockfile import read_lock
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

SAY = """(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1) (data (i32.const 0) "\\10\\00\\00\\00\\05\\00\\00\\00") (data (i32.const 16) "{text}\\n")
  (func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"""
GOOD, EVIL = (bytes(wat2wasm(SAY.replace("{text}", text))) for text in ("good", "evil"))


class Place:
    """A registry, a store and a project that uses a package of the registry."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.registry = RegistryMaker(root / "registry")
        self.package = self.registry.root / "packages/team/say/1.0.0.webc"
        self.publish(GOOD)
        self.store = Store(root / "store")
        self.project = write_project(root / "project", {"team/say": "^1"})
        self.environ = {"WPM_CACHE_DIR": str(self.store.root), "WPM_REGISTRY": str(self.registry.root)}

    def publish(self, module: bytes) -> None:
        write_package(self.package, "team/say", "1.0.0", commands=("say",), files={"f": b"?"}, module=module)

    def wpm(self, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
        return wpm(*words, cwd=self.project, env=self.environ)

    @property
    def stored(self) -> Path:
        """The package in the store."""
        lock = read_lock(self.project / "wasmer.lock")
        assert lock is not None
        return self.store.path(lock.packages["team/say@1.0.0"].sha256)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    assert output("run", "say", cwd=place.project, env=place.environ) == "good\n"
    return place


def edit(path: Path) -> None:
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[data.index(GOOD) : data.index(GOOD) + len(EVIL)] = EVIL
    path.write_bytes(data)


def cut(path: Path) -> None:
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size // 2)


def change_to_another_package(path: Path) -> None:
    other = write_package(path.with_name("other.webc"), "team/say", "1.0.0", commands=("say",), module=EVIL)
    other.replace(path)


def change_to_a_link(path: Path) -> None:
    outside = path.parents[4] / "outside.webc"
    write_package(outside, "team/say", "1.0.0", commands=("say",), module=EVIL)
    path.unlink()
    path.symlink_to(outside)


CHANGES = pytest.mark.parametrize("change", [edit, cut, change_to_another_package, change_to_a_link])


@CHANGES
def test_a_package_that_was_changed_in_the_store_is_fetched_again(place: Place, change: Callable[[Path], None]) -> None:
    change(place.stored)
    done = place.wpm("run", "say")
    assert (done.returncode, done.stdout) == (0, b"good\n")
    assert b"its bytes are not those of its name, so it is not used" in done.stderr
    assert verify_store(place.store).corrupt == ()
    change(place.stored)
    done = place.wpm("install", "--locked")
    assert done.returncode == 0
    assert b"1 fetched" in done.stdout
    assert output("run", "say", cwd=place.project, env=place.environ) == "good\n"


@CHANGES
def test_where_it_cannot_be_fetched_nothing_runs(place: Place, change: Callable[[Path], None]) -> None:
    change(place.stored)
    place.package.unlink()
    for words in (
        ("run", "say"),
        ("install", "--locked"),
        ("run", f"sha256:{place.stored.parent.name}{place.stored.stem}"),
    ):
        done = place.wpm(*words)
        assert done.returncode == 1, words
        assert done.stdout == b""


def test_a_package_named_on_the_command_line(place: Place) -> None:
    digest = place.stored.parent.name + place.stored.stem
    for name in ("team/say", f"sha256:{digest}"):
        done = place.wpm("run", name)
        assert (done.stdout, done.stderr) == (b"good\n", b"")
    edit(place.stored)
    assert place.wpm("run", f"sha256:{digest}", "--offline").stdout == b"good\n"
    edit(place.stored)
    done = place.wpm("run", "team/say")
    assert (done.returncode, done.stdout) == (0, b"good\n")


def test_a_registry_that_answers_other_bytes_for_a_locked_version(place: Place) -> None:
    place.publish(EVIL)
    place.stored.unlink()
    for words in (("run", "say"), ("install",), ("install", "--locked")):
        done = place.wpm(*words)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr.startswith(b"wpm: team/say@1.0.0: ")
        assert (
            b"do not trust its source; if it was replaced on purpose, run: wpm lock --upgrade team/say" in done.stderr
        )
    assert not place.stored.exists()
    assert place.store.abandoned() == []


@pytest.mark.parametrize("key", ["sha256", "size"])
def test_a_lock_that_was_edited(place: Place, key: str) -> None:
    lock = place.project / "wasmer.lock"
    lines = lock.read_text().splitlines()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(f"{key} = ")]
    lines[at] = f'sha256 = "{"0" * 64}"' if key == "sha256" else "size = 7"
    lock.write_text("\n".join(lines) + "\n")
    done = place.wpm("run", "say")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"do not trust its source" in done.stderr


def test_a_path_dependency_that_was_changed(tmp_path: Path) -> None:
    project = write_project(tmp_path / "project", {"team/say": "./say.webc"})
    environ = {"WPM_CACHE_DIR": str(tmp_path / "store")}
    write_package(project / "say.webc", "team/say", "1.0.0", commands=("say",), module=GOOD)
    output("install", cwd=project, env=environ)
    write_package(project / "say.webc", "team/say", "1.0.0", commands=("say",), module=EVIL)
    done = wpm("install", "--locked", cwd=project, env=environ)
    assert (done.returncode, done.stdout) == (1, b"")


def test_a_package_file_whose_module_is_not_what_its_manifest_says(place: Place) -> None:
    lying = place.root / "lying.webc"
    lying.write_bytes(place.package.read_bytes())
    edit(lying)
    done = place.wpm("run", lying)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b'atom "module" does not match its signature in the manifest' in done.stderr
    done = place.wpm("unpack", lying, "-o", place.root / "unpacked")
    assert (done.returncode, done.stdout) == (1, b"")
    assert not (place.root / "unpacked").exists()


def test_compiled_modules_that_were_changed_are_not_loaded(place: Place) -> None:
    (artifact,) = place.store.modules.glob("*.cwasm")
    data = bytearray(artifact.read_bytes())
    data[len(data) // 2] ^= 0xFF
    artifact.write_bytes(data)
    assert output("run", "say", cwd=place.project, env=place.environ) == "good\n"
    assert output("cache", "verify", env=place.environ)


def test_nobody_else_may_write_into_the_store(tmp_path: Path) -> None:
    script = "import os, sys; from pkgmgr.cli.main import main; os.umask(0); sys.exit(main(sys.argv[1:]))"
    environ = environment({"WPM_CACHE_DIR": str(tmp_path / "store")})
    subprocess.run(
        [sys.executable, "-c", script, "run", "wpm/hello"], env=environ, check=True, stdout=subprocess.DEVNULL
    )
    for folder, _, names in os.walk(tmp_path / "store"):
        for path in (Path(folder), *(Path(folder, name) for name in names)):
            assert not path.stat().st_mode & 0o022, path


def test_what_others_may_have_written_does_not_say_which_package_a_name_is(place: Place) -> None:
    assert place.wpm("run", "team/say").stdout == b"good\n"
    evil = place.store.add_file(
        write_package(place.root / "evil.webc", "team/say", "1.0.0", commands=("say",), module=EVIL)
    )
    (kept,) = (place.store.root / "adhoc").iterdir()
    content = json.loads(kept.read_text())
    digest = place.stored.parent.name + place.stored.stem
    content["lock"] = (
        content["lock"]
        .replace(digest, evil.sha256)
        .replace(f"size = {place.stored.stat().st_size}", f"size = {evil.size}")
    )
    kept.write_text(json.dumps(content))
    assert place.wpm("run", "team/say").stdout == b"evil\n"
    kept.chmod(0o666)
    assert place.wpm("run", "team/say").stdout == b"good\n"
