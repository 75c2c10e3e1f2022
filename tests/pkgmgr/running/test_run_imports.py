"""What a run of a file does not import, so that it starts at once: nothing here is needed where all is compiled and known."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from shutil import copyfile

import pytest

ROOT = Path(__file__).parents[3]
HELLO = ROOT / "registry_fixtures/packages/wpm/hello/1.1.0.webc"
NEVER = """
    argparse asyncio copyreg dataclasses email enum fnmatch gettext hashlib http importlib.metadata importlib.util inspect
    ipaddress json locale logging pathlib platform platformdirs random re selectors shutil signal socket ssl subprocess
    tempfile tomllib tomlkit typing urllib.parse uuid wasmtime zipfile
    pkgmgr.cli.parsers pkgmgr.files.unfinished pkgmgr.installing.install pkgmgr.locks.lockfile pkgmgr.manifest
    pkgmgr.projects.project pkgmgr.registry pkgmgr.source pkgmgr.version
    runtime.fs.hostfs runtime.sockets runtime.syscalls.sock runtime.syscalls.sock_setup runtime.terminal
"""


def imported(words: list[str], folder: Path) -> set[str]:
    """What of `NEVER` a command line imports, in a Python of its own; not what the environment's own start imports."""
    program = (
        "import sys; before = set(sys.modules); from pkgmgr.cli.main import main; assert main(sys.argv[1:]) == 0; "
        "print('imported', *(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(folder / "store")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    *_, last = (line for line in done.stdout.splitlines() if line.startswith("imported "))
    names = set(last.split())
    assert {"pkgmgr.cli.run", "runtime.process"} <= names
    return names & set(NEVER.split())


@pytest.mark.parametrize("suffix", [".webc", ".wasm"])
def test_a_run_of_a_file_imports_what_it_needs(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"hello{suffix}"
    if suffix == ".webc":
        copyfile(HELLO, file)
    else:
        from webc_parser import Container

        with Container.open(HELLO) as container:
            file.write_bytes(next(iter(container.atoms.values())))
    assert "hashlib" in imported(["run", str(file), "you"], tmp_path)
    # What was written just now is hashed each time.
    time.sleep(max(0.0, file.stat().st_ctime + 2.1 - time.time()))
    imported(["run", str(file), "you"], tmp_path)
    assert imported(["run", str(file), "you"], tmp_path) == set()
    assert (
        imported(["run", "--cwd", "/tmp", "--env", "A=B", "--timeout=60", str(file), "--", "-g", "Hey"], tmp_path)
        == set()
    )


def test_opening_a_package_in_a_program_imports_no_more_than_a_run() -> None:
    program = (
        "import sys; from pathlib import Path; from pkgmgr import Package\n"
        "assert Package.load(Path(sys.argv[1])).commands\n"
        "never = {'argparse', 'concurrent.futures', 'dataclasses', 'hashlib', 'inspect', 'shutil', 'tempfile', 'typing'}\n"
        "assert not never & set(sys.modules), never & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-S", "-c", program, str(HELLO)], check=True, cwd=ROOT, timeout=60)


def test_sockets_of_preview_1_are_loaded_when_they_are_used() -> None:
    program = (
        "import sys; from runtime.syscalls import families\n"
        "families.load_for([('wasi_snapshot_preview1', 'sock_recv'), ('wasi_snapshot_preview1', 'fd_write')])\n"
        "assert 'runtime.syscalls.file' in sys.modules and 'runtime.syscalls.sock_preview1' in sys.modules\n"
        "assert 'socket' not in sys.modules and 'runtime.syscalls.fork' not in sys.modules\n"
        "families.load_for([('wasix_32v1', 'sock_recv')])\n"
        "assert 'runtime.syscalls.sock' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
