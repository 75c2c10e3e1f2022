"""Kill `wpm install` at random points, again and again, and see that nothing is ever half there.

    python tests/pkgmgr/installing/kill_installs.py --count 100

After each kill every package in the store must be whole, and a lock that is there must be whole and name only packages
that are in the store. At the end one more install must succeed and leave nothing behind.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from make_packages import RegistryMaker, write_project

from pkgmgr.locks.lockfile import read_lock
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

ROOT = Path(__file__).parents[3]


def prepare(folder: Path, packages: int, size: int) -> Path:
    """A registry of packages of this many bytes, and a project that needs them all."""
    registry = RegistryMaker(folder / "registry")
    for number in range(packages):
        needs = {f"k/p{number + 1}": "*"} if number % 3 == 0 and number + 1 < packages else {}
        registry.add(f"k/p{number}", "1.0.0", needs, (f"c{number}",), {"data": bytes([number]) * size})
    return write_project(folder / "project", {f"k/p{number}": "*" for number in range(packages)})


def start(folder: Path, store: Store) -> subprocess.Popen[bytes]:
    """Start an install in a process group of its own."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "WPM_CACHE_DIR": str(store.root),
        "WPM_REGISTRY": str(folder / "registry"),
    }
    command = [sys.executable, "-m", "pkgmgr.cli.main", "install", "--jobs", "3"]
    return subprocess.Popen(
        command, cwd=folder / "project", env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )


def check(folder: Path, store: Store) -> None:
    """What must hold whenever an install is killed."""
    report = verify_store(store)
    assert report.clean, report
    lock = read_lock(folder / "project" / "wasmer.lock")
    for package in lock.packages.values() if lock else ():
        assert store.has(package.sha256, package.size), f"{package.id} is locked and not stored"


def kill_installs(count: int, *, packages: int = 24, size: int = 2_000_000, seed: int | None = None) -> str:
    """Kill this many installs; gives a line that says what they had come to."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="wpm-kill-") as name:
        folder = Path(name)
        project = prepare(folder, packages, size)
        store = Store(folder / "store")
        began = time.monotonic()
        assert start(folder, store).wait() == 0
        usual = time.monotonic() - began
        killed = abandoned = partial = finished = 0
        for _ in range(count):
            # A third begins with nothing, a third with packages and no lock, a third goes on where the last one ended.
            match chance.randrange(3):
                case 0:
                    shutil.rmtree(store.root, ignore_errors=True)
                    (project / "wasmer.lock").unlink(missing_ok=True)
                case 1:
                    (project / "wasmer.lock").unlink(missing_ok=True)
                    for path in list(store.objects())[:: chance.randint(1, 3)]:
                        path.unlink()
            child = start(folder, store)
            time.sleep(chance.uniform(0, 1.1) * usual)
            killed += child.poll() is None
            finished += child.poll() is not None
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            check(folder, store)
            abandoned += len(store.abandoned())
            partial += 0 < verify_store(store).sound < packages
        assert start(folder, store).wait() == 0
        check(folder, store)
        report = verify_store(store)
        assert report.sound == packages
        assert not report.abandoned
        assert read_lock(project / "wasmer.lock") is not None
        return (
            f"{killed} killed, {finished} had finished; {partial} stores were incomplete, "
            f"{abandoned} unfinished files seen; all sound, the next install succeeded ({usual:.2f} s each)"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    print(kill_installs(options.count, seed=options.seed))
