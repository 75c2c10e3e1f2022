"""What packages, copied files and settings become as layers."""

from __future__ import annotations

import json
import os
import socket
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from binfactory.loader import load_package
from binfactory.node import PackageNode
from pkgmgr.errors import WpmError
from pkgmgr.rootfs.building import BuildOptions, build_image, parts_of
from pkgmgr.rootfs.copied_layer import CopiedLayer, Copy
from pkgmgr.rootfs.entry import Entry, Kind, path_order, ways_to
from pkgmgr.rootfs.image import ImageConfig
from pkgmgr.rootfs.package_layer import PackageLayer
from webc_parser.container import Container
from webc_parser.source import DirectorySource, FileSource, SymlinkSource
from webc_parser.writer import write_container

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pkgmgr.rootfs.layer import Layer

WASM = b"\0asm\1\0\0\0"
RUNNER = "https://webc.org/runner/wasi"


def package(
    folder: Path,
    name: str = "a/p@1.0.0",
    volume: DirectorySource | None = None,
    mount: str = "/",
    commands: Mapping[str, dict[str, object]] | None = None,
    atoms: Mapping[str, bytes] | None = None,
    needs: Mapping[str, PackageNode] | None = None,
    entrypoint: str | None = None,
) -> PackageNode:
    """A package that mounts one volume; its commands run the atom `m` if they say nothing else."""
    manifest: dict[str, object] = {"package": {}, "use": {alias: node.id for alias, node in (needs or {}).items()}}
    volumes = {}
    if volume is not None:
        volumes["/v"] = volume
        row = {"from": None, "volume_name": "/v", "host_path": "/", "mount_path": mount}
        manifest["package"] = {"fs": [row]}
    manifest["commands"] = {
        command: {
            "runner": RUNNER,
            "annotations": {"atom": {"name": wasi.pop("atom", "m"), "dependency": None}, "wasi": wasi},
        }
        for command, wasi in ((key, dict(value)) for key, value in (commands or {}).items())
    }
    if entrypoint is not None:
        manifest["entrypoint"] = entrypoint
    path = folder / f"{sha256(name.encode()).hexdigest()[:12]}.webc"
    write_container(path, manifest=manifest, atoms=dict(atoms or ({"m": WASM} if commands else {})), volumes=volumes)
    return PackageNode(name, path, Container.open(path), needs or {})


def layer_of(node: PackageNode, source_date: int | None = None) -> PackageLayer:
    return PackageLayer(load_package(node).part(node.id), source_date)


def found(layer: Layer) -> dict[str, Entry]:
    """The entries, which must be as the layers' contract says."""
    entries = list(layer.entries())
    paths = [entry.path for entry in entries]
    assert paths == sorted(set(paths), key=path_order)
    by_path = {entry.path: entry for entry in entries}
    for entry in entries:
        assert all(by_path[way].kind is Kind.DIRECTORY for way in ways_to(entry.path)), entry.path
        if entry.kind is Kind.HARD_LINK:
            assert by_path[entry.target].kind is Kind.FILE
            assert path_order(entry.target) < path_order(entry.path)
    return by_path


def content(entry: Entry) -> bytes:
    return b"".join(entry.pieces())


def test_files_are_where_they_are_mounted_and_times_are_the_packages_own(tmp_path: Path) -> None:
    volume = DirectorySource(
        {"f": FileSource(b"data", 9_500_000_000), "l": SymlinkSource("f", 3_000_000_000)}, 7_000_000_000
    )
    entries = found(layer_of(package(tmp_path, volume=volume, mount="/usr/share/x")))
    assert [(e.path, e.kind.value, oct(e.mode), e.mtime) for e in entries.values()] == [
        ("usr", "directory", "0o755", 0),
        ("usr/share", "directory", "0o755", 0),
        ("usr/share/x", "directory", "0o755", 7),
        ("usr/share/x/f", "file", "0o644", 9),
        ("usr/share/x/l", "symlink", "0o777", 3),
    ]
    assert content(entries["usr/share/x/f"]) == b"data"
    assert entries["usr/share/x/l"].target == "f"
    assert all((e.uid, e.gid) == (0, 0) for e in entries.values())
    clamped = found(layer_of(package(tmp_path, volume=volume, mount="/usr/share/x"), 8))
    assert [e.mtime for e in clamped.values()] == [0, 0, 7, 8, 3]


def test_commands_are_names_of_one_file_for_each_module(tmp_path: Path) -> None:
    other = WASM + b"\0\3\1a1"
    commands: dict[str, dict[str, object]] = {"b": {}, "a": {}, "c": {"atom": "n"}}
    entries = found(layer_of(package(tmp_path, commands=commands, atoms={"m": WASM, "n": other})))
    assert {path: (e.kind.value, e.target) for path, e in entries.items() if e.kind is not Kind.DIRECTORY} == {
        "bin/a": ("file", ""),
        "bin/b": ("hard link", "bin/a"),
        "bin/c": ("file", ""),
        "usr/bin/a": ("hard link", "bin/a"),
        "usr/bin/b": ("hard link", "bin/a"),
        "usr/bin/c": ("hard link", "bin/c"),
    }
    assert content(entries["bin/a"]) == WASM
    assert content(entries["bin/c"]) == other
    assert {e.mode for e in entries.values()} == {0o755}


def test_a_command_with_settings_says_them_beside(tmp_path: Path) -> None:
    wasi: dict[str, object] = {"main-args": ["-x", "é"], "env": ["A=1"], "cwd": "/w", "exec-name": "other"}
    entries = found(layer_of(package(tmp_path, commands={"c": wasi, "plain": {}})))
    text = content(entries["usr/lib/wpm/commands/c.json"])
    assert json.loads(text) == {
        "module": sha256(WASM).hexdigest(),
        "args": ["-x", "é"],
        "env": {"A": "1"},
        "cwd": "/w",
        "name": "other",
    }
    assert text.endswith(b"\n")
    assert "usr/lib/wpm/commands/plain.json" not in entries


@pytest.mark.parametrize(
    ("target", "real"),
    [
        ("usr/bin", "usr/bin"),
        ("/opt/tools", "opt/tools"),
        ("../../opt", "opt"),
        ("loop", "bin"),
        (".", "bin"),
        ("bin", "bin"),
    ],
)
def test_a_bin_that_is_a_link_is_followed_within_the_package(tmp_path: Path, target: str, real: str) -> None:
    volume = DirectorySource({"bin": SymlinkSource(target, 0), "loop": SymlinkSource("bin", 0)}, 0)
    entries = found(layer_of(package(tmp_path, volume=volume, commands={"c": {}})))
    assert entries[f"{real}/c"].kind is Kind.FILE
    assert entries["bin"].kind is (Kind.SYMLINK if real != "bin" else Kind.DIRECTORY)
    assert entries["usr/bin/c"].kind in (Kind.FILE, Kind.HARD_LINK)


def test_commands_win_over_files_of_their_package(tmp_path: Path) -> None:
    inner = DirectorySource({"below": FileSource(b"gone", 0)}, 0)
    volume = DirectorySource(
        {"bin": DirectorySource({"c": inner, "d": FileSource(b"file", 0)}, 0), "usr": FileSource(b"", 0)}, 0
    )
    entries = found(layer_of(package(tmp_path, volume=volume, commands={"c": {}, "d": {}})))
    assert {entries["bin/c"].kind, entries["bin/d"].kind} == {Kind.FILE, Kind.HARD_LINK}
    assert "bin/c/below" not in entries
    assert entries["usr"].kind is Kind.DIRECTORY


def test_names_that_no_file_system_takes_are_left_out_as_in_a_guest(tmp_path: Path) -> None:
    volume = DirectorySource(
        {"x" * 300: FileSource(b"", 0), "é" * 127: FileSource(b"", 0), "é" * 128: FileSource(b"", 0)}, 0
    )
    assert list(found(layer_of(package(tmp_path, volume=volume)))) == ["é" * 127]


def test_temporary_directories_are_everybodys_in_whichever_layer(tmp_path: Path) -> None:
    volume = DirectorySource({"f": FileSource(b"", 0)}, 0)
    assert found(layer_of(package(tmp_path, volume=volume, mount="/tmp")))["tmp"].mode == 0o1777
    assert found(layer_of(package(tmp_path, volume=volume, mount="/var/tmp/x")))["var/tmp"].mode == 0o1777


def test_layers_lie_in_the_order_in_which_packages_need_one_another(tmp_path: Path) -> None:
    files = DirectorySource({"f": FileSource(b"", 0)}, 0)
    low = package(tmp_path, "a/low@1.0.0", files)
    one = package(tmp_path, "a/one@1.0.0", files, needs={"low": low})
    two = package(tmp_path, "a/two@1.0.0", files, needs={"low": low})
    empty = package(tmp_path, "a/empty@1.0.0", needs={"two": two})
    image = build_image([load_package(one), load_package(empty)])
    assert [layer.title for layer in image.layers] == ["base", "a/low@1.0.0", "a/one@1.0.0", "a/two@1.0.0"]


def test_two_packages_of_one_id_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    files = DirectorySource({"f": FileSource(b"", 0)}, 0)
    one, other = package(tmp_path, volume=files), package(tmp_path / "x", commands={"c": {}})
    with pytest.raises(WpmError, match="two different packages"):
        list(parts_of([load_package(one), load_package(other)]))
    assert len(list(parts_of([load_package(one), load_package(one)]))) == 1


def test_an_image_runs_what_its_last_package_runs(tmp_path: Path) -> None:
    wasi: dict[str, object] = {"main-args": ["-v"], "env": ["A=1", "B=2"], "cwd": "/w"}
    first = load_package(package(tmp_path, "a/first@1.0.0", commands={"f": {}}))
    last = load_package(package(tmp_path, "a/last@1.0.0", commands={"c": wasi, "d": {}}, entrypoint="c"))
    image = build_image([first, last], BuildOptions(env={"B": "mine"}, user="1000", labels={"l": "t"}))
    assert image.config == ImageConfig({"A": "1", "B": "mine"}, ("/bin/c", "-v"), (), "/w", "1000", {"l": "t"})
    assert json.loads(content(found(image.layers[-1])["usr/lib/wpm/image.json"])) == {
        "env": {"A": "1", "B": "mine"},
        "entrypoint": ["/bin/c", "-v"],
        "cwd": "/w",
        "user": "1000",
        "labels": {"l": "t"},
    }
    chosen = build_image([first, last], BuildOptions(entrypoint=("/bin/d",), command=("x",)))
    assert chosen.config == ImageConfig({}, ("/bin/d",), ("x",))
    open_one = load_package(package(tmp_path, "a/open@1.0.0", commands={"c": {}, "d": {}}))
    assert build_image([first, open_one]).config == ImageConfig()
    assert build_image([first, open_one]).layers[-1].title == "a/open@1.0.0"


@pytest.mark.parametrize("text", ["x", "-1", "1.5", "1e9", "99999999999", "٣"])
def test_a_date_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", text)
    with pytest.raises(WpmError, match="SOURCE_DATE_EPOCH"):
        build_image([])


def test_copied_files_are_normal(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    (top / "sub" / "run").write_bytes(b"#!")
    (top / "sub" / "run").chmod(0o4744)
    (top / "one").write_bytes(b"1")
    (top / "one").chmod(0o600)
    os.link(top / "one", top / "two")
    (top / "out").symlink_to("/etc/passwd")
    (top / "dangling").symlink_to("nowhere")
    (top / "dir").symlink_to("sub", target_is_directory=True)
    entries = found(CopiedLayer([Copy(top, "srv/x")], 77))
    assert {path: (e.kind.value, oct(e.mode), e.target) for path, e in entries.items()} == {
        "srv": ("directory", "0o755", ""),
        "srv/x": ("directory", "0o755", ""),
        "srv/x/dangling": ("symlink", "0o777", "nowhere"),
        "srv/x/dir": ("symlink", "0o777", "sub"),
        "srv/x/one": ("file", "0o644", ""),
        "srv/x/out": ("symlink", "0o777", "/etc/passwd"),
        "srv/x/sub": ("directory", "0o755", ""),
        "srv/x/sub/run": ("file", "0o755", ""),
        "srv/x/two": ("file", "0o644", ""),
    }
    assert {e.mtime for e in entries.values()} == {77}


def test_where_copies_go(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"1")
    (tmp_path / "d" / "a").mkdir(parents=True)
    (tmp_path / "d" / "a" / "g").write_bytes(b"2")
    (tmp_path / "link").symlink_to("f")
    assert list(found(CopiedLayer([Copy(tmp_path / "f", "x/y")]))) == ["x", "x/y"]
    assert list(found(CopiedLayer([Copy(tmp_path / "f", "x/")]))) == ["x", "x/f"]
    assert list(found(CopiedLayer([Copy(tmp_path / "f", "")]))) == ["f"]
    assert list(found(CopiedLayer([Copy(tmp_path / "d", "")]))) == ["a", "a/g"]
    assert list(found(CopiedLayer([Copy(tmp_path / "link", "x/")]))) == ["x", "x/link"]
    both = found(CopiedLayer([Copy(tmp_path / "d", "x"), Copy(tmp_path / "f", "x/a")]))
    assert both["x/a"].kind is Kind.FILE
    assert list(both) == ["x", "x/a"]
    assert list(found(CopiedLayer([Copy(tmp_path / "f", "x"), Copy(tmp_path / "d", "x")]))) == ["x", "x/a", "x/a/g"]


def test_hostile_names_are_copied_and_the_image_itself_is_not(tmp_path: Path) -> None:
    odd = [b"\xff\xfe", b"new\nline", b"-rf", b" ", "é".encode(), b"a:b"]
    for name in odd:
        (tmp_path / os.fsdecode(name)).write_bytes(b"")
    out = tmp_path / "out.tar"
    out.write_bytes(b"old")
    (tmp_path / ".out.tar.0123456789abcdef.part").write_bytes(b"unfinished")
    names = {os.fsencode(path) for path in found(CopiedLayer([Copy(tmp_path, "")], keep_out=out))}
    assert names == set(odd)


def test_what_cannot_be_copied_is_told(tmp_path: Path) -> None:
    with pytest.raises(WpmError, match="cannot be copied: No such file"):
        CopiedLayer([Copy(tmp_path / "none", "x")])
    (tmp_path / "l").symlink_to("l")
    with pytest.raises(WpmError, match="cannot be copied"):
        CopiedLayer([Copy(tmp_path / "l", "x")])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WpmError, match="pipe: is a device, a socket or a pipe"):
        CopiedLayer([Copy(tmp_path, "x")])
    (tmp_path / "pipe").unlink()
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(tmp_path, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{folder}/s" if Path("/proc/self/fd").is_dir() else str(tmp_path / "s"))
        finally:
            os.close(folder)
        with pytest.raises(WpmError, match="is a device, a socket or a pipe"):
            CopiedLayer([Copy(tmp_path, "x")])


def test_what_was_a_file_and_became_something_else_is_not_read(tmp_path: Path) -> None:
    """Whose directory is copied may put a link to a file of ours there, or a pipe that nobody writes to."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    folder = tmp_path / "theirs"
    folder.mkdir()
    for words, become in (
        ("became a link", lambda path: path.symlink_to(secret)),
        ("no file any more", os.mkfifo),
    ):
        file = folder / "f"
        file.write_text("data")
        (entry,) = CopiedLayer([Copy(folder, "")]).entries()
        file.unlink()
        become(file)
        with pytest.raises(WpmError, match=words):
            list(entry.pieces())
        file.unlink()
