"""Unpacking: everything comes back, nothing leaves the folder, nothing half-written stays."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pkgmgr.building.build import build_package
from pkgmgr.errors import WpmError
from pkgmgr.manifest import load_manifest
from pkgmgr.unpacking.unpack import unpack_package
from pkgmgr.unpacking.writer import FolderWriter
from webc_parser.container import Container
from webc_parser.errors import WebcError
from webc_parser.source import FileSource, SymlinkSource
from webc_parser.tree import VolumeFile, VolumeSymlink
from webc_parser.version import Version
from webc_parser.writer import write_container

WASM = b"\0asm\1\0\0\0"


def pack(path: Path, manifest: dict[str, object] | None = None, **parts: dict[str, object]) -> Path:
    version = Version.V3
    write_container(
        path,
        manifest=manifest or {},
        atoms=parts.get("atoms", {}),  # type: ignore[arg-type]
        volumes=parts.get("volumes", {}),  # type: ignore[arg-type]
        version=version,
    )
    return path


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def guest_files(container: Container) -> dict[str, bytes]:
    """What a guest sees of the package's own volumes, by path."""
    found = {}
    for mapping in container.manifest.filesystem:
        names = (mapping.volume_name, "/" + mapping.volume_name)
        volume = next(container.volumes[name] for name in names if name in container.volumes)
        for path, node in volume.walk():
            if isinstance(node, VolumeFile):
                found[mapping.mount_path.rstrip("/") + path] = bytes(node.content)
    return found


PUBLISHED = ["dash-1.0.18", "hello-0.1.0", "staticserver", "volume-static-webserver-0.1.0", "wabt-1.0.37"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_packages_build_again(conformance: Path, tmp_path: Path, name: str) -> None:
    source = conformance / "webc" / f"{name}.webc"
    unpack_package(source, tmp_path / "out")
    assert load_manifest(tmp_path / "out").warnings == ()
    built = build_package(tmp_path / "out", tmp_path / "again.webc")
    with Container.open(source) as before, Container.open(built.path) as after:
        assert {n: bytes(a) for n, a in before.atoms.items()} == {n: bytes(a) for n, a in after.atoms.items()}
        assert guest_files(before) == guest_files(after)
        ours, theirs = after.manifest, before.manifest
        assert ours.entrypoint == theirs.entrypoint
        assert set(ours.commands) == set(theirs.commands)
        for command, said in theirs.commands.items():
            made = ours.commands[command]
            assert (made.runner, made.main_args, made.env) == (said.runner, said.main_args, said.env)
            assert made.atom is not None
            if said.atom is not None:
                assert (made.atom.name, made.atom.dependency) == (said.atom.name, said.atom.dependency)
            else:
                assert made.atom.name == command
        assert (ours.package.name, ours.package.version) == (theirs.package.name, theirs.package.version)
    # From here on it is stable: what was built unpacks and builds to the same bytes.
    unpack_package(built.path, tmp_path / "second")
    assert build_package(tmp_path / "second", tmp_path / "third.webc").sha256 == built.sha256


def test_the_folder(tmp_path: Path) -> None:
    manifest = {
        "package": {
            "wapm": {"name": "a/b", "license-file": {"volume": "metadata", "path": "/LICENSE"}},
            "fs": [
                {"from": None, "volume_name": "/data/x", "mount_path": "/x"},
                {"from": None, "volume_name": "/data/x", "host_path": "/sub", "mount_path": "sub"},
                {"from": "dep", "volume_name": "/v", "host_path": "s", "mount_path": "/dep"},
            ],
        },
        "use": {"dep": "ns/dep@^1.2", "url": "https://example.com/x.webc"},
        "atoms": {"m": {"kind": "https://webc.org/kind/wasm"}, "t": {"kind": "https://example.com/kind"}},
        "commands": {
            "c": {
                "runner": "https://webc.org/runner/wasi",
                "annotations": {
                    "wasi": {"atom": "m", "mainArgs": ["x"], "exec_name": "y", "package": None},
                    "odd": {"big": 2**64 - 1, "bytes": b"\1\2", "none": None, "list": [1, None, "a"]},
                },
            },
            "d": {"runner": "wasi", "annotations": {"atom": {"name": "n", "dependency": "dep"}}},
        },
        "bindings": [
            {
                "name": "library-bindings",
                "kind": "wai@0.2.0",
                "annotations": {"wai": {"module": "m", "exports": "metadata://m.wai", "imports": []}},
            }
        ],
    }
    volumes: dict[str, object] = {
        "/data/x": {"a": b"1", "sub": {"b": FileSource(b"2", 5_000_000_000)}},
        "metadata": {"LICENSE": b"MIT", "m.wai": b""},
        "/unused": {"u": b"3"},
    }
    source = pack(tmp_path / "x.webc", manifest, atoms={"m": WASM, "t": b"?"}, volumes=volumes)
    unpacked = unpack_package(source, tmp_path / "out")
    assert unpacked.warnings == ()
    found = files(tmp_path / "out")
    text = found.pop("wasmer.toml").decode()
    assert found == {
        "LICENSE": b"MIT",
        "m.wai": b"",
        "modules/m": WASM,
        "modules/t": b"?",
        "data/x/a": b"1",
        "data/x/sub/b": b"2",
        "unused/u": b"3",
    }
    assert (tmp_path / "out" / "data" / "x" / "sub" / "b").stat().st_mtime == 5
    assert "\x1b" not in text
    again = load_manifest(tmp_path / "out")
    assert dict(again.dependencies) == {"ns/dep": "^1.2", "url": "https://example.com/x.webc"}
    assert [tuple(mapping) for mapping in again.fs] == [
        ("/x", "data/x", None, None, None),
        ("/sub", "data/x/sub", None, None, None),
        ("/dep", None, "ns/dep", "/v", "s"),
    ]
    assert again.modules[1].kind == "https://example.com/kind"
    first, second = again.commands
    assert first.annotations == {
        "wasi": {"main-args": ["x"], "exec-name": "y"},
        "odd": {"big": "18446744073709551615", "bytes": [1, 2], "list": [1, "a"]},
    }
    assert str(second.module) == "ns/dep:n"
    with Container.open(build_package(tmp_path / "out", tmp_path / "again.webc").path) as container:
        assert container.manifest.commands["c"].main_args == ("x",)
        assert container.manifest.commands["c"].exec_name == "y"


def test_names_that_collide_get_folders_of_their_own(tmp_path: Path) -> None:
    volumes: dict[str, object] = {
        name: {"f": str(number).encode()}
        for number, name in enumerate(["/", "/modules", "/a", "/a/b", "/A", "/wasmer.toml", "/metadata", "/volumes/x"])
    }
    volumes["metadata"] = {"wasmer.toml": b"not a manifest", "a": b"x"}
    fs = [
        {"from": None, "volume_name": name, "mount_path": f"/{n}"}
        for n, name in enumerate(volumes)
        if name != "metadata"
    ]
    source = pack(tmp_path / "x.webc", {"package": {"fs": fs}}, atoms={"m": WASM}, volumes=volumes)
    unpack_package(source, tmp_path / "out")
    found = files(tmp_path / "out")
    assert found["metadata/wasmer.toml"] == b"not a manifest"
    with Container.open(source) as before:
        built = build_package(tmp_path / "out", tmp_path / "again.webc")
        with Container.open(built.path) as after:
            assert guest_files(before) == guest_files(after)


def test_git_directories_survive(tmp_path: Path) -> None:
    fs = [{"from": None, "volume_name": "/d", "mount_path": "/d"}]
    source = pack(tmp_path / "x.webc", {"package": {"fs": fs}}, volumes={"/d": {".git": {"config": b"x"}}})
    unpack_package(source, tmp_path / "out")
    with Container.open(build_package(tmp_path / "out", tmp_path / "again.webc").path) as container:
        assert "/d/.git/config" in guest_files(container)


class TestLinks:
    def test_links_inside_a_volume_come_back(self, tmp_path: Path) -> None:
        tree = {
            "a": b"1",
            "l": SymlinkSource("a", 0),
            "d": {"up": SymlinkSource("../a", 0)},
            "dangling": SymlinkSource("x", 0),
        }
        fs = [{"from": None, "volume_name": "/v", "mount_path": "/v"}]
        source = pack(tmp_path / "x.webc", {"package": {"fs": fs}}, volumes={"/v": tree})
        assert unpack_package(source, tmp_path / "out").warnings == ()
        assert (tmp_path / "out" / "v" / "d" / "up").read_bytes() == b"1"
        with Container.open(build_package(tmp_path / "out", tmp_path / "again.webc").path) as container:
            node = container.volumes["/v"].get("dangling")
            assert isinstance(node, VolumeSymlink) and node.target == "x"

    @pytest.mark.parametrize(
        "links",
        [
            {"evil": "/etc"},
            {"evil": "../../.."},
            {"evil": "../wasmer.toml"},
            {"up": "d/..", "evil": "up/up/../../x"},
            {"d/up": "..", "evil": "d/up/../x"},
            {"d/up": "../..", "evil": "d/up/x"},
        ],
    )
    def test_no_link_leads_out_and_nothing_is_written_through_one(self, tmp_path: Path, links: dict[str, str]) -> None:
        (tmp_path / "x").write_text("secret")
        tree: dict[str, object] = {"d": {"f": b""}}
        for path, target in links.items():
            *folders, name = path.split("/")
            below = tree[folders[0]] if folders else tree
            assert isinstance(below, dict)
            below[name] = SymlinkSource(target, 0)
        unpacked = unpack_package(pack(tmp_path / "x.webc", volumes={"/v": tree}), tmp_path / "out")
        assert any("leads out of its volume" in warning for warning in unpacked.warnings)
        top = os.path.realpath(tmp_path / "out" / "v")
        for directory, folders, names in os.walk(top):
            for name in folders + names:
                assert os.path.realpath(os.path.join(directory, name)).startswith(top)


class TestTheOutput:
    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        return pack(tmp_path / "x.webc", {"package": {"wapm": {"name": "a/b"}}}, atoms={"m": WASM})

    def test_an_empty_directory_is_filled_and_stays_the_same_directory(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        inode = (tmp_path / "out").stat().st_ino
        unpack_package(source, tmp_path / "out")
        assert set(files(tmp_path / "out")) == {"wasmer.toml", "modules/m"}
        assert (tmp_path / "out").stat().st_ino == inode

    def test_a_new_directory_has_the_mode_of_the_umask(self, source: Path, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            unpack_package(source, tmp_path / "deep" / "out")
        finally:
            os.umask(before)
        assert (tmp_path / "deep" / "out").stat().st_mode & 0o777 == 0o750

    def test_what_is_there_is_not_touched_without_force(self, source: Path, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").touch()
        with pytest.raises(WpmError, match="is not empty"):
            unpack_package(source, tmp_path / "out")
        with pytest.raises(WpmError, match=r"has no wasmer\.toml"):
            unpack_package(source, tmp_path / "out", force=True)
        assert set(files(tmp_path / "out")) == {"mine"}
        with pytest.raises(WpmError, match="is a file"):
            unpack_package(source, source)

    def test_force_replaces_a_package(self, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        unpack_package(source, tmp_path / "out")
        (tmp_path / "out" / "old").touch()
        unpack_package(source, tmp_path / "out", force=True)
        assert set(files(tmp_path / "out")) == {"wasmer.toml", "modules/m"}
        (tmp_path / "out" / "inside.webc").write_bytes(source.read_bytes())
        with pytest.raises(WpmError, match="the package itself lies in there"):
            unpack_package(tmp_path / "out" / "inside.webc", tmp_path / "out", force=True)
        monkeypatch.chdir(tmp_path / "out" / "modules")
        with pytest.raises(WpmError, match="is the current directory"):
            unpack_package(source, tmp_path / "out", force=True)
        assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "x.webc"]

    @pytest.mark.parametrize("exists", [False, True])
    def test_nothing_half_written_stays(self, tmp_path: Path, exists: bool) -> None:
        if exists:
            (tmp_path / "out").mkdir()
        source = pack(tmp_path / "x.webc", atoms={"m": WASM}, volumes={"/v": {"x" * 300: b"too long for a file name"}})
        with pytest.raises(OSError, match="too long"):
            unpack_package(source, tmp_path / "out")
        assert sorted(p.name for p in tmp_path.rglob("*")) == (["out", "x.webc"] if exists else ["x.webc"])

    def test_a_damaged_package_is_not_unpacked(self, source: Path, tmp_path: Path) -> None:
        data = bytearray(source.read_bytes())
        data[data.index(WASM) + 7] ^= 1
        source.write_bytes(data)
        with pytest.raises(WebcError):
            unpack_package(source, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_overlapping_files_do_not_fill_the_disk(tmp_path: Path) -> None:
    writer = FolderWriter(tmp_path, 5)
    writer.write_file("a", b"123")
    with pytest.raises(WpmError, match="fill the disk"):
        writer.write_file("b", b"456")
    assert not (tmp_path / "b").exists()


NAMES = st.one_of(
    st.sampled_from(
        [
            "a",
            "A",
            "wasmer.toml",
            "modules",
            "metadata",
            "volumes",
            ".git",
            ".wasmerignore",
            "a b",
            "é",
            "\x1b[1m",
            "\n",
        ]
    ),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=5),
)
TREES = st.recursive(
    st.dictionaries(
        NAMES, st.binary(max_size=3) | st.builds(SymlinkSource, NAMES | st.just("../x"), st.just(0)), max_size=3
    ),
    lambda inner: st.dictionaries(NAMES, inner | st.binary(max_size=3), max_size=3),
    max_leaves=6,
)
VOLUMES = st.dictionaries(
    st.lists(NAMES, max_size=3).map(lambda names: "/" + "/".join(names)) | NAMES, TREES, max_size=3
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | NAMES
    | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    volumes=VOLUMES,
    atoms=st.dictionaries(NAMES, st.just(WASM), max_size=2),
    annotations=st.dictionaries(NAMES | st.sampled_from(["wasi", "atom"]), VALUES, max_size=3),
    mount=st.sampled_from(["/", "/x", "../x", ""]),
    use=st.dictionaries(NAMES, NAMES | st.sampled_from(["a/b@1", "a/b", "https://x/y"]), max_size=2),
)
def test_any_container_is_unpacked_inside_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    volumes: dict[str, object],
    atoms: dict[str, object],
    annotations: dict[str, object],
    mount: str,
    use: dict[str, object],
) -> None:
    root = tmp_path_factory.mktemp("any")
    fs = [{"from": None, "volume_name": name, "mount_path": mount} for name in volumes]
    manifest: dict[str, object] = {
        "package": {"fs": fs, "wapm": {}},
        "use": use,
        "commands": {"c": {"runner": "https://webc.org/runner/wasi", "annotations": annotations}},
    }
    try:
        unpack_package(pack(root / "x.webc", manifest, atoms=atoms, volumes=volumes), root / "out")
    except (WpmError, WebcError) as error:
        assert "\n" not in str(error)
        assert not (root / "out").exists()
        return
    assert sorted(path.name for path in root.iterdir()) == ["out", "x.webc"]
    try:
        build_package(root / "out", root / "again.webc")
    except WpmError as error:
        assert "\n" not in str(error)
