"""Works of whole processes: B1, B2, B10, B11 and B12."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Final

from materials import PACKED_FILES, PACKED_SIZE

from works.rows import OURS, THEIRS, Row, Work
from works.setting import Setting, present

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from measure import Side

GUESTS: Final = 100
"""How many guests are idle."""
_PRINT: Final = ("-c", "print(1)")
_IDLE: Final = f"{GUESTS} alive\n".encode()


def process_works(setting: Setting) -> Iterator[Work]:
    """All of them."""
    yield _cached(setting, "B1", "catsay hello", "catsay", ("hello",), b"< hello >", (0.9, 0.5), "import wasmtime")
    yield _cached(setting, "B2", "CPython 3.12: print(1)", "python", _PRINT, b"1\n", (0.5, 0.5), "")
    yield _first(setting, "B10.2MB", "QuickJS, 2.4 MB", "qjs", ("-e", "console.log(1)"), b"1\n")
    yield _first(setting, "B10.26MB", "CPython 3.12, 26 MB", "python", _PRINT, b"1\n")
    yield _idle(setting)
    yield _listing(setting)
    yield _unpacking(setting)


def hello(setting: Setting) -> Callable[[], Side]:
    """The smallest whole process, of what the embedded registry has."""
    places, _ = setting.places("hello")
    return setting.wpm(b"Hello, you!", "run", places["hello"], "you")


def _cached(
    setting: Setting,
    name: str,
    title: str,
    package: str,
    arguments: tuple[str, ...],
    expected: bytes,
    aims: tuple[float, float],
    floor: str,
) -> Work:
    rows = (
        Row(name, f"whole process, cached: {title}", aims[0]),
        Row(f"B11.{package}", f"peak memory of {name}", aims[1], "memory", unit="process"),
    )
    places, missing = setting.places(package)
    if missing:
        return Work(rows, {}, missing=missing)
    file = places[package]
    sides = {
        OURS: setting.wpm(expected, "run", file, "--", *arguments),
        THEIRS: setting.peer_script(expected, "peer_run.py", setting.peer_cache, file, package, "-", *arguments),
    }
    if floor:
        sides[f"python -c '{floor}'"] = setting.process(b"", [sys.executable, "-c", floor], setting.ours)
    return Work(rows, present(sides), warm_up=2)


def _first(setting: Setting, name: str, title: str, package: str, arguments: tuple[str, ...], expected: bytes) -> Work:
    """Each round starts with an empty cache."""
    rows = (Row(name, f"first run of a package: {title}", 1.0),)
    places, missing = setting.places(package)
    if missing:
        return Work(rows, {}, missing=missing)
    file = places[package]
    ours, theirs = setting.folder / "cold-store", setting.folder / "cold-peer"
    sides = {
        OURS: setting.wpm(expected, "run", file, "--", *arguments, store=ours.name, prepare=_without(ours)),
        THEIRS: setting.peer_script(
            expected, "peer_run.py", theirs, file, package, "-", *arguments, prepare=_without(theirs)
        ),
    }
    return Work(rows, present(sides), rounds=0.4, warm_up=0)


def _idle(setting: Setting) -> Work:
    note = "guests that wait for standard input, each started by the sandbox's `spawn`"
    rows = (
        Row(
            "B11.idle", f"peak memory of a process with {GUESTS} idle guests", 0.5, "memory", unit="process", note=note
        ),
        Row("B11.each", f"what {GUESTS} idle guests add to its memory", None, "printed", unit="process"),
    )
    places, _ = setting.places("coreutils")
    file = places["coreutils"]
    sides = {
        OURS: setting.our_script(_IDLE, "idle_ours.py", file, str(GUESTS)),
        THEIRS: setting.peer_script(_IDLE, "idle_peer.py", setting.peer_cache, file, str(GUESTS)),
    }
    return Work(rows, present(sides), rounds=0.6)


def _listing(setting: Setting) -> Work:
    size = PACKED_FILES * PACKED_SIZE // 10**6
    row = Row("B12.first", f"open a WEBC of {size} MB and list its commands, whole process, never seen before", 0.5)
    places, _ = setting.places("packed")
    ours, theirs = setting.folder / "cold-store", setting.folder / "cold-peer"
    sides = {
        OURS: setting.our_script(
            b"host_calls", "list_ours.py", places["packed"], store=ours.name, prepare=_without(ours)
        ),
        THEIRS: setting.peer_script(b"host_calls", "list_peer.py", theirs, places["packed"], prepare=_without(theirs)),
    }
    return Work((row,), present(sides), rounds=0.6)


def _unpacking(setting: Setting) -> Work:
    size = PACKED_FILES * PACKED_SIZE // 10**6
    note = "the SDK does not unpack: a guest copies the files to the workspace, from where each is read and written"
    row = Row("B12.unpack", f"unpack a WEBC of {size} MB with {PACKED_FILES:,} files", 0.5, note=note)
    places, _ = setting.places("packed", "packed_tar", "coreutils")
    out, copied = setting.folder / "unpacked", setting.folder / "untarred"
    sides = {
        OURS: setting.wpm(b"", "unpack", places["packed"], "-o", out, prepare=_without(out)),
        THEIRS: setting.peer_script(
            f"{PACKED_FILES} files".encode(),
            "unpack_peer.py",
            setting.peer_cache,
            places["packed"],
            places["coreutils"],
            "/packed",
            out,
            prepare=_without(out),
        ),
        "tar": setting.process(
            b"", ["tar", "-x", "-f", places["packed_tar"], "-C", str(copied)], prepare=_empty(copied)
        ),
    }
    return Work((row,), present(sides), rounds=0.6)


def _without(path: Path) -> Callable[[], None]:
    def remove() -> None:
        shutil.rmtree(path, ignore_errors=True)

    return remove


def _empty(path: Path) -> Callable[[], None]:
    def empty() -> None:
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()

    return empty
