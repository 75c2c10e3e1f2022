"""A build that is killed leaves nothing that the next one of the same place does not remove."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typed import environment, output

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("out", ["o.webc", "o.tar", "o"])
def test_a_build_killed_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    """Killed by itself when it syncs or names what it has written, or writes its first file."""
    monkeypatch.chdir(tmp_path)
    script = (
        "import os, signal, sys\n"
        "def die(*_, **__): signal.raise_signal(signal.SIGKILL)\n"
        "os.fsync = os.rename = os.replace = os.utime = die\n"
        "from pkgmgr.cli.main import main\n"
        f"main(['rootfs', 'build', 'wpm/hello', '-o', {out!r}])\n"
    )
    output("rootfs", "build", "wpm/hello", "-o", "warm.tar")
    killed = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True)
    assert killed.returncode == -9, killed
    assert not os.path.lexists(out)
    assert [name for name in os.listdir() if name.startswith(".")] != []
    output("rootfs", "build", "wpm/hello", "-o", out)
    assert sorted(os.listdir()) == sorted([out, "warm.tar"])
