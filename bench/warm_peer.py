"""Serves one line a work: runs it with the SDK, in one sandbox, and answers the seconds that it took."""

import asyncio
import os
import sys
import time

from warm_works import APPLETS, COREUTILS, DASH, WORKS
from wasmer_sdk import PackageCommandDefinition, PackageDefinition, Wasmer  # type: ignore[import-not-found,unused-ignore]


async def main(cache: str) -> None:
    """Serve until the input ends."""
    modules = {"coreutils": COREUTILS.read_bytes()}
    commands = {name: PackageCommandDefinition("coreutils") for name in APPLETS}
    if DASH.is_file():
        modules["dash"] = DASH.read_bytes()
        commands["dash"] = PackageCommandDefinition("dash")
    async with Wasmer(cache_root=cache, output_bytes=1 << 30) as wasmer:
        package = await wasmer.packages.create(PackageDefinition(modules=modules, commands=commands))
        async with await wasmer.sandboxes.create(packages=[package]) as sandbox:
            while line := await asyncio.to_thread(sys.stdin.readline):
                work = WORKS[line.strip()]
                start = time.perf_counter()
                for _ in range(work.times):
                    output = await sandbox.command(work.command, work.arguments).run(check=False)
                    assert output.exit_code == 0, output
                seconds = time.perf_counter() - start
                assert output.stdout.text() == work.prints
                print(seconds, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
    sys.stdout.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(0)
