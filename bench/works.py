"""What is measured: command lines for `wpm` and for the SDK that do the same work on the same packages."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from measure import Command, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT: Final = Path(__file__).parents[1]
PACKAGES: Final = ROOT / "registry_fixtures" / "packages" / "wpm"
WPM: Final = [sys.executable, "-c", "from pkgmgr.cli.main import script; script()"]
"""What the installed script does."""
MANY_BYTES: Final = 50_000_000
LINE: Final = b"the quick brown fox jumps over the lazy dog again\n"
LINES: Final = LINE * 2000
MANIFEST: Final = """[package]
name = "bench/catsay"
version = "1.0.0"
description = "A published program"
entrypoint = "catsay"

[[module]]
name = "catsay"
source = "catsay.wasm"

[[command]]
name = "catsay"
module = "catsay"
runner = "wasi"
"""


class Case(NamedTuple):
    """A work, and what does it: `None` for a side that cannot."""

    title: str
    sides: dict[str, Command | None]


def make_cases(folder: Path, peer: Path | None) -> Iterator[Case]:
    """The cases; what they need is made in the folder."""
    # Bytecode is kept, as it is on the machine of whoever installed either.
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "WPM_"))}
    ours = {**bare, "PYTHONPATH": str(ROOT), "WPM_CACHE_DIR": str(folder / "store")}

    def wpm(expected: bytes, *words: str | Path) -> Command:
        return Command([*WPM, *map(str, words)], folder, ours, expected)

    def sdk(expected: bytes, *words: str | Path) -> Command | None:
        if peer is None:
            return None
        script = [str(peer), str(Path(__file__).with_name("peer_run.py")), str(folder / "peer-cache")]
        return Command([*script, *map(str, words)], folder, bare, expected)

    catsay = _catsay(folder, ours)
    if catsay is not None:
        yield Case(
            "run a small command, cached: catsay hello",
            {
                "wpm": wpm(b"< hello >", "run", catsay, "hello"),
                "wasmer-sdk": sdk(b"< hello >", catsay, "catsay", "-", "hello"),
            },
        )
    hello = PACKAGES / "hello" / "2.0.0.webc"
    yield Case(
        "run a small command, cached: hello, from the file",
        {
            "wpm": wpm(b"Hello, you!", "run", hello, "you"),
            "wasmer-sdk": sdk(b"Hello, you!", hello, "hello", "-", "you"),
        },
    )
    yield Case(
        "run a small command, cached: hello, by its name",
        {"wpm": wpm(b"Hello, you!", "run", "wpm/hello", "you")},
    )
    coreutils = PACKAGES / "coreutils" / "1.0.0.webc"
    big = folder / "big.txt"
    with big.open("wb") as file:
        # Piece by piece: a child's peak of memory is never less than what its parent's was.
        for _ in range(MANY_BYTES // len(LINES)):
            file.write(LINES)
    counted = f"{MANY_BYTES // len(LINES) * LINES.count(LINE)} ".encode()
    yield Case(
        f"wc of a file of {MANY_BYTES // 10**6} MB",
        {
            "wpm": wpm(counted, "run", "--volume", f"{folder}:/work:ro", coreutils, "-e", "wc", "/work/big.txt"),
            "wasmer-sdk": sdk(counted, coreutils, "wc", big, "/workspace/big.txt"),
        },
    )
    project = folder / "project"
    project.mkdir()
    shutil.copyfile(ROOT / "wasmer.toml", project / "wasmer.toml")
    run(wpm(b"installed", "install", "--project", project))
    yield Case(
        "install a project that is locked and installed",
        {"wpm": wpm(b"nothing to do", "install", "--locked", "--project", project)},
    )


def _catsay(folder: Path, environment: Mapping[str, str]) -> Path | None:
    """A program that somebody else published, packed; None where the conformance folder is not here."""
    conformance = Path(os.environ.get("WPM_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    module = conformance / "wasm" / "catsay.wasm"
    if not module.is_file():
        return None
    source = folder / "catsay"
    source.mkdir()
    (source / "wasmer.toml").write_text(MANIFEST)
    shutil.copyfile(module, source / "catsay.wasm")
    package = folder / "catsay.webc"
    run(Command([*WPM, "build", str(source), "-o", str(package)], folder, environment, b"sha256"))
    return package
