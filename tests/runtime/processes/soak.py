"""Starts a process and waits for it, again and again, and tells what the host has left of it.

python tests/runtime/processes/soak.py --rounds 10000
"""

import argparse
import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from runtime import host_threads
from runtime.engine import Module
from runtime.env import WasiEnvBuilder
from runtime.stdio import OutputBuffer

GUEST = Path(__file__).parent / "guests" / "process_script.wasm"
# Pipes, a child that writes, one that is killed, one that nobody could wait for; then a deadly signal.
SCRIPT = "pw0r0(w0x3)r0Kod0jx7"


class Usage(NamedTuple):
    """What this process uses: descriptors, threads, and bytes of memory (resident, and mapped)."""

    descriptors: int
    threads: int
    resident: int
    mapped: int


def usage() -> Usage:
    """What it uses now, once the threads that are on their way out are gone (Linux)."""
    host_threads.wait_until_none_is_idle(10)
    threads = len(os.listdir("/proc/self/task"))
    for _ in range(100):
        time.sleep(0.01)
        before, threads = threads, len(os.listdir("/proc/self/task"))
        if threads >= before:
            break
    mapped, resident = Path("/proc/self/statm").read_text().split()[:2]
    page = os.sysconf("SC_PAGE_SIZE")
    return Usage(len(os.listdir("/proc/self/fd")), threads, int(resident) * page, int(mapped) * page)


def run(module: Module) -> None:
    """One round: a process that has two children."""
    out = OutputBuffer()
    code = WasiEnvBuilder("guest").args([SCRIPT]).stdout(out).build().run(module)
    assert code == 7, (code, out.getvalue())


def soak(rounds: int, first: int = 100) -> tuple[Usage, Usage]:
    """What is used after `first` rounds, and after all."""
    module = Module.compile(GUEST.read_bytes())
    for _ in range(first):
        run(module)
    before = usage()
    for _ in range(rounds - first):
        run(module)
    return before, usage()


def is_kept(before: Usage, after: Usage) -> bool:
    """Whether nothing was left behind; one memory of a guest that is not given back is 4 GiB of addresses."""
    # The thread that interrupts guests comes and goes.
    same = after.descriptors <= before.descriptors + 2 and after.threads <= before.threads + 2
    return same and after.resident < 1.1 * before.resident and after.mapped < before.mapped + (1 << 30)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10_000)
    before, after = soak(parser.parse_args().rounds)
    print(f"round 100: {before}\nthe last:  {after}")
    sys.exit(not is_kept(before, after))
