"""What differs between images, and what they have."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_images import FORMATS, build, coreutils, echoes, opened, write
from test_write_webc import PlainLayer, file, image, trees

from pkgmgr.cli import main as cli
from pkgmgr.rootfs.comparing import Status, compare_images, described
from pkgmgr.rootfs.entry import Entry, Kind
from pkgmgr.rootfs.image import ImageConfig, RootfsImage
from pkgmgr.rootfs.listing import below, list_image


def changes(before: RootfsImage, after: RootfsImage) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(change.status.value, change.path, change.what) for change in compare_images(before, after).changes]


def link(path: str, target: str, kind: Kind = Kind.SYMLINK) -> Entry:
    return Entry(path, kind, 0o777 if kind is Kind.SYMLINK else 0o644, target=target)


def test_every_kind_of_change() -> None:
    before = image(
        file("bytes", b"one"),
        file("size", b"one"),
        file("mode"),
        file("time"),
        file("gone"),
        file("type"),
        link("target", "a"),
        file("first", b"x"),
        link("linked", "first", Kind.HARD_LINK),
        file("same", b"s"),
    )
    after = image(
        file("bytes", b"two"),
        file("size", b"three"),
        file("mode", mode=0o755),
        file("time", mtime=9),
        file("new"),
        link("type", "x"),
        link("target", "b"),
        file("first", b"x"),
        file("linked", b"x"),
        file("same", b"s"),
    )
    assert changes(before, after) == [
        ("M", "bytes", ("bytes",)),
        ("D", "gone", ()),
        ("M", "linked", ("link",)),
        ("M", "mode", ("mode",)),
        ("A", "new", ()),
        ("M", "size", ("size",)),
        ("M", "target", ("target",)),
        ("M", "time", ("time",)),
        ("T", "type", ("type", "mode")),
    ]
    told = {change.path: described(change) for change in compare_images(before, after).changes}
    assert told["mode"] == ["mode 0644 -> 0755"]
    assert told["time"] == ["time 1970-01-01 00:00:00 -> 1970-01-01 00:00:09"]
    assert told["bytes"] == ["bytes"]
    assert not [change for change in compare_images(before, after, times=False).changes if change.path == "time"]


def test_layers_do_not_matter() -> None:
    lower, upper = PlainLayer(file("a/x", b"1"), file("a/y")), PlainLayer(file("a/x", b"2"))
    gone = PlainLayer(Entry("a/y", Kind.WHITEOUT))
    assert compare_images(RootfsImage((lower, upper, gone)), image(file("a/x", b"2"))).same


def test_configurations_are_compared() -> None:
    before, after = image(file("a"), env={"A": "1"}), image(file("a"), env={"A": "2"}, entrypoint=("/x",))
    found = compare_images(before, after)
    assert not found.same
    assert [(each.key, each.before, each.after) for each in found.config] == [
        ("env", {"A": "1"}, {"A": "2"}),
        ("entrypoint", [], ["/x"]),
    ]


@settings(max_examples=60)
@given(tree=trees(), other=trees())
def test_comparing_is_exact(tree: RootfsImage, other: RootfsImage) -> None:
    assert compare_images(tree, tree).same
    forward, backward = compare_images(tree, other), compare_images(other, tree)
    assert forward.added_bytes == -backward.added_bytes
    turned = {Status.ADDED: Status.REMOVED, Status.REMOVED: Status.ADDED}
    assert [(each.path, each.status, each.what) for each in forward.changes] == [
        (each.path, turned.get(each.status, each.status), each.what) for each in backward.changes
    ]
    merged = RootfsImage((*tree.layers, *other.layers))
    assert not [each for each in compare_images(other, merged).changes if each.status is Status.REMOVED]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9)), max_size=8))
def test_who_has_a_name_is_who_made_it_last(written: list[tuple[str, int]]) -> None:
    layers = tuple(PlainLayer(file(name, bytes(size))) for name, size in written)
    names = list_image(RootfsImage(layers)).names
    assert {name: listed.layer for name, listed in names.items()} == {
        name: number for number, (name, _) in enumerate(written)
    }
    assert {name: listed.size for name, listed in names.items()} == dict(written)


def test_what_is_below_a_path() -> None:
    listing = list_image(
        image(
            file("usr/bin/ls"), file("usr/bin/sub/x"), link("bin", "usr/bin"), link("dangling", "nowhere"), file("top")
        )
    )

    def paths(path: str, **options: bool) -> list[str]:
        return [listed.entry.path for listed in below(listing, path, **{"recursive": False, **options})]

    assert paths("/") == paths("") == ["bin", "dangling", "top", "usr"]
    assert paths("/bin") == paths("usr/bin/") == ["usr/bin/ls", "usr/bin/sub"]
    assert paths("bin", recursive=True) == ["usr/bin/ls", "usr/bin/sub", "usr/bin/sub/x"]
    assert paths("/bin/ls") == ["usr/bin/ls"]
    assert paths("dangling") == ["dangling"]
    for nothing in ("nothing", "/top/x", "../x/y"):
        with pytest.raises(Exception, match="in the image"):
            paths(nothing)


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        code = cli.main(["rootfs", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_ls_as_it_is_typed(tmp_path: Path, typed: Any) -> None:
    path = str(write(build(echoes(tmp_path)), tmp_path, "tar"))
    code, out, _ = typed("ls", "-l", path, "/work")
    assert (code, out) == (0, "-rw-r--r-- 0/0 7 1970-01-02 00:00:00 work/note.txt\n")
    assert "lrwxrwxrwx 0/0 13 1970-01-01 00:00:01 link.txt -> work/note.txt\n" in typed("ls", "-l", path)[1]
    assert typed("ls", path, "/usr/bin")[1].splitlines()[0] == "usr/bin/greet"
    found = json.loads(typed("ls", "--json", "-R", path)[1])
    note = next(each for each in found["names"] if each["path"] == "work/note.txt")
    assert note["type"] == "file"
    assert (note["mode"], note["size"], note["mtime"], note["layer_number"]) == ("0644", 7, 86400, 0)
    code, out, _ = typed("ls", "--layers", str(write(build(echoes(tmp_path)), tmp_path, "webc")), "work")
    assert out.splitlines()[-1] == "0  work/note.txt"
    code, _, err = typed("ls", path, "/nothing")
    assert (code, err) == (1, "wpm: /nothing: No such file or directory in the image\n")


def test_names_cannot_move_the_cursor(tmp_path: Path, typed: Any) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "evil\n\x1b[2Jname").write_text("\x1b[2J")
    (root / "link").symlink_to("to\x1b]0;x\x07")
    out = typed("ls", "-l", str(root))[1] + typed("ls", "--layers", str(root))[1]
    empty = tmp_path / "empty"
    empty.mkdir()
    for words in ((), ("--stat",), ("--content",)):
        out += typed("diff", *words, str(root), str(empty))[1]
    assert "\x1b" not in out
    assert "\x07" not in out


def test_diff_as_it_is_typed(tmp_path: Path, typed: Any) -> None:
    one = write(build(echoes(tmp_path)), tmp_path, "dir")
    other = str(write(build(echoes(tmp_path)), tmp_path, "tar"))
    assert typed("diff", str(one), other) == (0, "", "")
    (one / "work/note.txt").write_text("another\nnote")
    (one / "binary").write_bytes(b"\0\1")
    code, out, _ = typed("diff", "--ignore-times", other, str(one))
    assert (code, out) == (1, "A\tbinary\nM\twork/note.txt\tsize 7 -> 12\n")
    code, out, _ = typed("diff", "--ignore-times", "--content", other, str(one))
    assert out.splitlines()[2:] == [
        "Binary files /dev/null and b/binary differ",
        "--- a/work/note.txt",
        "+++ b/work/note.txt",
        "@@ -1 +1,2 @@",
        "-a note",
        "+another",
        "+note",
        "\\ No newline at end of file",
    ]
    code, out, _ = typed("diff", "--ignore-times", "--stat", other, str(one))
    assert out.splitlines()[-1] == "2 names: 1 added, 0 removed, 1 changed; +7 bytes"
    code, out, _ = typed("diff", "--json", other, str(one))
    found = json.loads(out)
    assert code == 1
    assert not found["same"]
    note = next(each for each in found["changes"] if each["path"] == "work/note.txt")
    assert note["what"] == ["size", "time"]
    assert (note["before"]["size"], note["after"]["size"]) == (7, 12)
    assert typed("diff", other, str(tmp_path / "nothing"))[0] == 2
    assert "there is no such file" in typed("diff", other, str(tmp_path / "nothing"))[2]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_form_is_the_same_as_itself(kind: str, tmp_path: Path) -> None:
    path = write(build(coreutils(), echoes(tmp_path)), tmp_path, kind)
    assert compare_images(opened(path), opened(path)).same


def test_no_configuration_is_an_empty_one() -> None:
    assert compare_images(RootfsImage(()), RootfsImage((), ImageConfig(env={}))).same
