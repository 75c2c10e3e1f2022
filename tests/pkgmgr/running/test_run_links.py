"""`wpm run`: the tools of the embedded registry read through the symbolic links of another package."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pkgmgr.cli.main import main
from webc_parser import DirectorySource, FileSource, SymlinkSource, write_container

if TYPE_CHECKING:
    from pathlib import Path

SECOND = 1_700_000_000 * 10**9


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A package with links in its volume, which is mounted at `/data`."""
    tree = DirectorySource(
        {
            "real": DirectorySource({"a.txt": FileSource(b"apple\n", SECOND)}, SECOND),
            "relative": SymlinkSource("real/a.txt", SECOND),
            "absolute": SymlinkSource("/data/real/a.txt", SECOND),
            "climbing": SymlinkSource("real/../../data/relative", SECOND),
            "dangling": SymlinkSource("nothing", SECOND),
            "passwd": SymlinkSource("../../../../../../../../../../../etc/passwd", SECOND),
        },
        SECOND,
    )
    manifest = {
        "package": {
            "wapm": {"name": "acme/linked", "version": "1.0.0", "description": ""},
            "fs": [{"from": None, "volume_name": "/data", "host_path": "/", "mount_path": "/data"}],
        }
    }
    path = tmp_path / "linked.webc"
    write_container(path, manifest=manifest, atoms={}, volumes={"/data": tree})
    return path


def run(linked: Path, command: str, *arguments: str) -> int:
    words = ["--offline", "--use", str(linked), "--entrypoint", command, "wpm/coreutils", "--", *arguments]
    return main(["run", *words])


@pytest.mark.parametrize("name", ["relative", "absolute", "climbing"])
def test_cat_of_a_linked_file(linked: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    assert run(linked, "cat", f"/data/{name}") == 0
    assert capfd.readouterr() == ("apple\n", "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("dangling", "No such file or directory"), ("passwd", "Operation not permitted")],  # of preview 1, above the root
)
def test_cat_of_a_link_that_leads_nowhere(
    linked: Path, capfd: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    assert run(linked, "cat", f"/data/{name}") == 1
    out, error = capfd.readouterr()
    assert out == "" and reason in error


def test_ls_shows_links(linked: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(linked, "ls", "-l", "/data") == 0
    out = capfd.readouterr().out
    assert "absolute -> /data/real/a.txt" in out and "dangling -> nothing" in out
