"""Has many guests wait for input in one sandbox of the SDK: `python bench/idle_peer.py CACHE PACKAGE COUNT`.

Prints how many answered, in how many seconds after the first began, and by how many bytes the process grew with them.
"""

import asyncio
import os
import sys
import time
from pathlib import Path

from resident import resident
from wasmer_sdk import Wasmer  # type: ignore[import-not-found,unused-ignore]


async def main(cache: str, package: str, count: str) -> None:
    """Start them, hear of each, end them."""
    async with Wasmer(cache_root=cache) as wasmer:
        loaded = await wasmer.packages.load(Path(package))
        async with await wasmer.sandboxes.create(packages=[loaded]) as sandbox:
            await sandbox.command("cat").run()
            before, begin = resident(), time.perf_counter()
            guests = [await sandbox.command("cat").spawn(stdin="pipe") for _ in range(int(count))]
            answers = []
            for guest in guests:
                await guest.stdin.write(b"here\n")
                answers.append(await anext(aiter(guest.stdout)))
            grown, seconds = resident() - before, time.perf_counter() - begin
            for guest in guests:
                await guest.stdin.close()
            codes = [(await guest.wait()).exit_code for guest in guests]
    assert answers == [b"here\n"] * len(guests) and not any(codes)
    print(f"{len(guests)} alive\n{seconds}\n{max(grown, 0)}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(0)
