"""`wpm` as it is typed: a process of its own, whose standard streams are its own; and small guests to run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wasmtime import wat2wasm

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "pkgmgr.cli.main"]
_NOT_OURS = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "WPM_REGISTRY")

GUESTS = {
    "trap": """(module (memory (export "memory") 1)
        (func $deepest unreachable)
        (func $middle call $deepest)
        (func (export "_start") call $middle))""",
    "spin": '(module (memory (export "memory") 1) (func (export "_start") (loop $again br $again)))',
    "exit": """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit (i32.const 42))))""",
    "grow": """(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (call $exit (i32.eq (memory.grow (i32.const 63)) (i32.const -1)))))""",
}


def environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables of a `wpm` that is under test."""
    kept = {name: value for name, value in os.environ.items() if name not in _NOT_OURS}
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", **(changes or {})}


def wpm(
    *words: str | Path, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `wpm` to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, words)], input=stdin, capture_output=True, cwd=cwd, env=environment(env), timeout=60
    )


def output(
    *words: str | Path, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """What a `wpm` that succeeds and complains of nothing writes."""
    done = wpm(*words, stdin=stdin, cwd=cwd, env=env)
    assert (done.returncode, done.stderr) == (0, b""), done
    return done.stdout.decode()


def guest(folder: Path, name: str) -> Path:
    """Write one of the guests; its file."""
    path = folder / f"{name}.wasm"
    path.write_bytes(bytes(wat2wasm(GUESTS[name])))
    return path
