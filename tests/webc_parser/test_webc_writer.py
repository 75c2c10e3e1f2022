"""Writing containers: deterministic, stable, atomic, and readable again."""

from __future__ import annotations

import io
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webc_samples import ATOMS, MANIFEST, TIMED_TREE, TREE, samples, v1_container, written

from webc_parser import (
    Container,
    DirectorySource,
    FileSource,
    SymlinkSource,
    Version,
    VolumeDirectory,
    VolumeFile,
    VolumeSymlink,
    WebcError,
    write_container,
)
from webc_parser.tree import MAX_DEPTH

if TYPE_CHECKING:
    from webc_parser import Manifest, VolumeEntry
    from webc_parser.source import Directory, Entry

    Meaning = tuple[Manifest, dict[str, bytes], dict[str, dict[str, bytes | str | None]]]

VERSIONS = [Version.V2, Version.V3]

names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
seconds = st.integers(0, 1 << 33).map(lambda value: value * 10**9)
files = st.builds(FileSource, st.binary(max_size=40), seconds)
links = st.builds(
    SymlinkSource, st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1), seconds
)
trees: st.SearchStrategy[Directory] = st.recursive(
    st.just({}),
    lambda inner: st.builds(DirectorySource, st.dictionaries(names, files | links | inner, max_size=5), seconds),
    max_leaves=12,
)


def rewritten(container: Container) -> bytes:
    target = io.BytesIO()
    write_container(
        target,
        manifest=container.manifest,
        atoms=container.atoms,
        volumes=container.volumes,
        # Version 2 mounts what a package without an `fs` table has, as version 1 does; version 3 does not.
        version=Version.V2 if container.version is Version.V1 else container.version,
    )
    return target.getvalue()


def content(container: Container) -> Meaning:
    """All that a container means, its times left out."""
    trees: dict[str, dict[str, bytes | str | None]] = {
        name: {
            path: bytes(node.content)
            if isinstance(node, VolumeFile)
            else node.target
            if isinstance(node, VolumeSymlink)
            else None
            for path, node in volume.walk()
        }
        for name, volume in container.volumes.items()
    }
    return container.manifest, {name: bytes(atom) for name, atom in container.atoms.items()}, trees


@pytest.mark.parametrize("version", VERSIONS)
def test_the_order_of_the_input_does_not_matter(version: Version) -> None:
    def reversed_tree(tree: dict[str, Any]) -> dict[str, Any]:
        return {name: reversed_tree(node) if isinstance(node, dict) else node for name, node in reversed(tree.items())}

    backwards = written(
        version,
        manifest=reversed_tree(MANIFEST),
        atoms=reversed_tree(ATOMS),
        volumes={"metadata": {"README.md": b"# Hi\n"}, "/data": reversed_tree(TREE)},
    )
    assert backwards == written(version)


@pytest.mark.parametrize("name", [name for name in samples() if name.startswith(("v2", "v3"))])
def test_what_we_wrote_is_stable(name: str) -> None:
    data = samples()[name]
    assert rewritten(Container.from_bytes(data)) == data


@pytest.mark.parametrize("name", samples())
def test_a_rewritten_container_means_the_same(name: str) -> None:
    before = Container.from_bytes(samples()[name])
    after = Container.from_bytes(rewritten(before))
    after.verify()
    assert content(before)[1:] == content(after)[1:]
    assert before.manifest.commands == after.manifest.commands and before.manifest.package == after.manifest.package


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names, st.binary(max_size=60), max_size=4), trees, st.sampled_from(["/data", "atom", "a/b c"]))
def test_round_trip(atoms: dict[str, bytes], tree: Directory, name: str) -> None:
    data = written(Version.V3, atoms=atoms, volumes={name: tree}, manifest={"entrypoint": "x"})
    container = Container.from_bytes(data)
    container.verify()
    assert {atom: bytes(view) for atom, view in container.atoms.items()} == atoms
    assert rewritten(container) == data

    def compare(node: VolumeEntry, source: Entry) -> None:
        if isinstance(source, dict | DirectorySource):
            entries = source if isinstance(source, dict) else source.entries
            assert isinstance(node, VolumeDirectory)
            assert list(node.entries) == sorted(entries)
            for entry in entries:
                compare(node.entries[entry], entries[entry])
        elif isinstance(source, FileSource):
            assert isinstance(node, VolumeFile)
            assert (bytes(node.content), node.modified_ns) == (source.content, source.modified_ns)
        else:
            assert isinstance(source, SymlinkSource) and isinstance(node, VolumeSymlink)
            assert (node.target, node.modified_ns) == (source.target, source.modified_ns)

    compare(container.volumes[name].root, tree)


@pytest.mark.parametrize("version", VERSIONS)
def test_contents_may_be_in_files(tmp_path: Path, version: Version) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 20_000)
    out = tmp_path / "out.webc"
    write_container(out, manifest={}, atoms={"big": big}, volumes={"/v": {"x": FileSource(big, 0)}}, version=version)
    in_memory = written(version, manifest={}, atoms={"big": big.read_bytes()}, volumes={"/v": {"x": big.read_bytes()}})
    assert out.read_bytes() == in_memory
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big", "out.webc"]


def test_a_file_that_changes_meanwhile_is_seen(tmp_path: Path) -> None:
    source, out = tmp_path / "source", tmp_path / "out.webc"
    out.write_bytes(b"what was there")
    for change in (b"chAnged", b"longer than it was", b"short"):
        source.write_bytes(b"changed")

        class Restless(PosixPath):
            reads = 0

            def __fspath__(self, change: bytes = change) -> str:
                Restless.reads += 1
                if Restless.reads == 2:
                    source.write_bytes(change)
                return super().__fspath__()

        with pytest.raises(WebcError, match="changed while it was being packed"):
            write_container(out, manifest={}, atoms={"a": Restless(source)}, volumes={})
        assert out.read_bytes() == b"what was there"
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out.webc", "source"]


def test_atoms_are_signed_in_the_manifest() -> None:
    given_atoms = {"main": {"kind": "https://webc.org/kind/wasm", "annotations": {"suggested": True}}}
    container = Container.from_bytes(written(Version.V3, manifest={**MANIFEST, "atoms": given_atoms}))
    assert set(container.manifest.atoms) == set(ATOMS)
    assert container.manifest.atoms["main"].annotations == {"suggested": True}
    assert all(info.signature.startswith("sha256:") for info in container.manifest.atoms.values())
    container.verify()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"atoms": {"../x": b""}}, "'../x'"),
        ({"atoms": {"x": {"y": b""}}}, "'x' is a directory"),
        ({"atoms": {}, "manifest": {"atoms": {"x": {"kind": "k", "signature": ""}}}}, "'x', which is not given"),
        ({"manifest": {"atoms": {"main": {"kind": "k", "signature": "sha256:AAAA"}}}}, "'main' that does not match"),
        ({"manifest": {"entrypoint": 1}}, "manifest.entrypoint"),
        ({"manifest": {"x": object()}}, "object"),
        ({"volumes": {"": {}}}, "volume"),
        ({"volumes": {"/a/../b": {}}}, "volume"),
        ({"volumes": {"/a": {"..": b""}}}, r"'\.\.'"),
        ({"volumes": {"/a": {"x": {"a/b": b""}}}}, "'a/b' in /a/x"),
        ({"volumes": {"/a": {"\udc80": b""}}}, "may not stand"),
        ({"volumes": {"/a": {"x": Path("/nonexistent/file")}}}, "cannot read /nonexistent/file for /a/x"),
        ({"volumes": {"/a": {"x": FileSource(b"", -1)}}}, "before 1970"),
        ({"volumes": {"/a": {"x": SymlinkSource("", None)}}}, "may not lead"),
        ({"version": Version.V2, "volumes": {"/a": TIMED_TREE}}, "version 2 has no symbolic links, and /a/link"),
        ({"version": Version.V1}, "version 1 cannot be written"),
    ],
)
def test_what_cannot_be_written(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(WebcError, match=what) as caught:
        written(changes.pop("version", Version.V3), **changes)
    assert "\n" not in str(caught.value)


def test_a_tree_that_contains_itself_cannot_be_written() -> None:
    tree: dict[str, Entry] = {}
    tree["again"] = tree
    with pytest.raises(WebcError, match="nested deeper"):
        written(Version.V3, volumes={"/a": tree})


@pytest.mark.parametrize("version", VERSIONS)
def test_the_deepest_tree(version: Version) -> None:
    tree: dict[str, Entry] = {"file": b"x"}
    for _ in range(MAX_DEPTH):
        tree = {"d": tree}
    data = written(version, volumes={"/a": tree})
    assert len(list(Container.from_bytes(data).volumes["/a"].walk())) == MAX_DEPTH + 1
    with pytest.raises(WebcError, match="nested deeper"):
        written(version, volumes={"/a": {"d": tree}})


def test_a_published_package_converts(conformance: Path) -> None:
    for path in sorted((conformance / "webc").glob("*.webc")):
        with Container.open(path) as before, Container.from_bytes(rewritten(before)) as after:
            after.verify()
            assert content(before) == content(after)


def test_an_empty_v1() -> None:
    container = Container.from_bytes(v1_container({}, {}, {}))
    assert not container.atoms and not container.volumes and container.signature is None
    container.verify()
