"""Builds the guest of the tests of checkpoints, which asyncify has to transform.

pip install ziglang; npm install --prefix FOLDER binaryen
python tests/guests/checkpoints/build.py FOLDER/node_modules/.bin/wasm-opt
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
TARGET = FOLDER / "checkpoints.wasm"
IMPORTS = ("stack_checkpoint", "proc_fork")


def build(wasm_opt: str) -> None:
    """Compile for a memory that threads share, and transform."""
    machine = ["-target", "wasm32-freestanding", "-mcpu=generic+atomics+bulk_memory+mutable_globals"]
    options = [*machine, "-Os", "-s", "-Wall", "-nostdlib", "-Wno-dangling-else"]
    memory = ["--import-memory", "--shared-memory", "--max-memory=16777216", "-z", "stack-size=262144"]
    linked = [*memory, "--entry=_start", "--export=__stack_pointer"]
    sources = [str(FOLDER / name) for name in ("checkpoints.c", "thread.s")]
    compiler = [sys.executable, "-m", "ziglang", "cc"]
    subprocess.run([*compiler, *options, f"-Wl,{','.join(linked)}", "-o", TARGET, *sources], check=True)
    imports = ",".join(f"wasix_32v1.{name}" for name in IMPORTS)
    features = ["--enable-threads", "--enable-bulk-memory", "--enable-mutable-globals"]
    transform = ["--asyncify", f"--pass-arg=asyncify-imports@{imports}", "-O1"]
    subprocess.run([wasm_opt, *features, *transform, TARGET, "-o", TARGET], check=True)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    build(sys.argv[1])
