"""Tables of packages' layers: the same image with and without them, made once, and made again where they are damaged."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_image_layers import WASM, package

from binfactory.errors import FactoryError
from binfactory.loader import load_package
from binfactory.node import PackageNode
from binfactory.package import manifest_mounts, runnable_names
from pkgmgr.errors import WpmError
from pkgmgr.rootfs.building import BuildOptions, build_image
from pkgmgr.rootfs.copied_layer import Copy
from pkgmgr.rootfs.entry import Entry, Kind, path_order
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.members import Members, Run
from pkgmgr.rootfs.merging import merged
from pkgmgr.rootfs.package_layer import PackageLayer
from pkgmgr.rootfs.packed_table import PackedTable, packed
from pkgmgr.rootfs.table import PlainTable
from pkgmgr.rootfs.tar_stream import tar_pieces
from pkgmgr.rootfs.writing import Output, write_image
from pkgmgr.store import LAYERS, Store
from pkgmgr.store.prune import prune_store
from webc_parser.source import DirectorySource, FileSource, SymlinkSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pkgmgr.rootfs.image import RootfsImage

ROOT = Path(__file__).parents[3]
LONG = "long-" * 30
FORMATS = ("dir", "tar", "oci", "webc")
FILES = DirectorySource(
    {
        "plain": FileSource(b"some bytes\n", 9_500_000_000),
        "empty": FileSource(b"", 4_000_000_000),
        "exact": FileSource(b"x" * 512, 0),
        "large": FileSource(bytes(range(256)) * 4096, 1_000_000_000),
        "link": SymlinkSource("plain", 3_000_000_000),
        "a.b": FileSource(b"after a", 0),
        "a": DirectorySource({"ü" * 60: FileSource(b"no ASCII", 0), LONG: FileSource(b"long", 0)}, 7_000_000_000),
        "deep": DirectorySource({LONG: DirectorySource({LONG: SymlinkSource("../" + LONG, 0)}, 0)}, 0),
        "old": FileSource(b"late", 8**11 * 1_000_000_000),
    },
    5_000_000_000,
)
COMMANDS: dict[str, dict[str, object]] = {"one": {}, "two": {}, "three": {"atom": "n", "main_args": ["hello"]}}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    folder.mkdir()
    return folder


def stored(store: Store, node: PackageNode) -> PackageNode:
    """The package out of the store, its hash vouched for, as a lock gives it."""
    assert node.path is not None
    kept = store.add_file(Path(node.path))
    needs = {alias: stored(store, other) for alias, other in node.dependencies.items()}
    assert node.container is not None
    manifest = node.container.manifest
    commands = tuple(runnable_names(manifest))
    return PackageNode(node.id, kept.path, None, needs, commands, manifest_mounts(manifest), kept.sha256)


def usual(store: Store, made: Path) -> list[PackageNode]:
    """Packages that share directories, one with commands, one with those of another."""
    base = package(made, "a/base@1.0.0", FILES, "/usr/lib/base", COMMANDS, {"m": WASM, "n": WASM + b"\0\3\1a1"})
    tool = package(made, "a/tool@1.0.0", FILES, "/usr/share/tool", {"four": {}}, needs={"base": base})
    return [stored(store, tool)]


def image_of(nodes: Sequence[PackageNode], store: Store | None, options: BuildOptions = BuildOptions()) -> RootfsImage:  # noqa: B008
    return build_image([load_package(node) for node in nodes], options, store)


def tables(store: Store) -> list[Path]:
    return sorted((store.root / LAYERS).rglob("*.table"))


def tar_of(image: RootfsImage) -> str:
    return hashlib.sha256(b"".join(tar_pieces(flatten(image.layers).entries))).hexdigest()


def written(image: RootfsImage, path: Path, kind: str) -> list[tuple[str, str]]:
    """What a written image is: the digest, or each name of a directory with its bytes."""
    tree = flatten(image.layers)
    found = write_image(image, tree.entries, path, Output(kind))
    if found.digest is not None:
        return [(found.digest, f"{found.files} {found.bytes}")]
    names = []
    for each in sorted(path.rglob("*")):
        status = each.lstat()
        what = os.readlink(each) if each.is_symlink() else each.read_bytes().hex() if each.is_file() else ""
        names.append((str(each.relative_to(path)), f"{status.st_mode} {status.st_mtime} {status.st_nlink} {what}"))
    return names


def no_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(PackageLayer, "_all", parsed)


@pytest.mark.parametrize("kind", FORMATS)
def test_images_are_the_same_with_tables(
    store: Store, made: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = usual(store, made)
    without = written(image_of(nodes, None), tmp_path / "0", kind)
    assert not tables(store)
    assert written(image_of(nodes, store), tmp_path / "1", kind) == without
    assert len(tables(store)) == 2
    no_parsing(monkeypatch)
    assert written(image_of(nodes, store), tmp_path / "2", kind) == without


def test_tar_has_what_the_package_has(store: Store, made: Path) -> None:
    nodes = usual(store, made)
    image_of(nodes, store).layers[1].entries()
    data = b"".join(tar_pieces(flatten(image_of(nodes, store).layers).entries))
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        members = {member.name: member for member in tar}
        for prefix in ("usr/lib/base", "usr/share/tool"):
            large = tar.extractfile(f"{prefix}/large")
            assert large is not None
            assert large.read() == bytes(range(256)) * 4096
            assert members[f"{prefix}/a/{LONG}"].size == 4
            assert members[f"{prefix}/deep/{LONG}/{LONG}"].linkname == "../" + LONG
            assert members[f"{prefix}/plain"].mtime == 9
        assert members["usr/bin/one"].islnk()


@pytest.mark.parametrize("date", ["", "8", "8589934591"])
def test_dates_bound_what_tables_say(store: Store, made: Path, date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", date)
    nodes = usual(store, made)
    without = tar_of(image_of(nodes, None))
    assert tar_of(image_of(nodes, store)) == without
    no_parsing(monkeypatch)
    assert tar_of(image_of(nodes, store)) == without


def test_what_is_hidden_is_told_as_without(store: Store, made: Path) -> None:
    nodes = [
        stored(
            store,
            package(
                made, f"a/p{number}@1.0.0", DirectorySource({"f": FileSource(text, 0), "g": FileSource(b"", 0)}, 0)
            ),
        )
        for number, text in enumerate([b"1", b"2"])
    ]
    plain = flatten(image_of(nodes, None).layers)
    assert [conflict.path for conflict in plain.conflicts] == ["f"]
    for _ in range(2):
        image = image_of(nodes, store)
        assert flatten(image.layers).conflicts == plain.conflicts
        assert tar_of(image) == tar_of(image_of(nodes, None))


def test_copied_files_lie_between_and_over(store: Store, made: Path, tmp_path: Path) -> None:
    nodes = usual(store, made)
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "new").write_bytes(b"of the host")
    (tmp_path / "host" / "plain").write_bytes(b"instead")
    for place in ("usr/lib", "usr/lib/base"):
        options = BuildOptions(copies=(Copy(tmp_path / "host", place),), entrypoint=("/bin/one",))
        without = tar_of(image_of(nodes, None, options))
        assert [tar_of(image_of(nodes, store, options)) for _ in range(2)] == [without] * 2


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    "damage", ["flip", "cut", "empty", "longer", "other's", "others may write", "link", "directory"]
)
def test_damaged_tables_are_made_again(
    store: Store, made: Path, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    nodes = usual(store, made)
    expected = tar_of(image_of(nodes, store))
    whole = {path: path.read_bytes() for path in tables(store)}
    one, other = whole
    for path in whole:
        data = whole[path]
        path.chmod(0o600)
        match damage:
            case "flip":
                path.write_bytes(flipped(data, len(data) // 2))
            case "cut":
                path.write_bytes(data[:-1])
            case "empty":
                path.write_bytes(b"")
            case "longer":
                path.write_bytes(data + b"\0")
            case "other's":
                path.write_bytes(whole[other if path == one else one])
            case "others may write":
                path.chmod(0o666)
            case "link":
                path.rename(tmp_path / path.name)
                path.symlink_to(tmp_path / path.name)
            case _:
                path.unlink()
                path.mkdir()
    assert tar_of(image_of(nodes, store)) == expected
    if damage != "directory":
        assert {path: path.read_bytes() for path in tables(store)} == whole
        assert all(path.lstat().st_mode & 0o7777 == 0o400 for path in whole)
        no_parsing(monkeypatch)
        assert tar_of(image_of(nodes, store)) == expected


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_bytes_are_taken_for_a_table_that_are_none(data: st.DataObject) -> None:
    table = packed([Entry("d", Kind.DIRECTORY, 0o755), Entry("d/f", Kind.SYMLINK, target="t")], {}, {})
    assert table is not None
    at = data.draw(st.integers(0, len(table) - 1))
    changed = data.draw(st.sampled_from([flipped(table, at), table[:at], table + table[:at]]))
    try:
        found = PackedTable(changed)
        found.attach({})
    except (ValueError, KeyError):
        return
    # What it says may be wrong: against that there is the digest. But it ends.
    assert len(found.paths) == 2
    assert all(number < end <= 2 for number, end in enumerate(found.ends))


def test_packages_that_are_gone_or_changed_are_told_as_without(store: Store, made: Path) -> None:
    nodes = usual(store, made)
    tar_of(image_of(nodes, store))
    assert nodes[0].path is not None
    path = Path(nodes[0].path)
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(flipped(data, len(data) // 2))
    with pytest.raises((WpmError, FactoryError), match="not those that the lock pins"):
        tar_of(image_of(nodes, store))
    path.unlink()
    with pytest.raises((WpmError, FactoryError), match="wpm install"):
        tar_of(image_of(nodes, store))


def test_nothing_is_kept_of_what_nobody_vouches_for(store: Store, made: Path) -> None:
    node = package(made, volume=FILES)
    assert tar_of(image_of([node], store)) == tar_of(image_of([node], None))
    open_one = PackageNode("a/p@1.0.0", node.path)
    assert tar_of(image_of([open_one], store)) == tar_of(image_of([node], None))
    needing = stored(store, package(made, "a/b@1.0.0", FILES, commands={"c": {}}, needs={"p": node}))
    loose = PackageNode(needing.id, needing.path, None, {"p": open_one}, sha256=needing.sha256)
    tar_of(image_of([loose], store))
    assert not tables(store)


def test_what_stands_in_no_tar_is_told_where_it_is_written_as_one(store: Store, made: Path, tmp_path: Path) -> None:
    node = stored(store, package(made, volume=DirectorySource({".wh.x": FileSource(b"", 0)}, 0)))
    for _ in range(2):
        with pytest.raises(WpmError, match="means a deletion"):
            tar_of(image_of([node], store))
    assert not tables(store)
    image = image_of([node], store)
    assert tuple(name for name, _ in written(image, tmp_path / "d", "dir") if "wh" in name) == (".wh.x",)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_store_that_cannot_be_written_to_is_none_to_fail_for(store: Store, made: Path) -> None:
    nodes = usual(store, made)
    store.root.chmod(0o500)
    try:
        assert tar_of(image_of(nodes, store)) == tar_of(image_of(nodes, None))
    finally:
        store.root.chmod(0o700)


def test_a_store_without_room_for_them_is_none_to_fail_for(store: Store, made: Path) -> None:
    nodes = usual(store, made)
    (store.root / LAYERS).write_bytes(b"in the way")
    assert tar_of(image_of(nodes, store)) == tar_of(image_of(nodes, None))


def test_they_are_counted_pruned_when_old_and_cleaned(store: Store, made: Path) -> None:
    nodes = usual(store, made)
    expected = tar_of(image_of(nodes, store))
    used, unused = tables(store)
    sizes = [path.stat().st_size for path in (used, unused)]
    assert store.info().layer_bytes == sum(sizes)
    old = time.time() - 40 * 24 * 3600
    for path in (used, unused):
        os.utime(path, (old, old))
    tar_of(image_of(nodes, store))
    assert all(path.stat().st_mtime > old + 1 for path in (used, unused))
    os.utime(unused, (old, old))
    assert prune_store(store, 30, (), dry_run=True).layers == 1
    report = prune_store(store, 30, ())
    assert (report.layers, report.layer_bytes) == (1, sizes[1])
    assert tables(store) == [used]
    assert tar_of(image_of(nodes, store)) == expected
    store.clean()
    assert not tables(store)


NAMES = st.lists(st.sampled_from(["a", "b", "a.b", "ü", "n" * 101]), min_size=1, max_size=4).map("/".join)
TREES = st.dictionaries(NAMES, st.sampled_from([None, "link", b"", b"x", b"y" * 600]), max_size=12)


def entries_of(tree: dict[str, str | bytes | None]) -> list[Entry]:
    """A layer of these names, with the directories on the way to them."""
    found: dict[str, Entry] = {}
    for path in sorted(tree, key=path_order):
        parts = path.split("/")
        ways = ["/".join(parts[: count + 1]) for count in range(len(parts) - 1)]
        if any(way in found and found[way].kind is not Kind.DIRECTORY for way in ways):
            continue
        for way in ways:
            found.setdefault(way, Entry(way, Kind.DIRECTORY, 0o755, len(tree)))
        match tree[path]:
            case None:
                found.setdefault(path, Entry(path, Kind.DIRECTORY, 0o700))
            case str(target):
                found[path] = Entry(path, Kind.SYMLINK, 0o777, target=target)
            case bytes(content):
                found[path] = Entry(path, Kind.FILE, size=len(content), content=memoryview(content))
    return [found[path] for path in sorted(found, key=path_order)]


class Given:
    """A layer of these entries."""

    def __init__(self, title: str, entries: list[Entry]) -> None:
        self.title = title
        self._entries = entries

    def entries(self) -> Iterator[Entry]:
        return iter(self._entries)


@given(st.lists(TREES, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_merging_is_flattening_where_nothing_is_hidden(trees: list[dict[str, str | bytes | None]]) -> None:
    layers = [entries_of(tree) for tree in trees]
    expected = flatten([Given(str(number), layer) for number, layer in enumerate(layers)])
    mixed = []
    for number, layer in enumerate(layers):
        data = packed(layer, {}, {})
        assert data is not None
        plain, table = PlainTable.of(layer), PackedTable(data)
        assert plain is not None
        table.attach({})
        assert list(table.entries(0, len(layer))) == layer
        whole = b"".join(tar_pieces(layer))
        assert b"".join(tar_pieces(Members([Run(table, 0, len(layer))]))) == whole
        middle = len(layer) // 2
        assert b"".join(tar_pieces(Members([Run(table, 0, middle), Run(plain, middle, len(layer))]))) == whole
        mixed.append(plain if number % 2 else table)
    found = merged(mixed)
    hidden = [
        entry.path
        for number, layer in enumerate(layers)
        for entry in layer
        for other in layers[:number]
        for lower in other
        if lower.path == entry.path and (lower.kind, entry.kind) != (Kind.DIRECTORY, Kind.DIRECTORY)
    ]
    if found is None:
        assert hidden
    else:
        assert not hidden
        assert not expected.conflicts
        assert list(found) == expected.entries
        assert (len(found), found.files()) == (
            len(expected.entries),
            sum(entry.kind is not Kind.DIRECTORY for entry in expected.entries),
        )
        assert found.bytes() == sum(entry.size for entry in expected.entries)


def test_directories_that_lie_too_deep_are_flattened_as_ever(store: Store, made: Path) -> None:
    mount = "/d" * 300
    nodes = [
        stored(
            store, package(made, f"a/p{number}@1.0.0", DirectorySource({f"f{number}": FileSource(b"", 0)}, 0), mount)
        )
        for number in range(2)
    ]
    assert [tar_of(image_of(nodes, store)) for _ in range(2)] == [tar_of(image_of(nodes, None))] * 2


def test_many_are_made_by_several_processes(store: Store, made: Path, tmp_path: Path) -> None:
    """By a process of ours: those that run tests have threads."""
    nodes = [
        stored(store, package(made, f"a/p{number}@1.0.0", DirectorySource({f"f{number}": FileSource(b"x", 0)}, 0)))
        for number in range(40)
    ]
    known = [(node.id, str(node.path), node.sha256) for node in nodes]
    program = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_layer_tables import PackageNode, Store, image_of, tar_of
from binfactory.node import Mount
nodes = [PackageNode(name, Path(path), sha256=digest) for name, path, digest in {known!r}]
print(tar_of(image_of(nodes, Store(Path({str(store.root)!r})))))
wrong = PackageNode("a/wrong@1.0.0", nodes[0].path, sha256=nodes[0].sha256, mounts=(Mount("/x", "/nowhere"),))
print(tar_of(image_of([*nodes, wrong], Store(Path({str(tmp_path / "empty")!r})))))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == [tar_of(image_of(nodes, None))], done.stderr
    assert 'there is no volume "/nowhere"' in done.stderr.splitlines()[-1]
    assert len(tables(store)) == 40
    assert not list((store.root / "tmp").iterdir())
