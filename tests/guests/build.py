"""Builds the guest programs of the tests: every C file here becomes a `.wasm` beside it.

pip install ziglang
python tests/guests/build.py
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def build(source: Path) -> None:
    """Compile one program for WASI preview 1."""
    target = source.with_suffix(".wasm")
    options = ["-target", "wasm32-wasi", "-Os", "-s", "-Wall", "-UNDEBUG", "-Wl,-z,stack-size=1048576"]
    command = [sys.executable, "-m", "ziglang", "cc", *options, "-o", str(target), str(source)]
    subprocess.run(command, check=True)
    print(f"{target.name}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    for source in sorted(FOLDER.glob("*.c")):
        build(source)
