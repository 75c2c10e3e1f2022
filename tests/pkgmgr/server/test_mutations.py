"""Publishing in the way of Wasmer's clients, as they send it; and uploads that are not what they say."""

import io
import tarfile
from pathlib import Path
from typing import Any

import requests
from make_packages import EMPTY_MODULE, RegistryMaker, write_package
from talking import ALICE, BOB, ask, hash_of, refused, resolved

from pkgmgr.server.serve import RegistryServer

SIGNED = """query GetSignedUrlForPackageUpload($name: String, $version: String, $filename: String, $expires: Int) {
  getSignedUrlForPackageUpload(name: $name, version: $version, filename: $filename, expiresAfterSeconds: $expires) { url }
}"""
GENERATE = """mutation GenerateUploadUrl($expires: Int, $filename: String!, $name: String, $version: String) {
  generateUploadUrl(input: { expiresAfterSeconds: $expires, filename: $filename, name: $name, version: $version }) {
    signedUrl { url }
  }
}"""
PUSH = """mutation PushPackageRelease($name: String, $namespace: String!, $private: Boolean, $signedUrl: String!) {
  pushPackageRelease(input: { name: $name, namespace: $namespace, private: $private, signedUrl: $signedUrl }) {
    packageWebc { id createdAt updatedAt tag isArchived webcUrl webc { webcSha256 } webcV3 { webcSha256 } }
    success
  }
}"""
TAG = """mutation TagPackageRelease($description: String, $license: String, $manifest: String, $name: String!,
    $namespace: String, $packageReleaseId: ID!, $private: Boolean, $readme: String, $version: String!) {
  tagPackageRelease(input: { description: $description, license: $license, manifest: $manifest, name: $name,
      namespace: $namespace, packageReleaseId: $packageReleaseId, private: $private, readme: $readme, version: $version }) {
    success
    packageVersion { id version createdAt distribution { piritaSha256Hash } }
  }
}"""
PUBLISH = """mutation PublishPackage($name: String!, $version: String!, $signedUrl: String, $format: UploadFormat) {
  publishPackage(input: { name: $name, version: $version, description: "", manifest: "", signedUrl: $signedUrl,
      uploadFormat: $format, clientMutationId: "7" }) {
    success clientMutationId packageVersion { version package { displayName } }
  }
}"""
YANK = """mutation YankPackageVersions($input: YankPackageVersionsInput!) {
  yankPackageVersions(input: $input) { packageVersions { id version yankedAt yankReason } }
}"""


def address(server: RegistryServer, token: str = ALICE) -> str:
    asked = {"filename": "sha256:x", "expires": 1800}
    return str(ask(server, SIGNED, asked, token)["getSignedUrlForPackageUpload"]["url"])


def upload_in_pieces(url: str, content: bytes, size: int) -> str:
    """As Wasmer's command line does it; gives where the pieces went."""
    begun = requests.post(url, headers={"Content-Length": "0", "x-goog-resumable": "start"}, timeout=60)
    assert begun.status_code == 201
    session = begun.headers["Location"]
    for start in range(0, len(content), size):
        piece = content[start : start + size]
        header = f"bytes {start}-{start + len(piece) - 1}/{len(content)}"
        reply = requests.put(session, data=piece, headers={"Content-Range": header}, allow_redirects=False, timeout=60)
        assert reply.status_code == (200 if start + len(piece) == len(content) else 308), reply.text
    return session


def push(server: RegistryServer, url: str, namespace: str = "acme", token: str = ALICE) -> Any:
    return ask(server, PUSH, {"namespace": namespace, "private": False, "signedUrl": url}, token)["pushPackageRelease"]


def test_push_and_tag(server: RegistryServer, maker: RegistryMaker, tmp_path: Path) -> None:
    file = write_package(tmp_path / "x.webc", "acme/tool", "1.0.0", files={"a": b"x" * 10_000})
    url = address(server)
    upload_in_pieces(url, file.read_bytes(), 3000)
    pushed = push(server, url)
    assert pushed["success"]
    assert pushed["packageWebc"]["webcV3"]["webcSha256"] == hash_of(file)
    assert pushed["packageWebc"]["tag"] == f"sha256:{hash_of(file)}"
    assert requests.get(pushed["packageWebc"]["webcUrl"], timeout=60).content == file.read_bytes()
    assert ask(server, '{ getPackage(name: "acme/tool") { id } }') == {"getPackage": None}
    given = {"name": "acme/tool", "version": "1.0.0", "packageReleaseId": pushed["packageWebc"]["id"], "private": False}
    assert "log in" in refused(server, TAG, given)
    assert "may not publish" in refused(server, TAG, given, BOB)
    assert "private" in refused(server, TAG, {**given, "private": True}, ALICE)
    assert "says that it is" in refused(server, TAG, {**given, "version": "2.0.0"}, ALICE)
    assert "what wpm carries" in refused(server, TAG, {**given, "name": "wpm/tool"}, ALICE)
    assert "not a package name" in refused(server, TAG, {**given, "name": "../tool"}, ALICE)
    assert "not a version" in refused(server, TAG, {**given, "version": "../1"}, ALICE)
    for _ in range(2):
        tagged = ask(server, TAG, given, ALICE)["tagPackageRelease"]
        assert tagged["success"]
        assert tagged["packageVersion"]["distribution"]["piritaSha256Hash"] == hash_of(file)
    assert hash_of(maker.root / "packages/acme/tool/1.0.0.webc") == hash_of(file)
    assert list((maker.root / "releases").iterdir()) == []


def test_what_was_pushed_without_a_name_is_there_by_its_hash(server: RegistryServer, tmp_path: Path) -> None:
    file = write_package(tmp_path / "x.webc", files={"a": b"1"})
    url = str(ask(server, GENERATE, {"filename": "x", "expires": 60}, ALICE)["generateUploadUrl"]["signedUrl"]["url"])
    assert requests.put(url, data=file.read_bytes(), timeout=60).status_code == 200
    # The newer client names the address of its pieces.
    release = push(server, url.replace("http://127.0.0.1", "https://elsewhere.example"))["packageWebc"]
    query = f'{{ getPackageRelease(hash: "sha256:{hash_of(file)}") {{ id webcUrl piritaManifest package {{ id }} }} }}'
    found = ask(server, query)["getPackageRelease"]
    assert found["id"] == release["id"]
    assert found["package"] is None
    assert requests.get(found["webcUrl"], timeout=60).content == file.read_bytes()
    given = {"name": "tool", "namespace": "acme", "version": "0.1.0", "packageReleaseId": release["id"]}
    assert ask(server, TAG, given, ALICE)["tagPackageRelease"]["success"]
    assert resolved(server, "acme/tool")["versions"][0]["version"] == "0.1.0"


def test_what_older_clients_publish(server: RegistryServer, tmp_path: Path) -> None:
    toml = (
        '[package]\nname = "acme/old"\nversion = "1.0.0"\ndescription = ""\n[[module]]\nname = "m"\nsource = "m.wasm"\n'
    )
    archive = tmp_path / "x.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name, data in (("wasmer.toml", toml.encode()), ("m.wasm", EMPTY_MODULE)):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    url = address(server)
    assert requests.put(url, data=archive.read_bytes(), timeout=60).status_code == 200
    given = {"name": "acme/old", "version": "1.0.0", "signedUrl": url, "format": "targz"}
    done = ask(server, PUBLISH, given, ALICE)["publishPackage"]
    assert done["success"]
    assert done["clientMutationId"] == "7"
    assert done["packageVersion"] == {"version": "1.0.0", "package": {"displayName": "acme/old"}}
    url = address(server)
    assert requests.put(url, data=b"neither", timeout=60).status_code == 200
    message = refused(server, PUBLISH, {**given, "version": "1.1.0", "signedUrl": url}, ALICE)
    assert message.startswith("the upload: ")
    assert "/tmp" not in message


def test_yank(server: RegistryServer, maker: RegistryMaker) -> None:
    maker.add("acme/tool", "1.0.0")
    maker.add("acme/other", "1.0.0")
    ids = [
        ask(server, f'{{ getPackageVersion(name: "{name}") {{ id }} }}')["getPackageVersion"]["id"]
        for name in ("acme/tool", "acme/other")
    ]
    given: dict[str, Any] = {"input": {"versionIds": ids[:1], "reason": "broken"}}
    assert "log in" in refused(server, YANK, given)
    assert "may not" in refused(server, YANK, given, BOB)
    changed = ask(server, YANK, given, ALICE)["yankPackageVersions"]["packageVersions"]
    assert changed[0]["yankReason"] == "broken"
    assert ask(server, YANK, given, ALICE)["yankPackageVersions"]["packageVersions"] == []
    assert resolved(server, "acme/tool")["versions"][0]["isArchived"]
    undone = ask(server, YANK, {"input": {"versionIds": ids[:1], "undo": True}}, ALICE)["yankPackageVersions"]
    assert undone["packageVersions"][0]["yankedAt"] is None
    assert "several packages" in refused(server, YANK, {"input": {"versionIds": ids}}, ALICE)
    assert "no such version" in refused(server, YANK, {"input": {"versionIds": ["eA"]}}, ALICE)


def test_uploads_that_are_not_as_they_say(server: RegistryServer, maker: RegistryMaker) -> None:
    assert "log in" in refused(server, SIGNED)
    assert requests.put(f"{server.base_url}/uploads/{'0' * 48}", data=b"x", timeout=60).status_code == 404
    assert requests.put(f"{server.base_url}/uploads/..%2fx", data=b"x", timeout=60).status_code == 404
    url = address(server)
    for header in ("bytes 0-99/1000", "bytes 5-1/10", "nonsense", "bytes 0-2/2", f"bytes 0-{10**14}/{10**14}"):
        assert requests.put(url, data=b"123", headers={"Content-Range": header}, timeout=60).status_code in (400, 413)
    gap = requests.put(url, data=b"123", headers={"Content-Range": "bytes 7-9/10"}, timeout=60)
    assert gap.status_code == 308
    requests.put(url, data=b"123", headers={"Content-Range": "bytes 0-2/10"}, timeout=60)
    where = requests.put(url, data=b"", headers={"Content-Range": "bytes */10"}, timeout=60)
    assert (where.status_code, where.headers["Range"]) == (308, "bytes=0-2")
    given = {"namespace": "acme", "signedUrl": url}
    assert "not whole" in refused(server, PUSH, given, ALICE)
    assert requests.put(url, data=b"not a package", timeout=60).status_code == 200
    message = refused(server, PUSH, given, ALICE)
    assert message.startswith("the upload: not a WEBC container")
    assert "no such upload" in refused(server, PUSH, {**given, "signedUrl": "http://[x"}, ALICE)
    assert "no such upload" in refused(server, PUSH, {**given, "signedUrl": "file:///etc/passwd"}, ALICE)
    assert not list(maker.root.rglob("*.webc"))
    for _ in range(31):
        address(server)
    assert "uploads open" in refused(server, SIGNED, token=ALICE)
    assert address(server, BOB)


def test_nobody_writes_to_a_server_without_tokens(maker: RegistryMaker) -> None:
    for server in (RegistryServer(maker.root), RegistryServer(maker.root, tokens={ALICE: "alice"}, read_only=True)):
        with server:
            assert "read-only" in refused(server, SIGNED, token=ALICE)
            assert "read-only" in refused(server, PUSH, {"namespace": "a", "signedUrl": "x"}, ALICE)
    assert sorted(path.name for path in maker.root.iterdir()) == ["packages"]


def test_too_large_a_package_is_not_taken(maker: RegistryMaker) -> None:
    with RegistryServer(maker.root, tokens={ALICE: "alice"}, largest_upload=10_000) as server:
        url = address(server)
        assert requests.put(url, data=b"x" * 10_001, timeout=60).status_code == 413
        piece = requests.put(url, data=b"x", headers={"Content-Range": "bytes 0-0/20000"}, timeout=60)
        assert piece.status_code == 413
        assert requests.put(url, data=b"x" * 10_000, timeout=60).status_code == 200
