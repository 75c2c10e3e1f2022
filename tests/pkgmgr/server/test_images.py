"""Our server speaks the OCI distribution protocol: as its specification wants it, and to strangers within bounds."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import threading
from contextlib import suppress
from http.client import HTTPConnection
from typing import TYPE_CHECKING, NamedTuple

import pytest
from talking import ALICE, BOB

from pkgmgr.server.serve import RegistryServer

if TYPE_CHECKING:
    from pathlib import Path

    from make_packages import RegistryMaker

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
NOWHERE = "sha256:" + "0" * 64


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["errors"][0]["code"])


class Client:
    def __init__(self, server: RegistryServer, token: str | None = ALICE) -> None:
        self.address = server.base_url.removeprefix("http://")
        self.headers = {}
        if token is not None:
            self.headers["Authorization"] = "Basic " + base64.b64encode(f"any:{token}".encode()).decode()

    def __call__(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        connection = HTTPConnection(self.address, timeout=20)
        try:
            sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return Reply(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def blob(self, name: str, data: bytes) -> dict[str, object]:
        done = self("POST", f"/v2/{name}/blobs/uploads/?digest={digest(data)}", data)
        assert done.status == 201, done
        return {"digest": digest(data), "size": len(data), "mediaType": "application/octet-stream"}

    def image(self, name: str, target: str, *layers: bytes) -> bytes:
        described = [self.blob(name, each) for each in layers]
        document = {"schemaVersion": 2, "config": self.blob(name, b"{}"), "layers": described}
        data = json.dumps(document).encode()
        assert self("PUT", f"/v2/{name}/manifests/{target}", data, Content_Type=MANIFEST).status == 201
        return data


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def alice(server: RegistryServer) -> Client:
    return Client(server)


def test_who_one_is(server: RegistryServer, alice: Client) -> None:
    nobody, bob = Client(server, None), Client(server, BOB)
    assert alice("GET", "/v2/").status == 200
    asked = nobody("GET", "/v2/")
    assert (asked.status, asked.code) == (401, "UNAUTHORIZED")
    assert asked.headers["www-authenticate"].startswith("Basic ")
    assert Client(server, "wrong")("GET", "/v2/").status == 401
    assert nobody("GET", "/v2/", Authorization=f"Bearer {ALICE}").status == 200
    assert nobody("GET", "/v2/", Authorization="Basic ???").status == 401
    alice.image("acme/x", "1", b"layer")
    assert nobody("GET", "/v2/acme/x/manifests/1").status == 200
    assert nobody("POST", "/v2/acme/x/blobs/uploads/").status == 401
    assert bob("POST", "/v2/acme/x/blobs/uploads/").code == "DENIED"
    assert bob("POST", "/v2/x/blobs/uploads/").code == "DENIED"
    assert bob("POST", "/v2/bob/deep/x/blobs/uploads/").status == 202
    location = bob("POST", "/v2/bob/x/blobs/uploads/").headers["location"]
    assert alice("PATCH", location, b"1").code == "BLOB_UPLOAD_UNKNOWN"
    assert nobody("PATCH", location, b"1").status == 401


def test_nobody_may_push_to_one_that_is_read_only(maker: RegistryMaker) -> None:
    with RegistryServer(maker.root) as running:
        nobody = Client(running, None)
        assert nobody("GET", "/v2/").status == 200
        assert nobody("POST", "/v2/a/x/blobs/uploads/").code == "DENIED"
        assert nobody("PUT", "/v2/a/x/manifests/1", b"{}", Content_Type=MANIFEST).code == "DENIED"
    assert not (maker.root / "oci").exists()


def test_blobs(alice: Client) -> None:
    data = bytes(range(256)) * 100
    alice.blob("acme/x", data)
    path = f"/v2/acme/x/blobs/{digest(data)}"
    whole = alice("GET", path)
    assert (whole.status, whole.body) == (200, data)
    assert whole.headers["docker-content-digest"] == digest(data)
    head = alice("HEAD", path)
    assert (head.status, head.headers["content-length"], head.body) == (200, str(len(data)), b"")
    part = alice("GET", path, Range="bytes=100-199")
    assert (part.status, part.body) == (206, data[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(data)}"
    assert alice("GET", path, Range=f"bytes={len(data)}-").status == 416
    assert alice("GET", f"/v2/acme/x/blobs/{NOWHERE}").status == 404
    # A blob is a repository's: others have it when they are given it.
    assert alice("GET", f"/v2/acme/y/blobs/{digest(data)}").status == 404
    mounted = alice("POST", f"/v2/acme/y/blobs/uploads/?mount={digest(data)}&from=acme/x")
    assert (mounted.status, mounted.headers["location"]) == (201, f"/v2/acme/y/blobs/{digest(data)}")
    assert alice("GET", f"/v2/acme/y/blobs/{digest(data)}").body == data
    assert alice("POST", f"/v2/acme/z/blobs/uploads/?mount={NOWHERE}&from=acme/x").status == 202


def test_uploads_in_pieces(alice: Client) -> None:
    data = b"0123456789" * 1000
    location = alice("POST", "/v2/acme/x/blobs/uploads/").headers["location"]
    assert alice("PATCH", location, data[:4000], Content_Range="0-3999").headers["range"] == "0-3999"
    wrong = alice("PATCH", location, data[5000:6000], Content_Range="5000-5999")
    assert wrong.status == 416
    assert alice("PATCH", location, data[:10], Content_Range="4000-4999").status == 400
    progress = alice("GET", location)
    assert (progress.status, progress.headers["range"]) == (204, "0-3999")
    assert alice("PATCH", location, data[4000:8000]).status == 202
    assert alice("PUT", f"{location}?digest={NOWHERE[:-1]}").code == "DIGEST_INVALID"
    done = alice("PUT", f"{location}?digest={digest(data)}", data[8000:])
    assert done.status == 201 and alice("GET", done.headers["location"]).body == data
    assert alice("GET", location).code == "BLOB_UPLOAD_UNKNOWN"


def test_an_upload_with_another_digest_is_nothing(alice: Client, maker: RegistryMaker) -> None:
    location = alice("POST", "/v2/acme/x/blobs/uploads/").headers["location"]
    assert alice("PUT", f"{location}?digest={NOWHERE}", b"data").code == "DIGEST_INVALID"
    assert alice("PUT", f"{location}?digest={NOWHERE}", b"data").code == "BLOB_UPLOAD_UNKNOWN"
    assert alice("POST", f"/v2/acme/x/blobs/uploads/?digest={NOWHERE}", b"data").code == "DIGEST_INVALID"
    location = alice("POST", "/v2/acme/x/blobs/uploads/").headers["location"]
    assert alice("DELETE", location).status == 204
    assert not list((maker.root / "uploads").iterdir()) and not (maker.root / "oci" / "blobs").exists()


def test_nobody_has_too_many_uploads_open(alice: Client) -> None:
    replies = [alice("POST", "/v2/acme/x/blobs/uploads/") for _ in range(65)]
    assert [each.status for each in replies] == [202] * 64 + [429]
    assert replies[-1].code == "TOOMANYREQUESTS"


def test_manifests_and_tags(alice: Client) -> None:
    data = alice.image("acme/x", "1.0", b"layer", b"")
    for target in ("1.0", digest(data)):
        found = alice("GET", f"/v2/acme/x/manifests/{target}")
        assert (found.status, found.body, found.headers["content-type"]) == (200, data, MANIFEST)
        assert alice("HEAD", f"/v2/acme/x/manifests/{target}").headers["docker-content-digest"] == digest(data)
    index = {"schemaVersion": 2, "manifests": [{"digest": digest(data), "size": len(data), "mediaType": MANIFEST}]}
    put = alice("PUT", "/v2/acme/x/manifests/all", json.dumps(index).encode(), Content_Type=INDEX)
    assert put.status == 201
    assert alice("GET", "/v2/acme/x/manifests/all").headers["content-type"] == INDEX
    alice.image("acme/x", "1.0", b"another")
    assert alice("GET", "/v2/acme/x/manifests/1.0").body != data
    for tag in ("a", "B", "_c"):
        alice.image("acme/x", tag, b"layer")
    tags = sorted(["1.0", "all", "a", "B", "_c"])
    assert json.loads(alice("GET", "/v2/acme/x/tags/list").body) == {"name": "acme/x", "tags": tags}
    listed: list[str] = []
    path = "/v2/acme/x/tags/list?n=2"
    while path:
        page = alice("GET", path)
        listed += json.loads(page.body)["tags"]
        path = page.headers.get("link", "").partition("<")[2].partition(">")[0]
    assert listed == tags
    assert alice("GET", "/v2/acme/x/manifests/none").code == "MANIFEST_UNKNOWN"
    assert alice("GET", "/v2/acme/none/tags/list").code == "NAME_UNKNOWN"


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"{}", MANIFEST, "MANIFEST_INVALID"),
        (b"[" * 100_000, MANIFEST, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2}', "text/html", "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "manifests": [], "layers": []}', MANIFEST, "MANIFEST_INVALID"),
        (b'{"schemaVersion": 2, "mediaType": "x", "manifests": []}', INDEX, "MANIFEST_INVALID"),
        (
            b'{"schemaVersion": 2, "layers": [], "config": {"size": 2, "digest": "%s"}}' % NOWHERE.encode(),
            MANIFEST,
            "MANIFEST_BLOB_UNKNOWN",
        ),
        (
            b'{"schemaVersion": 2, "manifests": [{"size": 2, "digest": "%s"}]}' % NOWHERE.encode(),
            INDEX,
            "MANIFEST_BLOB_UNKNOWN",
        ),
    ],
)
def test_what_is_no_manifest(alice: Client, body: bytes, media_type: str, code: str) -> None:
    reply = alice("PUT", "/v2/acme/x/manifests/1", body, Content_Type=media_type)
    assert (reply.status, reply.code) == (400, code)
    assert alice("GET", "/v2/acme/x/manifests/1").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/v2/../x/manifests/1",
        "/v2/a/..%2f..%2fx/manifests/1",
        "/v2/A/manifests/1",
        "/v2/a/_tags/manifests/1",
        "/v2/a/manifests/..%2f1",
        "/v2/a/manifests/.1",
        "/v2/a/manifests/sha256:../../x",
        "/v2/a/blobs/sha256:12",
        "/v2/a/blobs/sha512:" + "0" * 128,
        "/v2/a/blobs/..",
        "/v2/_catalog",
        "/v2//manifests/1",
        "/v2/" + "a" * 300 + "/manifests/1",
        "/v2/a/manifests/" + "t" * 200,
    ],
)
def test_paths_of_strangers(alice: Client, maker: RegistryMaker, path: str) -> None:
    for method in ("GET", "PUT", "POST", "DELETE"):
        reply = alice(method, path, b"{}", Content_Type=MANIFEST)
        assert 400 <= reply.status < 500, (method, reply)
    assert not (maker.root / "oci").exists()


def test_large_bodies_are_for_blobs(alice: Client) -> None:
    # The server may hang up amid what it is not going to read.
    with suppress(ConnectionError):
        reply = alice("PUT", "/v2/acme/x/manifests/1", b" " * ((4 << 20) + 10), Content_Type=MANIFEST)
        assert reply.status == 413
    assert alice("PATCH", "/v2/acme/x/blobs/uploads/none", b"x" * (5 << 20)).code == "BLOB_UPLOAD_UNKNOWN"
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer x"}):
        alice.headers = headers
        with suppress(ConnectionError):
            assert alice("PATCH", "/v2/acme/x/blobs/uploads/none", b"x" * (5 << 20)).status == 413


def test_many_push_the_same_at_once(alice: Client) -> None:
    failed: list[BaseException] = []

    def push(number: int) -> None:
        try:
            alice.image("acme/x", "1", b"layer" * 1000, b"own%d" % number)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=push, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    found = json.loads(alice("GET", "/v2/acme/x/manifests/1").body)
    assert all(alice("GET", f"/v2/acme/x/blobs/{each['digest']}").status == 200 for each in found["layers"])


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="skopeo is not installed")
def test_skopeo_pushes_and_pulls(alice: Client, tmp_path: Path) -> None:
    import gzip
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w"):
        pass
    layer = gzip.compress(packed.getvalue(), mtime=0)
    blobs = tmp_path / "in" / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def add(data: bytes, media_type: str) -> dict[str, object]:
        (blobs / digest(data)[7:]).write_bytes(data)
        return {"mediaType": media_type, "digest": digest(data), "size": len(data)}

    config = {
        "architecture": "wasm",
        "os": "wasi",
        "rootfs": {"type": "layers", "diff_ids": [digest(packed.getvalue())]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": add(json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json"),
        "layers": [add(layer, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    described = add(json.dumps(manifest).encode(), MANIFEST)
    named = {**described, "annotations": {"org.opencontainers.image.ref.name": "x"}}
    (tmp_path / "in" / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
    (tmp_path / "in" / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    place = f"docker://{alice.address}/acme/by/skopeo:1"
    copy = ["skopeo", "--insecure-policy", "copy", "-q"]
    subprocess.run(
        [*copy, "--dest-tls-verify=false", "--dest-creds", f"ada:{ALICE}", f"oci:{tmp_path}/in:x", place], check=True
    )
    subprocess.run([*copy, "--src-tls-verify=false", place, f"oci:{tmp_path}/out:x"], check=True)
    assert (tmp_path / "out" / "blobs" / "sha256" / str(described["digest"])[7:]).exists()
    assert alice("GET", "/v2/acme/by/skopeo/manifests/1").headers["docker-content-digest"] == described["digest"]
