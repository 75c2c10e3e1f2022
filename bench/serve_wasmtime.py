"""Serves one work of `warm_works` with the WASI that wasmtime itself has, in its own code: what a host in Python cannot
be faster than.

Arguments: the work, and the JSON of where the materials are. Every line of its input is answered with the seconds and
the seconds on processors of one round.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from wasmtime import Config, Engine, ExitTrap, Func, Linker, Module, Store, WasiConfig
from works.warm_works import WARM_WORKS, WarmWork

GUESTS = Path(__file__).parent / "guests"


def serve(work: WarmWork, places: dict[str, str], folder: Path) -> None:
    """Serve until the input ends."""
    engine = Engine(Config())
    file = Path(places["python_module"]) if "python_module" in places else GUESTS / f"{work.command}.wasm"
    module = Module.from_file(engine, str(file))
    linker = Linker(engine)
    linker.define_wasi()
    if "numbers" in places:
        (folder / "data").mkdir()
        (folder / "data" / "numbers.bin").write_bytes(Path(places["numbers"]).read_bytes())
    written = folder / "stdout"
    for _ in sys.stdin:
        begin, processor = time.perf_counter(), time.process_time()
        for _ in range(work.times):
            wasi = WasiConfig()
            wasi.argv = [work.command, *work.arguments]
            wasi.stdout_file = str(written)
            wasi.preopen_dir(str(folder), "/")
            store = Store(engine)
            store.set_wasi(wasi)
            instance = linker.instantiate(store, module)
            code = 0
            try:
                start = instance.exports(store)["_start"]
                assert isinstance(start, Func)
                start(store)
            except ExitTrap as ended:
                code = ended.code
            del store
        seconds, processor = time.perf_counter() - begin, time.process_time() - processor
        work.check(code, written.read_bytes(), b"")
        print(seconds, processor, flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="wpm-bench-") as name:
        serve(WARM_WORKS[sys.argv[1]], json.loads(sys.argv[2]), Path(name))
