"""Pinned package files: what was changed, however it was done, is not opened."""

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from factory_packages import pack

from binfactory.errors import FactoryError
from binfactory.loader import load_package
from binfactory.node import PackageNode
from binfactory.pinned import NotPinned, is_pinned, open_pinned
from binfactory.stamps import is_stamped, stamp

DATA = pack("n/p@1.0.0", volumes={"data": {"a.txt": b"right"}})
DIGEST = sha256(DATA).hexdigest()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "p.webc"
    path.write_bytes(DATA)
    return path


def test_what_was_read_once_is_known_again(package: Path) -> None:
    open_pinned(package, DIGEST).close()
    assert is_stamped(package.stat(), bytes.fromhex(DIGEST))
    reads: list[int] = []
    real = os.pread
    try:
        os.pread = lambda *given: reads.append(1) or real(*given)  # type: ignore[func-returns-value]
        open_pinned(package, DIGEST).close()
        assert not reads
        package.touch()
        assert is_pinned(package, DIGEST)
        assert reads
    finally:
        os.pread = real


def overwrite(path: Path) -> None:
    data = DATA.replace(b"right", b"wrong")
    with path.open("r+b") as file:
        file.write(data)


def append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def truncate(path: Path) -> None:
    os.truncate(path, len(DATA) - 1)


def replace(path: Path) -> None:
    other = path.with_name("other")
    data = DATA.replace(b"right", b"wrong")
    other.write_bytes(data)
    stamp(other, sha256(data).digest())
    other.replace(path)


def link(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [overwrite, append, truncate, replace, link, folder, pipe])
def test_what_is_not_what_was_pinned_is_not_opened(package: Path, change: Callable[[Path], None]) -> None:
    open_pinned(package, DIGEST).close()
    change(package)
    with pytest.raises(OSError):
        open_pinned(package, DIGEST)
    with pytest.raises(FactoryError, match=r"^n/p@1\.0\.0: .*p\.webc.*; run: wpm install$"):
        assert load_package(PackageNode("n/p@1.0.0", package, sha256=DIGEST)).own_commands


def test_a_file_that_others_may_write_is_read_each_time(package: Path) -> None:
    open_pinned(package, DIGEST).close()
    overwrite(package)
    package.chmod(0o666)
    stamp(package, bytes.fromhex(DIGEST))
    with pytest.raises(NotPinned, match="not those that the lock pins"):
        open_pinned(package, DIGEST)
