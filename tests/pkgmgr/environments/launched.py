"""Launchers as they are run: by others, with nothing that leads Python to wpm."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def launch(
    launcher: Path | str, *words: str, cwd: Path | None = None, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a launcher to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(
        [launcher, *words], cwd=cwd, env={**kept, **(env or {})}, input=stdin, capture_output=True, timeout=60
    )


def printed(launcher: Path | str, *words: str, cwd: Path | None = None, stdin: bytes = b"") -> str:
    """What a launcher prints that succeeds."""
    done = launch(launcher, *words, cwd=cwd, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode()
