"""Round trips through registries, and what broken and lying ones do to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from make_packages import write_package
from small_registry import (
    DOCKER_INDEX,
    INDEX,
    MANIFEST,
    Done,
    SmallRegistry,
    Talk,
    digest,
    endless,
    half,
    other_bytes,
    refuse,
    reset_half_way,
)
from typed import COMMAND, environment

from pkgmgr.errors import WpmError
from pkgmgr.oci.artifact import artifact_contents
from pkgmgr.oci.layout import ImageLayout
from pkgmgr.oci.pull import pull
from pkgmgr.oci.push import layout_contents, push
from pkgmgr.oci.reference import parse_reference
from pkgmgr.oci.registry import Repository
from pkgmgr.oci.uploads import Blob, upload
from pkgmgr.settings.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LAYERS = [os.urandom(300_000), b"two" * 1000, b""]
NOWHERE = "sha256:" + "0" * 64


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A layout with an image, as somebody else wrote it."""
    folder = tmp_path / "source"
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(data: bytes, media_type: str) -> dict[str, object]:
        (blobs / digest(data).removeprefix("sha256:")).write_bytes(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    config = blob(b'{"os":"wasi","architecture":"wasm"}', "application/vnd.oci.image.config.v1+json")
    layers = [blob(each, "application/vnd.oci.image.layer.v1.tar") for each in LAYERS]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}
    described = blob(json.dumps(manifest, indent=3).encode(), MANIFEST)
    index = blob(
        json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": INDEX,
                "manifests": [{**described, "platform": {"os": "wasi", "architecture": "wasm"}}],
            }
        ).encode(),
        INDEX,
    )
    named = {"org.opencontainers.image.ref.name": "one"}, {"org.opencontainers.image.ref.name": "all"}
    entries = [{**described, "annotations": named[0]}, {**index, "annotations": named[1]}]
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": entries}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_round_trip(host: str, layout: Path, tmp_path: Path) -> None:
    reference = parse_reference(f"oci://{host}/acme/x:1")
    report = push(layout_contents(layout, "one"), reference, tags=["latest", "1.0"])
    assert (report.sent, report.present) == (4, 0)
    pulled = pull(reference, tmp_path / "out")
    assert pulled.image.manifest.digest == report.digest
    assert pulled.image.manifest.data == (layout / "blobs" / "sha256" / report.digest[7:]).read_bytes()
    for each in LAYERS:
        assert (tmp_path / "out" / "blobs" / "sha256" / digest(each)[7:]).read_bytes() == each
    assert ImageLayout(tmp_path / "out").find("1").digest == report.digest
    again = push(layout_contents(tmp_path / "out", "1"), reference)
    assert (again.sent, again.present, again.digest) == (0, 4, report.digest)
    assert set(Repository(host, "acme/x").tags()) == {"1", "1.0", "latest"}
    assert pull(reference, tmp_path / "out", tag="two").reused == 4
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".part") == []


def test_an_index_of_several_platforms(host: str, layout: Path, tmp_path: Path) -> None:
    reference = parse_reference(f"oci://{host}/acme/x:all")
    report = push(layout_contents(layout, "all"), reference)
    pulled = pull(reference, tmp_path / "out")
    assert pulled.image.platform == "wasi/wasm"
    assert pulled.image.manifest.digest != report.digest
    with pytest.raises(WpmError, match=r"nothing for 'linux/arm64': there is wasi/wasm"):
        pull(reference, tmp_path / "else", platform="linux/arm64")
    assert not (tmp_path / "else").exists()


def test_blobs_are_mounted_from_another_repository(host: str, layout: Path) -> None:
    push(layout_contents(layout, "one"), parse_reference(f"oci://{host}/acme/base:1"))
    report = push(layout_contents(layout, "one"), parse_reference(f"oci://{host}/acme/y:1"), mount_from=["acme/base"])
    assert (report.sent, report.mounted) == (0, 4)
    unknown = push(layout_contents(layout, "one"), parse_reference(f"oci://{host}/acme/z:1"), mount_from=["acme/none"])
    assert unknown.sent + unknown.present == 4


def test_a_package_comes_back_byte_for_byte(host: str, tmp_path: Path, wpm: Callable[..., Done]) -> None:
    package = write_package(tmp_path / "p.webc", "acme/x", "1.2.3", commands=("x",))
    done = wpm("rootfs", "push", package, f"{host}/acme/x:1", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert wpm("rootfs", "pull", f"{host}/acme/x@{said['digest']}", "-o", tmp_path / "q.webc").code == 0
    quiet = wpm("rootfs", "push", "-q", package, f"{host}/acme/quiet:1")
    assert (quiet.out, quiet.err) == (f"{said['digest']}\n", "")
    quiet = wpm("rootfs", "pull", "--quiet", f"{host}/acme/quiet:1", "-o", tmp_path / "quiet", "-t", "1")
    assert (quiet.out, quiet.err) == (f"{said['digest']}\n", "")
    assert (tmp_path / "q.webc").read_bytes() == package.read_bytes()
    manifest = json.loads(Repository(host, "acme/x").manifest("1").data)
    assert manifest["artifactType"] == "application/vnd.wasmer.webc"
    assert manifest["annotations"]["org.opencontainers.image.version"] == "1.2.3"
    folder = tmp_path / "again"
    folder.mkdir()
    assert artifact_contents(tmp_path / "q.webc", folder).manifests[0].digest == said["digest"]


def test_with_a_password(debian_with_password: str, layout: Path, tmp_path: Path) -> None:
    reference = parse_reference(f"oci://{debian_with_password}/acme/x:1")
    with pytest.raises(WpmError, match="needs a login"):
        push(layout_contents(layout, "one"), reference)
    Credentials().store_login(debian_with_password, "ada", "geheim")
    assert push(layout_contents(layout, "one"), reference).sent == 4
    assert pull(reference, tmp_path / "out").fetched == 4
    Credentials().store_login(debian_with_password, "ada", "falsch")
    with pytest.raises(WpmError, match="not accepted") as caught:
        pull(reference, tmp_path / "more")
    assert "falsch" not in str(caught.value) and not (tmp_path / "more").exists()


@pytest.mark.parametrize("host", ["ours", "debian"], indirect=True)
def test_in_pieces(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pkgmgr.oci.uploads._PIECE", 100_000)
    monkeypatch.setattr("pkgmgr.oci.uploads._Sending._whole", lambda _: False)
    (tmp_path / "blob").write_bytes(LAYERS[0])
    counted: list[int] = []
    repository = Repository(host, "acme/x", push=True)
    upload(repository, Blob(digest(LAYERS[0]), len(LAYERS[0]), tmp_path / "blob"), counted.append)
    assert sum(counted) == len(LAYERS[0])
    with repository.send("GET", repository.blob_url(digest(LAYERS[0])), {}) as reply:
        assert b"".join(reply.iter_content(65536)) == LAYERS[0]


def sending(small: SmallRegistry, tmp_path: Path) -> tuple[Repository, Blob]:
    (tmp_path / "blob").write_bytes(LAYERS[0])
    return Repository(small.host, "acme/x", push=True), Blob(digest(LAYERS[0]), len(LAYERS[0]), tmp_path / "blob")


def test_an_upload_that_breaks_goes_on_in_pieces(
    small: SmallRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pkgmgr.oci.uploads._PIECE", 100_000)
    small.faults += [("PUT .*/uploads/.*", reset_half_way), ("PATCH .*", reset_half_way), ("PATCH .*", refuse(503))]
    counted: list[int] = []
    upload(*sending(small, tmp_path), counted.append)
    assert small.blobs["acme/x"][digest(LAYERS[0])] == LAYERS[0]
    assert sum(counted) == len(LAYERS[0])
    resumed = [each for each in small.requests("PATCH .*") if each.headers["Content-Range"].startswith("50000-")]
    assert resumed and small.requests("GET .*/uploads/.*")


@pytest.mark.parametrize("status", [405, 413, 415])
def test_a_proxy_that_takes_no_large_body(small: SmallRegistry, tmp_path: Path, status: int) -> None:
    small.faults.append(("PUT .*/uploads/.*", refuse(status)))
    upload(*sending(small, tmp_path), lambda _: None)
    assert small.blobs["acme/x"][digest(LAYERS[0])] == LAYERS[0]


def test_the_manifest_is_last_and_only_when_all_is_there(small: SmallRegistry, layout: Path) -> None:
    reference = parse_reference(f"oci://{small.host}/acme/x:1")
    small.faults += [("PUT .*/uploads/.*", refuse(403))]
    with pytest.raises(WpmError, match=r"not allowed \(403\): DENIED"):
        push(layout_contents(layout, "one"), reference)
    assert not small.requests("PUT .*/manifests/.*")
    push(layout_contents(layout, "one"), reference)
    assert [each.method for each in small.asked][-1] == "PUT"


def test_too_many_requests(small: SmallRegistry, layout: Path, tmp_path: Path) -> None:
    reference = parse_reference(f"oci://{small.host}/acme/x:1")
    push(layout_contents(layout, "one"), reference)
    small.faults.append(("GET .*/manifests/1", refuse(429, "TOOMANYREQUESTS", {"Retry-After": "0"})))
    pull(reference, tmp_path / "out")
    small.faults += [("GET .*/manifests/1", refuse(429, "TOOMANYREQUESTS", {"Retry-After": "7"}))] * 9
    with pytest.raises(WpmError, match=r"429.*TOOMANYREQUESTS.*left alone for 7 s"):
        pull(reference, tmp_path / "more")


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (404, "NAME_UNKNOWN", "no such repository"),
        (404, "MANIFEST_UNKNOWN", "no such tag or manifest"),
        (401, "UNAUTHORIZED", "wants to know who asks"),
        (403, "DENIED", "not allowed"),
        (400, "UNSUPPORTED", "does not do this"),
        (418, "ELSE", "replied 418"),
    ],
)
def test_errors_are_one_line(small: SmallRegistry, tmp_path: Path, status: int, code: str, words: str) -> None:
    small.faults += [("GET .*", refuse(status, code))] * 2
    with pytest.raises(WpmError, match=words) as caught:
        pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")
    assert str(caught.value).startswith(f"oci://{small.host}/acme/x:1: ") and "\n" not in str(caught.value)


def test_a_download_that_breaks_goes_on_where_it_broke(small: SmallRegistry, tmp_path: Path) -> None:
    small.put_image("acme/x", "1", LAYERS)
    wanted = f"/v2/acme/x/blobs/{digest(LAYERS[0])}"
    small.faults.append((f"GET {wanted}", half))
    pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")
    asked = small.requests(f"GET {wanted}")
    assert [each.headers.get("Range") for each in asked] == [None, f"bytes={len(LAYERS[0]) // 2}-"]


def lie_of_size(talk: Talk) -> None:
    talk.reply(200, {"Content-Length": "5"}, b"short")


@pytest.mark.parametrize("fault", [other_bytes, endless, lie_of_size])
def test_a_blob_that_is_not_what_was_promised(
    small: SmallRegistry, tmp_path: Path, fault: Callable[[Talk], None]
) -> None:
    small.put_image("acme/x", "1", LAYERS)
    small.faults += [(f"GET .*/blobs/{digest(LAYERS[0])}", fault)] * 9
    with pytest.raises(WpmError, match=r"promised|trust") as caught:
        pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_manifest_that_is_not_what_was_promised(small: SmallRegistry, tmp_path: Path) -> None:
    small.put_image("acme/x", "1", LAYERS)
    exact = parse_reference(f"oci://{small.host}/acme/x:1").with_digest(digest(b"another"))
    small.manifests["acme/x"][exact.digest] = small.manifests["acme/x"]["1"]
    with pytest.raises(WpmError, match="was promised"):
        pull(exact, tmp_path / "out")
    for fault in (endless, lambda talk: talk.reply(200, {"Docker-Content-Digest": NOWHERE}, b"{}")):
        small.faults.append(("GET .*/manifests/1", fault))
        with pytest.raises(WpmError, match=r"longer than|was promised"):
            pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"null",
        b"[]",
        b"<html>",
        b'{"schemaVersion": 1, "fsLayers": []}',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "layers": [], "config": {}}',
        b'{"schemaVersion": 2, "layers": [], "manifests": []}',
        b'{"schemaVersion": 2, "manifests": []}',
        b'{"schemaVersion": 2, "manifests": [{"digest": "sha256:../../x", "size": 1}]}',
        b'{"schemaVersion": 2, "layers": [], "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": -1}}',
        b'{"schemaVersion": 2, "layers": [], "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": 1e3}}',
        b'{"schemaVersion": 2, "layers": {}, "config": {"digest": "sha256:' + b"0" * 64 + b'", "size": 1}}',
        b"[" * 10_000,
    ],
)
def test_documents_of_strangers(small: SmallRegistry, tmp_path: Path, document: bytes) -> None:
    small.put("acme/x", "1", document)
    with pytest.raises(WpmError) as caught:
        pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500
    assert not (tmp_path / "out").exists()


def test_more_than_the_disk_has(small: SmallRegistry, tmp_path: Path) -> None:
    config = small.put_blob("acme/x", b"{}")
    layer = {"mediaType": "x", "digest": NOWHERE, "size": 1 << 40}
    small.put("acme/x", "1", {"schemaVersion": 2, "config": config, "layers": [layer] * 1})
    with pytest.raises(WpmError, match="are free"):
        pull(parse_reference(f"oci://{small.host}/acme/x:1"), tmp_path / "out")


@pytest.mark.parametrize("index_type", [INDEX, DOCKER_INDEX])
def test_webassembly_comes_first(small: SmallRegistry, tmp_path: Path, index_type: str) -> None:
    digests = {name: small.put_image("acme/x", name, [name.encode()]) for name in ("amd64", "wasm", "other")}
    platforms = {"amd64": ("linux", "amd64"), "wasm": ("wasip1", "wasm"), "other": ("unknown", "unknown")}
    entries = [
        {
            "mediaType": MANIFEST,
            "digest": digests[name],
            "size": len(small.manifests["acme/x"][name][1]),
            "platform": {"os": platforms[name][0], "architecture": platforms[name][1]},
        }
        for name in digests
    ]
    small.put("acme/x", "all", {"schemaVersion": 2, "manifests": entries}, index_type)
    reference = parse_reference(f"oci://{small.host}/acme/x:all")
    assert pull(reference, tmp_path / "a").image.manifest.digest == digests["wasm"]
    assert pull(reference, tmp_path / "b", platform="linux/amd64").image.manifest.digest == digests["amd64"]


def test_a_damaged_blob_is_not_sent(small: SmallRegistry, layout: Path) -> None:
    path = layout / "blobs" / "sha256" / digest(LAYERS[0])[7:]
    path.write_bytes(LAYERS[0][:-1] + b"?")
    with pytest.raises(WpmError, match="not those of its name"):
        push(layout_contents(layout, "one"), parse_reference(f"oci://{small.host}/acme/x:1"))
    assert not small.requests("PUT .*/manifests/.*")
    with pytest.raises(WpmError, match="several images"):
        layout_contents(layout)
    with pytest.raises(WpmError, match="a digest cannot be chosen"):
        push(layout_contents(layout, "all"), parse_reference(f"oci://{small.host}/acme/x@{NOWHERE}"))


def test_what_is_there_is_replaced_only_with_force(
    small: SmallRegistry, tmp_path: Path, wpm: Callable[..., Done]
) -> None:
    small.put_image("acme/x", "1", [])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "precious").write_text("x")
    for more in ([], ["--force"]):
        done = wpm("rootfs", "pull", f"{small.host}/acme/x:1", "-o", tmp_path / "out", "--format", "oci", *more)
        assert done.code == 1 and "--force" in done.err
    assert (tmp_path / "out" / "precious").exists()


@pytest.mark.parametrize("what", ["pull", "add"])
def test_killed_in_the_middle(small: SmallRegistry, tmp_path: Path, what: str) -> None:
    small.put_image("acme/x", "1", LAYERS)
    target = tmp_path / "here" / "out"
    target.parent.mkdir()
    if what == "add":
        small.put_image("acme/x", "0", [])
        pull(parse_reference(f"oci://{small.host}/acme/x:0"), target)
    before = files(target)
    halfway = []

    def hang(talk: Talk) -> None:
        talk.send_response(200)
        talk.send_header("Content-Length", str(len(LAYERS[0])))
        talk.end_headers()
        talk.wfile.write(LAYERS[0][:200_000])
        halfway.append(1)
        time.sleep(60)

    small.faults.append((f"GET .*/blobs/{digest(LAYERS[0])}", hang))
    command = [*COMMAND, "rootfs", "pull", f"{small.host}/acme/x:1", "-o", str(target), "--format", "oci"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not halfway:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    now = {name: data for name, data in files(target).items() if not name.endswith(".part")}
    assert {name: now.get(name) for name in before} == before
    for name, data in now.items():
        if name.startswith("blobs/"):
            assert digest(data)[7:] == name.rpartition("/")[2]
    assert target.exists() is (what == "add")
    pull(parse_reference(f"oci://{small.host}/acme/x:1"), target)
    assert digest(LAYERS[0])[7:] in {path.name for path in (target / "blobs" / "sha256").iterdir()}
    assert not list(target.parent.rglob("*.part"))
