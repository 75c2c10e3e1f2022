"""How long one lookup in an overlay takes: `python bench/overlay_lookup.py LAYERS FILES` prints seconds."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

NAMES: Final = 1000
"""How many names are looked up at the most."""
ROUNDS: Final = 5


def lookup_seconds(layers: int, files: int) -> float:
    """Measure in a process of its own, with the code of this repository."""
    root = str(Path(__file__).resolve().parents[1])
    words = [sys.executable, __file__, str(layers), str(files)]
    return float(subprocess.check_output(words, env={"PYTHONPATH": root, "PATH": ""}))


def main(layers: int, files: int) -> None:
    """Lay directories of files over one another, all of them in one merged directory, and look for what is there."""
    from runtime.fs.overlay import OverlayFileSystem
    from runtime.fs.readonly import ReadOnlyFileSystem
    from runtime.fs.static_tree import StaticDirectory, StaticFile
    from runtime.fs.tmpfs import TmpFileSystem
    from runtime.fs.walk import top, walk

    each = max(1, files // layers)
    empty = StaticFile(b"")
    lowers = [
        ReadOnlyFileSystem(
            StaticDirectory({"lib": StaticDirectory({f"file{layer}.{number}": empty for number in range(each)})})
        )
        for layer in range(layers)
    ]
    # Names of all layers, the last ones too, which are looked for in all the others first.
    names = [f"lib/file{number % layers}.{number // layers % each}" for number in range(layers * each)]
    names = names[:: max(1, len(names) // NAMES)]
    taken = []
    for _ in range(ROUNDS):
        root = top(OverlayFileSystem(TmpFileSystem(), lowers))
        begin = time.perf_counter()
        for name in names:
            assert walk(root, root, name, follow=True).node is not None
        taken.append((time.perf_counter() - begin) / len(names))
    print(statistics.median(taken))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
