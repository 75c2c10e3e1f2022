"""Opening what strangers give: directories, archives and packages that are not as they should be."""

import gzip
import io
import os
import socket
import stat
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_images import FORMATS, build, coreutils, echoes, opened, store, write

from pkgmgr.errors import WpmError
from pkgmgr.installing.options import InstallOptions
from pkgmgr.rootfs.entry import Kind
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image import ImageConfig, RootfsImage
from pkgmgr.rootfs.opening import open_image
from pkgmgr.rootfs.read_config import parse_config
from pkgmgr.rootfs.read_directory import read_directory
from pkgmgr.store import Store


def tree(image: RootfsImage) -> dict[str, tuple[Kind, bytes | str]]:
    return {
        entry.path: (entry.kind, b"".join(entry.pieces()) if entry.kind is Kind.FILE else entry.target)
        for entry in flatten(image.layers).entries
    }


def test_a_directory_is_seen_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"secret")
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/file").write_bytes(b"1")
    os.link(root / "a/file", root / "a-link")
    (root / "out").symlink_to("../outside")
    (root / "dots").symlink_to("./a//file")
    (root / "loop").symlink_to("loop")
    (root / "tree").symlink_to("/")
    os.utime(root / "a/file", (5, 5.9))
    (root / "a/file").chmod(0o4751)
    entries = {entry.path: entry for entry in read_directory(root).layers[0].entries()}
    assert list(entries) == ["a", "a/file", "a-link", "dots", "loop", "out", "tree"]
    assert (entries["a/file"].mode, entries["a/file"].mtime) == (0o4751, 5)
    assert entries["a-link"].kind is Kind.HARD_LINK
    assert entries["a-link"].target == "a/file"
    assert (entries["out"].kind, entries["out"].target) == (Kind.SYMLINK, "../outside")
    assert entries["dots"].target == "./a//file"
    assert {entry.uid for entry in entries.values()} == {0}


def test_what_cannot_be_in_an_image_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "root"
    root.mkdir()
    os.mkfifo(root / "pipe")
    (root / ".wh.gone").touch()
    (root / "kept").touch()
    with socket.socket(socket.AF_UNIX) as server:
        # The names of sockets are short.
        monkeypatch.chdir(root)
        server.bind("socket")
        if os.geteuid() == 0:
            os.mknod(root / "device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        warnings: list[str] = []
        image = open_image(root, store=store(), install=InstallOptions(), warn=warnings.append)
        for _ in range(2):
            assert [entry.path for entry in image.layers[0].entries()] == ["kept"]
    assert all(warning.endswith(": left out") for warning in warnings)
    kinds = ["a named pipe", "a socket", "means a deletion"] + (["a device"] if os.geteuid() == 0 else [])
    for kind in kinds:
        assert sum(kind in warning for warning in warnings) == 1


def test_a_link_is_not_read_for_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "image.json").write_text('{"entrypoint": ["/bin/evil"]}')
    settings = tmp_path / "root/usr/lib/wpm"
    settings.mkdir(parents=True)
    (settings / "image.json").symlink_to(tmp_path / "image.json")
    assert opened(tmp_path / "root").config == ImageConfig()
    (settings / "image.json").unlink()
    settings.rmdir()
    settings.symlink_to(tmp_path)
    assert opened(tmp_path / "root").config == ImageConfig()


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    name = os.fsdecode(b"\xff\xfe")
    try:
        (root / name).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has no such names")
    image = opened(root)
    assert tree(opened(write(image, tmp_path, "tar"))) == tree(image) == {name: (Kind.FILE, b"x")}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_form_gives_the_same(kind: str, tmp_path: Path) -> None:
    image = build(coreutils(), echoes(tmp_path), env={"A": "b"}, labels={"x": "y"}, user="1:2", cwd="/work")
    again = opened(write(image, tmp_path, kind))
    assert again.config == image.config
    settings = "usr/lib/wpm/commands/"
    ours, theirs = tree(image), tree(again)
    if kind == "webc":
        # There the image's variables and directory are those of every command.
        ours, theirs = (
            {path: seen for path, seen in each.items() if not path.startswith(settings)} for each in (ours, theirs)
        )
    assert theirs == ours


def tar(path: Path, *members: tuple[str, bytes, str]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, kind, link in members:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info, io.BytesIO())
    return path


@pytest.mark.parametrize("ending", ["tar", "tar.gz"])
@pytest.mark.parametrize(
    ("members", "error"),
    [
        ([("../x", tarfile.REGTYPE, "")], "leads out"),
        ([("/etc/x", tarfile.REGTYPE, "")], "absolute"),
        ([("dev", tarfile.CHRTYPE, "")], "character device"),
        ([("up", tarfile.SYMTYPE, ".."), ("up/x", tarfile.REGTYPE, "")], "lie beneath"),
        ([("x", tarfile.LNKTYPE, "../../etc/passwd")], "leads out"),
        (
            [("oci-layout", tarfile.REGTYPE, ""), ("index.json", tarfile.REGTYPE, ""), ("blobs", tarfile.DIRTYPE, "")],
            "layout",
        ),
    ],
)
def test_hostile_archives(ending: str, members: list[tuple[str, bytes, str]], error: str, tmp_path: Path) -> None:
    path = tar(tmp_path / f"evil.{ending}", *members)
    with pytest.raises(WpmError, match=error) as caught:
        tree(opened(path))
    # People know nothing of the copy in the store.
    assert str(path) in str(caught.value)
    assert str(store().root) not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", "empty"),
        (b"no archive at all" * 100, "tar"),
        (b"\x1f\x8bnot really gzip", "damaged gzip"),
        (b"\x28\xb5\x2f\xfdnot really", "damaged Zstandard"),
        (b"\0webc003 and then nothing", "image"),
        (b"\0asm\1\0\0\0", "wpm run"),
    ],
)
def test_files_that_are_no_images(data: bytes, error: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    path.write_bytes(data)
    with pytest.raises(WpmError, match=error) as caught:
        tree(opened(path))
    assert "\n" not in str(caught.value)


def test_places_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(WpmError, match="there is no such file or directory"):
        opened(tmp_path / "nothing")
    with pytest.raises(WpmError, match="there is no such file or directory"):
        opened(f"{tmp_path}/nothing:tag")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WpmError, match="neither a file nor a directory"):
        opened(tmp_path / "pipe")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "1",
        '{"env": ["A=b"]}',
        '{"env": {"A=b": "c"}}',
        '{"entrypoint": "x"}',
        '{"entrypoint": [1]}',
        '{"cwd": "work"}',
        '{"user": 0}',
        '{"labels": {"a": 1}}',
        '{"cwd": "/\\u0000"}',
        '{"user": "\\ud800"}',
        "[" * 100_000,
    ],
)
def test_configurations_that_are_none(text: str) -> None:
    with pytest.raises(WpmError, match=r"^here: ") as caught:
        parse_config(text.encode(), "here")
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_configuration_or_an_error(data: bytes) -> None:
    try:
        parse_config(data, "here")
    except WpmError as error:
        assert str(error).startswith("here: ")


def test_a_configuration_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "root/usr/lib/wpm/image.json"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(5 << 20)
    with pytest.raises(WpmError, match=r"image\.json: larger than"):
        opened(tmp_path / "root")


def test_a_bomb_does_not_fill_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.rootfs.decompressing._ROOM", 1 << 20)
    path, kept = tmp_path / "b.tar.gz", Store(tmp_path / "store")
    path.write_bytes(gzip.compress(bytes(32 << 20)))
    with pytest.raises(WpmError, match=r"b\.tar\.gz: it becomes larger than \d+ bytes"):
        open_image(path, store=kept)
    assert not [found for found in kept.root.rglob("*") if found.is_file() and found.stat().st_size > 1 << 20]


def test_directories_that_nest_too_deep(tmp_path: Path) -> None:
    (tmp_path / Path(*"a" * 201)).mkdir(parents=True)
    with pytest.raises(WpmError, match="deeper than 200"):
        list(open_image(tmp_path).layers[0].entries())
