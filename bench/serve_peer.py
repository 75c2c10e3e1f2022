"""Serves one work of `warm_works`: runs it with the SDK, in one sandbox, and answers how long it took.

Arguments: the work, the JSON of where the materials are, and the SDK's cache. Every line of its input is answered
with the seconds and the seconds on processors of one round.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from wasmer_sdk import Output, Wasmer  # type: ignore[import-not-found,unused-ignore]
from works.warm_works import SERVED, WarmWork


async def serve(work: WarmWork, places: "dict[str, str]", cache: str) -> None:
    """Serve until the input ends."""
    file = Path(places[work.file]) if work.file else None
    inside = f"/workspace/{file.name}" if file else ""
    arguments = [each.replace("{file}", inside) for each in work.arguments]
    async with Wasmer(cache_root=cache, output_bytes=1 << 30) as wasmer:
        packages = [await wasmer.packages.load(Path(places[name])) for name in work.packages]
        files = {inside: file.read_bytes()} if file else {}
        async with await wasmer.sandboxes.create(packages=packages, files=files) as sandbox:
            del files

            async def run() -> Output:
                return await sandbox.command(work.command, arguments).run(check=False)

            async def run_all(numbers: "list[int]") -> "list[Output]":
                done = []
                while numbers:
                    numbers.pop()
                    if work.opens:
                        package = await wasmer.packages.load(Path(places[work.packages[0]]))
                        assert package.commands == (work.command,)
                    else:
                        done.append(await run())
                return done

            while await asyncio.to_thread(sys.stdin.readline):
                numbers = list(range(work.times))
                begin, processor = time.perf_counter(), time.process_time()
                if work.at_once == 1:
                    done = await run_all(numbers)
                else:
                    parts = await asyncio.gather(*(run_all(numbers) for _ in range(work.at_once)))
                    done = [each for part in parts for each in part]
                seconds, processor = time.perf_counter() - begin, time.process_time() - processor
                for each in done:
                    work.check(each.exit_code, each.stdout.bytes, each.stderr.bytes)
                print(seconds, processor, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(SERVED[sys.argv[1]], json.loads(sys.argv[2]), sys.argv[3]))
    sys.stdout.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(0)
