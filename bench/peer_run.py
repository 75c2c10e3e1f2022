"""Run a command of a package file with the SDK: what a script that somebody wrote for that would do.

Arguments: the SDK's cache, the package, the command, a file of the host to give the guest at `/workspace/NAME` or `-`, and
the command's arguments. Its standard output is the guest's.
"""

import asyncio
import os
import sys
from pathlib import Path

from wasmer_sdk import Wasmer  # type: ignore[import-not-found,unused-ignore]


async def main(cache: str, package: str, command: str, file: str, *arguments: str) -> int:
    """Run it."""
    files = {} if file == "-" else {f"/workspace/{Path(file).name}": Path(file).read_bytes()}
    async with Wasmer(cache_root=cache) as wasmer:
        loaded = await wasmer.packages.load(Path(package))
        async with await wasmer.sandboxes.create(packages=[loaded], files=files) as sandbox:
            output = await sandbox.command(command, arguments).run(check=False)
            sys.stdout.buffer.write(output.stdout.bytes)
            sys.stderr.buffer.write(output.stderr.bytes)
            return int(output.exit_code)


if __name__ == "__main__":
    code = asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    sys.stderr.flush()
    # Without the end of the interpreter: the SDK's threads abort the process there, now and then.
    os._exit(code)
