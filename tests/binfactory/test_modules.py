"""Compiled modules: kept, found again, never believed without reason, and never in another's place."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from factory_packages import ECHO_ARGUMENTS, command, exit_with, module, opened, pack

from binfactory.artifacts import SEAL, ArtifactStore
from binfactory.compiling import compile_all
from binfactory.errors import FactoryError
from binfactory.loader import PackageNode, load_package
from binfactory.modules import ModuleCache, WasmBytes
from runtime.engine import Module

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE = WasmBytes.of(module(ECHO_ARGUMENTS), "test:echo")


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the modules that the compiler was really asked for."""
    names: list[str] = []
    compile_module = Module.compile.__func__  # type: ignore[attr-defined]

    def counting(cls: type[Module], wasm: bytes, name: str = "module") -> Module:
        names.append(name)
        result: Module = compile_module(cls, wasm, name)
        return result

    monkeypatch.setattr(Module, "compile", classmethod(counting))
    return names


def artifact(modules: ModuleCache, source: WasmBytes = SOURCE) -> Path:
    assert modules.artifacts is not None
    return modules.artifacts.path(source.atom_sha256)


def again(modules: ModuleCache) -> ModuleCache:
    """As another process would see the same directory."""
    assert modules.artifacts is not None
    return ModuleCache(modules.artifacts.directory)


def test_compiled_once_then_kept(modules: ModuleCache, compiled: list[str]) -> None:
    first = modules.module(SOURCE)
    assert modules.module(SOURCE) is first
    second = again(modules).module(SOURCE)
    assert second is not first and "_start" in second.exports
    assert compiled == ["test:echo"]


def test_without_a_directory(compiled: list[str]) -> None:
    modules = ModuleCache(None)
    assert modules.module(SOURCE) is modules.module(SOURCE)
    modules.forget()
    modules.module(SOURCE)
    assert len(compiled) == 2


def test_everything_is_private(modules: ModuleCache) -> None:
    before = os.umask(0)
    try:
        modules.module(SOURCE)
    finally:
        os.umask(before)
    path = artifact(modules)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def replace_by_link(path: Path) -> None:
    other = path.parent.parent / "elsewhere"
    path.rename(other)
    path.symlink_to(other)


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def swap_for_another(path: Path) -> None:
    """Put a good artifact of another module under this one's name."""
    cache = ModuleCache(path.parent)
    source = WasmBytes.of(exit_with(77), "other")
    cache.module(source)
    other = artifact(cache, source)
    path.write_bytes(other.read_bytes())
    stat = other.stat()
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    other.unlink()


WRONGS: dict[str, Callable[[Path], object]] = {
    "a byte of code": lambda path: flip(path, 4000),
    "a byte of its head": lambda path: flip(path, 1),
    "a byte of its seal": lambda path: flip(path, -3),
    "half of it": lambda path: path.write_bytes(path.read_bytes()[:2000]),
    "nothing in it": lambda path: path.write_bytes(b""),
    "less than a seal": lambda path: path.write_bytes(b"x" * (SEAL.size - 1)),
    "others may read": lambda path: path.chmod(0o644),
    "others may write": lambda path: path.chmod(0o622),
    "a link": replace_by_link,
    "another module's": swap_for_another,
    "a pipe": replace_by_pipe,
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_what_is_not_right_is_compiled_again(modules: ModuleCache, compiled: list[str], wrong: str) -> None:
    modules.module(SOURCE)
    WRONGS[wrong](artifact(modules))
    compiled.clear()
    found = again(modules).module(SOURCE)
    assert "_start" in found.exports and "environ" not in str(found.imports)
    assert compiled == ["test:echo"]
    again(modules).module(SOURCE)
    assert compiled == ["test:echo"], "and is right from then on"


def test_a_copied_artifact_is_read_and_believed(modules: ModuleCache, compiled: list[str]) -> None:
    modules.module(SOURCE)
    path = artifact(modules)
    data = path.read_bytes()
    path.write_bytes(data)
    assert again(modules).module(SOURCE)
    assert compiled == ["test:echo"]
    assert modules.artifacts is not None and list(modules.artifacts.verify()) == []


def test_verify_reads_everything(modules: ModuleCache) -> None:
    modules.module(SOURCE)
    path = artifact(modules)
    stat = path.stat()
    flip(path, 4000)
    os.utime(path, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert modules.artifacts is not None
    assert [each for each, _ in modules.artifacts.verify()] == [path]


class TestDirectory:
    def test_writable_by_others(self, tmp_path: Path, compiled: list[str]) -> None:
        folder = tmp_path / "code"
        ModuleCache(folder).module(SOURCE)
        folder.chmod(0o777)
        modules = ModuleCache(folder)
        modules.module(SOURCE)
        assert len(compiled) == 2
        assert modules.artifacts is not None and "others may write" in str(modules.artifacts.problem)

    def test_readable_by_others_is_made_private(self, tmp_path: Path, compiled: list[str]) -> None:
        folder = tmp_path / "code"
        ModuleCache(folder).module(SOURCE)
        folder.chmod(0o755)
        ModuleCache(folder).module(SOURCE)
        assert len(compiled) == 1 and folder.stat().st_mode & 0o777 == 0o700

    def test_a_link_or_a_file(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir(mode=0o700)
        (tmp_path / "link").symlink_to(tmp_path / "real")
        (tmp_path / "file").write_text("")
        for name in ("link", "file", "file/below"):
            modules = ModuleCache(tmp_path / name)
            modules.module(SOURCE)
            assert modules.artifacts is not None and modules.artifacts.problem is not None
        assert list((tmp_path / "real").iterdir()) == []

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
    def test_of_another_user(self, tmp_path: Path) -> None:
        folder = tmp_path / "code"
        folder.mkdir(mode=0o700)
        os.chown(folder, 12345, 12345)
        modules = ModuleCache(folder)
        modules.module(SOURCE)
        assert modules.artifacts is not None and "not a directory of this user" in str(modules.artifacts.problem)
        assert list(folder.iterdir()) == []

    def test_prune(self, modules: ModuleCache, compiled: list[str]) -> None:
        other = WasmBytes.of(exit_with(5), "other")
        modules.module(SOURCE)
        modules.module(other)
        store = modules.artifacts
        assert store is not None
        of_another_engine = artifact(modules).with_name(SOURCE.atom_sha256 + "-00000000.cwasm")
        of_another_engine.write_bytes(b"old")
        size = artifact(modules, other).stat().st_size + 3
        assert store.prune({SOURCE.atom_sha256}) == (2, size)
        compiled.clear()
        again(modules).module(SOURCE)
        assert compiled == []

    def test_leftovers_of_killed_writers(self, modules: ModuleCache) -> None:
        modules.module(SOURCE)
        store = modules.artifacts
        assert isinstance(store, ArtifactStore)
        for name, age in ((".old.tmp", 10), (".new.tmp", 10_000)):
            (store.directory / name).write_bytes(b"half")
            os.utime(store.directory / name, (age, age))
        assert store.sweep(5000) == 1
        assert sorted(p.name for p in store.directory.iterdir()) == [".new.tmp", artifact(modules).name]


class TestChecksums:
    def test_a_package_cannot_put_its_module_in_anothers_place(self, modules: ModuleCache) -> None:
        good, evil = exit_with(0), exit_with(1)
        data = bytearray(pack("n/evil@1.0.0", atoms={"m": good}, commands={"x": command("m")}))
        at = data.find(good)
        data[at : at + len(evil)] = evil
        liar = load_package(PackageNode("n/evil@1.0.0", container=opened(bytes(data)), sha256="00")).command("x")
        assert liar.atom == evil
        with pytest.raises(FactoryError, match=r"n/evil@1\.0\.0:m: its sha256 is .* as its package says"):
            modules.module(liar)
        assert not modules.is_ready(liar)

    def test_what_is_no_module(self, modules: ModuleCache) -> None:
        with pytest.raises(FactoryError, match="readme: not a WebAssembly module"):
            modules.module(WasmBytes.of(b"hello", "readme"))
        with pytest.raises(FactoryError, match="broken"):
            modules.module(WasmBytes.of(b"\0asm\x01\0\0\0junk", "broken"))


class TestMemo:
    def test_is_bounded(self, tmp_path: Path) -> None:
        sources = [WasmBytes.of(exit_with(code), str(code)) for code in range(4)]
        probe = ModuleCache(None)
        probe.module(sources[0])
        modules = ModuleCache(tmp_path / "code", memo_bytes=probe._memo_size * 5 // 2)
        first = modules.module(sources[0])
        for source in sources:
            modules.module(source)
        assert len(modules._memo) == 2
        assert modules.module(sources[0]) is not first

    def test_the_last_one_is_kept_however_large(self, tmp_path: Path) -> None:
        modules = ModuleCache(tmp_path / "code", memo_bytes=1)
        assert modules.module(SOURCE) is modules.module(SOURCE)

    def test_threads_compile_once(self, modules: ModuleCache, compiled: list[str]) -> None:
        found: list[Module] = []
        threads = [threading.Thread(target=lambda: found.append(modules.module(SOURCE))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(map(id, found))) == 1 and len(found) == 8
        assert len(compiled) == 1


class TestCompileAll:
    def sources(self) -> list[WasmBytes]:
        return [WasmBytes.of(exit_with(code), f"exit-{code}") for code in range(12)]

    def test_each_once_and_only_what_is_missing(self, modules: ModuleCache, compiled: list[str]) -> None:
        seen: list[tuple[int, int]] = []
        sources = self.sources()
        modules.module(sources[5])
        report = compile_all(modules, [*sources, *sources], progress=lambda done, total, _: seen.append((done, total)))
        assert (report.compiled, report.cached, report.failed) == (11, 1, ())
        assert seen == [(number, 12) for number in range(1, 13)]
        assert sorted(compiled) == sorted(source.atom_label for source in sources)
        assert compile_all(again(modules), sources).cached == 12

    def test_a_bad_module_does_not_stop_the_others(self, modules: ModuleCache) -> None:
        bad = WasmBytes.of(b"\0asm\x01\0\0\0junk", "bad")
        report = compile_all(modules, [bad, *self.sources()], jobs=2)
        assert report.compiled == 12
        assert [label for label, _ in report.failed] == ["bad"]

    def test_little_memory_is_only_slower(self, modules: ModuleCache) -> None:
        assert compile_all(modules, self.sources(), jobs=4, memory=1).compiled == 12

    def test_nothing_to_do(self, modules: ModuleCache) -> None:
        assert compile_all(modules, []).compiled == 0

    def test_the_progress_callback_may_stop_it(self, modules: ModuleCache) -> None:
        def stop(done: int, total: int, name: str) -> None:
            del done, total, name
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            compile_all(modules, self.sources(), jobs=2, progress=stop)
