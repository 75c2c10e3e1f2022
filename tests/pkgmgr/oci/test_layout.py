"""Image layouts: shared blobs, tags, many writers, and layouts that somebody else made."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from image_samples import INDEX, ForeignLayout, a_file, an_image, layer, tar_of

from pkgmgr.errors import WpmError
from pkgmgr.oci.descriptors import Descriptor
from pkgmgr.oci.layout import REF_NAME, ImageLayout, check_layout_tag
from pkgmgr.oci.marker import is_layout
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.write_oci import write_oci

if TYPE_CHECKING:
    from collections.abc import Iterator


def tags(folder: Path) -> dict[str, str]:
    return {each.annotations.get(REF_NAME, ""): each.digest for each in ImageLayout(folder).images()}


def blobs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "blobs" / "sha256").iterdir()}


def test_a_new_layout_has_what_the_specification_wants(tmp_path: Path) -> None:
    layout = ImageLayout.prepared(tmp_path / "new")
    assert is_layout(layout.folder)
    assert sorted(path.name for path in layout.folder.iterdir()) == ["blobs", "index.json", "oci-layout"]
    assert json.loads((layout.folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((layout.folder / "index.json").read_bytes()) == {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [],
    }


def test_images_of_one_layout_share_their_blobs(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    image = an_image()
    first = write_oci(image, folder, "one")
    before = blobs(folder)
    second = write_oci(image._replace(layers=(*image.layers, layer("more", a_file("more")))), folder, "two")
    assert tags(folder) == {"one": first, "two": second}
    # A layer, a configuration, a manifest.
    assert len(blobs(folder) - before) == 3
    assert write_oci(image, folder, "two") == first
    assert tags(folder) == {"one": first, "two": first}
    assert not list(folder.glob("*.part"))


def test_an_image_without_a_tag_is_there_once(tmp_path: Path) -> None:
    digests = {write_oci(an_image(), tmp_path / "layout") for _ in range(2)}
    assert [each.digest for each in ImageLayout(tmp_path / "layout").images()] == list(digests)
    assert ImageLayout(tmp_path / "layout").find().digest in digests


def test_what_others_wrote_into_the_index_stays(tmp_path: Path) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    entry = foreign.image(tar_of({"a": b""}), tag="theirs") | {"urls": ["https://example.org"], "data": "e30="}
    foreign.index(entry, annotations={"org.example": "kept"}, unknown=[1])
    write_oci(an_image(), foreign.folder, "ours")
    value = json.loads((foreign.folder / "index.json").read_bytes())
    assert value["manifests"][0] == entry
    assert (value["annotations"], value["unknown"]) == ({"org.example": "kept"}, [1])


def test_many_writers_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "layout"

    def write(number: int) -> str:
        return write_oci(
            RootfsImage((layer("l", a_file("f", str(number % 5).encode())),)), folder, f"t{number}", jobs=1
        )

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(write, range(16)))
    assert tags(folder) == {f"t{number}": digests[number] for number in range(16)}
    assert not list(folder.glob("*.part"))


def test_writers_in_processes_of_their_own(tmp_path: Path) -> None:
    program = """
import sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from image_samples import an_image
from pkgmgr.rootfs.write_oci import write_oci
write_oci(an_image(), Path(sys.argv[1]), sys.argv[2])
"""
    paths = [str(Path(__file__).parent), str(Path(__file__).parents[3])]
    folder = tmp_path / "layout"
    running = [subprocess.Popen([sys.executable, "-c", program, str(folder), f"t{n}", *paths]) for n in range(3)]
    assert [each.wait() for each in running] == [0, 0, 0]
    assert len(set(tags(folder).values())) == 1
    assert set(tags(folder)) == {"t0", "t1", "t2"}


def test_a_killed_writer_leaves_nothing_that_stays(tmp_path: Path) -> None:
    layout = ImageLayout.prepared(tmp_path / "layout")
    (layout.folder / "1-0123456789abcdef.part").write_bytes(b"half a layer")
    write_oci(an_image(), layout.folder, "t")
    assert not list(layout.folder.glob("*.part"))


def test_an_image_that_fails_is_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    good = write_oci(an_image(), folder, "good")
    image = an_image()
    with pytest.raises(WpmError, match=r"bad: .*means a deletion"):
        write_oci(image._replace(layers=(*image.layers, layer("bad", a_file("etc/.wh.x")))), folder, "good")
    assert tags(folder) == {"good": good}
    assert not list(folder.glob("*.part"))


def test_a_new_layout_whose_image_fails_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WpmError, match="means a deletion"):
        write_oci(RootfsImage((layer("bad", a_file(".wh.x")),)), tmp_path / "layout", "t")
    assert not (tmp_path / "layout").exists()


def test_other_folders_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(WpmError, match="no OCI image layout: choose another place"):
        write_oci(an_image(), tmp_path, "t")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("tag", ["1", "v1.2.3", "a/b:c", "latest", "x86_64-linux", "a--b", "a__b"])
def test_tags(tag: str) -> None:
    assert check_layout_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", " ", "a b", "a\n", "/a", "a/", "é", "a" * 256, ":"])
def test_what_is_no_tag(tmp_path: Path, tag: str) -> None:
    with pytest.raises(WpmError, match="no name for an image in a layout"):
        write_oci(an_image(), tmp_path / "layout", tag)
    assert not (tmp_path / "layout").exists()


def test_finding_images(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    ImageLayout.prepared(folder)
    with pytest.raises(WpmError, match="there is no image in it"):
        ImageLayout(folder).find()
    one = write_oci(an_image(), folder, "one")
    layout = ImageLayout(folder)
    assert layout.find().digest == layout.find("one").digest == layout.find(one).digest == one
    write_oci(RootfsImage((layer("l"),)), folder, "two")
    with pytest.raises(WpmError, match=r"choose one with .*:TAG, of one, two"):
        layout.find()
    with pytest.raises(WpmError, match="no image is called three: there is one, two"):
        layout.find("three")


def test_an_index_for_several_platforms(tmp_path: Path) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    amd64 = foreign.image(tar_of({"amd64": b""}), platform={"os": "linux", "architecture": "amd64"})
    wasm = foreign.image(tar_of({"wasm": b""}))
    nested = foreign.blob(
        {
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [
                amd64 | {"platform": {"os": "linux", "architecture": "amd64"}},
                wasm | {"platform": {"os": "wasi", "architecture": "wasm"}},
            ],
        },
        INDEX,
    )
    foreign.index(nested)
    layout = ImageLayout(foreign.folder)
    assert layout.manifest()[0].digest == wasm["digest"]
    assert layout.manifest(platform="linux/amd64")[0].digest == amd64["digest"]
    with pytest.raises(WpmError, match="there is nothing for 'linux/s390x'"):
        layout.manifest(platform="linux/s390x")


def test_an_index_in_itself_is_refused(tmp_path: Path) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    inner = foreign.image(tar_of({}))
    for _ in range(6):
        inner = foreign.blob({"schemaVersion": 2, "manifests": [inner]}, INDEX)
    foreign.index(inner)
    with pytest.raises(WpmError, match="indexes within indexes"):
        ImageLayout(foreign.folder).manifest()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("oci-layout", b""),
        ("oci-layout", b"[]"),
        ("oci-layout", b"{}"),
        ("oci-layout", b'{"imageLayoutVersion": "2.0.0"}'),
        ("oci-layout", b"[" * 100_000),
        ("index.json", b""),
        ("index.json", b"[]"),
        ("index.json", b'{"schemaVersion": 2}'),
        ("index.json", b'{"schemaVersion": 1, "manifests": []}'),
        ("index.json", b'{"schemaVersion": 2, "manifests": [{}]}'),
        ("index.json", b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:../../etc", "size": 1}]}'),
        ("index.json", b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:' + b"0" * 64 + b'", "size": -1}]}'),
        ("index.json", b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:' + b"0" * 64 + b'", "size": true}]}'),
        ("index.json", b"<html>"),
    ],
)
def test_documents_that_are_none(tmp_path: Path, name: str, content: bytes) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    foreign.write(name, content)
    with pytest.raises(WpmError) as caught:
        ImageLayout(foreign.folder).manifest()
    assert str(caught.value).startswith(str(foreign.folder / name))
    assert "\n" not in str(caught.value)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    entry = foreign.image(tar_of({}))
    foreign.index(entry)
    foreign.path(entry["digest"]).unlink()
    os.mkfifo(foreign.path(entry["digest"]))
    with pytest.raises(WpmError, match="is no file"):
        ImageLayout(foreign.folder).manifest()
    (foreign.folder / "index.json").unlink()
    os.mkfifo(foreign.folder / "index.json")
    with pytest.raises(WpmError, match="not a file"):
        ImageLayout(foreign.folder).images()


@pytest.mark.parametrize("damage", ["missing", "longer", "shorter", "changed", "kind"])
def test_blobs_are_looked_at(tmp_path: Path, damage: str) -> None:
    foreign = ForeignLayout(tmp_path / "layout")
    entry = foreign.image(tar_of({}))
    path = foreign.path(entry["digest"])
    data = path.read_bytes()
    match damage:
        case "missing":
            path.unlink()
        case "longer":
            path.write_bytes(data + b" ")
        case "shorter":
            path.write_bytes(data[:-1])
        case "changed":
            path.write_bytes(data[:-1] + b" ")
        case "kind":
            entry["mediaType"] = "text/plain"
    foreign.index(entry)
    with pytest.raises(WpmError) as caught:
        ImageLayout(foreign.folder).manifest()
    assert str(caught.value).startswith(str(path))


def test_blobs_are_made_whole_or_not_at_all(tmp_path: Path) -> None:
    layout = ImageLayout.prepared(tmp_path / "layout")
    blob = layout.blobs.add([b"ab", memoryview(b"c")])
    assert layout.blobs.read(Descriptor(*blob), 3) == b"abc"
    assert layout.blobs.path(blob.digest).stat().st_mode & 0o777 == 0o644
    with pytest.raises(WpmError, match="more than the 2 that are read"):
        layout.blobs.read(Descriptor(*blob), 2)

    def failing() -> Iterator[bytes]:
        yield b"x"
        raise WpmError("the disk is gone")

    with pytest.raises(WpmError, match="the disk is gone"):
        layout.blobs.add(failing())
    assert blobs(layout.folder) == {blob.digest.removeprefix("sha256:")}


def test_a_damaged_blob_is_replaced_by_who_writes_it_again(tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    digest = write_oci(an_image(), folder, "t")
    for path in (folder / "blobs" / "sha256").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert write_oci(an_image(), folder, "t") == digest
    layout = ImageLayout(folder)
    _, manifest = layout.manifest("t")
    for each in (manifest.config, *manifest.layers):
        layout.blobs.check(each)
