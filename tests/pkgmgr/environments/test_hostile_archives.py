"""Environments that somebody made to do harm: one line says what is wrong, and nothing of them is anywhere."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typed import output, wpm

from pkgmgr.environments.archive import is_inner_link
from pkgmgr.environments.importing import import_environment, read_environment
from pkgmgr.errors import WpmError
from pkgmgr.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROJECT = "environment/project"
MEMBER = tarfile.TarInfo


@pytest.fixture
def members(project: Path, tmp_path: Path) -> list[tuple[tarfile.TarInfo, bytes]]:
    """What is in a sound environment."""
    output("env", "export", "--project", project, "-o", tmp_path / "sound.tar")
    found = []
    with tarfile.open(tmp_path / "sound.tar") as archive:
        for member in archive:
            file = archive.extractfile(member)
            found.append((member, file.read() if file else b""))
    return found


def pack(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member, content in members:
            if member.isreg():
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


def changed(
    members: list[tuple[tarfile.TarInfo, bytes]], name: str, change: Callable[[bytes], bytes]
) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(each, change(content) if each.name.endswith(name) else content) for each, content in members]


EXTRA = {
    "a parent": (member(f"{PROJECT}/../../../evil"), b"x"),
    "an absolute path": (member("/tmp/evil"), b"x"),
    "a link out": (member(f"{PROJECT}/evil", tarfile.SYMTYPE, "/etc"), b""),
    "a link above": (member(f"{PROJECT}/evil", tarfile.SYMTYPE, "../../x"), b""),
    "a link behind a link": (member(f"{PROJECT}/evil", tarfile.SYMTYPE, "a/../../x"), b""),
    "a hard link": (member(f"{PROJECT}/evil", tarfile.LNKTYPE, f"{PROJECT}/wasmer.toml"), b""),
    "a device": (member(f"{PROJECT}/evil", tarfile.CHRTYPE), b""),
    "a pipe": (member(f"{PROJECT}/evil", tarfile.FIFOTYPE), b""),
    "launchers": (member(f"{PROJECT}/.wpm/bin/ls"), b"#!/bin/sh\n"),
    "launchers below": (member(f"{PROJECT}/sub/.WPM/bin/ls"), b"#!/bin/sh\n"),
    "version control": (member(f"{PROJECT}/.git/hooks/post-checkout"), b"#!/bin/sh\n"),
    "another package": (member("environment/packages/" + "0" * 64 + ".webc"), b"x"),
    "a package that is a link": (member("environment/packages/evil.webc", tarfile.SYMTYPE, "/etc/passwd"), b""),
    "something else": (member("environment/else"), b"x"),
    "something beside it": (member("else"), b"x"),
    "a file as a directory": (member(f"{PROJECT}/wasmer.toml/x"), b"x"),
}


class TestMembers:
    @pytest.mark.parametrize("what", EXTRA)
    def test_what_does_not_belong_there(
        self, what: str, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path
    ) -> None:
        refused(pack(tmp_path / "evil.tar", [*members, EXTRA[what]]), tmp_path)

    def test_a_file_through_a_link(self, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
        way = (member(f"{PROJECT}/way", tarfile.SYMTYPE, "sub"), b"")
        refused(pack(tmp_path / "evil.tar", [*members, way, (member(f"{PROJECT}/way/x"), b"x")]), tmp_path)

    @pytest.mark.parametrize("missing", ["environment.json", "wasmer.lock", "wasmer.toml", ".webc"])
    def test_what_is_missing(self, missing: str, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
        index = next(number for number, (each, _) in enumerate(members) if each.name.endswith(missing))
        refused(pack(tmp_path / "evil.tar", members[:index] + members[index + 1 :]), tmp_path)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("environment.json", b"{"),
            ("environment.json", b"[" * 100_000),
            ("environment.json", b'{"format": 2}'),
            ("environment.json", b'{"format": 1, "registries": []}'),
            ("wasmer.toml", b"\xff"),
            ("wasmer.toml", b"[dependencies]\n"),
            ("wasmer.toml", b"x" * (2 << 20)),
            ("wasmer.lock", b"version = 9\n"),
            ("wasmer.lock", b""),
        ],
    )
    def test_what_is_wrong(
        self, name: str, content: bytes, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path
    ) -> None:
        refused(pack(tmp_path / "evil.tar", changed(members, name, lambda _: content)), tmp_path)

    def test_a_package_with_other_bytes(self, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
        for change in (lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: data + b"x", lambda _: b""):
            refused(pack(tmp_path / "evil.tar", changed(members, ".webc", change)), tmp_path)

    def test_a_bomb(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.tar.gz"
        with gzip.open(path, "wb", 9) as file:
            for _ in range(1200):
                file.write(bytes(1 << 20))
        refused(path, tmp_path)


def refused(path: Path, tmp_path: Path) -> None:
    """An import fails with one line, and leaves no file, no package and no unfinished one."""
    there, store = tmp_path / "there", tmp_path / "their store"
    done = wpm("env", "import", path, there, env={"WPM_CACHE_DIR": str(store)})
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1), done
    assert done.stderr.startswith(b"wpm: ") and path.name.encode() in done.stderr
    assert not there.exists()
    left = [path for path in store.rglob("*") if path.is_file() and path.suffix != ".webc"]
    assert not left
    assert not (tmp_path / "evil").exists()


class TestDamage:
    @settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(at=st.integers(0, 20_000), byte=st.integers(1, 255), cut=st.booleans())
    def test_any_byte(
        self, at: int, byte: int, cut: bool, members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path
    ) -> None:
        small = [(each, content) for each, content in members if not each.name.endswith(".webc")]
        data = bytearray(pack(tmp_path / "sound.tar", small).read_bytes())
        at %= len(data)
        data[at] ^= byte
        path = tmp_path / "damaged.tar"
        path.write_bytes(data[:at] if cut else data)
        # Without its packages even a sound one is refused; here only how matters.
        with pytest.raises(WpmError) as error:
            read_environment(path, path)
        assert "\n" not in str(error.value)

    def test_a_sound_one_is_taken(self, tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        path = pack(tmp_path / "again.tar", list(reversed(members)))
        store = Store(tmp_path / "their store")
        done = import_environment(path, tmp_path / "there", store, compile_modules=False)
        assert (done.stored, done.written) == (3, 2)
        told = json.loads((tmp_path / "there/.wpm/manifest.json").read_text())
        assert "hello" in told["commands"]
        assert not [name for name in os.listdir(tmp_path / "there/.wpm") if name.startswith("import-")]


class TestLinks:
    @pytest.mark.parametrize(("path", "target"), [("a", "b"), ("a/b", "../c"), ("a/b/c", "../../d/e"), ("a", "b/c")])
    def test_inner(self, path: str, target: str) -> None:
        assert is_inner_link(path, target)

    @pytest.mark.parametrize(
        ("path", "target"),
        [("a", ".."), ("a", "../b"), ("a", "/b"), ("a", ""), ("a", "b/../c"), ("a/b", "../../c"), ("a", "./b")],
    )
    def test_others(self, path: str, target: str) -> None:
        assert not is_inner_link(path, target)

    @settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["a", "b", "c", "d/a", "d/b", "d/e/a"]),
                st.lists(st.sampled_from(["..", "a", "b", "c", "d", "e", "x"]), min_size=1, max_size=4).map("/".join),
            ),
            max_size=6,
        )
    )
    def test_none_leads_out(self, tmp_path_factory: pytest.TempPathFactory, links: list[tuple[str, str]]) -> None:
        root = tmp_path_factory.mktemp("links")
        (root / "d" / "e").mkdir(parents=True)
        for path, target in links:
            if is_inner_link(path, target) and not os.path.lexists(root / path):
                (root / path).symlink_to(target)
        for folder, names, files in os.walk(root):
            for name in names + files:
                try:
                    end = os.path.realpath(os.path.join(folder, name), strict=True)
                except OSError:
                    continue
                assert end == str(root) or end.startswith(f"{root}/")


def test_a_path_to_what_has_no_end_is_not_read(tmp_path: Path, project: Path) -> None:
    lock = project / "wasmer.lock"
    for name in ("wasmer.toml", "wasmer.lock"):
        text = (project / name).read_text()
        (project / name).write_text(text.replace('"wpm/hello" = "^1.1"', '"wpm/hello" = "/dev/zero"'))
    text = lock.read_text()
    at = text.index('name = "wpm/hello"')
    lock.write_text(text[:at] + text[at:].replace('source = "embedded"', 'source = "path:/dev/zero"', 1))
    output("install", "--project", project)
    assert wpm("env", "export", "--project", project, "-o", tmp_path / "e.tar").returncode == 0
    assert wpm("env", "import", tmp_path / "e.tar", tmp_path / "there").returncode == 0
