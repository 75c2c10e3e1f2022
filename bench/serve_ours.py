"""Serves one work of `warm_works`: runs it with the library of this repository, in one sandbox, and answers how long it
took.

`python bench/serve_ours.py WORK PLACES` answers every line of its input with the seconds and the seconds on
processors of one round; PLACES is the JSON of where the materials are. `python bench/serve_ours.py --once WORK
[ROUNDS]` prints them, for profilers; PYTHONPATH says whose code runs.
"""

from __future__ import annotations

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from works.warm_works import SERVED, WarmWork

from pkgmgr import Completed, Package, Sandbox, Volume


def serve(work: WarmWork, places: dict[str, str]) -> None:
    """Serve until the input ends."""
    file = Path(places[work.file]) if work.file else None
    volumes = [Volume(file.parent, "/work", True)] if file else []
    arguments = [each.replace("{file}", f"/work/{file.name if file else ''}") for each in work.arguments]
    packages = [Path(places[name]) for name in work.packages]
    with Sandbox(packages, volumes=volumes, disk=4 << 30) as sandbox, ThreadPoolExecutor(work.at_once) as pool:

        def run(_: int) -> Completed | None:
            if work.opens:
                assert Package.load(packages[0]).commands == (work.command,)
                return None
            # In the root: there a dash of any age finds what has an absolute path.
            return sandbox.run(work.command, *arguments, cwd="/", output_limit=None)

        for _ in sys.stdin:
            begin, processor = time.perf_counter(), time.process_time()
            if work.at_once == 1:
                done = [run(number) for number in range(work.times)]
            else:
                done = list(pool.map(run, range(work.times)))
            seconds, processor = time.perf_counter() - begin, time.process_time() - processor
            for each in filter(None, done):
                work.check(each.exit_code, each.stdout, each.stderr)
            print(seconds, processor, flush=True)


def _once(name: str, rounds: str = "1") -> None:
    """Run a work for whoever looks at it; compiled code is kept in `bench/.cache`."""
    from materials import CACHE, materials

    work = SERVED[name]
    os.environ.setdefault("WPM_CACHE_DIR", str(CACHE / "store"))
    places = {}
    for key, place in materials(*work.packages, *([work.file] if work.file else [])).items():
        if isinstance(place, str):
            raise SystemExit(place)
        places[key] = str(place)
    reading, writing = os.pipe()
    os.write(writing, b"\n" * int(rounds))
    os.close(writing)
    sys.stdin = os.fdopen(reading)
    serve(work, places)


if __name__ == "__main__":
    if sys.argv[1] == "--once":
        _once(*sys.argv[2:])
    else:
        serve(SERVED[sys.argv[1]], json.loads(sys.argv[2]))
