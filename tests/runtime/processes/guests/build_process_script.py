"""Builds the guests of these tests: `process_script.wasm` out of the C file beside it.

pip install ziglang; npm install binaryen
python tests/runtime/processes/guests/build_process_script.py path/to/wasm-opt
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def native(target: Path) -> None:
    """Build the program for this machine."""
    source = FOLDER / "process_script.c"
    subprocess.run([sys.executable, "-m", "ziglang", "cc", "-O1", "-o", str(target), str(source)], check=True)


def guest(optimizer: str) -> None:
    """Build the program for WASIX, and let it be unwound."""
    source, target = FOLDER / "process_script.c", FOLDER / "process_script.wasm"
    options = [
        "-target",
        "wasm32-wasi",
        "-Os",
        "-s",
        "-Wall",
        "-Wl,-z,stack-size=65536",
        "-Wl,--export=__stack_pointer",
    ]
    subprocess.run([sys.executable, "-m", "ziglang", "cc", *options, "-o", str(target), str(source)], check=True)
    features = [
        "--enable-bulk-memory",
        "--enable-sign-ext",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
    ]
    asyncify = ["--asyncify", "--pass-arg=asyncify-imports@wasix_32v1.proc_fork", "-O2"]
    subprocess.run([optimizer, *features, *asyncify, "-o", str(target), str(target)], check=True)
    target.chmod(0o644)


if __name__ == "__main__":
    guest(*sys.argv[1:])
