"""Installs, exports and imports that are killed at any moment: what is there is whole, and the next one finishes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from launched import printed
from typed import COMMAND, environment, output

from pkgmgr.running.launchers import mark_of

if TYPE_CHECKING:
    from pathlib import Path


def kill(chance: random.Random, usual: float, *words: str | Path, env: dict[str, str] | None = None) -> None:
    """Start something and kill it, most often before it is done."""
    child = subprocess.Popen(
        [*COMMAND, *map(str, words)], env=environment(env), stdout=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(chance.uniform(0.3, 1.0) * usual)
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def test_installs(project: Path) -> None:
    chance = random.Random(1)
    for number in range(12):
        if number % 2:
            shutil.rmtree(project / ".wpm", ignore_errors=True)
        else:
            (project / ".wpm" / "state").unlink(missing_ok=True)
            for path in list((project / ".wpm" / "bin").glob("*"))[:5]:
                path.unlink()
        kill(chance, 0.12, "install", "--project", project)
        if (project / ".wpm/bin").is_dir():
            names = [name for name in os.listdir(project / ".wpm/bin") if not name.startswith(".wpm-launcher-")]
            assert all(mark_of(project / ".wpm/bin" / name) == "project" for name in names)
    output("install", "--project", project)
    output("verify", "--project", project)
    assert printed(project / ".wpm/bin/hello") == "Hello, World!\n"


def test_exports_and_imports(project: Path, tmp_path: Path) -> None:
    chance = random.Random(2)
    whole = tmp_path / "e.tar"
    output("env", "export", "--project", project, "-o", whole)
    before = whole.read_bytes()
    there, store = tmp_path / "there", {"WPM_CACHE_DIR": str(tmp_path / "their store")}
    for number in range(10):
        kill(chance, 0.2, "env", "export", "--project", project, "-o", whole)
        assert whole.read_bytes() == before
        if number % 3 == 0:
            shutil.rmtree(there, ignore_errors=True)
        kill(chance, 0.25, "env", "import", whole, there, "--no-compile", env=store)
        if (there / "wasmer.toml").exists():
            # It is the last of the project's files: with it there is a project, and it is whole.
            for name in ("wasmer.toml", "wasmer.lock"):
                assert (there / name).read_bytes() == (project / name).read_bytes()
    output("env", "import", whole, there, env=store)
    assert output("verify", "--project", there, env=store) == "3 packages verified\n"
    assert sorted(os.listdir(there / ".wpm")) == [".gitignore", "bin", "manifest.json", "state"]


def test_what_a_killed_install_was_writing_goes_at_once(project: Path) -> None:
    left = project / ".wpm" / f".state.{16 * 'a'}.part"
    left.write_text("half a")
    (project / ".wpm/state").unlink()
    output("install", "--project", project)
    assert not left.exists()
