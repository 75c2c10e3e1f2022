"""Images as layouts: the same bytes, read back, by skopeo and umoci too; and images of strangers."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import stat
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from image_samples import LAYER, ForeignLayout, a_file, an_image, digest_of, layer, tar_of

from pkgmgr.errors import WpmError
from pkgmgr.oci.platforms import Platform
from pkgmgr.rootfs.entry import Kind
from pkgmgr.rootfs.flattening import flatten
from pkgmgr.rootfs.image import RootfsImage
from pkgmgr.rootfs.read_oci import read_oci
from pkgmgr.rootfs.write_directory import write_directory
from pkgmgr.rootfs.write_oci import write_oci

if TYPE_CHECKING:
    from pathlib import Path

COMPRESSIONS = ("none", "gzip", "zstd")


def comparable(image: RootfsImage) -> object:
    entries = [
        [(*entry[:5], b"".join(entry.pieces()), *entry[6:]) for entry in each.entries()] for each in image.layers
    ]
    return [each.title for each in image.layers], entries, image.config, image.created


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_image_comes_back(tmp_path: Path, compression: str) -> None:
    write_oci(an_image(), tmp_path / "layout", "t", compression)
    # A whiteout has neither mode nor time in a layer.
    assert comparable(read_oci(tmp_path / "layout", "t")) == comparable(an_image())
    again = read_oci(tmp_path / "layout")
    assert comparable(again) == comparable(an_image())


@pytest.mark.parametrize(
    ("compression", "digest"),
    [
        ("none", "sha256:178ca26185d21f57fadebb1505bcfa14afdfc595cf89665fb484a48717e6bf2b"),
        ("gzip", "sha256:304a8edf2c5563a2a4a502940fc1c3f35a7d1f3dfc71b960d851be583fab4cc1"),
        ("zstd", "sha256:c560647af14e89af9d87560ebc5415d599df45154a34e1075db713de4d871865"),
    ],
)
def test_an_image_has_one_digest_everywhere(tmp_path: Path, compression: str, digest: str) -> None:
    umask = os.umask(0o077)
    try:
        found = {write_oci(an_image(), tmp_path / f"{jobs}", f"t{jobs}", compression, jobs) for jobs in (1, 2, 7)}
    finally:
        os.umask(umask)
    assert found == {digest}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "1").rglob("*") if path.is_file()}
    assert modes == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "1").rglob("*") if path.is_dir()} == {0o755}


def test_what_engines_look_at(tmp_path: Path) -> None:
    digest = write_oci(an_image(), tmp_path / "layout", "t")
    blobs = tmp_path / "layout" / "blobs" / "sha256"
    manifest = json.loads((blobs / digest.removeprefix("sha256:")).read_bytes())
    assert manifest["annotations"] == {"module.wasm.image/variant": "compat"}
    assert {each["mediaType"] for each in manifest["layers"]} == {LAYER + "+gzip"}
    config = json.loads((blobs / manifest["config"]["digest"].removeprefix("sha256:")).read_bytes())
    assert (config["os"], config["architecture"]) == ("linux", "wasm")
    assert config["config"]["Entrypoint"] == ["/bin/tool", "--fast"]
    for described, diff_id in zip(manifest["layers"], config["rootfs"]["diff_ids"], strict=True):
        packed = (blobs / described["digest"].removeprefix("sha256:")).read_bytes()
        assert (len(packed), digest_of(gzip.decompress(packed))) == (described["size"], diff_id)
    write_oci(an_image(), tmp_path / "layout", "wasi", platforms=[Platform("wasi", "wasm")])
    index = json.loads((tmp_path / "layout" / "index.json").read_bytes())
    platforms = [each["platform"] for each in index["manifests"]]
    assert platforms == [{"os": "linux", "architecture": "wasm"}, {"os": "wasi", "architecture": "wasm"}]


def run(*command: str | Path) -> str:
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not here")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_skopeo_inspects_it(tmp_path: Path, compression: str) -> None:
    digest = write_oci(an_image(), tmp_path / "layout", "v1", compression)
    found = json.loads(run("skopeo", "inspect", f"oci:{tmp_path}/layout:v1"))
    assert (found["Digest"], found["Os"], found["Architecture"]) == (digest, "linux", "wasm")
    assert (found["Created"], found["Labels"]) == ("2023-11-14T22:13:20Z", {"org.example.name": "grüße"})
    assert found["Env"] == ["A=b=c", "PATH=/bin"]
    assert len(found["Layers"]) == 3
    run("skopeo", "copy", "--quiet", f"oci:{tmp_path}/layout:v1", f"oci:{tmp_path}/copied:v2")
    assert comparable(read_oci(tmp_path / "copied", "v2")) == comparable(an_image())


def seen(root: Path) -> dict[str, tuple[Any, ...]]:
    """A tree, name by name: kind, mode, time, content or target, and which names are of one file."""
    found: dict[str, tuple[Any, ...]] = {}
    firsts: dict[int, str] = {}
    for path in sorted(root.rglob("*")):
        status = path.lstat()
        name = str(path.relative_to(root))
        time = status.st_mtime_ns
        if path.is_symlink():
            found[name] = ("link", time, os.readlink(path))
        elif path.is_dir():
            found[name] = ("directory", stat.S_IMODE(status.st_mode), time)
        else:
            first = firsts.setdefault(status.st_ino, name)
            found[name] = ("file", stat.S_IMODE(status.st_mode), time, path.read_bytes(), first)
    return found


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_umoci_unpacks_what_the_directory_format_writes(tmp_path: Path, compression: str) -> None:
    image = an_image()
    write_oci(image, tmp_path / "layout", "v1", compression)
    run("umoci", "unpack", "--rootless", "--image", f"{tmp_path}/layout:v1", tmp_path / "bundle")
    (tmp_path / "dir").mkdir()
    write_directory(flatten(image.layers).entries, tmp_path / "dir")
    assert seen(tmp_path / "bundle" / "rootfs") == seen(tmp_path / "dir")
    process = json.loads((tmp_path / "bundle" / "config.json").read_bytes())["process"]
    assert (process["args"], process["cwd"]) == (["/bin/tool", "--fast", "go"], "/tmp")


def test_what_umoci_writes_is_read(tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    write_oci(RootfsImage((layer("base", a_file("etc/motd"), a_file("old")),)), layout, "v1")
    run("umoci", "unpack", "--rootless", "--image", f"{layout}:v1", tmp_path / "bundle")
    rootfs = tmp_path / "bundle" / "rootfs"
    (rootfs / "old").unlink()
    (rootfs / "etc" / "motd").write_bytes(b"changed")
    (rootfs / "etc" / "hard").hardlink_to(rootfs / "etc" / "motd")
    run("umoci", "repack", "--image", f"{layout}:v2", tmp_path / "bundle")
    entries = {entry.path: entry for entry in flatten(read_oci(layout, "v2").layers).entries}
    assert sorted(entries) == ["etc", "etc/hard", "etc/motd"]
    assert b"".join(entries["etc/hard"].pieces()) == b"changed"
    assert entries["etc/motd"].target == "etc/hard"


def foreign(tmp_path: Path) -> ForeignLayout:
    return ForeignLayout(tmp_path / "layout")


def test_hard_links_and_whiteouts_over_layers(tmp_path: Path) -> None:
    link = tarfile.TarInfo("c/hard")
    link.type, link.linkname = tarfile.LNKTYPE, "a/file"
    layout = foreign(tmp_path)
    layout.index(
        layout.image(tar_of({"a/file": b"low"}), tar_of({"b": b""}), tar_of({"c/hard": link, "a/.wh.file": b""}))
    )
    image = read_oci(layout.folder)
    assert [(entry.path, entry.kind) for entry in image.layers[2].entries()] == [
        ("a", Kind.DIRECTORY),
        ("a/file", Kind.WHITEOUT),
        ("c", Kind.DIRECTORY),
        ("c/hard", Kind.FILE),
    ]
    entries = {entry.path: entry for entry in flatten(image.layers).entries}
    assert b"".join(entries["c/hard"].pieces()) == b"low"
    assert [each.title for each in image.layers] == [each.digest[:19] for each in image.layers]  # type: ignore[attr-defined]


def test_a_root_that_covers_everything_below(tmp_path: Path) -> None:
    layout = foreign(tmp_path)
    layout.index(layout.image(tar_of({"low": b""}), tar_of({".wh..wh..opq": b"", "high": b""})))
    assert [entry.path for entry in flatten(read_oci(layout.folder).layers).entries] == ["high"]


def test_docker_names_and_the_same_layer_twice(tmp_path: Path) -> None:
    layout = foreign(tmp_path)
    tar = tar_of({"a": b"x"})
    kind = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    layout.index(layout.image(tar, tar, media_type=kind))
    image = read_oci(layout.folder)
    assert [entry.path for each in image.layers for entry in each.entries()] == ["a", "a"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("diff id", "do not trust its source|promised"),
        ("count", "has 1 layers, and its configuration says 2"),
        ("no layer", "which is no layer of files"),
        ("artifact", "an artifact"),
        ("config", "config.Env"),
        ("blob", "which is not its name"),
        ("size", "were promised"),
        ("missing", "cannot be read: No such file"),
        ("no gzip", "damaged gzip"),
        ("bomb", "becomes larger than its layers let expect"),
        ("bombs", "becomes larger than its layers let expect"),
        ("climbs", "leads out of the archive"),
        ("beneath a link", "other members lie beneath it"),
        ("device", "a character device"),
        ("hard link", "which is not there"),
        ("plain diff id", "the configuration says that its digest is"),
    ],
)
def test_images_of_strangers_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, words: str
) -> None:
    monkeypatch.setattr("pkgmgr.rootfs.decompressing._ROOM", 1 << 20)
    layout = foreign(tmp_path)
    tar = tar_of({"a": b"x"})
    entry = layout.image(tar)
    manifest = json.loads(layout.path(entry["digest"]).read_bytes())
    path = layout.path(manifest["layers"][0]["digest"])
    match case:
        case "diff id":
            entry = layout.image(tar, diff_ids=[digest_of(b"other")])
        case "count":
            entry = layout.image(tar, diff_ids=[digest_of(tar)] * 2)
        case "no layer":
            entry = layout.image(tar, media_type="application/vnd.wasm.content.layer.v1+wasm")
        case "artifact":
            manifest["config"]["mediaType"] = "application/vnd.oci.empty.v1+json"
            entry = layout.blob(manifest, entry["mediaType"])
        case "config":
            entry = layout.image(tar, config={"config": {"Env": "A=b"}})
        case "blob":
            path.write_bytes(bytes(len(path.read_bytes())))
        case "size":
            path.write_bytes(path.read_bytes() + b"x")
        case "missing":
            path.unlink()
        case "no gzip":
            manifest["layers"] = [layout.blob(tar, LAYER + "+gzip")]
            entry = layout.blob(manifest, entry["mediaType"])
        case "bomb":
            bomb = zstandard.compress(bytes(8 << 20))
            manifest["layers"] = [layout.blob(bomb, LAYER + "+zstd")]
            entry = layout.blob(manifest, entry["mediaType"])
        case "bombs":
            bombs = [zstandard.compress(bytes((1 << 19) + number)) for number in range(4)]
            manifest["layers"] = [layout.blob(bomb, LAYER + "+zstd") for bomb in bombs]
            ids = [digest_of(bytes((1 << 19) + number)) for number in range(4)]
            config = {"rootfs": {"type": "layers", "diff_ids": ids}}
            manifest["config"] = layout.blob(config, manifest["config"]["mediaType"])
            entry = layout.blob(manifest, entry["mediaType"])
        case "climbs":
            entry = layout.image(tar_of({"../../etc/passwd": b"x"}))
        case "beneath a link":
            link = tarfile.TarInfo("a")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc"
            entry = layout.image(tar_of({"a": link, "a/passwd": b"x"}))
        case "device":
            device = tarfile.TarInfo("null")
            device.type = tarfile.CHRTYPE
            entry = layout.image(tar_of({"null": device}))
        case "hard link":
            link = tarfile.TarInfo("a")
            link.type, link.linkname = tarfile.LNKTYPE, "gone"
            entry = layout.image(tar_of({"gone": b""}), tar_of({".wh.gone": b""}), tar_of({"a": link}))
        case "plain diff id":
            entry = layout.image(tar, media_type=LAYER, diff_ids=[digest_of(b"other")])
    layout.index(entry)
    with pytest.raises(WpmError, match=words) as caught:
        read_oci(layout.folder)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_layer_that_cannot_be_read_ends_the_others(tmp_path: Path) -> None:
    broken = layer("broken", a_file(".wh.gone"))
    with pytest.raises(WpmError, match=r"^broken: "):
        write_oci(RootfsImage((*an_image().layers, broken)), tmp_path / "layout", "t")
    assert not list((tmp_path / "layout").glob("*.part"))
