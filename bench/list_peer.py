"""Opens a package file with the SDK and prints its commands: `python bench/list_peer.py CACHE PACKAGE`."""

import asyncio
import os
import sys
from pathlib import Path

from wasmer_sdk import Wasmer  # type: ignore[import-not-found,unused-ignore]


async def main(cache: str, package: str) -> None:
    """Open it."""
    async with Wasmer(cache_root=cache) as wasmer:
        print(*(await wasmer.packages.load(Path(package))).commands)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(0)
