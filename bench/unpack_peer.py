"""Writes the files of a package to the host with the SDK: `python bench/unpack_peer.py CACHE PACKAGE COREUTILS MOUNT
OUTPUT`.

It has nothing that unpacks, and shows a script only what is in a sandbox's workspace: a guest copies the files there,
and each is read from there.
"""

import asyncio
import os
import sys
from pathlib import Path

from wasmer_sdk import Sandbox, Wasmer  # type: ignore[import-not-found,unused-ignore]

WORKSPACE = "/workspace/files"


async def copy(sandbox: Sandbox, inside: str, target: Path) -> int:
    """Copy a directory; gives how many files that were."""
    target.mkdir(parents=True)
    count = 0
    for entry in await sandbox.fs.read_dir(inside):
        path = f"{inside}/{entry.name}"
        if entry.kind == "directory":
            count += await copy(sandbox, path, target / entry.name)
        else:
            (target / entry.name).write_bytes(await sandbox.fs.read(path))
            count += 1
    return count


async def main(cache: str, package: str, coreutils: str, mount: str, output: str) -> None:
    """Copy them."""
    async with Wasmer(cache_root=cache) as wasmer:
        loaded = await wasmer.packages.load_many([Path(package), Path(coreutils)])
        async with await wasmer.sandboxes.create(packages=loaded) as sandbox:
            await sandbox.command("cp", ["-r", mount, WORKSPACE]).run()
            print(await copy(sandbox, WORKSPACE, Path(output)), "files")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(0)
