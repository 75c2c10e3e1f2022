"""Unpacked layers in the store: used again while they are what they were, and gone when nobody used them for long."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typed import output

from pkgmgr.errors import NotAsPromised, WpmError
from pkgmgr.store import Store
from pkgmgr.store.layers import UnpackedLayers
from pkgmgr.store.prune import prune_store

PACKED = hashlib.sha256(b"packed").hexdigest()
DAY = 24 * 3600


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def pieces(*given: bytes) -> Iterator[bytes]:
    yield from given


def never() -> Iterator[bytes]:
    raise AssertionError("unpacked again")


def test_it_is_unpacked_once(store: Store) -> None:
    layers = UnpackedLayers(store)
    first = layers.unpacked(PACKED, lambda: pieces(b"one", b"two"))
    assert first.path.read_bytes() == b"onetwo"
    assert first.sha256 == hashlib.sha256(b"onetwo").hexdigest()
    assert first.path.stat().st_mode & 0o777 == 0o400
    assert layers.unpacked(PACKED, never) == first
    assert layers.unpacked(PACKED, never, first.sha256) == first


def test_what_was_changed_is_unpacked_again(store: Store) -> None:
    layers = UnpackedLayers(store)
    first = layers.unpacked(PACKED, lambda: pieces(b"one"))
    first.path.chmod(0o600)
    first.path.write_bytes(b"two")
    assert layers.unpacked(PACKED, lambda: pieces(b"one")).path.read_bytes() == b"one"
    first.path.unlink()
    target = store.root / "evil"
    target.write_bytes(b"one")
    first.path.symlink_to(target)
    again = layers.unpacked(PACKED, lambda: pieces(b"one"))
    assert again.path.read_bytes() == b"one"
    assert not again.path.is_symlink()


def test_nothing_stays_of_what_was_not_promised(store: Store) -> None:
    layers = UnpackedLayers(store)
    with pytest.raises(NotAsPromised, match="do not trust its source"):
        layers.unpacked(PACKED, lambda: pieces(b"x"), "0" * 64)

    def damaged() -> Iterator[bytes]:
        yield b"x"
        raise WpmError("damaged")

    with pytest.raises(WpmError, match="damaged"):
        layers.unpacked(PACKED, damaged)
    with pytest.raises(WpmError, match="not a sha256"):
        layers.unpacked("../x", lambda: pieces(b"x"))
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_the_same_blob_with_other_contents_is_not_used(store: Store) -> None:
    layers = UnpackedLayers(store)
    one = layers.unpacked(PACKED, lambda: pieces(b"one"))
    other = layers.unpacked(PACKED, lambda: pieces(b"two"), hashlib.sha256(b"two").hexdigest())
    assert (one.path.read_bytes(), other.path.read_bytes()) == (b"one", b"two")


def test_prune_removes_what_was_not_used(store: Store) -> None:
    layers = UnpackedLayers(store)
    old = layers.unpacked(PACKED, lambda: pieces(b"old"))
    new = layers.unpacked(hashlib.sha256(b"other").hexdigest(), lambda: pieces(b"new!"))
    before = time.time() - 9 * DAY
    os.utime(old.path, ns=(0, int(before) * 10**9 + old.path.stat().st_mtime_ns % 10**9))
    told = prune_store(store, 7, (), dry_run=True)
    assert (told.layers, told.layer_bytes, old.path.exists()) == (1, 3, True)
    assert prune_store(store, 10, ()).layers == 0
    report = prune_store(store, 7, ())
    assert (report.layers, report.layer_bytes, report.freed_bytes) == (1, 3, 3)
    assert not old.path.parent.exists()
    assert new.path.exists()


def test_using_it_keeps_it(store: Store) -> None:
    layers = UnpackedLayers(store)
    old = layers.unpacked(PACKED, lambda: pieces(b"old"))
    moment = int(time.time() - 9 * DAY) * 10**9 + old.path.stat().st_mtime_ns % 10**9
    os.utime(old.path, ns=(moment, moment))
    layers.unpacked(PACKED, never)
    assert prune_store(store, 7, ()).layers == 0


def test_it_is_shown_and_cleaned(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    UnpackedLayers(store).unpacked(PACKED, lambda: pieces(b"x" * 2048))
    env = {"WPM_CACHE_DIR": str(store.root)}
    assert json.loads(output("cache", "info", "--json", env=env))["layer_bytes"] == 2048
    assert "layers:    2.0 KiB (of images)" in output("cache", "info", env=env)
    output("cache", "clean", env=env)
    assert json.loads(output("cache", "info", "--json", env=env))["layer_bytes"] == 0
