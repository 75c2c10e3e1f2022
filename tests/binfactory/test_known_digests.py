"""A file that was hashed is known again while nobody has written to it, and only then."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from binfactory import known_digests
from binfactory.artifacts import ArtifactStore
from binfactory.known_digests import SUFFIX, KnownDigests

if TYPE_CHECKING:
    from pathlib import Path

NOBODY_READS = memoryview(b"what is not read")


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # As if every file had been written long ago.
    monkeypatch.setattr(known_digests, "_SETTLED", -(10**12))
    folder = tmp_path / "modules"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"contents")
    return path


def hashed(notes: Path, file: Path, part: str = "atom") -> str:
    return KnownDigests(notes).sha256(file.stat(), part, memoryview(file.read_bytes()))


def remembered(notes: Path, file: Path, part: str = "atom") -> bool:
    digest = KnownDigests(notes).sha256(file.stat(), part, NOBODY_READS)
    return digest == sha256(file.read_bytes()).hexdigest()


def test_it_is_known_again_and_each_part_by_its_name(notes: Path, file: Path) -> None:
    for part in ("atom", "other", "with space", "ünïcode"):
        assert hashed(notes, file, part) == sha256(b"contents").hexdigest()
    assert all(remembered(notes, file, part) for part in ("atom", "other", "with space", "ünïcode"))
    assert not remembered(notes, file, "third")
    assert len(list(notes.iterdir())) == 1


def test_a_write_is_seen_though_the_time_of_it_is_set_back(notes: Path, file: Path) -> None:
    hashed(notes, file)
    before = file.stat()
    time.sleep(0.02)
    file.write_bytes(b"CONTENTS")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not remembered(notes, file)
    assert KnownDigests(notes).sha256(file.stat(), "second", NOBODY_READS) == sha256(NOBODY_READS).hexdigest()


def test_a_file_in_its_place_is_another(notes: Path, file: Path) -> None:
    hashed(notes, file)
    other = file.with_name("new")
    other.write_bytes(b"contents")
    other.replace(file)
    assert not remembered(notes, file)


def test_what_was_written_just_now_is_hashed_each_time(
    notes: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    hashed(notes, file)
    assert not list(notes.iterdir()) and not remembered(notes, file)


def test_where_nothing_can_be_kept_it_is_hashed(notes: Path, file: Path) -> None:
    notes.rmdir()
    assert hashed(notes, file) == sha256(b"contents").hexdigest()
    assert KnownDigests(notes).sha256(None, "atom", NOBODY_READS) == sha256(NOBODY_READS).hexdigest()


@pytest.mark.parametrize("harm", ["others", "link", "damage", "empty", "folder"])
def test_a_note_that_is_not_as_it_was_written_is_not_believed(notes: Path, file: Path, harm: str) -> None:
    hashed(notes, file)
    (note,) = notes.iterdir()
    match harm:
        case "others":
            note.chmod(0o620)
        case "link":
            note.rename(note.with_name("elsewhere"))
            note.symlink_to("elsewhere")
        case "damage":
            note.write_bytes(note.read_bytes().replace(b"atom", b"mota").replace(b"\n", b"\n\xff\n"))
        case "empty":
            note.write_bytes(b"")
        case "folder":
            note.unlink()
            note.mkdir()
    assert not remembered(notes, file)


def test_names_that_a_note_cannot_have_are_not_kept(notes: Path, file: Path) -> None:
    for part in ("a\nb", "\udc80", "x" * 100_000):
        assert hashed(notes, file, part) == sha256(b"contents").hexdigest()
        assert not remembered(notes, file, part)


def test_pruning_takes_old_notes_along(notes: Path, file: Path) -> None:
    hashed(notes, file)
    store = ArtifactStore(notes)
    assert store.prune((), unknown_before=time.time() - 60) == (0, 0)
    assert list(notes.glob(f"*{SUFFIX}"))
    assert store.prune((), unknown_before=time.time() + 60, dry_run=True) == (0, 0)
    assert list(notes.glob(f"*{SUFFIX}"))
    store.prune((), unknown_before=time.time() + 60)
    assert not list(notes.iterdir())
