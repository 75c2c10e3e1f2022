"""The store: what is in it is whole, whoever writes and whoever dies."""

import hashlib
import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pkgmgr.errors import WpmError
from pkgmgr.store import Store
from pkgmgr.store.verify import verify_store

WRITER = """
import io, sys
from pathlib import Path
from pkgmgr.store import Store
store = Store(Path(sys.argv[1]))
seed = 0
print("ready", flush=True)
while True:
    store.add(io.BytesIO(bytes([seed % 7]) * 300_000))
    seed += 1
"""


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_what_is_added_is_there(store: Store) -> None:
    seen: list[int] = []
    stored = store.add(io.BytesIO(b"webc" * 1000), sha256(b"webc" * 1000), 4000, seen.append)
    assert stored.path == store.path(stored.sha256)
    assert stored.path.read_bytes() == b"webc" * 1000
    assert stored.path.stat().st_mode & 0o777 == 0o444
    assert sum(seen) == stored.size == 4000
    assert store.has(stored.sha256, 4000)
    assert not store.has(stored.sha256, 3999)
    again = store.add(io.BytesIO(b"webc" * 1000))
    assert again == stored
    assert verify_store(store).sound == 1
    assert verify_store(store).clean
    assert not list((store.root / "tmp").iterdir())


@pytest.mark.parametrize(
    ("data", "digest", "size"), [(b"x", sha256(b"y"), None), (b"xy", None, 1), (b"x", None, 2), (b"", sha256(b"x"), 1)]
)
def test_what_is_not_as_promised_is_not_kept(store: Store, data: bytes, digest: str | None, size: int | None) -> None:
    with pytest.raises(WpmError, match=r"promised|larger"):
        store.add(io.BytesIO(data), digest, size)
    assert verify_store(store).sound == 0
    assert not list((store.root / "tmp").iterdir())


def test_a_failing_stream_leaves_nothing(store: Store) -> None:
    class Failing(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, _: object) -> int:
            raise OSError("the line went dead")

    with pytest.raises(OSError, match="went dead"):
        store.add(io.BufferedReader(Failing()))
    assert not list((store.root / "tmp").iterdir())


@pytest.mark.parametrize("digest", ["", "..", "a" * 63, "A" * 64, "../" * 21 + "a", "a" * 64 + "\n"])
def test_only_hashes_are_paths(store: Store, digest: str) -> None:
    with pytest.raises(WpmError, match="not a sha256"):
        store.path(digest)


def test_verify_finds_what_is_wrong(store: Store) -> None:
    good = store.add(io.BytesIO(b"good"))
    flipped = store.add(io.BytesIO(b"flipped"))
    flipped.path.chmod(0o644)
    flipped.path.write_bytes(b"flopped")
    stranger = good.path.parent / "notes.txt"
    stranger.write_text("hello")
    link = good.path.parent / ("0" * 62 + ".webc")
    link.symlink_to(good.path)
    report = verify_store(store)
    assert report.sound == 1
    assert report.corrupt == (flipped.path,)
    assert set(report.foreign) == {stranger, link}
    assert not report.clean


def test_abandoned_files_go_and_living_ones_stay(store: Store) -> None:
    store.add(io.BytesIO(b"first"))
    dead = store.root / "tmp" / "1-dead.part"
    dead.write_bytes(b"half")
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as slow, os.fdopen(writer, "wb") as feed:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; from pathlib import Path; from pkgmgr.store import Store\n"
             "Store(Path(sys.argv[1])).add(sys.stdin.buffer)", str(store.root)],
            stdin=slow, env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        )  # fmt: skip
        feed.write(b"slowly")
        feed.flush()
        alive: list[Path] = []
        while not alive:
            assert child.poll() is None
            alive = [path for path in (store.root / "tmp").glob(f"{child.pid}-*.part") if path.stat().st_size or True]
            time.sleep(0.01)
        time.sleep(0.05)
        store.add(io.BytesIO(b"second"))
        assert not dead.exists()
        assert alive[0].exists()
    assert child.wait() == 0
    assert store.path(sha256(b"slowly")).read_bytes() == b"slowly"
    assert verify_store(store).sound == 3


def test_many_writers_some_killed(store: Store) -> None:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.root)], env=environment, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for number, writer in enumerate(writers):
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.03 * number)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
    assert verify_store(store).clean
    store.add(io.BytesIO(b"next"))
    report = verify_store(store)
    assert report.clean
    assert not report.abandoned


def test_the_users_store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WPM_CACHE_DIR", str(tmp_path / "mine"))
    assert Store.default().root == tmp_path / "mine"
    assert Store.default().info().objects == 0
    Store.default().add(io.BytesIO(b"12345"))
    assert Store.default().info().object_bytes == 5
