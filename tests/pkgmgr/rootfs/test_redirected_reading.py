"""Directories that somebody changes while they are read: no link leads to what lies elsewhere."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pkgmgr.errors import WpmError
from pkgmgr.files.below import list_below
from pkgmgr.rootfs.copied_layer import CopiedLayer, Copy
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.read_directory import read_directory
from pkgmgr.rootfs.tar_stream import tar_pieces
from pkgmgr.rootfs.write_directory import write_directory
from pkgmgr.rootfs.write_webc import write_webc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkgmgr.rootfs.entry import Entry

LARGE = 3 << 20
"""So much that the kernel is asked to copy it."""


class MemoryLayer(NamedTuple):
    title: str
    names: tuple[Entry, ...]

    def entries(self) -> Iterator[Entry]:
        return iter(self.names)


def redirect_file(tree: Path, elsewhere: Path) -> None:
    (tree / "a" / "f").unlink()
    (tree / "a" / "f").symlink_to(elsewhere / "f")


def redirect_directory(tree: Path, elsewhere: Path) -> None:
    (tree / "a").rename(tree / "was")
    (tree / "a").symlink_to(elsewhere)


def put_a_pipe(tree: Path, _: Path) -> None:
    (tree / "a" / "f").unlink()
    os.mkfifo(tree / "a" / "f")


def as_tar(entries: list[Entry], out: Path) -> None:
    out.write_bytes(b"".join(tar_pieces(entries)))


def as_directory(entries: list[Entry], out: Path) -> None:
    out.mkdir()
    write_directory(entries, out)


def as_package(entries: list[Entry], out: Path) -> None:
    layer = MemoryLayer("seen", tuple(entries))
    write_webc(RootfsImage((layer,)), out, None)


@pytest.mark.parametrize("write", [as_tar, as_directory, as_package])
@pytest.mark.parametrize("change", [redirect_file, redirect_directory, put_a_pipe])
@pytest.mark.parametrize("kind", ["copied", "opened"])
def test_what_took_the_place_of_a_file_is_not_read(
    tmp_path: Path,
    kind: str,
    change: Callable[[Path, Path], None],
    write: Callable[[list[Entry], Path], None],
) -> None:
    tree, elsewhere = tmp_path / "tree", tmp_path / "elsewhere"
    for folder, content in ((tree / "a", b"shown"), (elsewhere, b"secret")):
        folder.mkdir(parents=True)
        (folder / "f").write_bytes(content * (LARGE // 4))
    layer = CopiedLayer([Copy(tree, "")]) if kind == "copied" else read_directory(tree).layers[0]
    entries = flatten([layer]).entries
    before = [entry.path for entry in entries]
    assert before == ["a", "a/f"]
    change(tree, elsewhere)

    with pytest.raises(WpmError, match=r"a/f: (is another file than it was|is no file any more|cannot be read)"):
        write(list(entries), tmp_path / "out")
    out = tmp_path / "out"
    written = [path for path in (out, *out.rglob("*")) if path.is_file()] if out.exists() else []
    assert not any(b"secret" in path.read_bytes() for path in written)


def test_no_link_is_entered_below_a_directory(tmp_path: Path) -> None:
    (tmp_path / "real" / "a" / "b").mkdir(parents=True)
    (tmp_path / "top").symlink_to("real")
    (tmp_path / "real" / "a" / "link").symlink_to("./b")
    found = {each.name: each.target for each in list_below(str(tmp_path / "top"), "a")}
    assert found == {"b": "", "link": "./b"}
    assert list_below(str(tmp_path / "top"), "a/b") == []
    for way in ("a/link", "a/link/x", "a/gone"):
        with pytest.raises(OSError):
            list_below(str(tmp_path / "top"), way)


def test_a_file_that_grows_or_is_written_anew_in_place_is_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"first")
    entries = flatten([CopiedLayer([Copy(tmp_path, "")])]).entries
    (tmp_path / "f").write_bytes(b"later and longer")
    assert b"".join(b"".join(entry.pieces()) for entry in entries) == b"later"
