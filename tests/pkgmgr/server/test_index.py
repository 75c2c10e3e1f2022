"""Indexes: what they say is what the files say, and they are never believed over them."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make_packages import RegistryMaker, write_package

from pkgmgr.cli.main import main
from pkgmgr.errors import WpmError
from pkgmgr.registry import record as reading
from pkgmgr.registry.directory import DirectoryRegistry
from pkgmgr.registry.index import FORMAT, PackageIndex
from pkgmgr.registry.indexing import index_registry
from pkgmgr.version import Version

ONE = Version.parse("1.0.0")
NAME = "acme/tool"


def fill(maker: RegistryMaker) -> Path:
    path = maker.add(NAME, "1.0.0", {"acme/data": ">=1, <3"}, ("tool", "other"), {"a": b"1"})
    maker.add(NAME, "1.1.0-rc.1")
    maker.add("acme/data", "2.0.0+b.7")
    maker.add("bare", "1.0.0")
    return path.with_name("index.json")


def opened(maker: RegistryMaker) -> DirectoryRegistry:
    return DirectoryRegistry(maker.root, "registry", "the test's registry")


def test_it_says_what_the_files_say(maker: RegistryMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    index = fill(maker)
    asked = [(NAME, "1.0.0"), (NAME, "1.1.0-rc.1"), ("acme/data", "2.0.0+b.7"), ("bare", "1.0.0")]
    before = [opened(maker).record(name, Version.parse(version)) for name, version in asked]
    about = opened(maker).about(NAME)
    report = index_registry(maker.root)
    assert (report.packages, report.versions, len(report.outdated), report.problems) == (3, 4, 3, ())
    assert index_registry(maker.root).outdated == ()
    written = index.read_bytes()
    json.loads(written)

    def no_reading(*_: object) -> None:
        raise AssertionError("the file was read")

    monkeypatch.setattr(reading, "read_record", no_reading)
    assert [opened(maker).record(name, Version.parse(version)) for name, version in asked] == before
    indexed = opened(maker).about(NAME)
    assert about is not None
    assert indexed is not None
    assert indexed._replace(releases=()) == about._replace(releases=())
    assert [release.sha256 for release in indexed.releases] == [record.summary.sha256 for record in before[1::-1]]
    assert opened(maker).by_hash(before[2].summary.sha256) == before[2].summary
    assert [found.name for found in opened(maker).search("data", 5)] == ["acme/data"]


def test_a_file_that_changed_is_read_again(maker: RegistryMaker) -> None:
    fill(maker)
    index_registry(maker.root)
    registry = opened(maker)
    old = registry.summary(NAME, ONE).sha256
    path = maker.add(NAME, "1.0.0", commands=("renewed",))
    for each in (registry, opened(maker)):
        assert each.summary(NAME, ONE).commands == ("renewed",)
        assert each.by_hash(old) is None
    assert index_registry(maker.root, write=False).outdated == (NAME,)
    # The same size at another time is another file too.
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert opened(maker).summary(NAME, ONE).commands == ("renewed",)


def test_new_and_removed_versions(maker: RegistryMaker) -> None:
    fill(maker)
    index_registry(maker.root)
    registry = opened(maker)
    maker.add(NAME, "3.0.0", commands=("three",))
    assert Version.parse("3.0.0") in registry.versions(NAME)
    assert registry.summary(NAME, Version.parse("3.0.0")).commands == ("three",)
    registry.location(NAME, ONE).unlink()
    assert ONE not in registry.versions(NAME)
    with pytest.raises(WpmError, match="cannot be read"):
        registry.summary(NAME, ONE)


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:0],
        lambda data: data[:-10],
        lambda data: data[: len(data) // 2],
        lambda data: b"\xff" * len(data),
        lambda data: b"[" * 200 * len(data),
        lambda data: data.replace(b'"format":1', b'"format":2'),
        lambda data: data.replace(b"acme/tool", b"acme/evil", 1),
        lambda data: data.replace(b'"sha256":"', b'"sha256":"X'),
        lambda data: data.replace(b'"size":', b'"size":"1","s":'),
        lambda data: data.replace(b'"mtime_ns":', b'"mtime_ns":9'),
        lambda data: data.replace(b'"dependencies":{', b'"dependencies":{"x":"../../etc",'),
        lambda data: data.replace(b'"commands":["tool"', b'"commands":["\\u001b[31m"'),
        lambda data: data.replace(b'"mounts":[["/data"', b'"mounts":[["/../etc"'),
        lambda data: data.replace(b'"mounts":[[', b'"mounts":[5,['),
        lambda data: data.replace(b'"webc":"v3"', b'"webc":"v9"'),
        lambda data: data.replace(b'"manifest":"', b'"manifest":5,"m":"'),
    ],
)
def test_a_damaged_index_is_as_none(maker: RegistryMaker, change: object) -> None:
    index = fill(maker)
    right = opened(maker).record(NAME, ONE)
    index_registry(maker.root)
    data = index.read_bytes()
    damaged = change(data)  # type: ignore[operator]
    assert damaged != data
    index.write_bytes(damaged)
    assert PackageIndex(index, NAME).record(ONE, right.summary.location, "registry") in (None, right) or (  # type: ignore[arg-type]
        b"mtime_ns" in damaged
    )
    assert opened(maker).record(NAME, ONE) == right
    assert index_registry(maker.root).outdated == (NAME,)
    assert index.read_bytes() == data


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_bytes_are_an_index_or_none(maker: RegistryMaker, data: bytes, start: int) -> None:
    index = maker.root / "packages/acme/tool/index.json"
    if not index.exists():
        fill(maker)
        index_registry(maker.root)
        shutil.copy(index, maker.root / "sound")
    sound = (maker.root / "sound").read_bytes()
    index.write_bytes(sound[:start] + data + sound[start + len(data) :])
    registry = opened(maker)
    assert registry.summary(NAME, ONE).commands == ("tool", "other")
    assert registry.search("tool", 5)


def test_things_that_are_no_index(maker: RegistryMaker) -> None:
    index = fill(maker)
    right = opened(maker).record(NAME, ONE)
    index.mkdir()
    assert opened(maker).record(NAME, ONE) == right
    index.rmdir()
    os.mkfifo(index)
    assert opened(maker).record(NAME, ONE) == right
    index.unlink()
    index.symlink_to("/dev/zero")
    assert opened(maker).record(NAME, ONE) == right


def test_what_is_wrong_with_a_registry(maker: RegistryMaker, capsys: pytest.CaptureFixture[str]) -> None:
    fill(maker)
    folder = maker.root / "packages/acme/tool"
    (folder / "latest.webc").write_bytes(b"")
    (folder / "1.2.0.webc").write_bytes(b"not a package")
    write_package(folder / "1.3.0.webc", "acme/other", "1.3.0")
    (folder / "9.9.9.yanked").touch()
    damaged = maker.add(NAME, "1.4.0", files={"a": b"x" * 5000})
    data = bytearray(damaged.read_bytes())
    data[data.index(b"x" * 5000)] ^= 1
    damaged.write_bytes(data)
    (folder / "notes.txt").touch()
    (maker.root / "packages/acme/not a name").mkdir()
    report = index_registry(maker.root)
    assert len(report.problems) == 6
    for part in ("latest.webc", "1.2.0.webc", "1.3.0.webc", "9.9.9.yanked", "1.4.0.webc", "not a name"):
        assert sum(part in problem for problem in report.problems) == 1, part
    assert all("\n" not in problem for problem in report.problems)
    # What is sound is indexed nevertheless.
    index = PackageIndex(folder / "index.json", NAME)
    assert len(index) == 2
    assert main(["registry", "index", str(maker.root)]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 6


def test_check_writes_nothing(maker: RegistryMaker, capsys: pytest.CaptureFixture[str]) -> None:
    index = fill(maker)
    assert main(["registry", "index", str(maker.root), "--check"]) == 1
    assert not index.exists()
    assert not (maker.root / "tmp").exists()
    assert main(["registry", "index", str(maker.root)]) == 0
    assert main(["registry", "index", str(maker.root), "--check"]) == 0
    capsys.readouterr()
    maker.add(NAME, "5.0.0")
    assert main(["registry", "index", str(maker.root), "--check", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said == {"packages": 3, "versions": 5, "outdated": [NAME], "problems": []}
    assert main(["registry", "index", str(maker.root / "packages")]) == 1
    assert "not a registry" in capsys.readouterr().err
    assert json.loads(index.read_bytes())["format"] == FORMAT
