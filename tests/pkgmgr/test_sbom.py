"""Bills of materials: what CycloneDX's own schema says is one, with what is in the lock and in its packages."""

import json
import tempfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from cyclonedx.validation.xml import XmlValidator
from hypothesis import given, settings
from hypothesis import strategies as st
from make_packages import EMPTY_MODULE, RegistryMaker, write_package, write_project
from typed import output, wpm

from pkgmgr.locks.lockfile import LockedPackage, Lockfile
from pkgmgr.sbom import SPEC_VERSIONS, packages_sbom, render
from pkgmgr.store import Store
from webc_parser.writer import write_container

PACKAGE = """[package]
name = "team/app"
version = "2.0.0"
description = "An app"
license = "MIT OR Apache-2.0"
homepage = "https://example.org/app"
repository = "git@example.org:team/app"
"""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[RegistryMaker]:
    maker = RegistryMaker(tmp_path / "registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WPM_CACHE_DIR", str(tmp_path / "store"))
        yield maker


@pytest.fixture
def project(registry: RegistryMaker, tmp_path: Path) -> Path:
    registry.add("team/library", "1.2.3", commands=("tool",))
    registry.add("team/base", "0.1.0", {"team/library": "^1"}, files={"a": b"a"})
    folder = write_project(tmp_path / "app", {"team/base": "*"}, PACKAGE)
    output("lock", "--project", folder, "--registry", registry.root)
    return folder


@cache
def json_schema(version: str) -> JsonStrictValidator:
    return JsonStrictValidator(SchemaVersion.from_version(version))


@cache
def xml_schema(version: str) -> XmlValidator:
    return XmlValidator(SchemaVersion.from_version(version))


def checked(data: str, version: str = "1.6") -> dict[str, Any]:
    error = json_schema(version).validate_str(data)
    assert error is None, error
    found: dict[str, Any] = json.loads(data)
    return found


def test_the_bill_of_a_project(project: Path, registry: RegistryMaker) -> None:
    bill = checked(output("sbom", "--project", project, "--registry", registry.root))
    root = bill["metadata"]["component"]
    assert (root["group"], root["name"], root["version"]) == ("team", "app", "2.0.0")
    assert root["licenses"] == [{"expression": "MIT OR Apache-2.0"}]
    assert root["externalReferences"] == [{"type": "website", "url": "https://example.org/app"}]
    assert root["properties"] == [{"name": "wpm:repository", "value": "git@example.org:team/app"}]
    assert "timestamp" not in bill["metadata"]
    assert bill["metadata"]["tools"]["components"][0]["name"] == "wpm"
    base, library = bill["components"]
    assert (base["bom-ref"], library["bom-ref"]) == ("team/base@0.1.0", "team/library@1.2.3")
    digest = sha256((registry.root / "packages/team/library/1.2.3.webc").read_bytes()).hexdigest()
    assert library["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert library["purl"] == f"pkg:generic/team/library@1.2.3?checksum=sha256:{digest}"
    assert library["components"] == [
        {
            "bom-ref": "team/library@1.2.3#module",
            "hashes": [{"alg": "SHA-256", "content": sha256(EMPTY_MODULE).hexdigest()}],
            "name": "module",
            "properties": [{"name": "wpm:media-type", "value": "application/wasm"}],
            "type": "file",
        }
    ]
    graph = {entry["ref"]: entry.get("dependsOn", []) for entry in bill["dependencies"]}
    assert graph == {
        root["bom-ref"]: ["team/base@0.1.0"],
        "team/base@0.1.0": ["team/library@1.2.3"],
        "team/library@1.2.3": [],
    }


def test_the_same_lock_gives_the_same_bytes(project: Path, registry: RegistryMaker, tmp_path: Path) -> None:
    words = ("sbom", "--project", project, "--registry", registry.root)
    first = output(*words)
    assert output(*words, "-o", tmp_path / "bom.json", env={"PYTHONHASHSEED": "7"}) == ""
    assert (tmp_path / "bom.json").read_text() == first
    assert output(*words, env={"WPM_CACHE_DIR": str(tmp_path / "another")}) == first
    timed = checked(output(*words, env={"SOURCE_DATE_EPOCH": "1700000000"}))
    assert timed["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert timed["serialNumber"] == json.loads(first)["serialNumber"]
    registry.add("team/library", "1.3.0")
    output("lock", "--upgrade", "--project", project, "--registry", registry.root)
    assert json.loads(output(*words))["serialNumber"] != timed["serialNumber"]


@pytest.mark.parametrize("version", SPEC_VERSIONS)
def test_every_version_of_the_format(project: Path, registry: RegistryMaker, version: str) -> None:
    words = ("sbom", "--project", project, "--registry", registry.root, "--spec-version", version)
    checked(output(*words), version)
    xml = output(*words, "--format", "cyclonedx-xml")
    assert xml_schema(version).validate_str(xml) is None


def test_without_the_network_the_lock_speaks_alone(project: Path, tmp_path: Path) -> None:
    done = wpm("sbom", "--project", project, "--offline", env={"WPM_CACHE_DIR": str(tmp_path / "empty")})
    assert done.returncode == 0
    assert done.stderr.count(b"not in the store: only what the lock says of it is written") == 2
    bill = checked(done.stdout.decode())
    assert [component["name"] for component in bill["components"]] == ["base", "library"]
    assert not any("components" in component for component in bill["components"])


def test_packages_that_are_named(registry: RegistryMaker) -> None:
    bill = checked(output("sbom", "wpm/hello@1.1.0"))
    assert bill["metadata"]["component"]["bom-ref"] == "wpm/hello@1.1.0"
    assert "components" not in bill
    file = registry.add("team/alone", "1.0.0", {"wpm/hello": "1.1.0"})
    bill = checked(output("sbom", file))
    assert bill["metadata"]["component"]["purl"].startswith("pkg:generic/team/alone@1.0.0?checksum=sha256:")
    assert [component["bom-ref"] for component in bill["components"]] == ["wpm/hello@1.1.0"]
    stored = f"sha256:{bill['metadata']['component']['hashes'][0]['content']}"
    assert checked(output("sbom", stored))["metadata"] == bill["metadata"]
    bill = checked(output("sbom", "wpm/sh", file))
    assert [component["name"] for component in bill["components"]] == ["alone", "hello", "sh"]
    other = write_package(registry.root / "other.webc", "team/alone", "1.0.0")
    done = wpm("sbom", file, other)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"team/alone@1.0.0: two different packages have this name and version" in done.stderr
    bill = checked(output("sbom", "wpm/hello@1.1.0", "wpm/sh"))
    assert "component" not in bill["metadata"]
    assert len(bill["components"]) == 2


@pytest.mark.usefixtures("registry")
def test_published_packages(conformance: Path) -> None:
    bill = checked(output("sbom", conformance / "webc/wabt-1.0.37.webc"))
    root = bill["metadata"]["component"]
    assert root["externalReferences"] == [{"type": "vcs", "url": "https://github.com/wapm-packages/wabt"}]
    assert len(root["components"]) == 7
    bill = checked(output("sbom", conformance / "webc/staticserver.webc"))
    root = bill["metadata"]["component"]
    assert root["licenses"] == [{"license": {"id": "MIT"}}]
    assert [link["type"] for link in root["externalReferences"]] == ["vcs", "website"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["./nothing.webc"], "there is no package file here"),
        (["."], "wpm sbom --project"),
        ([], "run wpm lock"),
    ],
)
@pytest.mark.usefixtures("registry")
def test_what_cannot_be(tmp_path: Path, words: list[str], message: str) -> None:
    write_project(tmp_path / "app", {"team/base": "*"})
    done = wpm("sbom", *words, cwd=tmp_path / "app")
    assert (done.returncode, done.stdout) == (1, b"")
    assert message in done.stderr.decode()
    assert done.stderr.count(b"\n") == 1


def test_a_lock_of_other_dependencies(project: Path) -> None:
    (project / "wasmer.toml").write_text(PACKAGE + '[dependencies]\n"team/other" = "*"\n')
    done = wpm("sbom", "--project", project)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"not of the dependencies that wasmer.toml has now: run wpm lock" in done.stderr


def test_a_time_that_is_none(project: Path, registry: RegistryMaker) -> None:
    done = wpm("sbom", "--project", project, "--registry", registry.root, env={"SOURCE_DATE_EPOCH": "yesterday"})
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"SOURCE_DATE_EPOCH: 'yesterday'" in done.stderr


TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "MIT",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "((((",
        "a\0b",
        "https://x/%zz",
        "http://[::1",
        "https://h:99999/",
    ]
)


@settings(max_examples=40, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(("description", "license", "homepage", "repository"), TEXTS)))
def test_whatever_a_package_says_the_bill_is_valid(about: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "p.webc"
        manifest = {"package": {"wapm": {"name": "t/p", "version": "1.0.0", **about}}}
        write_container(path, manifest=manifest, atoms={"a b\N{SNOWMAN}": b"\0asm"}, volumes={})
        store = Store(Path(folder) / "store")
        stored = store.add_file(path)
        package = LockedPackage("t/p", "1.0.0", "registry+https://r.example/graphql", stored.sha256, stored.size)
        lock = Lockfile({"p": "t/p"}, {"p": package.id}, {package.id: package})
        bill = checked(render(packages_sbom(lock, store)).decode())
        assert "repository_url=https" in bill["metadata"]["component"]["purl"]
        xml = render(packages_sbom(lock, store), "cyclonedx-xml").decode()
        assert xml_schema("1.6").validate_str(xml) is None
