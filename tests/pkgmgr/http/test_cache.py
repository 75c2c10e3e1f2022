"""The metadata cache: what is put there is there, and whatever is wrong with it is as if nothing were."""

from __future__ import annotations

import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pkgmgr.http.cache import MetadataCache

ROOT = Path(__file__).parents[3]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture
def cache(tmp_path: Path) -> MetadataCache:
    return MetadataCache(tmp_path / "metadata")


def test_what_is_put_is_there(cache: MetadataCache, tmp_path: Path) -> None:
    assert cache.get("a") is None
    assert not (tmp_path / "metadata").exists()
    cache.put("a", {"versions": ["1.0.0"]}, '"1"', 60.0)
    cache.put("b", [1], None, None)
    again = MetadataCache(tmp_path / "metadata")
    found = again.get("a")
    assert found is not None
    assert found.value == {"versions": ["1.0.0"]}
    assert found.etag == '"1"'
    assert found.fresh
    assert 0 <= found.age_seconds < 60
    other = again.get("b")
    assert other is not None
    assert not other.fresh
    again.renew("b", 9.0)
    other = cache.get("b")
    assert other is not None
    assert other.fresh
    assert other.value == [1]
    again.renew("none")
    assert cache.get("none") is None
    cache.clear()
    assert cache.get("a") is None


def test_time_passes(cache: MetadataCache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put("a", 1, None, 60.0)
    import time

    now = time.time()
    monkeypatch.setattr("pkgmgr.http.cache.time.time", lambda: now + 100)
    found = cache.get("a")
    assert found is not None
    assert not found.fresh
    assert 99 <= found.age_seconds < 101
    cache.renew("a")
    found = cache.get("a")
    assert found is not None
    assert found.fresh
    monkeypatch.setattr("pkgmgr.http.cache.time.time", lambda: now - 100)
    found = cache.get("a")
    assert found is not None
    assert not found.fresh
    assert found.age_seconds == 0


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30), json_values)
def test_any_value(tmp_path_factory: pytest.TempPathFactory, key: str, value: object) -> None:
    cache = MetadataCache(tmp_path_factory.getbasetemp() / "any-metadata")
    cache.put(key, value, None, None)
    found = cache.get(key)
    cache.close()
    assert found is not None
    assert found.value == value


def test_what_json_cannot_say_is_not_kept(cache: MetadataCache) -> None:
    cache.put("a", {1, 2}, None, None)
    assert cache.get("a") is None
    cache.put("a", 1, None, None)
    assert cache.get("a") is not None


def test_large_values_are_files_and_still_there(cache: MetadataCache, tmp_path: Path) -> None:
    value = [os.urandom(20).hex() for _ in range(20_000)]
    cache.put("a", value, None, None)
    assert list((tmp_path / "metadata").rglob("*.val"))
    found = MetadataCache(tmp_path / "metadata").get("a")
    assert found is not None
    assert found.value == value
    for path in (tmp_path / "metadata").rglob("*.val"):
        path.write_bytes(path.read_bytes()[:1000])
    assert MetadataCache(tmp_path / "metadata").get("a") is None
    for path in (tmp_path / "metadata").rglob("*.val"):
        path.unlink()
    assert MetadataCache(tmp_path / "metadata").get("a") is None
    cache.put("a", value, None, None)
    assert cache.get("a") is not None


def test_it_does_not_grow_for_ever(tmp_path: Path) -> None:
    cache = MetadataCache(tmp_path / "metadata", most_bytes=2 << 20)
    for number in range(60):
        cache.put(str(number), [os.urandom(50_000).hex()], None, None)
    used = sum(path.stat().st_size for path in (tmp_path / "metadata").rglob("*") if path.is_file())
    assert used < 6 << 20
    assert cache.get("59") is not None
    assert cache.get("0") is None


def junk(folder: Path) -> None:
    (folder / "cache.db").write_bytes(b"junk" * 5000)


def empty_file(folder: Path) -> None:
    (folder / "cache.db").write_bytes(b"")


def cut_short(folder: Path) -> None:
    data = (folder / "cache.db").read_bytes()
    (folder / "cache.db").write_bytes(data[: len(data) // 2])


def another_database(folder: Path) -> None:
    (folder / "cache.db").unlink()
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute("CREATE TABLE Cache (a, b)")
        database.execute("CREATE TABLE Settings (key, value)")


def strange_settings(folder: Path) -> None:
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute("UPDATE Settings SET value = 'strange' WHERE key LIKE 'disk_%' OR key LIKE 'cull%'")
        database.execute("INSERT INTO Settings VALUES ('disk_surprise', 1)")


@pytest.mark.parametrize("damage", [junk, empty_file, cut_short, another_database, strange_settings])
def test_a_damaged_cache_is_an_empty_one(tmp_path: Path, damage: object) -> None:
    folder = tmp_path / "metadata"
    cache = MetadataCache(folder)
    cache.put("a", 1, None, None)
    cache.close()
    for path in folder.glob("cache.db-*"):
        path.unlink()
    assert callable(damage)
    damage(folder)
    cache = MetadataCache(folder)
    cache.get("a")
    cache.put("a", 2, None, None)
    found = cache.get("a")
    assert found is None or found.value == 2
    cache.renew("a")
    cache.clear()
    cache.close()
    # What cannot be used is put away, so that the next one works again.
    cache = MetadataCache(folder)
    cache.put("a", 3, None, None)
    found = cache.get("a")
    assert found is not None
    assert found.value == 3


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    folder = tmp_path / "metadata"
    cache = MetadataCache(folder)
    cache.put("a", 1, None, None)
    cache.close()
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute("UPDATE Cache SET mode = 4, value = ?", (pickle.dumps(Bomb(tmp_path / "exploded")),))
    assert MetadataCache(folder).get("a") is None
    with sqlite3.connect(folder / "cache.db") as database:
        database.execute("UPDATE Cache SET mode = 2, value = NULL, filename = '../../../../../etc/passwd'")
    assert MetadataCache(folder).get("a") is None
    assert not (tmp_path / "exploded").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "exploded")))
    assert (tmp_path / "exploded").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_cache_that_cannot_be_written_to(cache: MetadataCache, tmp_path: Path) -> None:
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata").chmod(0o555)
    cache.put("a", 1, None, None)
    assert cache.get("a") is None


def test_a_folder_where_the_file_should_be(cache: MetadataCache, tmp_path: Path) -> None:
    (tmp_path / "metadata" / "cache.db").mkdir(parents=True)
    cache.put("a", 1, None, None)
    assert cache.get("a") is None


def test_where_there_can_be_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = MetadataCache(tmp_path / "file" / "metadata")
    cache.put("a", 1, None, None)
    assert cache.get("a") is None


WRITER = """
import sys
from pathlib import Path
from pkgmgr.http.cache import MetadataCache
cache = MetadataCache(Path(sys.argv[1]))
for number in range(30):
    cache.put(f"{sys.argv[2]}-{number}", [number] * 100, None, 60.0)
    cache.put("same", int(sys.argv[2]), None, None)
    assert cache.get("same") is not None
assert all(cache.get(f"{sys.argv[2]}-{number}").value == [number] * 100 for number in range(30))
"""


def test_processes_share_it(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WRITER, str(tmp_path / "metadata")]
    running = [subprocess.Popen([*command, str(number)], env=environment) for number in range(4)]
    assert [child.wait() for child in running] == [0] * 4


def test_threads_share_it(cache: MetadataCache) -> None:
    failed: list[int] = []

    def work(name: int) -> None:
        for number in range(20):
            cache.put(f"{name}-{number}", number, None, None)
            found = cache.get(f"{name}-{number}")
            if found is None or found.value != number:
                failed.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, pkgmgr.http.cache, pkgmgr.http.client, pkgmgr.http.shared, pkgmgr.installing.fetch\n"
        "print([name for name in ('requests', 'urllib3', 'diskcache', 'sqlite3', 'rich') if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=True)
    assert done.stdout == b"[]\n"
