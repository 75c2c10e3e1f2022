"""Reading containers of all three versions through the public door."""

import os
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from webc_samples import ATOMS, MANIFEST, WASM, leb128, samples, v1_container, v1_volume, written

from webc_parser import (
    AtomRef,
    Container,
    Dependency,
    FilesystemMapping,
    Version,
    Volume,
    VolumeDirectory,
    VolumeFile,
    VolumePath,
    VolumeSymlink,
    WebcError,
    detect,
)

SAMPLES = samples()


@pytest.fixture(params=["v1", "v2", "v3"])
def container(request: pytest.FixtureRequest, tmp_path: Path) -> Container:
    path = tmp_path / "sample.webc"
    path.write_bytes(SAMPLES[request.param])
    return Container.open(path)


def flatten(volume: Volume) -> dict[str, bytes | None]:
    return {path: bytes(node.content) if isinstance(node, VolumeFile) else None for path, node in volume.walk()}


def test_versions_are_told_by_the_magic() -> None:
    assert [detect(b"\0webc00%d rest" % digit) for digit in (1, 2, 3)] == [Version.V1, Version.V2, Version.V3]
    for data, offset in ((b"", 0), (b"\0web", 0), (b"\0asm\1\0\0\0", 0), (b"\0webc004", 5), (b"\0webc", 5)):
        with pytest.raises(WebcError) as caught:
            detect(data)
        assert caught.value.offset == offset


def test_every_version_holds_the_same(container: Container) -> None:
    assert {name: bytes(atom) for name, atom in container.atoms.items()} == ATOMS
    assert list(container.volumes) == ["/data", "metadata"]
    assert flatten(container.volumes["/data"]) == {
        "/README": b"read me\n",
        "/bin": None,
        "/bin/a": b"A" * 30,
        "/bin/b": b"",
        "/deep": None,
        "/deep/er": None,
        "/deep/er/est": None,
        "/deep/er/est/file": b"deep\n",
        "/empty": None,
    }
    assert [path for path, _ in container.volumes["/data"].walk()] == sorted(flatten(container.volumes["/data"]))
    container.verify()


def test_a_volume_finds_paths(container: Container) -> None:
    volume = container.volumes["/data"]
    file = volume.get("/deep/er/est/file")
    assert isinstance(file, VolumeFile) and bytes(file.content) == b"deep\n" and file.size == 5
    deep = volume.root.entries["deep"]
    assert isinstance(deep, VolumeDirectory) and volume.get("deep//./er") is deep.entries["er"]
    assert volume.get("/") is volume.root
    for path in ("/nothing", "/deep/../README", "/README/x", "/deep/er/est/file/", ".."):
        if path.endswith("file/"):
            assert volume.get(path) is file
        else:
            assert volume.get(path) is None


def test_contents_are_views_of_the_file(container: Container) -> None:
    file = container.volumes["/data"].get("/bin/a")
    assert isinstance(file, VolumeFile)
    assert file.content.obj is container.atoms["main"].obj
    assert file.content.readonly and container.atoms["main"].readonly


def test_the_manifest_is_typed(container: Container) -> None:
    manifest = container.manifest
    package = manifest.package
    assert (package.name, package.version, package.license) == ("test/sample", "1.2.3", "MIT")
    assert package.readme == VolumePath("metadata", "README.md") and package.license_file is None
    assert manifest.use["dep"] == Dependency("dep", "test/dep@^1", "test/dep@^1")
    assert manifest.filesystem == (
        FilesystemMapping(None, "/data", "/", "/data"),
        FilesystemMapping("dep", "/lib", None, "/usr/lib"),
    )
    run = manifest.commands["run"]
    assert (run.runner_kind, run.atom, run.main_args) == ("wasi", AtomRef("main", None), ("-c", "x"))
    assert (run.env, run.exec_name, run.cwd) == ({"A": "1", "B": "x=y"}, "runner", "/data")
    other = manifest.commands["other"]
    assert (other.runner_kind, other.atom, other.main_args, other.env) == ("wcgi", None, (), {})
    assert manifest.entrypoint == "run"
    assert manifest.raw["entrypoint"] == "run"


def test_version_3_has_times_links_and_checksums() -> None:
    container = Container.from_bytes(SAMPLES["v3 with times and links"])
    root = container.volumes["/t"].root
    assert root.modified_ns == 1_400_000_000_000_000_000
    link, sub, file = (root.entries[name] for name in ("link", "sub", "file"))
    assert isinstance(link, VolumeSymlink) and link.target == "sub/../file"
    assert isinstance(sub, VolumeDirectory) and sub.modified_ns == 1_500_000_000_000_000_000
    assert file.modified_ns == 1_700_000_000_000_000_000
    assert file.checksum is not None and root.checksum is not None
    container.verify()
    assert Container.from_bytes(SAMPLES["v2"]).volumes["/data"].root.modified_ns is None


def test_an_old_package_mounts_its_atom_volume_at_the_root() -> None:
    mapping = FilesystemMapping(None, "atom", None, "/")
    assert Container.from_bytes(SAMPLES["v1 of old"]).manifest.filesystem == (mapping,)
    assert Container.from_bytes(SAMPLES["v3 of nothing"]).manifest.filesystem == ()


@pytest.mark.parametrize(
    ("annotations", "atom", "args"),
    [
        ({"wasi": {"atom": "dep/x:tool", "main_args": ["a"]}}, AtomRef("tool", "dep/x"), ("a",)),
        ({"wasi": {"atom": "tool", "mainArgs": ["b"], "package": None}}, AtomRef("tool", None), ("b",)),
        ({"emscripten": {"atom": "php", "main-args": ["c"]}}, AtomRef("php", None), ("c",)),
        ({"atom": {"name": "x", "dependency": "y"}, "wasi": {"atom": "z"}}, AtomRef("x", "y"), ()),
        ({}, None, ()),
    ],
)
def test_spellings_of_annotations(annotations: object, atom: AtomRef | None, args: tuple[str, ...]) -> None:
    manifest = {
        "commands": {"x": {"runner": "https://webc.org/runner/wasi/command@unstable_", "annotations": annotations}}
    }
    command = Container.from_bytes(written(Version.V3, manifest=manifest)).manifest.commands["x"]
    assert (command.runner_kind, command.atom, command.main_args) == ("wasi", atom, args)


@pytest.mark.parametrize(
    ("manifest", "key"),
    [
        ({"commands": []}, "manifest.commands"),
        ({"commands": {"x": {}}}, "manifest.commands.x.runner"),
        ({"entrypoint": 5}, "manifest.entrypoint"),
        ({"package": {"wapm": {"name": b"x"}}}, "manifest.package.wapm.name"),
        ({"package": {"fs": [{"mount_path": "/"}]}}, r"manifest.package.fs\[0\].volume_name"),
        ({"use": {"x": 3}}, "manifest.use.x"),
        ({"atoms": {"x": "y"}}, "manifest.atoms.x"),
        ({1: 2}, "manifest has the key 1"),
    ],
)
def test_a_wrong_manifest_names_the_key(manifest: dict[Any, object], key: str) -> None:
    with pytest.raises(WebcError, match=key) as caught:
        Container.from_bytes(v1_container(manifest, {}, {}))
    assert caught.value.offset == 1309


def test_records_are_values() -> None:
    one, two = (Container.from_bytes(SAMPLES[name]).manifest for name in ("v2", "v3"))
    assert one == two and repr(one) == repr(two) and one.package != one.use["dep"]
    untyped: Any = one  # what a type checker would tell is told at run time too
    with pytest.raises(AttributeError):
        untyped.entrypoint = "other"
    untyped = AtomRef
    with pytest.raises(TypeError):
        untyped("x")
    with pytest.raises(TypeError):
        untyped("x", dependancy=None)


@pytest.mark.parametrize("name", SAMPLES)
def test_verify_sees_any_flipped_bit_of_the_contents(name: str) -> None:
    data = SAMPLES[name]
    Container.from_bytes(data).verify()
    if name == "v1 of old":
        return  # it carries the atoms' checksums only
    for content in (b"main", b"AAAA", b"deep\n", b"timed"):
        at = data.find(content)
        if at > 0 and content in data:
            at = data.rfind(content)
            damaged = bytearray(data)
            damaged[at] ^= 1
            with pytest.raises(WebcError, match=r"does not match|is not the one"):
                Container.from_bytes(damaged).verify()


def test_signatures_of_atoms_in_hex() -> None:
    for digest, good in ((sha256(ATOMS["main"]).hexdigest(), True), ("0" * 64, False)):
        manifest = {"atoms": {"main": {"kind": "https://webc.org/kind/wasm", "signature": f"sha256:{digest}"}}}
        container = Container.from_bytes(v1_container(manifest, ATOMS, {}))
        if good:
            container.verify()
            continue
        with pytest.raises(WebcError, match="'main' does not match its signature"):
            container.verify()


def test_a_wrong_signature_of_an_atom_is_seen() -> None:
    manifest = {"atoms": {"main": {"kind": "https://webc.org/kind/wasm", "signature": "sha256:" + "A" * 43 + "="}}}
    container = Container.from_bytes(v1_container(manifest, ATOMS, {}))
    with pytest.raises(WebcError, match="'main' does not match its signature"):
        container.verify()
    with pytest.raises(WebcError, match="'main' of the manifest is not in"):
        Container.from_bytes(v1_container(manifest, {}, {})).verify()


def test_closing(tmp_path: Path) -> None:
    path = tmp_path / "x.webc"
    path.write_bytes(SAMPLES["v3"])
    with Container.open(path) as container:
        atom = container.atoms["main"]
        file = container.volumes["/data"].get("/bin/a")
        unopened = container.volumes["/data"].root.entries["deep"]
    assert isinstance(file, VolumeFile) and isinstance(unopened, VolumeDirectory)
    assert bytes(atom) == ATOMS["main"]
    with pytest.raises(WebcError, match="closed"):
        _ = file.content
    with pytest.raises(WebcError, match="closed"):
        _ = unopened.entries
    with pytest.raises(WebcError, match="closed"):
        container.verify()
    with pytest.raises(WebcError, match="closed"):
        container.sha256()
    container.close()


def test_opening_what_is_no_container(tmp_path: Path) -> None:
    path = tmp_path / "x.webc"
    for data in (b"", WASM, SAMPLES["v3"][:300], SAMPLES["v1"][:1000]):
        path.write_bytes(data)
        with pytest.raises(WebcError, match=r"x\.webc") as caught:
            Container.open(path)
        assert caught.value.offset is not None
    with pytest.raises(FileNotFoundError):
        Container.open(tmp_path / "nothing")


def test_many_threads_may_look_at_once() -> None:
    tree = {f"d{i}": {f"f{j}": b"%d" % j for j in range(20)} for i in range(50)}
    data = written(Version.V3, volumes={"/data": tree})
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            container = Container.from_bytes(data)
            seen = list(pool.map(lambda _, c=container: sum(1 for _ in c.volumes["/data"].walk()), range(8)))
            assert seen == [50 * 21] * 8


LOOK_AT_THE_COMMANDS = """
import sys
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from webc_parser import Container

def peak():
    # Linux's ru_maxrss begins with what the parent had when it started this process, VmHWM with this process.
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return getrusage(RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

begin = peak()
container = Container.open(sys.argv[1])
atom = container.atoms["big"]
assert list(container.manifest.commands) and len(atom) == int(sys.argv[2])
listed = peak()
assert not any(atom[:: 4096])
print(listed - begin, peak() - begin)
"""


def test_opening_reads_no_atom(tmp_path: Path) -> None:
    """A third of a gigabyte: listing the commands must not bring it into memory, and reading it is seen to."""
    size, header = 320 << 20, v1_volume({"big": b""})[1:]
    header = header[:24] + struct.pack("<Q", size) + header[32:]  # the end of the only file
    head = v1_container(MANIFEST, {}, {})
    assert head.endswith(b"\x09\x08" + bytes(8))  # the volume of no atoms, replaced by one with a hole for its data
    head = head[:-10] + leb128(1 + len(header) + size) + leb128(len(header)) + header
    path = tmp_path / "big.webc"
    path.write_bytes(head)
    os.truncate(path, len(head) + size)
    done = subprocess.run(
        [sys.executable, "-c", LOOK_AT_THE_COMMANDS, str(path), str(size)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    listing, reading = map(int, done.stdout.split())
    assert listing < 16 << 20 < reading


@pytest.mark.parametrize(
    ("name", "version", "entries"),
    [
        ("dash-1.0.18", Version.V1, 3),
        ("hello-0.1.0", Version.V1, 2),
        ("staticserver", Version.V1, 5),
        ("wabt-1.0.37", Version.V1, 5),
        ("volume-static-webserver-0.1.0", Version.V3, 1),
    ],
)
def test_published_packages(conformance: Path, name: str, version: Version, entries: int) -> None:
    with Container.open(conformance / "webc" / f"{name}.webc") as container:
        assert container.version is version
        assert sum(1 for volume in container.volumes.values() for _ in volume.walk()) == entries
        assert all(bytes(atom[:4]) == b"\0asm" for atom in container.atoms.values())
        container.verify()
        assert len(container.sha256()) == 64


def test_a_published_package_with_a_dependency(conformance: Path) -> None:
    with Container.open(conformance / "webc" / "volume-static-webserver-0.1.0.webc") as container:
        command = container.manifest.commands["script"]
        assert command.atom == AtomRef("webserver", "wasmer/static-web-server")
        assert command.main_args == ("-w", "/settings/config.toml")
        assert container.manifest.use["wasmer/static-web-server"].spec == "wasmer/static-web-server@^1"
        file = container.volumes["/settings"].get("/config.toml")
        assert isinstance(file, VolumeFile) and file.modified_ns == 1725977743 * 10**9
