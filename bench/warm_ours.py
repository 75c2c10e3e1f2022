"""Serves one line a work: runs it with the library of this repository, and answers the seconds that it took."""

from __future__ import annotations

import sys
import time

from warm_works import APPLETS, COREUTILS, DASH, WORKS

from binfactory.factory import BinFactory
from binfactory.modules import ModuleCache, WasmBytes
from binfactory.programs import ModuleProgram
from binfactory.roots import sandbox_root
from binfactory.use import map_commands
from runtime.env import WasiEnvBuilder
from runtime.stdio import OutputBuffer


def main() -> None:
    """Serve until the input ends."""
    modules = ModuleCache(None)
    coreutils = WasmBytes.of(COREUTILS.read_bytes(), "coreutils")
    programs = {name: ModuleProgram(name, coreutils, modules) for name in APPLETS}
    if DASH.is_file():
        programs["dash"] = ModuleProgram("dash", WasmBytes.of(DASH.read_bytes(), "dash"), modules)
    for line in sys.stdin:
        work = WORKS[line.strip()]
        start = time.perf_counter()
        for _ in range(work.times):
            factory, root, output = BinFactory(modules), sandbox_root(), OutputBuffer()
            builder = WasiEnvBuilder(work.command).args(work.arguments).root(root).programs(factory)
            env = builder.stdout(output).stderr(2).build()
            if work.command == "dash":
                map_commands(env, dict.fromkeys(APPLETS, COREUTILS))
            assert factory.start(programs[work.command], env).wait() == 0
        seconds = time.perf_counter() - start
        assert output.getvalue().decode() == work.prints
        print(seconds, flush=True)


if __name__ == "__main__":
    main()
