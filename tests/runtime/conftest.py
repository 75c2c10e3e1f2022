"""The filesystems that tests of the runtime run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from remote_guest import Remote

from runtime.fs.hostfs import HostFileSystem
from runtime.fs.node import FileSystem
from runtime.fs.tmpfs import TmpFileSystem


@pytest.fixture(params=["tmpfs", "hostfs"])
def filesystem(request: pytest.FixtureRequest, tmp_path: Path) -> FileSystem:
    """An empty filesystem: in memory, and a directory of the host."""
    if request.param == "tmpfs":
        return TmpFileSystem()
    (tmp_path / "volume").mkdir()
    return HostFileSystem(tmp_path / "volume")


@pytest.fixture
def guest(filesystem: FileSystem) -> Iterator[Remote]:
    """A guest of preview 1 on an empty filesystem, ready to be told what to call."""
    with Remote(filesystem) as remote:
        yield remote
