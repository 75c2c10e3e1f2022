"""Builds the guest of the tests of forks within handlers, which asyncify has to transform.

pip install ziglang; npm install --prefix FOLDER binaryen
python tests/guests/handlers/build.py FOLDER/node_modules/.bin/wasm-opt
"""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
SOURCE, TARGET = FOLDER / "handlers.c", FOLDER / "handlers.wasm"
COMPILER = [sys.executable, "-m", "ziglang", "cc"]
IMPORTS = ",".join(f"wasix_32v1.{name}" for name in ("proc_fork", "stack_checkpoint"))


def native(target: Path) -> None:
    """Build the program for this machine, to see what it has to do."""
    subprocess.run([*COMPILER, "-O1", "-o", str(target), str(SOURCE)], check=True)


def guest(wasm_opt: str) -> None:
    """Build the program for WASIX, and let it be unwound."""
    options = [
        "-target",
        "wasm32-wasi",
        "-Os",
        "-s",
        "-Wall",
        "-Wl,-z,stack-size=65536",
        "-Wl,--export=__stack_pointer",
    ]
    subprocess.run([*COMPILER, *options, "-o", str(TARGET), str(SOURCE)], check=True)
    features = ["bulk-memory", "sign-ext", "mutable-globals", "nontrapping-float-to-int"]
    transform = [*(f"--enable-{name}" for name in features), "--asyncify", f"--pass-arg=asyncify-imports@{IMPORTS}"]
    subprocess.run([wasm_opt, *transform, "-O2", "-o", str(TARGET), str(TARGET)], check=True)
    TARGET.chmod(0o644)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    guest(sys.argv[1])
