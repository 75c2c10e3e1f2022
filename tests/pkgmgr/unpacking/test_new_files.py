"""Making files at the same time: all of them, or an error that names one, and nothing goes on then."""

import threading
from pathlib import Path

import pytest

from pkgmgr.unpacking.new_files import make_file, make_files
from pkgmgr.unpacking.unpack import unpack_package
from webc_parser import Container, FileSource, VolumeFile, WebcError, write_container

TREE: dict[str, object] = {
    f"d{number}": {f"f{index}": FileSource(f"{number} {index}".encode() * index, 5_000_000_000) for index in range(150)}
    for number in range(4)
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "x.webc"
    write_container(path, manifest={}, atoms={}, volumes={"/v": TREE})  # type: ignore[dict-item]
    return path


def contents(container: Container) -> dict[str, bytes]:
    return {path: bytes(node.content) for path, node in container.volumes["/v"].walk() if isinstance(node, VolumeFile)}


def test_many_files_come_back(source: Path, tmp_path: Path) -> None:
    unpack_package(source, tmp_path / "out")
    top = tmp_path / "out" / "v"
    with Container.open(source) as container:
        assert contents(container) == {f"/{p.relative_to(top)}": p.read_bytes() for p in top.rglob("f*")}
    assert {path.stat().st_mtime for path in top.rglob("f*")} == {5}


def test_one_of_many_that_is_there_ends_it(source: Path, tmp_path: Path) -> None:
    (tmp_path / "d2").mkdir()
    there = tmp_path / "d2" / "f77"
    there.write_text("mine")
    before = threading.active_count()
    with Container.open(source) as container:
        batches = []
        for name, node in container.volumes["/v"].root.entries.items():
            (tmp_path / name).mkdir(exist_ok=True)
            batches.append((str(tmp_path / name), list(node.entries.items())))  # type: ignore[union-attr]
        with pytest.raises(FileExistsError) as failed:
            make_files(batches)
    assert failed.value.filename == str(there)
    assert there.read_text() == "mine"
    assert threading.active_count() == before


def test_a_package_of_many_files_that_is_damaged_leaves_nothing(source: Path, tmp_path: Path) -> None:
    data = bytearray(source.read_bytes())
    data[data.rindex(b"3 149")] ^= 1
    source.write_bytes(data)
    with pytest.raises(WebcError):
        unpack_package(source, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["x.webc"]


def test_a_file_is_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(FileExistsError):
        make_file(str(tmp_path / "link"), b"x")
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("moment", [0, -1, 1 << 62, 1 << 63])
def test_moments_that_no_system_takes_are_left(tmp_path: Path, moment: int) -> None:
    make_file(str(tmp_path / "f"), b"", moment)
    assert (tmp_path / "f").stat().st_mtime > 1_000_000_000
