"""Queries with the fields that Wasmer's clients select, and what they rely on in the answers."""

import json
from pathlib import Path

import requests
from make_packages import EMPTY_MODULE, RegistryMaker, write_package
from talking import ALICE, BOB, RESOLVER, ask, hash_of, post, refused, resolved

from pkgmgr.registry.storing import yank
from pkgmgr.server.serve import RegistryServer
from pkgmgr.version import Version
from webc_parser import parse_manifest
from webc_parser.version import Version as Format
from webc_parser.writer import write_container

PACKAGE_RELEASE = """query GetPackageRelease($hash: String!) {
  getPackageRelease(hash: $hash) {
    id createdAt updatedAt tag isArchived webcUrl
    webc { createdAt updatedAt webcUrl webcSha256 fileSize manifest version }
    webcV3 { createdAt updatedAt webcUrl webcSha256 fileSize manifest version }
  }
}"""
PACKAGE_VERSION = """query GetPackageVersion($name: String!, $version: String!) {
  getPackageVersion(name: $name, version: $version) {
    id version createdAt piritaManifest
    package {
      id packageName namespace private
      lastVersion { id version createdAt distribution { ...D } }
    }
    distributionV3: distribution(version: V3) { ...D }
    distributionV2: distribution(version: V2) { ...D }
  }
}
fragment D on PackageDistribution {
  piritaSha256Hash piritaDownloadUrl downloadUrl size piritaSize webcVersion webcManifest
}"""


def test_what_wasmers_resolver_asks(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.add("acme/tool", "1.0.0", {"acme/data": "^1"}, commands=("tool",))
    maker.add("acme/tool", "1.1.0-rc.1")
    yank(maker.root, "acme/tool", Version.parse("1.1.0-rc.1"))
    reply = post(server, RESOLVER.replace("$NAME", "acme/tool"))
    assert reply.headers["Content-Type"].startswith("application/json")
    data = reply.json()["data"]
    assert data["info"]["defaultFrontend"].startswith("http://")
    package = data["getPackage"]
    assert (package["namespace"], package["packageName"]) == ("acme", "tool")
    newer, older = package["versions"]
    assert (newer["version"], newer["isArchived"]) == ("1.1.0-rc.1", True)
    assert (older["version"], older["isArchived"]) == ("1.0.0", False)
    assert older["v2"] == {"piritaDownloadUrl": None, "piritaSha256Hash": None, "webcManifest": None}
    assert older["v3"]["piritaSha256Hash"] == hash_of(path)
    manifest = parse_manifest(json.loads(older["v3"]["webcManifest"]))
    assert manifest.use["acme/data"].spec == "acme/data@^1"
    assert requests.get(older["v3"]["piritaDownloadUrl"], timeout=60).content == path.read_bytes()


def test_what_is_not_there_is_null(server: RegistryServer) -> None:
    for name in ("acme/none", "none", "../../etc", "", "a/b/c", "acme/tool\0", "x" * 10_000):
        data = ask(server, "query Q($n: String!) { getPackage(name: $n) { id } }", {"n": name})
        assert data == {"getPackage": None}
    assert ask(server, '{ getPackageRelease(hash: "sha256:nonsense") { id } }') == {"getPackageRelease": None}
    assert ask(server, PACKAGE_RELEASE, {"hash": "0" * 64}) == {"getPackageRelease": None}
    assert ask(server, '{ node(id: "cGFzc3dk") { id } }') == {"node": None}


def test_a_file_is_offered_as_the_version_that_it_is(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.root / "packages/acme/old/1.0.0.webc"
    path.parent.mkdir(parents=True)
    wapm = {"name": "acme/old", "version": "1.0.0", "description": ""}
    write_container(path, manifest={"package": {"wapm": wapm}}, atoms={}, volumes={}, version=Format.V2)
    version = resolved(server, "acme/old")["versions"][0]
    assert version["v3"]["piritaDownloadUrl"] is None
    assert version["v2"]["piritaSha256Hash"] == hash_of(path)
    found = ask(server, PACKAGE_VERSION, {"name": "acme/old", "version": "1.0.0"})["getPackageVersion"]
    assert found["distributionV2"]["webcVersion"] == "V2"
    # Older clients do not say which they want.
    assert found["package"]["lastVersion"]["distribution"]["piritaSha256Hash"] == hash_of(path)
    release = ask(server, PACKAGE_RELEASE, {"hash": hash_of(path)})["getPackageRelease"]
    assert release["webcV3"] is None
    assert release["webc"]["webcSha256"] == hash_of(path)


def test_what_wasmers_command_line_asks(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.add("acme/tool", "1.0.0", commands=("tool",))
    maker.add("acme/tool", "2.0.0-rc.1")
    for wanted in ("latest", "1.0.0", "^1"):
        found = ask(server, PACKAGE_VERSION, {"name": "acme/tool", "version": wanted})["getPackageVersion"]
        assert found["version"] == "1.0.0"
        assert found["distributionV3"]["piritaSha256Hash"] == hash_of(path)
        assert found["distributionV3"]["piritaSize"] == path.stat().st_size
        assert found["package"]["private"] is False
    for text in (hash_of(path), f"sha256:{hash_of(path)}"):
        release = ask(server, PACKAGE_RELEASE, {"hash": text})["getPackageRelease"]
        assert release["webcV3"]["fileSize"] == path.stat().st_size
        assert release["tag"] == "1.0.0"
    by_hash = ask(
        server, f'{{ getPackageRelease(hash: "sha256:{hash_of(path)}") {{ piritaManifest isArchived webcUrl }} }}'
    )
    assert json.loads(by_hash["getPackageRelease"]["piritaManifest"])["commands"].keys() == {"tool"}
    again = ask(server, "query N($id: ID!) { node(id: $id) { id __typename } }", {"id": release["id"]})["node"]
    assert again == {"id": release["id"], "__typename": "PackageWebc"}


def test_who_is_asking(server: RegistryServer, maker: RegistryMaker) -> None:
    maker.add("acme/tool", "1.0.0")
    query = "query U($r: GrapheneRole) { viewer { id username namespaces(role: $r) { edges { node { id name } } } } }"
    assert ask(server, query) == {"viewer": None}
    assert ask(server, query, token="nobody's") == {"viewer": None}
    viewer = ask(server, query, token=ALICE)["viewer"]
    assert viewer["username"] == "alice"
    assert [edge["node"]["name"] for edge in viewer["namespaces"]["edges"]] == ["acme", "alice"]
    can = "query C($o: String!) { viewerCan(action: PUBLISH_PACKAGE, ownerName: $o) }"
    assert ask(server, can, {"o": "bob"}, BOB) == {"viewerCan": True}
    assert ask(server, can, {"o": "acme"}, BOB) == {"viewerCan": False}
    assert ask(server, can, {"o": "acme"}) == {"viewerCan": False}


def test_a_batch_with_variables_and_a_fragment(server: RegistryServer, maker: RegistryMaker) -> None:
    for number in range(50):
        maker.add(f"big/p{number}", "1.0.0")
    names = {f"n{number}": f"big/p{number}" for number in range(60)}
    declared = ", ".join(f"${name}: String!" for name in names)
    fields = " ".join(f"p{number}: getPackage(name: $n{number}) {{ ...O }}" for number in range(60))
    data = ask(
        server,
        f"query V({declared}) {{ {fields} }} fragment O on Package {{ packageName versions {{ version }} }}",
        names,
    )
    assert [data[f"p{number}"]["packageName"] for number in range(50)] == [f"p{number}" for number in range(50)]
    assert all(data[f"p{number}"] is None for number in range(50, 60))


def test_search(server: RegistryServer, maker: RegistryMaker) -> None:
    for name in ("acme/tool", "acme/toolbox", "other/tool", "other/data"):
        maker.add(name, "1.0.0", commands=("run",) if name == "acme/tool" else ())
    query = """query S($q: String!, $f: PackagesFilter, $n: Int, $a: String) {
      search(query: $q, packages: $f, first: $n, after: $a) {
        totalCount pageInfo { hasNextPage endCursor }
        edges { cursor node { __typename ... on PackageVersion { version package { packageName namespace } } } }
      }
    }"""
    found = ask(server, query, {"q": "tool"})["search"]
    names = [f"{e['node']['package']['namespace']}/{e['node']['package']['packageName']}" for e in found["edges"]]
    assert names == ["acme/tool", "other/tool", "acme/toolbox"]
    first = ask(server, query, {"q": "tool", "n": 2})["search"]
    assert first["pageInfo"]["hasNextPage"]
    rest = ask(server, query, {"q": "tool", "n": 2, "a": first["pageInfo"]["endCursor"]})["search"]
    assert [len(first["edges"]), len(rest["edges"])] == [2, 1]
    only = ask(server, query, {"q": "", "f": {"owner": "acme", "hasCommands": True}})["search"]
    assert only["totalCount"] == 1
    assert ask(server, query, {"q": "", "f": {"createdAfter": "2999-01-01T00:00:00Z"}})["search"]["totalCount"] == 0
    later = ask(server, '{ search(query: "", packages: {createdBefore: "2999-01-01T00:00:00+02:00"}) { totalCount } }')
    assert later["search"]["totalCount"] == 4
    assert "DateTime" in refused(server, query, {"q": "", "f": {"createdAfter": "soon"}})
    start = ask(server, '{ searchAutocomplete(query: "to") { totalCount } packages(first: 1) { totalCount } }')
    assert start == {"searchAutocomplete": {"totalCount": 3}, "packages": {"totalCount": 4}}


def test_every_version_in_pages(server: RegistryServer, maker: RegistryMaker) -> None:
    for number in range(7):
        maker.add("acme/tool", f"1.{number}.0")
    query = """query A($after: String) { allPackageVersions(first: 3, after: $after, sortBy: OLDEST) {
      pageInfo { endCursor hasNextPage } edges { cursor node { version package { packageName } } } } }"""
    seen: list[str] = []
    after = None
    while True:
        page = ask(server, query, {"after": after})["allPackageVersions"]
        seen += [edge["node"]["version"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sorted(seen) == [f"1.{number}.0" for number in range(7)]
    assert len(ask(server, "{ allPackageReleases { edges { node { webcUrl } } } }")["allPackageReleases"]["edges"]) == 7


def test_new_versions_are_served_at_once(server: RegistryServer, maker: RegistryMaker) -> None:
    for number in range(5):
        maker.add("acme/tool", f"1.{number}.0")
        assert len(resolved(server, "acme/tool")["versions"]) == number + 1
    yank(maker.root, "acme/tool", Version.parse("1.2.0"), reason="broken\non arm")
    query = '{ getPackageVersion(name: "acme/tool", version: "1.2.0") { isArchived yankReason yankedAt } }'
    version = ask(server, query)["getPackageVersion"]
    assert version["isArchived"]
    assert version["yankReason"] == "broken on arm"
    yank(maker.root, "acme/tool", Version.parse("1.2.0"), undo=True)
    assert ask(server, query)["getPackageVersion"] == {"isArchived": False, "yankReason": None, "yankedAt": None}


def test_an_etag_saves_the_answer(server: RegistryServer, maker: RegistryMaker) -> None:
    maker.add("acme/tool", "1.0.0")
    query = RESOLVER.replace("$NAME", "acme/tool")
    etag = post(server, query).headers["ETag"]
    again = post(server, query, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    by_get = requests.get(server.url, params={"query": query}, headers={"If-None-Match": etag}, timeout=60)
    assert by_get.status_code == 304
    maker.add("acme/tool", "1.1.0")
    assert post(server, query, headers={"If-None-Match": etag}).status_code == 200


def test_what_is_no_package_is_not_offered(server: RegistryServer, maker: RegistryMaker) -> None:
    maker.add("acme/tool", "1.0.0")
    folder = maker.root / "packages/acme/tool"
    (folder / "1.1.0.webc").write_bytes(b"not a package")
    write_package(folder / "1.2.0.webc", "acme/other", "1.2.0")
    (folder / "1.3.0.webc").symlink_to("/dev/zero")
    assert [each["version"] for each in resolved(server, "acme/tool")["versions"]] == ["1.0.0"]


def test_texts_of_the_package(server: RegistryServer, maker: RegistryMaker) -> None:
    path = maker.root / "packages/acme/doc/1.0.0.webc"
    path.parent.mkdir(parents=True)
    wapm = {
        "name": "acme/doc",
        "version": "1.0.0",
        "description": "Much\x1b[31m to read",
        "license": "MIT",
        "readme": {"volume": "metadata", "path": "/README.md"},
    }
    volumes = {"metadata": {"README.md": b"# Read me"}}
    write_container(path, manifest={"package": {"wapm": wapm}}, atoms={"m": EMPTY_MODULE}, volumes=volumes)
    query = '{ getPackageVersion(name: "acme/doc") { description license readme licenseFile isLastVersion fileSize } }'
    assert ask(server, query)["getPackageVersion"] == {
        "description": "Much\x1b[31m to read",
        "license": "MIT",
        "readme": "# Read me",
        "licenseFile": None,
        "isLastVersion": True,
        "fileSize": path.stat().st_size,
    }


def test_the_registry_that_wpm_carries(tmp_path: Path) -> None:
    import registry_fixtures

    with RegistryServer(registry_fixtures.ROOT) as server:
        for path in sorted((registry_fixtures.ROOT / "packages/wpm").iterdir()):
            for version in resolved(server, f"wpm/{path.name}")["versions"]:
                copy = tmp_path / "copy.webc"
                copy.write_bytes(requests.get(version["v3"]["piritaDownloadUrl"], timeout=60).content)
                assert hash_of(copy) == version["v3"]["piritaSha256Hash"]
