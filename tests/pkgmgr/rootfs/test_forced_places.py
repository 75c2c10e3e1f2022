"""What `--force` must not remove: what is mounted in an image, and what lies beside a layout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from typed import COMMAND, environment, output, wpm

from pkgmgr.files import removing
from pkgmgr.files.removing import mounted_in, remove_tree


def can_mount(tmp_path: Path) -> bool:
    (tmp_path / "probe").mkdir()
    probe = f"mount --bind {tmp_path}/probe {tmp_path}/probe"
    try:
        return subprocess.run(["unshare", "-rm", "sh", "-c", probe], capture_output=True, timeout=20).returncode == 0
    except FileNotFoundError:
        return False


def test_what_is_mounted_in_an_image_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not can_mount(tmp_path):
        pytest.skip("nothing can be mounted here")
    monkeypatch.chdir(tmp_path)
    output("rootfs", "build", "wpm/hello", "-o", "img")
    victim = tmp_path / "my files"
    victim.mkdir()
    (victim / "precious").write_text("mine")
    again = ["rootfs", "build", "wpm/hello", "-o", "img", "--force"]
    script = 'mount --bind "my files" img/home && exec "$@"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script, "sh", *COMMAND, *again],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done
    assert "img/home: unmount it first" in done.stderr
    assert (victim / "precious").read_text() == "mine"
    output(*again)


def test_mounts_are_found_in_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "with space"
    top.mkdir()
    mounts = tmp_path / "mountinfo"
    inner = str(top / "in").replace(" ", r"\040")
    mounts.write_text(f"1 1 8:1 / / rw - ext4 x rw\n2 1 8:1 /q {inner} rw - ext4 x rw\n")
    monkeypatch.setattr(removing, "_MOUNTS", mounts)
    assert mounted_in(top) == top / "in"
    with pytest.raises(OSError, match="mounted"):
        remove_tree(top)
    monkeypatch.setattr(removing, "_MOUNTS", tmp_path / "nothing")
    assert mounted_in(top) is None
    assert mounted_in(Path("/")) is not None


def test_a_layout_among_other_files_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output("rootfs", "build", "wpm/hello", "-o", "l", "--format", "oci")
    (tmp_path / "l/.git").mkdir()
    done = wpm("rootfs", "build", "wpm/hello", "-o", "l", "--format", "dir", "--force")
    assert (done.returncode, b"but no image" in done.stderr) == (1, True)
    (tmp_path / "l/.git").rmdir()
    output("rootfs", "build", "wpm/hello", "-o", "l", "--format", "dir", "--force")
