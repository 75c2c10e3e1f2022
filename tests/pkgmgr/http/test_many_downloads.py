"""Many processes that want the same packages: each comes once, whoever dies."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import faults
import pytest
from faults import FaultServer
from make_packages import write_package, write_project

from pkgmgr.http.client import HttpClient
from pkgmgr.http.retry import Patience
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

ROOT = Path(__file__).parents[3]
ROUNDS = int(os.environ.get("WPM_TEST_KILLS", "4"))
QUICK = Patience(tries=3, connect=5.0, stall=5.0, pause=0.01)
DOWNLOAD = """
import sys
from pathlib import Path
from pkgmgr.http.client import HttpClient
from pkgmgr.store import Store
HttpClient().download(sys.argv[1], Store(Path(sys.argv[2])), *sys.argv[3:])
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def environment(store: Store) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(store.root)}


def leisurely(talk: faults.Conversation) -> None:
    """Long enough for all to come while it lasts."""
    data = talk.data
    talk.send_response(200)
    talk.send_header("Content-Length", str(len(data)))
    talk.end_headers()
    for start in range(0, len(data), 1 + len(data) // 10):
        talk.wfile.write(data[start : start + 1 + len(data) // 10])
        time.sleep(0.1)


def unevenly(talk: faults.Conversation) -> None:
    """In pieces, as a range if one is asked for, and sometimes not to its end."""
    data, start = talk.data, int(talk.headers.get("Range", "bytes=0-")[6:-1])
    talk.send_response(206 if start else 200)
    talk.send_header("Content-Length", str(len(data) - start))
    talk.send_header("ETag", faults.etag(data))
    if start:
        talk.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    talk.end_headers()
    while start < len(data):
        piece = random.randrange(1, 100_000)
        talk.wfile.write(data[start : start + piece])
        start += piece
        time.sleep(0.02)
        if random.random() < 0.03:
            return talk.hang_up()
    return None


@pytest.mark.parametrize(("locked", "count"), [(True, 20), (False, 4)])
def test_twenty_installs_download_each_package_once(
    tmp_path: Path, server: FaultServer, store: Store, locked: bool, count: int
) -> None:
    names = ["a", "b", "c"]
    for name in names:
        package = write_package(tmp_path / f"{name}.webc", f"acme/{name}", "1.0.0", files={"x": name.encode() * 90_000})
        server.files[f"/{name}.webc"] = package.read_bytes()
    project = write_project(tmp_path / "p", {f"acme/{name}": f"{server.url}/{name}.webc" for name in names})
    command = [sys.executable, "-m", "pkgmgr.cli.main", "install", "--no-compile"]
    if locked:
        subprocess.run(command, cwd=project, env=environment(store), check=True, capture_output=True)
        store.clean()
        server.asked.clear()
        command.append("--locked")
    server.always = dict.fromkeys(server.files, leisurely)
    running = [
        subprocess.Popen(
            command, cwd=project, env=environment(store), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    said = "".join(child.communicate()[1] for child in running)
    assert [child.returncode for child in running] == [0] * count, said
    lines = Counter(line.split(" (")[0] for line in said.splitlines())
    if locked:
        assert Counter(asked.path for asked in server.asked) == Counter({f"/{name}.webc": 1 for name in names})
        assert {line: often for line, often in lines.items() if line.startswith("fetched")} == {
            f"fetched acme/{name}@1.0.0": 1 for name in names
        }
    else:
        # Nobody can know that a URL says the same as a minute ago; only those who come while it is fetched share it.
        assert max(Counter(asked.path for asked in server.asked).values()) <= count
    report = verify_store(store)
    assert report.clean
    assert report.sound == 3
    assert not list((store.root / "tmp").iterdir())


@pytest.mark.parametrize("known", [True, False])
def test_threads_share_a_download(server: FaultServer, store: Store, known: bool) -> None:
    data = os.urandom(200_000)
    server.files["/x"] = data
    server.always["/x"] = leisurely
    digest = hashlib.sha256(data).hexdigest()
    client = HttpClient(patience=QUICK)
    found: list[str] = []

    def work() -> None:
        found.append(client.download(f"{server.url}/x", store, digest if known else None).sha256)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert found == [digest] * 5
    assert len(server.asked) == 1
    assert not list((store.root / "tmp").iterdir())


@pytest.mark.parametrize("known", [True, False])
def test_who_waits_takes_over_from_one_who_dies(server: FaultServer, store: Store, known: bool) -> None:
    data = os.urandom(300_000)
    digest = hashlib.sha256(data).hexdigest()
    server.files["/x"] = data
    server.faults["/x"] = [faults.stalled]
    arguments = [f"{server.url}/x", str(store.root), *([digest] if known else [])]
    first = subprocess.Popen([sys.executable, "-c", DOWNLOAD, *arguments], env=environment(store))
    while not any(path.stat().st_size == len(data) // 2 for path in (store.root / "tmp").glob("*")):
        assert first.poll() is None
        time.sleep(0.01)
    waited: list[int] = []
    client = HttpClient(patience=QUICK)

    def progress(number: int) -> None:
        waited.append(number)
        if len(waited) == 3:
            first.send_signal(signal.SIGKILL)

    stored = client.download(arguments[0], store, digest if known else None, None, progress)
    first.wait()
    assert stored.path.read_bytes() == data
    assert sum(waited) == len(data)
    assert len(server.asked) == 2
    # What the first had brought is not brought again, where it can be known that it is of the same.
    assert server.asked[1].headers.get("Range") == (f"bytes={len(data) // 2}-" if known else None)
    store.remove_abandoned()
    assert not list((store.root / "tmp").iterdir())


def test_installs_that_are_killed(tmp_path: Path, server: FaultServer, store: Store) -> None:
    """Again and again, two at a time, at any moment: never anything half, and the last one ends well."""
    chance = random.Random(3)
    names = [f"p{number}" for number in range(6)]
    for name in names:
        package = write_package(tmp_path / f"{name}.webc", f"k/{name}", "1.0.0", files={"x": os.urandom(400_000)})
        server.files[f"/{name}.webc"] = package.read_bytes()
    project = write_project(tmp_path / "p", {f"k/{name}": f"{server.url}/{name}.webc" for name in names})
    command = [sys.executable, "-m", "pkgmgr.cli.main", "install", "--no-compile", "--jobs", "3"]

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command, cwd=project, env=environment(store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    assert start().wait() == 0
    command.append("--locked")
    server.always = dict.fromkeys(server.files, unevenly)
    for round_ in range(ROUNDS):
        if round_ % 2 == 0:
            store.clean()
        running = [start(), start()]
        time.sleep(chance.uniform(0.2, 1.2))
        for child in running:
            child.kill()
            child.wait()
        assert verify_store(store).clean
    survivor, victim = start(), start()
    time.sleep(0.4)
    victim.kill()
    assert [survivor.wait(), victim.wait()][0] == 0
    assert start().wait() == 0
    report = verify_store(store)
    assert report.clean
    assert report.sound == len(names)
    store.remove_abandoned()
    assert not list((store.root / "tmp").iterdir())


def test_what_somebody_left_need_not_be_right(server: FaultServer, store: Store) -> None:
    data = os.urandom(100_000)
    digest = hashlib.sha256(data).hexdigest()
    server.files["/x"] = data
    client = HttpClient(patience=QUICK)
    other = data[:-1] + bytes([data[-1] ^ 1])
    for left in (b"junk", data[:50_000], other, data + b"!", b"?" * 300_000, data):
        store.resumable(digest).write_bytes(left)
        seen: list[int] = []
        stored = client.download(f"{server.url}/x", store, digest, len(data), seen.append)
        assert stored.path.read_bytes() == data
        assert sum(seen) == len(data)
        assert not list((store.root / "tmp").iterdir())
        stored.path.unlink()
    assert len(server.asked) == 6
    store.resumable(digest).write_bytes(data)
    assert client.download(f"{server.url}/x", store, digest).path.read_bytes() == data
    assert len(server.asked) == 6


def test_only_much_is_kept_of_a_failed_download(server: FaultServer, store: Store) -> None:
    data = os.urandom(1 << 20) * 20
    digest = hashlib.sha256(data).hexdigest()
    server.files["/x"] = data

    def breaks(talk: faults.Conversation) -> None:
        if "Range" in talk.headers:
            talk.reply(503, {"Content-Length": "0"})
        else:
            faults.truncated(talk)

    server.always["/x"] = breaks
    client = HttpClient(patience=QUICK)
    with pytest.raises(Exception, match="503"):
        client.download(f"{server.url}/x", store, digest, len(data))
    assert store.resumable(digest).stat().st_size >= len(data) // 2 - (1 << 20)
    assert verify_store(store).clean
    assert not store.abandoned()
    store.remove_abandoned()
    assert store.resumable(digest).exists()
    server.always.clear()
    assert client.download(f"{server.url}/x", store, digest, len(data)).path.read_bytes() == data
    assert "Range" in server.asked[-1].headers
    assert not list((store.root / "tmp").iterdir())
    store.resumable(digest).write_bytes(b"old")
    os.utime(store.resumable(digest), (0, 0))
    assert store.abandoned() == [store.resumable(digest)]
    store.remove_abandoned()
    assert not store.resumable(digest).exists()


def test_a_link_is_not_written_through(server: FaultServer, store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    server.files["/x"] = b"x"
    store.resumable("0" * 64).symlink_to(tmp_path / "mine")
    with pytest.raises(OSError, match=r"symbolic|links"):
        HttpClient(patience=QUICK).download(f"{server.url}/x", store, "0" * 64)
    assert (tmp_path / "mine").read_bytes() == b"mine"
