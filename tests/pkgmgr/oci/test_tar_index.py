"""Archives of strangers: what is taken of them, what is refused, and that everything refused is one line."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkgmgr.errors import WpmError
from pkgmgr.rootfs.entry import Entry, HostFile, Kind, path_order
from pkgmgr.rootfs.tar_index import index_tar
from pkgmgr.rootfs.tar_stream import tar_pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PAX, GNU, USTAR = tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT


def member(
    name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"", **more: object
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def write(path: Path, *members: tuple[tarfile.TarInfo, bytes], format: int = PAX) -> Path:  # noqa: A002
    with tarfile.open(path, "w", format=format) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content))
    return path


def names(path: Path, *, layer: bool = False) -> dict[str, Entry]:
    return {entry.path: entry for entry in index_tar(path, layer=layer).entries}


@pytest.mark.parametrize("form", [PAX, GNU, USTAR])
def test_members_are_entries_with_their_bytes(tmp_path: Path, form: int) -> None:
    path = write(
        tmp_path / "a.tar",
        member("./"),
        member("./usr/", tarfile.DIRTYPE, mode=0o750, mtime=7),
        member("./usr/bin/ls", content=b"module", mode=0o755, mtime=99, uid=12, gid=13),
        member("usr/bin/dir", tarfile.LNKTYPE, linkname="./usr/bin/ls"),
        member("usr//bin/./up", tarfile.SYMTYPE, linkname="../../../etc"),
        member("z" * 90 + "/" + "y" * 90, content=b"deep"),
        format=form,
    )
    found = index_tar(path).entries
    assert [entry.path for entry in found] == sorted((entry.path for entry in found), key=path_order)
    entries = {entry.path: entry for entry in found}
    assert entries["usr"][1:4] == (Kind.DIRECTORY, 0o750, 7)
    assert entries["usr/bin"][1:4] == (Kind.DIRECTORY, 0o755, 0)
    first, second = entries["usr/bin/dir"], entries["usr/bin/ls"]
    assert (first.kind, first.mode, first.mtime, first.uid, first.gid) == (Kind.FILE, 0o755, 99, 12, 13)
    assert b"".join(first.pieces()) == b"module"
    assert (second.kind, second.target) == (Kind.HARD_LINK, "usr/bin/dir")
    assert entries["usr/bin/up"].target == "../../../etc"
    assert b"".join(entries["z" * 90 + "/" + "y" * 90].pieces()) == b"deep"


@pytest.mark.parametrize("form", ["v7", "ustar", "gnu", "posix"])
def test_what_gnu_tar_packs(tmp_path: Path, form: str) -> None:
    if (
        shutil.which("tar") is None
        or "GNU" not in subprocess.run(["tar", "--version"], capture_output=True, text=True).stdout
    ):
        pytest.skip("GNU tar is not here")
    tree = tmp_path / "tree"
    (tree / "d").mkdir(parents=True)
    (tree / "d" / "file").write_bytes(b"content")
    (tree / "d" / "link").symlink_to("file")
    (tree / "hard").hardlink_to(tree / "d" / "file")
    subprocess.run(["tar", f"--format={form}", "-cf", tmp_path / "a.tar", "-C", tree, "."], check=True)
    entries = names(tmp_path / "a.tar")
    assert list(entries) == ["d", "d/file", "d/link", "hard"]
    assert b"".join(entries["d/file"].pieces()) == b"content"
    assert entries["hard"].target == "d/file"


def test_the_last_member_of_a_name_counts_and_links_keep_their_file(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tar",
        member("a", content=b"old"),
        member("b", tarfile.LNKTYPE, linkname="a"),
        member("a", content=b"new"),
    )
    entries = names(path)
    assert [b"".join(entries[name].pieces()) for name in "ab"] == [b"new", b"old"]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member("../out")], "leads out of the archive"),
        ([member("a/../../out")], "leads out of the archive"),
        ([member("/etc/passwd")], "absolute path"),
        ([member("a", tarfile.LNKTYPE, linkname="../../etc/passwd")], "leads out of the archive"),
        ([member("a", tarfile.LNKTYPE, linkname="/etc/passwd")], "absolute path"),
        ([member("a", tarfile.LNKTYPE, linkname="b")], "which is not there"),
        ([member("d/", tarfile.DIRTYPE), member("a", tarfile.LNKTYPE, linkname="d")], "which is a directory"),
        ([member("a", tarfile.SYMTYPE, linkname="/etc"), member("a/passwd")], "other members lie beneath it"),
        ([member("a/b"), member("a", tarfile.SYMTYPE, linkname="/etc")], "other members lie beneath it"),
        ([member("a"), member("a/b")], "other members lie beneath it"),
        ([member("a", tarfile.CHRTYPE)], "a character device"),
        ([member("a", tarfile.BLKTYPE)], "a block device"),
        ([member("a", tarfile.FIFOTYPE)], "a named pipe"),
        ([member("a", b"Q")], "unknown type 'Q'"),
        ([member("a", tarfile.SYMTYPE)], "whose target is empty"),
        ([member("n" * 256)], "a path of more than"),
        ([member("/".join(["n" * 200] * 30))], "a path of more than"),
        ([member(".", content=b"x")], "names the root"),
        ([member("a", pax_headers={"GNU.sparse.major": "1"})], "sparse file"),
        ([member("a", pax_headers={"path": "b\0c"})], "has a byte 0"),
        ([member("a", pax_headers={"size": "many"})], "no number"),
        ([member("a", pax_headers={"size": "99999999"})], "ends beyond the archive"),
        ([member("a", pax_headers={"mtime": "9" * 19})], "behind the year 9999"),
        ([member("a", pax_headers={"comment": "x" * (2 << 20)})], "extended header has"),
    ],
)
def test_hostile_members_are_refused_in_one_line(
    tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], words: str
) -> None:
    path = write(tmp_path / "a.tar", *members)
    with pytest.raises(WpmError, match=words) as caught:
        index_tar(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert len(message) < 1000


def test_a_bomb_of_directories_is_refused(tmp_path: Path) -> None:
    deep = ("d" * 20 + "/") * 190
    path = write(tmp_path / "a.tar", *(member(f"{number}/{deep}x") for number in range(750)))
    with pytest.raises(WpmError, match="one name too many"):
        index_tar(path)


def test_nesting_that_nobody_could_remove_is_refused(tmp_path: Path) -> None:
    assert "a/" * 199 + "x" in names(write(tmp_path / "a.tar", member("a/" * 199 + "x")))
    with pytest.raises(WpmError, match="deeper than 200") as caught:
        index_tar(write(tmp_path / "a.tar", member("a/" * 200 + "x")))
    assert len(str(caught.value)) < 1000


def test_headers_for_all_members_cost_nothing_at_each(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", pax_headers={f"k{number}": "" for number in range(80_000)} | {"mtime": "7"}) as tar:
        for number in range(20_000):
            tar.addfile(tarfile.TarInfo(f"f{number}"))
    found = names(path)
    assert len(found) == 20_000
    assert found["f0"].mtime == 7


@pytest.mark.parametrize("data", [b"", b"no tar", b"x" * 4096, b"\x1f\x8b" + bytes(600)])
def test_what_is_no_archive(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(data)
    with pytest.raises(WpmError, match=r"offset 0|is empty"):
        index_tar(path)


def test_an_archive_without_its_end_is_taken_but_not_one_without_content(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.tar", member("a", content=b"x" * 700)).read_bytes()
    path = tmp_path / "b.tar"
    path.write_bytes(whole[: 512 + 700])
    assert b"".join(names(path)["a"].pieces()) == b"x" * 700
    path.write_bytes(whole[: 512 + 699])
    with pytest.raises(WpmError, match="ends beyond the archive"):
        index_tar(path)


def test_whiteouts_of_a_layer(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tar",
        member("d/.wh.gone"),
        member("o/", tarfile.DIRTYPE, mode=0o700, mtime=5),
        member("o/.wh..wh..opq"),
        member("o/new", content=b"n"),
        member(".wh.replaced"),
        member("replaced", content=b"r"),
        member(".wh.emptied"),
        member("emptied/in"),
        member(".wh..wh.plnk/12.34", content=b"aufs"),
        member(".wh..wh.aufs"),
    )
    assert {name: entry.kind for name, entry in names(path, layer=True).items()} == {
        "d": Kind.DIRECTORY,
        "d/gone": Kind.WHITEOUT,
        "emptied": Kind.OPAQUE,
        "emptied/in": Kind.FILE,
        "o": Kind.OPAQUE,
        "o/new": Kind.FILE,
        "replaced": Kind.FILE,
    }
    assert names(path, layer=True)["o"][2:4] == (0o700, 5)
    assert names(path)["d/.wh.gone"].kind is Kind.FILE


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh...", "d/.wh.x/y"])
def test_whiteouts_of_nothing_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WpmError, match=r"takes nothing away|name begins with"):
        index_tar(write(tmp_path / "a.tar", member(name)), layer=True)


def test_the_root_itself_may_be_opaque(tmp_path: Path) -> None:
    index = index_tar(write(tmp_path / "a.tar", member(".wh..wh..opq"), member("a")), layer=True)
    assert index.replaces_all
    assert [entry.path for entry in index.entries] == ["a"]


def test_hard_links_to_lower_layers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tar", member("b", tarfile.LNKTYPE, linkname="a"), member(".wh.a"))
    lower = Entry("a", Kind.FILE, 0o600, 5, 3, HostFile(tmp_path / "x", 3))

    def below(name: str) -> Entry | None:
        return lower if name == "a" else None

    kinds = {entry.path: entry for entry in index_tar(path, layer=True, below=below).entries}
    assert kinds["b"] == lower._replace(path="b")
    assert kinds["a"].kind is Kind.WHITEOUT


NAMES = st.text("ab.é \t", min_size=1, max_size=5).filter(lambda name: name not in {".", ".."})
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


@st.composite
def trees(draw: st.DrawFn) -> list[Entry]:
    found: dict[str, Entry] = {}
    for path in draw(st.lists(PATHS, max_size=8)):
        parents = ["/".join(path.split("/")[:end]) for end in range(1, path.count("/") + 1)]
        if path in found or any(each in found and found[each].kind is not Kind.DIRECTORY for each in parents):
            continue
        for each in parents:
            found.setdefault(
                each, Entry(each, Kind.DIRECTORY, draw(st.integers(0, 0o7777)), draw(st.integers(0, 8**11)))
            )
        content = draw(st.binary(max_size=1100))
        mode, mtime = draw(st.integers(0, 0o7777)), draw(st.integers(0, 1 << 34))
        ids = draw(st.integers(0, 1 << 31)), draw(st.integers(0, 9))
        if draw(st.booleans()):
            found[path] = Entry(path, Kind.FILE, mode, mtime, len(content), memoryview(content), "", *ids)
        else:
            target = draw(st.text("a/.é", min_size=1, max_size=120))
            found[path] = Entry(path, Kind.SYMLINK, mode, mtime, 0, memoryview(b""), target, *ids)
    return [found[path] for path in sorted(found, key=path_order)]


def comparable(entry: Entry) -> tuple[object, ...]:
    return (*entry[:5], b"".join(entry.pieces()), *entry[6:])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trees())
def test_what_is_written_is_read_back(tmp_path: Path, entries: list[Entry]) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(b"".join(tar_pieces(entries)))
    assert [comparable(entry) for entry in index_tar(path).entries] == [comparable(entry) for entry in entries]


def refused_or_read(path: Path, read: Callable[[Path], object]) -> None:
    try:
        read(path)
    except WpmError as error:
        assert "\n" not in str(error)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_is_read_or_refused_and_nothing_else(tmp_path: Path, data: st.DataObject) -> None:
    path = write(
        tmp_path / "a.tar",
        member("d/file", content=b"x" * 600, mtime=3),
        member("d/link", tarfile.SYMTYPE, linkname="file"),
        member("d/hard", tarfile.LNKTYPE, linkname="d/file"),
        member("é" * 60, content=b"y"),
        format=data.draw(st.sampled_from([PAX, GNU])),
    )
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(whole) // 512)) * 512 + data.draw(st.integers(0, 511))
        whole[start : start + 1] = data.draw(st.binary(min_size=1, max_size=1))
        header = start // 512 * 512
        if data.draw(st.booleans()) and header + 512 <= len(whole):
            # Damage that somebody made on purpose has the right checksum.
            block = whole[header : header + 512]
            block[148:156] = b" " * 8
            whole[header + 148 : header + 156] = b"%06o\0 " % sum(block)
    path.write_bytes(whole[: data.draw(st.integers(len(whole) // 2, len(whole)))])
    refused_or_read(path, lambda each: [b"".join(entry.pieces()) for entry in index_tar(each, layer=True).entries])
